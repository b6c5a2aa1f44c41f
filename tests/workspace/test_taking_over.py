"""Taking over parts of what a model proposes: under the brush, piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.plane import Plane
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.segmentation import Code
from medview.core.source import Source, SourceKind
from medview.edit.rules import Area, EditRules, Overlap
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels, segments
from medview.workspace.pointer import Modifiers
from medview.workspace.review import counterpart, take_into, want
from medview.workspace.review_state import NEW_SEGMENT
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.workspace.gestures import drag, pointer

MODEL = Source(SourceKind.MODEL, "organs", "1.0.0", "ab" * 32, "job-1")
LIVER = Code("10200004", "SCT", "Liver")


def _voxels(case: OpenCase) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    voxels = np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8)
    voxels[4:9, 3:12, 4:16] = 1
    voxels[5:8, 14:18, 20:27] = 2
    voxels[1:3, 2:6, 20:28] = 2
    return voxels


@pytest.fixture
def proposed(case: OpenCase) -> Proposal:
    names = (PredictedSegment(1, "Liver", (200, 30, 30), LIVER), PredictedSegment(2, "Lesion", (30, 200, 30)))
    mask = PredictedMask.trimmed(_voxels(case), names)
    prediction = Prediction("segmentation", "Organs", MODEL, case.volume.geometry, mask=mask)
    labels.propose(case, Proposal("p1", prediction, case.labels.revision))
    return case.labels.proposals["p1"]


def _held(case: OpenCase, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    segment = next(s for s in case.labels.segmentation.segments if s.name == name)
    return case.labels.segmentation.mask(segment)


def _brush(workspace: Workspace, radius_mm: float = 4.0, *, sphere: bool = False) -> None:
    set_tool(workspace, Tool.ACCEPT_BRUSH)
    workspace.bench.set_radius(radius_mm)
    workspace.bench.brush_sphere = sphere


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("sphere", [False, True])
def test_a_stroke_takes_over_what_is_proposed_under_it_and_nothing_else(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal, plane: Plane, sphere: bool
) -> None:
    workspace.bench.set_radius(4.0)
    case.view.crosshair_kji = (6, 8, 12)
    layout = case.slice_plane(plane)
    _, row, column = layout.screen(case.volume.geometry, (6.0, 8.0, 12.0))
    way = [pointer(case, row, column, plane=plane), pointer(case, row + 1.0, column + 2.0, plane=plane)]
    workspace.bench.brush_sphere = sphere
    set_tool(workspace, Tool.BRUSH)
    drag(hands, *way)
    stroke = _held(case, "Segment 1")
    case.undo()
    assert stroke.any()
    set_tool(workspace, Tool.ACCEPT_BRUSH)
    drag(hands, *way)
    (liver,) = case.labels.segmentation.segments
    assert np.array_equal(case.labels.segmentation.mask(liver), stroke & (_voxels(case) == 1))
    assert (liver.name, liver.code, liver.colour, liver.source) == ("Liver", LIVER, (200, 30, 30), MODEL)
    assert case.history.names[-1] == "Accept a part of Liver from Organs"
    assert "p1" in case.labels.proposals
    case.undo()
    assert case.labels.segmentation.segments == []
    assert case.labels.efforts == {}


def test_a_stroke_over_two_classes_takes_both_and_the_one_that_is_wanted_alone(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    _brush(workspace, 30.0)
    drag(hands, pointer(case, 10, 15), pointer(case, 11, 15))
    assert {s.name for s in case.labels.segmentation.segments} == {"Liver", "Lesion"}
    case.undo()
    want(workspace.bench, ("p1", 2))
    drag(hands, pointer(case, 10, 15), pointer(case, 11, 15))
    assert {s.name for s in case.labels.segmentation.segments} == {"Lesion"}
    want(workspace.bench, ("gone", 2))
    drag(hands, pointer(case, 10, 15), pointer(case, 11, 15))
    assert {s.name for s in case.labels.segmentation.segments} == {"Liver", "Lesion"}


def test_ctrl_gives_back_what_was_taken_over(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    _brush(workspace, 30.0)
    drag(hands, pointer(case, 10, 15), pointer(case, 11, 15))
    k = case.view.crosshair_kji[0]
    assert np.array_equal(_held(case, "Liver")[k], _voxels(case)[k] == 1)
    workspace.bench.set_radius(2.0)
    drag(hands, *(pointer(case, 6, 10 + n, modifiers=Modifiers.CTRL) for n in range(3)))
    left = _held(case, "Liver")[k]
    assert 0 < np.count_nonzero(left) < np.count_nonzero(_voxels(case)[k] == 1)
    assert case.history.names[-1] == "Give Liver back to Organs"
    assert not left[6, 10]


def test_what_a_class_is_called_or_coded_as_is_gone_on_with_and_another_can_be_chosen(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    mine = labels.add_segment(case, "liver")
    other = labels.add_segment(case, "Hepar")
    assert mine is not None
    assert other is not None
    predicted = proposed.prediction.mask.segments[0] if proposed.prediction.mask else None
    assert predicted is not None
    bench = workspace.bench
    assert counterpart(case, bench, proposed, predicted) == mine
    segments.set_code(case, other.segment_id, LIVER)
    by_code = counterpart(case, bench, proposed, predicted)
    assert by_code is not None
    assert by_code.segment_id == other.segment_id
    take_into(bench, ("p1", 1), mine.segment_id)
    assert counterpart(case, bench, proposed, predicted) == mine
    take_into(bench, ("p1", 1), NEW_SEGMENT)
    assert counterpart(case, bench, proposed, predicted) is None
    _brush(workspace)
    drag(hands, pointer(case, 6, 10), pointer(case, 6, 11))
    drag(hands, pointer(case, 8, 10), pointer(case, 8, 11))
    assert [s.name for s in case.labels.segmentation.segments] == ["liver", "Hepar", "Liver"]
    assert _held(case, "Liver").any()
    assert not _held(case, "liver").any()


def test_exactly_also_takes_away_what_is_not_proposed(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    labels.add_segment(case, "Liver")
    set_tool(workspace, Tool.BRUSH)
    workspace.bench.set_radius(4.0)
    drag(hands, pointer(case, 10, 14), pointer(case, 13, 18))
    drawn = _held(case, "Liver")
    assert (drawn & (_voxels(case) == 0)).any()
    workspace.bench.review = type(workspace.bench.review)(exactly=True)
    _brush(workspace, 30.0)
    drag(hands, pointer(case, 10, 15), pointer(case, 11, 15))
    k = case.view.crosshair_kji[0]
    assert np.array_equal(_held(case, "Liver")[k], _voxels(case)[k] == 1)


def test_strokes_obey_locks_the_area_and_what_is_kept_and_say_so(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal, said: list[str]
) -> None:
    body = labels.add_segment(case, "Body")
    assert body is not None
    set_tool(workspace, Tool.BRUSH)
    workspace.bench.set_radius(2.0)
    drag(hands, pointer(case, 6, 8), pointer(case, 6, 9))
    held = _held(case, "Body")
    _brush(workspace, 6.0)
    workspace.bench.rules = EditRules(overlap=Overlap.KEEP)
    drag(hands, pointer(case, 6, 9), pointer(case, 6, 10))
    assert np.array_equal(_held(case, "Body"), held)
    assert not (_held(case, "Liver") & held).any()
    case.undo()
    workspace.bench.rules = EditRules(area=Area.INSIDE, area_segment="Body")
    drag(hands, pointer(case, 6, 9), pointer(case, 6, 10))
    assert not (_held(case, "Liver") & ~held).any()
    case.undo()
    workspace.bench.rules = EditRules()
    mine = labels.add_segment(case, "Liver")
    assert mine is not None
    segments.set_locked(case, [mine.segment_id], locked=True)
    drag(hands, pointer(case, 6, 9), pointer(case, 6, 10))
    assert not _held(case, "Liver").any()
    assert "locked" in said[-1]


def test_a_stroke_beside_everything_says_so_and_a_case_that_is_only_read_says_why(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal, said: list[str]
) -> None:
    _brush(workspace, 1.0)
    drag(hands, pointer(case, 19, 1), pointer(case, 19, 2))
    assert said[-1] == "Organs proposes nothing under this stroke."
    drag(hands, pointer(case, 6, 10, modifiers=Modifiers.CTRL), pointer(case, 6, 11, modifiers=Modifiers.CTRL))
    assert said[-1] == "Nothing of this was taken over, so there is nothing to give back."
    assert case.history.names == ()
    case.read_only = "Only read."
    drag(hands, pointer(case, 6, 10), pointer(case, 6, 11))
    assert said[-1] == "Only read."
    case.read_only = ""
    labels.reject(case, "p1")
    drag(hands, pointer(case, 6, 10), pointer(case, 6, 11))
    assert said[-1] == "No model proposes a mask here; run one first."


def test_a_click_takes_the_piece_under_it_and_ctrl_gives_it_back(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal, said: list[str]
) -> None:
    set_tool(workspace, Tool.ACCEPT_PIECE)
    geometry = case.volume.geometry
    _, row, column = case.slice_plane(Plane.AXIAL).screen(geometry, (6.0, 15.0, 22.0))
    drag(hands, pointer(case, row, column))
    expected = _voxels(case) == 2
    expected[:4] = False
    assert np.array_equal(_held(case, "Lesion"), expected)
    assert case.history.names == ("Accept a piece of Lesion from Organs",)
    (lesion,) = case.labels.segmentation.segments
    assert lesion.source == MODEL
    assert case.active_segment == lesion
    case.view.crosshair_kji = (2, 4, 22)
    drag(hands, pointer(case, row - 11, column))
    assert np.array_equal(_held(case, "Lesion"), _voxels(case) == 2)
    drag(hands, pointer(case, row - 11, column, modifiers=Modifiers.CTRL))
    assert np.array_equal(_held(case, "Lesion"), expected)
    case.undo()
    case.undo()
    case.undo()
    assert case.labels.segmentation.segments == []
    drag(hands, pointer(case, 19, 1))
    assert said[-1] == "Organs proposes nothing here; click on a hatched region."


def test_segments_that_wait_for_a_class_note_which_model_fills_them_and_drawn_ones_stay_their_persons(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    liver, lesion = labels.add_segment(case, "Liver"), labels.add_segment(case, "Lesion")
    assert liver is not None
    assert lesion is not None
    _brush(workspace)
    drag(hands, pointer(case, 6, 10), pointer(case, 6, 11))
    set_tool(workspace, Tool.ACCEPT_PIECE)
    _, row, column = case.slice_plane(Plane.AXIAL).screen(case.volume.geometry, (6.0, 15.0, 22.0))
    drag(hands, pointer(case, row, column))
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver", "Lesion"]
    noted = case.labels.efforts
    assert {key: (one.value, one.source) for key, one in noted.items()} == {
        liver.segment_id: (1, MODEL),
        lesion.segment_id: (2, MODEL),
    }
    case.undo()
    case.undo()
    assert case.labels.efforts == {}
    case.view.active_segment_id = liver.segment_id
    set_tool(workspace, Tool.BRUSH)
    drag(hands, pointer(case, 17, 10), pointer(case, 17, 11))
    assert _held(case, "Liver").any()
    _brush(workspace)
    drag(hands, pointer(case, 6, 10), pointer(case, 6, 11))
    assert case.labels.efforts == {}


def test_accepting_the_rest_goes_on_in_the_segment_that_was_begun(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    _brush(workspace)
    drag(hands, pointer(case, 6, 10), pointer(case, 6, 11))
    labels.accept(case, "p1")
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver", "Lesion"]
    assert np.array_equal(_held(case, "Liver"), _voxels(case) == 1)
    assert all(s.source == MODEL for s in case.labels.segmentation.segments)
    assert {e.label: e.value for e in case.labels.efforts.values()} == {"Liver": 1, "Lesion": 2}
    case.undo()
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver"]


def test_what_a_person_changes_in_it_later_counts_as_corrected(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    _brush(workspace)
    drag(hands, pointer(case, 6, 10), pointer(case, 6, 11))
    set_tool(workspace, Tool.BRUSH)
    drag(hands, pointer(case, 17, 10), pointer(case, 17, 11))
    (liver,) = case.labels.segmentation.segments
    assert liver.source == MODEL.by_hand()


def test_proposals_get_colours_of_their_own_and_keep_those_that_are_free(case: OpenCase) -> None:
    red, green = (200, 30, 30), (30, 200, 30)
    mine = labels.add_segment(case, "Mine")
    assert mine is not None
    segments.set_colour(case, [mine.segment_id], (205, 28, 33))
    mask = PredictedMask.trimmed(_voxels(case), (PredictedSegment(1, "A", red), PredictedSegment(2, "B", green)))
    labels.propose(case, Proposal("p", Prediction("segmentation", "M", MODEL, case.volume.geometry, mask=mask)))
    shown = case.labels.proposals["p"].prediction.mask
    assert shown is not None
    first, second = shown.segments
    assert second.colour == green
    for other in ((205, 28, 33), green):
        assert np.linalg.norm(np.subtract(first.colour, other)) > 60


def test_what_the_rules_keep_out_begins_no_segment_and_says_why(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal, said: list[str]
) -> None:
    workspace.bench.rules = EditRules(area=Area.INSIDE, area_segment="Body")
    for tool in (Tool.ACCEPT_BRUSH, Tool.ACCEPT_PIECE):
        set_tool(workspace, tool)
        workspace.bench.set_radius(4.0)
        drag(hands, pointer(case, 6, 10), pointer(case, 6, 11))
        assert said[-1] == "Nothing was changed: only inside Body."
        assert case.labels.segmentation.segments == []
        assert case.labels.efforts == {}
        assert case.history.names == ()
        assert case.view.active_segment_id == ""


def test_a_stroke_over_two_classes_begins_only_what_the_rules_let_in(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal, said: list[str]
) -> None:
    body = labels.add_segment(case, "Body")
    assert body is not None
    set_tool(workspace, Tool.BRUSH)
    workspace.bench.set_radius(3.0)
    drag(hands, pointer(case, 6, 8), pointer(case, 6, 9))
    workspace.bench.rules = EditRules(area=Area.INSIDE, area_segment="Body")
    _brush(workspace, 30.0)
    drag(hands, pointer(case, 10, 15), pointer(case, 11, 15))
    assert [s.name for s in case.labels.segmentation.segments] == ["Body", "Liver"]
    assert {one.label for one in case.labels.efforts.values()} == {"Liver"}
    assert case.history.names[-1] == "Accept a part of Liver from Organs"


def test_a_piece_that_is_held_already_is_not_taken_over_again(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal, said: list[str]
) -> None:
    set_tool(workspace, Tool.ACCEPT_PIECE)
    drag(hands, pointer(case, 6, 10))
    drag(hands, pointer(case, 6, 10))
    assert said[-1] == "Liver holds all of this piece already."
    assert case.history.names == ("Accept a piece of Liver from Organs",)
    workspace.bench.rules = EditRules(area=Area.OUTSIDE, area_segment="Liver")
    drag(hands, pointer(case, 6, 10, modifiers=Modifiers.CTRL))
    assert said[-1] == "Nothing was changed: only outside Liver."
    assert np.array_equal(_held(case, "Liver"), _voxels(case) == 1)
