"""Comparing what is proposed with what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.workspace.actions import action
from medview.workspace.hands import Hands
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels, segments
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case
from tests.workspace.gestures import drag, pointer

MODEL = Source(SourceKind.MODEL, "organs", "1.0.0", "ab" * 32, "job-1")


@pytest.fixture
def proposed(case: OpenCase) -> Proposal:
    voxels = np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8)
    voxels[4:9, 3:12, 4:16] = 1
    voxels[5:8, 14:18, 20:27] = 2
    names = (PredictedSegment(1, "Liver", (200, 30, 30)), PredictedSegment(2, "Lesion", (30, 200, 30)))
    mask = PredictedMask.trimmed(voxels, names)
    prediction = Prediction("segmentation", "Organs", MODEL, case.volume.geometry, mask=mask)
    labels.propose(case, Proposal("p1", prediction, case.labels.revision))
    return case.labels.proposals["p1"]


@pytest.fixture
def drawn(workspace: Workspace, hands: Hands, case: OpenCase) -> str:
    segment = labels.add_segment(case, "liver")
    assert segment is not None
    set_tool(workspace, Tool.BRUSH)
    workspace.bench.set_radius(4.0)
    drag(hands, pointer(case, 6, 8), pointer(case, 8, 14))
    return segment.segment_id


def test_a_class_is_compared_with_the_segment_of_its_name_and_the_figures_are_right(
    workspace: Workspace, case: OpenCase, drawn: str, proposed: Proposal
) -> None:
    workspace.differences.open("p1", 1)
    state = workspace.bench.review.difference
    assert state.segment_id == drawn
    assert state.found is not None
    held = case.labels.segmentation.mask(case.labels.segmentation.segment(drawn))
    mask = proposed.prediction.mask
    assert mask is not None
    liver = mask.on_grid(case.volume.geometry.shape_kji) == 1
    agreement = state.found.agreement
    assert agreement.dice == pytest.approx(2 * np.count_nonzero(held & liver) / (held.sum() + liver.sum()))
    assert (agreement.added, agreement.removed) == (np.count_nonzero(liver & ~held), np.count_nonzero(held & ~liver))
    assert not workspace.differences.stale


def test_it_goes_stale_with_strokes_and_is_worked_out_again_after_them(
    workspace: Workspace, hands: Hands, case: OpenCase, drawn: str, proposed: Proposal
) -> None:
    workspace.differences.open("p1", 1)
    before = workspace.bench.review.difference.found
    drag(hands, pointer(case, 6, 8), pointer(case, 10, 6))
    assert workspace.differences.stale
    workspace.differences.refresh()
    after = workspace.bench.review.difference.found
    assert not workspace.differences.stale
    assert before is not None
    assert after is not None
    assert after.agreement.proposed > before.agreement.proposed


def test_another_segment_can_be_chosen_and_is_then_gone_on_with(
    workspace: Workspace, case: OpenCase, drawn: str, proposed: Proposal
) -> None:
    other = labels.add_segment(case, "Hepar")
    assert other is not None
    workspace.differences.open("p1", 1)
    workspace.differences.choose(other.segment_id)
    found = workspace.bench.review.difference.found
    assert found is not None
    assert found.agreement.dice == 0.0
    workspace.differences.close()
    workspace.differences.open("p1", 1)
    assert workspace.bench.review.difference.segment_id == other.segment_id


def test_without_a_segment_it_says_what_to_do(workspace: Workspace, case: OpenCase, proposed: Proposal) -> None:
    workspace.differences.open("p1", 1)
    state = workspace.bench.review.difference
    assert state.found is None
    assert state.problem == "There is no segment to compare with; draw one or choose it here."


def test_jumps_go_from_the_largest_place_to_smaller_ones(
    workspace: Workspace, case: OpenCase, drawn: str, proposed: Proposal, said: list[str]
) -> None:
    workspace.differences.open("p1", 1)
    found = workspace.bench.review.difference.found
    assert found is not None
    assert len(found.spots) > 1
    seen = []
    for _ in range(len(found.spots) + 1):
        action("difference.next").run(workspace)
        seen.append(case.view.crosshair_kji)
    assert seen == [spot.at_kji for spot in (*found.spots, found.spots[0])]
    action("difference.previous").run(workspace)
    assert case.view.crosshair_kji == found.spots[-1].at_kji
    assert said[0].startswith("Place 1 of ")


def test_it_ends_when_its_proposal_goes_or_another_case_is_looked_at(
    workspace: Workspace, case: OpenCase, drawn: str, proposed: Proposal
) -> None:
    action("proposal.compare").run(workspace)
    assert workspace.bench.review.difference.value == 1
    action("proposal.compare").run(workspace)
    assert not workspace.bench.review.difference.open
    workspace.differences.open("p1", 1)
    labels.reject(case, "p1")
    assert not workspace.bench.review.difference.open
    case.undo()
    workspace.differences.open("p1", 2)
    other = make_case()
    other.series = type(other.series)("9.9", "9.8", modality="CT")
    workspace.add_case(other)
    assert not workspace.bench.review.difference.open


def test_a_deleted_segment_leaves_nothing_compared(
    workspace: Workspace, case: OpenCase, drawn: str, proposed: Proposal
) -> None:
    workspace.differences.open("p1", 1)
    segments.delete(case, [drawn])
    assert workspace.bench.review.difference.found is None


def test_an_answer_that_comes_too_late_is_dropped(
    workspace: Workspace, case: OpenCase, drawn: str, proposed: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Outcome] = []

    class Later:
        def submit(self, request: object, outcome: Outcome) -> Job:
            asked.append(outcome)
            return Job("", Lane.COMPUTE)

    workspace.differences.open("p1", 1)
    right = workspace.bench.review.difference.found
    monkeypatch.setattr(workspace, "runner", Later())
    workspace.differences.refresh()
    workspace.differences.refresh()
    asked[0].done(right)
    assert workspace.bench.review.difference.working
    asked[1].done(right)
    assert not workspace.bench.review.difference.working
    workspace.differences.close()
    asked[1].done(right)
    assert not workspace.bench.review.difference.open
