from __future__ import annotations

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.box import Box
from medview.core.changes import Command
from medview.core.label_patch import LabelPatch
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.edit.rules import Area, EditRules, Overlap
from medview.workspace.editing import Step
from medview.workspace.label_actions import LABEL_ACTIONS
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.workspace import Workspace
from tests.helpers.strokes import stroke_patch

MODEL = Source(SourceKind.MODEL, "organs", "1.0.0", "ab" * 32, "job-1")


def _proposal(case: OpenCase) -> Proposal:
    voxels = np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8)
    voxels[2:5, 3:9, 4:20] = 1
    voxels[6:8, 10:15, 4:20] = 2
    segments = (PredictedSegment(1, "Lung", (1, 2, 3)), PredictedSegment(2, "Nodule", (4, 5, 6)))
    mask = PredictedMask.trimmed(voxels, segments)
    box = BoxAnnotation.on_grid("b1", "Nodule", case.volume.geometry, (6, 10, 4), (8, 15, 20), 0.9, MODEL)
    prediction = Prediction(
        "segmentation", "Organs", MODEL, case.volume.geometry, mask=mask, boxes=(box,), scores={"Nodule present": 0.8}
    )
    return Proposal("p1", prediction, case.labels.revision)


def _paint(case: OpenCase, name: str, at: tuple[int, int, int]) -> None:
    segment = labels.add_segment(case, name)
    gesture = case.gesture("brush")
    patch = stroke_patch(case.labels.segmentation, segment, at, at, radius_mm=6.0)
    assert patch is not None
    gesture.apply(patch)
    gesture.commit(name)


def test_a_proposal_changes_no_label_until_it_is_accepted(case: OpenCase) -> None:
    labels.propose(case, _proposal(case))
    assert case.labels.segmentation.segments == []
    assert case.labels.annotations == {}


def test_accepting_everything_adds_the_segments_boxes_and_scores_with_their_source(case: OpenCase) -> None:
    proposal = _proposal(case)
    labels.propose(case, proposal)
    labels.accept(case, "p1")
    segments = case.labels.segmentation.segments
    assert [s.name for s in segments] == ["Lung", "Nodule"]
    assert all(s.source == MODEL for s in segments)
    assert proposal.prediction.mask is not None
    expected = proposal.prediction.mask.on_grid(case.volume.geometry.shape_kji)
    assert np.array_equal(case.labels.segmentation.mask(segments[0]), expected == 1)
    assert np.array_equal(case.labels.segmentation.mask(segments[1]), expected == 2)
    assert {a.label for a in case.labels.annotations.values()} == {"Nodule", "Nodule present"}
    assert case.labels.proposals == {}


def test_accepting_one_segment_leaves_the_rest_proposed(case: OpenCase) -> None:
    labels.propose(case, _proposal(case))
    labels.accept(case, "p1", {2})
    assert [s.name for s in case.labels.segmentation.segments] == ["Nodule"]
    left = case.labels.proposals["p1"].prediction.mask
    assert left is not None
    assert [s.name for s in left.segments] == ["Lung"]
    assert left.counts() == {1: 3 * 6 * 16}


def test_accepting_never_overwrites_what_a_person_drew(case: OpenCase) -> None:
    _paint(case, "Mine", (3, 5, 10))
    mine = case.labels.segmentation.mask(case.labels.segmentation.segments[0])
    labels.propose(case, _proposal(case))
    labels.accept(case, "p1")
    assert np.array_equal(case.labels.segmentation.mask(case.labels.segmentation.segments[0]), mine)
    lung = case.labels.segmentation.segments[1]
    assert (case.labels.segmentation.mask(lung) & mine).any()


def test_undo_of_accept_brings_the_proposal_back_and_takes_the_labels_away(case: OpenCase) -> None:
    labels.propose(case, _proposal(case))
    labels.accept(case, "p1")
    case.undo()
    assert list(case.labels.proposals) == ["p1"]
    assert case.labels.segmentation.segments == []
    assert not case.labels.segmentation.layer(0).voxels.any()
    assert case.labels.annotations == {}


def test_a_model_has_at_most_one_live_proposal(case: OpenCase) -> None:
    first, second = _proposal(case), _proposal(case)
    labels.propose(case, first)
    labels.propose(case, Proposal("p2", second.prediction, 0))
    assert list(case.labels.proposals) == ["p2"]


def test_a_run_that_ends_takes_no_redo_away_and_is_nothing_to_undo(case: OpenCase) -> None:
    steps: list[Step] = []
    _paint(case, "Mine", (3, 5, 10))
    drawn = case.labels.segmentation.layer(0).voxels.copy()
    case.undo()
    case.record = steps.append
    labels.propose(case, _proposal(case))
    assert [step.kind for step in steps] == ["note"]
    assert case.history.names == ("Add Mine",)
    assert case.redo() is not None
    assert np.array_equal(case.labels.segmentation.layer(0).voxels, drawn)
    assert list(case.labels.proposals) == ["p1"]


