"""Boxes that a model proposes, adjusted without being accepted first."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.plane import Plane
from medview.core.prediction import Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.preview import GripPreview
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.workspace.gestures import drag, pointer

MODEL = Source(SourceKind.MODEL, "boxes", "1.0.0", "ab" * 32, "job-1")
LOW, HIGH = (3, 4, 6), (8, 12, 20)


@pytest.fixture
def proposed(workspace: Workspace, case: OpenCase) -> Proposal:
    geometry = case.volume.geometry
    boxes = (
        BoxAnnotation.on_grid("near", "Nodule", geometry, LOW, HIGH, 0.9, MODEL),
        BoxAnnotation.on_grid("faint", "Nodule", geometry, (3, 14, 20), (8, 18, 27), 0.3, MODEL),
    )
    labels.propose(
        case, Proposal("p1", Prediction("detection", "Boxes", MODEL, geometry, boxes=boxes), case.labels.revision)
    )
    case.view.crosshair_kji = (5, 8, 12)
    workspace.bench.mode = Mode.ANNOTATE
    set_tool(workspace, Tool.BOX_3D)
    return case.labels.proposals["p1"]


def _drawn(case: OpenCase) -> dict[str, BoxAnnotation]:
    return {key: one for key, one in case.labels.annotations.items() if isinstance(one, BoxAnnotation)}


def _corner(case: OpenCase, kji: tuple[float, float, float], plane: Plane) -> tuple[float, float]:
    _, row, column = case.slice_plane(plane).screen(case.volume.geometry, np.subtract(kji, 0.5))
    return row, column


@pytest.mark.parametrize("plane", list(Plane))
def test_a_pulled_corner_takes_the_box_over_as_it_becomes_and_undo_proposes_it_again(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal, plane: Plane
) -> None:
    here, there = _corner(case, HIGH, plane), _corner(case, (HIGH[0] + 2, HIGH[1] + 3, HIGH[2] + 4), plane)
    hands.hover(pointer(case, *here, plane=plane))
    assert isinstance(hands.preview, GripPreview)
    drag(hands, pointer(case, *here, plane=plane), pointer(case, *there, plane=plane))
    (taken,) = _drawn(case).values()
    grown = np.array((2, 3, 4))
    grown[case.slice_plane(plane).normal_axis] = 0
    low, high = taken.bounds_kji(case.volume.geometry)
    assert np.allclose(low, LOW)
    assert np.allclose(high, np.add(HIGH, grown))
    assert (taken.annotation_id, taken.label, taken.score) == ("near", "Nodule", 0.9)
    assert taken.source == MODEL.by_hand()
    assert case.view.active_annotation_id == "near"
    left = case.labels.proposals["p1"]
    assert [box.annotation_id for box in left.prediction.boxes] == ["faint"]
    assert not labels.stale(case, left)
    assert case.history.names == ("Adjust Nodule from Boxes",)
    case.undo()
    assert _drawn(case) == {}
    assert case.labels.proposals["p1"].prediction.boxes == proposed.prediction.boxes
    case.redo()
    assert _drawn(case) == {"near": taken}


def test_a_hand_that_does_not_move_only_chooses_and_escape_gives_all_of_it_back(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    at = pointer(case, *_corner(case, LOW, Plane.AXIAL))
    hands.press(at)
    hands.release(at)
    assert case.view.proposed_box_id == "near"
    assert (_drawn(case), case.history.names) == ({}, ())
    hands.press(at)
    hands.move(pointer(case, *_corner(case, (3, 1, 2), Plane.AXIAL)))
    assert list(_drawn(case)) == ["near"]
    hands.cancel()
    assert (_drawn(case), case.history.names) == ({}, ())
    assert case.labels.proposals["p1"].prediction.boxes == proposed.prediction.boxes
    assert case.view.proposed_box_id == "near"
    # Inside of it a click chooses, and a drag draws another box as ever.
    case.view.proposed_box_id = ""
    inside = pointer(case, 7, 10)
    hands.press(inside)
    hands.release(inside)
    assert case.view.proposed_box_id == "near"


def test_the_last_box_ends_the_proposal_and_hidden_ones_are_not_taken_hold_of(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    case.view.set_least_score("boxes", 0.5)
    at = pointer(case, *_corner(case, (8, 18, 27), Plane.AXIAL))
    hands.hover(at)
    assert hands.preview is None
    case.view.set_least_score("boxes", 0.0)
    for corner in (HIGH, (8, 18, 27)):
        row, column = _corner(case, corner, Plane.AXIAL)
        drag(hands, pointer(case, row, column), pointer(case, row - 2, column - 2))
    assert sorted(_drawn(case)) == ["faint", "near"]
    assert case.labels.proposals == {}


def test_what_is_drawn_goes_before_what_is_proposed(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal
) -> None:
    assert labels.accept_box(case, "p1", "near")
    mine = _drawn(case)["near"]
    geometry = case.volume.geometry
    boxes = (BoxAnnotation.on_grid("again", "Nodule", geometry, LOW, HIGH, 0.8, MODEL),)
    labels.propose(case, Proposal("p2", Prediction("detection", "Boxes", MODEL, geometry, boxes=boxes)))
    row, column = _corner(case, HIGH, Plane.AXIAL)
    drag(hands, pointer(case, row, column), pointer(case, row + 2, column + 2))
    assert _drawn(case)["near"] != mine
    assert "again" not in _drawn(case)


def test_a_series_that_is_only_read_says_why(
    workspace: Workspace, hands: Hands, case: OpenCase, proposed: Proposal, said: list[str]
) -> None:
    case.read_only = "Only read."
    row, column = _corner(case, HIGH, Plane.AXIAL)
    drag(hands, pointer(case, row, column), pointer(case, row + 2, column + 2))
    assert said[-1] == "Only read."
    assert case.labels.proposals["p1"] is proposed