def test_what_was_done_to_a_proposal_is_taken_back_and_done_again_exactly_though_a_newer_run_took_its_place(
    case: OpenCase,
) -> None:
    labels.propose(case, _proposal(case))
    labels.accept(case, "p1", {2})
    labels.reject(case, "p1")
    labels.propose(case, Proposal("p2", _proposal(case).prediction, 0))
    seen = []
    for step in (-1, -1, 1, 1, -1, -1):
        seen.append((list(case.labels.proposals), [s.name for s in case.labels.segmentation.segments]))
        case.travel(step)
    seen.append((list(case.labels.proposals), [s.name for s in case.labels.segmentation.segments]))
    both, none = (["p2"], ["Nodule"]), (["p2"], [])
    assert seen == [both, both, none, both, both, both, none]


def test_a_rejected_proposal_comes_back_with_undo(case: OpenCase) -> None:
    labels.propose(case, _proposal(case))
    labels.reject(case, "p1")
    assert case.labels.proposals == {}
    case.undo()
    assert list(case.labels.proposals) == ["p1"]


def test_a_proposal_is_stale_once_the_labels_have_moved_on(case: OpenCase) -> None:
    proposal = _proposal(case)
    labels.propose(case, proposal)
    assert not labels.stale(case, proposal)
    _paint(case, "Mine", (3, 5, 10))
    assert labels.stale(case, proposal)


def test_accepting_one_box_leaves_mask_and_scores_proposed(case: OpenCase) -> None:
    labels.propose(case, _proposal(case))
    labels.accept_box(case, "p1", "b1")
    assert list(case.labels.annotations) == ["b1"]
    rest = case.labels.proposals["p1"].prediction
    assert rest.boxes == ()
    assert rest.mask is not None
    assert rest.scores == {"Nodule present": 0.8}


def test_proposals_are_accepted_within_the_rules_of_the_bench(workspace: Workspace, case: OpenCase) -> None:
    _paint(case, "Body", (3, 5, 10))
    body = case.labels.segmentation.mask(case.labels.segmentation.segments[0])
    labels.propose(case, _proposal(case))
    workspace.bench.rules = EditRules(area=Area.INSIDE, area_segment="Body")
    next(action for action in LABEL_ACTIONS if action.action_id == "proposal.accept").run(workspace)
    lung = case.labels.segmentation.segments[1]
    held = case.labels.segmentation.mask(lung)
    assert held.any()
    assert not (held & ~body).any()


def test_what_the_rules_keep_out_whole_leaves_no_empty_segment_and_stays_proposed(
    workspace: Workspace, case: OpenCase, said: list[str]
) -> None:
    _paint(case, "Body", (3, 5, 10))
    labels.propose(case, _proposal(case))
    names = case.history.names
    workspace.bench.rules = EditRules(value_range=(-9000.0, -8000.0))
    proposal = case.labels.proposals["p1"]
    assert proposal.prediction.mask is not None
    labels.accept_and_say(workspace, case, "p1", {1}, "Accepted Lung.")
    assert [s.name for s in case.labels.segmentation.segments] == ["Body"]
    assert case.labels.proposals == {"p1": proposal}
    assert case.history.names == names
    assert said[-1].startswith("Nothing was changed: only values")
    # What is inside comes in, what is not stays proposed; boxes and statements are no voxels.
    workspace.bench.rules = EditRules(area=Area.INSIDE, area_segment="Body")
    labels.accept_and_say(workspace, case, "p1", None, "Accepted all.")
    assert [s.name for s in case.labels.segmentation.segments] == ["Body", "Lung"]
    assert said[-1] == "Accepted all. Nodule is kept out by the rules and stays proposed."
    rest = case.labels.proposals["p1"].prediction
    assert rest.mask is not None
    assert ([s.name for s in rest.mask.segments], rest.boxes, rest.scores) == (["Nodule"], (), {})
    assert case.undo() is not None
    assert case.labels.proposals == {"p1": proposal}
    assert [s.name for s in case.labels.segmentation.segments] == ["Body"]


def test_where_what_is_drawn_stays_a_class_under_it_begins_no_segment(workspace: Workspace, case: OpenCase) -> None:
    segment = labels.add_segment(case, "Mine")
    assert segment is not None
    mask = _proposal(case).prediction.mask
    assert mask is not None
    voxels = (mask.on_grid(case.volume.geometry.shape_kji) == 2).astype(np.uint8) * segment.value
    patch = LabelPatch.between(case.labels.segmentation.layer(0), Box((0, 0, 0), case.volume.geometry.shape_kji), voxels)
    assert patch is not None
    case.do(Command("Draw", (patch,), "brush"))
    labels.propose(case, _proposal(case))
    workspace.bench.rules = EditRules(overlap=Overlap.KEEP)
    labels.accept_and_say(workspace, case, "p1", None, "Accepted all.")
    assert [s.name for s in case.labels.segmentation.segments] == ["Mine", "Lung"]
