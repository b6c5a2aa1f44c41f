"""A polygon drawn click by click."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import SimpleITK as sitk

from medview.analysis.measures import measure
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.plane import Plane
from medview.workspace.actions import action
from medview.workspace.editing import Step
from medview.workspace.events import Message
from medview.workspace.hands import Hands
from medview.workspace.measuring import measurements
from medview.workspace.open_case import OpenCase
from medview.workspace.preview import OutlinePreview
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.workspace.gestures import drag, pointer

CORNERS = ((3.0, 3.0), (3.0, 15.0), (9.0, 15.0), (9.0, 3.0))


@pytest.fixture(autouse=True)
def polygon_tool(workspace: Workspace) -> None:
    action("tool.polygon").run(workspace)


def click(
    hands: Hands, case: OpenCase, places: Iterable[tuple[float, float]], plane: Plane = Plane.AXIAL
) -> None:  # fmt: skip
    for row, column in places:
        at = pointer(case, row, column, plane=plane)
        hands.hover(at)
        drag(hands, at, at)


def double_click(hands: Hands, case: OpenCase, row: float, column: float) -> None:
    at = pointer(case, row, column)
    drag(hands, at, at)
    # Qt sends the second press as a double click.
    hands.press(at)
    hands.double_click(at)
    hands.release(at)


def only(case: OpenCase) -> Measurement:
    (one,) = measurements(case)
    assert one.kind is MeasurementKind.POLYGON
    return one


def area(case: OpenCase) -> float:
    found = measure(case.volume, only(case)).quantity("area")
    assert found is not None
    return found.value


def places(case: OpenCase) -> list[tuple[float, float]]:
    layout = case.slice_plane(Plane.AXIAL)
    found = [layout.screen(case.volume.geometry, p) for p in only(case).points_kji(case.volume.geometry)]
    return [(round(row, 6), round(column, 6)) for _, row, column in found]


def test_clicks_add_corners_and_a_click_on_the_first_one_closes(hands: Hands, case: OpenCase) -> None:
    before = case.view.crosshair_kji
    click(hands, case, CORNERS)
    assert measurements(case) == []
    click(hands, case, CORNERS[:1])
    assert places(case) == list(CORNERS)
    assert area(case) == pytest.approx(6 * 0.9 * 12 * 0.6)
    assert case.view.crosshair_kji == before
    assert case.view.active_annotation_id == only(case).annotation_id
    assert hands.preview is None


def test_a_double_click_is_the_last_corner_and_closes(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    click(hands, case, CORNERS[:3])
    double_click(hands, case, *CORNERS[3])
    assert places(case) == list(CORNERS)
    assert workspace.bench.maximised in (None, "")


def test_enter_closes_what_was_clicked(hands: Hands, case: OpenCase) -> None:
    click(hands, case, CORNERS)
    assert hands.clicking.close()
    assert places(case) == list(CORNERS)
    assert not hands.clicking.close()


def test_the_whole_polygon_is_one_step_back_and_forth(hands: Hands, case: OpenCase) -> None:
    steps: list[Step] = []
    case.record = steps.append
    click(hands, case, (*CORNERS, CORNERS[0]))
    assert [step.command.name for step in steps] == ["Polygon"]
    case.undo()
    assert measurements(case) == []
    case.redo()
    assert places(case) == list(CORNERS)


def test_backspace_takes_corners_back_until_none_is_left(hands: Hands, case: OpenCase) -> None:
    click(hands, case, (*CORNERS[:2], (5.0, 18.0)))
    assert hands.clicking.back()
    click(hands, case, CORNERS[2:])
    hands.clicking.close()
    assert places(case) == list(CORNERS)
    click(hands, case, ((12.0, 20.0),))
    assert hands.clicking.back()
    assert not hands.clicking.going_on
    assert not hands.clicking.back()


def test_escape_another_tool_or_another_series_gives_the_polygon_up(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    click(hands, case, CORNERS)
    assert hands.cancel()
    assert not hands.cancel()
    click(hands, case, CORNERS)
    workspace.bench.tool = Tool.WINDOW
    assert not hands.clicking.going_on
    workspace.bench.tool = Tool.POLYGON
    click(hands, case, CORNERS)
    workspace.close_case(case.key)
    assert not hands.clicking.going_on
    assert measurements(case) == []
    assert case.history.next_undo() is None


def test_two_corners_are_told_to_be_too_few_and_one_is_dropped(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    said: list[Message] = []
    workspace.message.connect(said.append)
    click(hands, case, CORNERS[:2])
    hands.clicking.close()
    assert "three corners" in said[-1].text
    assert hands.clicking.going_on
    hands.cancel()
    double_click(hands, case, *CORNERS[0])
    assert not hands.clicking.going_on
    assert measurements(case) == []


def test_a_line_follows_the_pointer_and_says_when_a_click_closes(hands: Hands, case: OpenCase) -> None:
    click(hands, case, CORNERS)
    hands.hover(pointer(case, 6.0, 8.0))
    preview = hands.preview
    assert isinstance(preview, OutlinePreview)
    assert (preview.corners, preview.to, preview.closes) == (CORNERS, (6.0, 8.0), False)
    hands.hover(pointer(case, 3.1, 3.1))
    assert isinstance(hands.preview, OutlinePreview)
    assert hands.preview.closes
    hands.hover(None)
    assert isinstance(hands.preview, OutlinePreview)
    assert hands.preview.to is None


def test_on_another_slice_nothing_of_it_is_shown_or_added(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    said: list[Message] = []
    workspace.message.connect(said.append)
    click(hands, case, CORNERS)
    here = case.view.crosshair_kji[0]
    case.view.set_slice(0, here + 1)
    assert hands.preview is None
    click(hands, case, ((12.0, 12.0),))
    assert "own slice" in said[-1].text
    click(hands, case, ((4.0, 4.0),), plane=Plane.SAGITTAL)
    case.view.set_slice(0, here)
    assert isinstance(hands.preview, OutlinePreview)
    hands.clicking.close()
    assert places(case) == list(CORNERS)


def test_a_drag_draws_an_edge_and_other_buttons_go_on_working(hands: Hands, case: OpenCase) -> None:
    drag(hands, pointer(case, *CORNERS[0]), pointer(case, 3.0, 9.0), pointer(case, *CORNERS[1]))
    click(hands, case, CORNERS[2:])
    hands.clicking.close()
    assert places(case) == list(CORNERS)


def test_corners_are_pulled_afterwards(hands: Hands, case: OpenCase) -> None:
    click(hands, case, (*CORNERS, CORNERS[0]))
    drag(hands, pointer(case, *CORNERS[2]), pointer(case, 11.0, 17.0), pointer(case, 12.0, 18.0))
    assert places(case) == [CORNERS[0], CORNERS[1], (12.0, 18.0), CORNERS[3]]
    assert len(measurements(case)) == 1


def test_a_case_that_cannot_be_changed_says_why(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    said: list[Message] = []
    workspace.message.connect(said.append)
    case.read_only = "These labels belong to another window."
    click(hands, case, CORNERS)
    assert said[-1].text == case.read_only
    assert not hands.clicking.going_on


@pytest.mark.parametrize("plane", list(Plane))
def test_its_statistics_are_those_simpleitk_gives_its_voxels_on_any_plane(
    hands: Hands, case: OpenCase, plane: Plane
) -> None:
    # On a phantom of 0.6 x 0.9 x 5.0 mm; corners between voxel centres, one of them pointing inwards.
    hand = ((0.7, 1.2), (1.4, 9.6), (5.3, 5.1), (9.6, 9.8), (10.2, 0.8))
    click(hands, case, hand, plane)
    hands.clicking.close()
    found = {q.name: q.value for q in measure(case.volume, only(case)).quantities}
    layout = case.slice_plane(plane)
    rows, columns = layout.screen_shape(case.volume.geometry)
    row, column = np.indices((rows, columns))
    # The angles under which a point sees the outline add up to a full turn when it is inside.
    seen = [np.arctan2(r - row, c - column) for r, c in hand]
    turns = sum((b - a + np.pi) % (2 * np.pi) - np.pi for a, b in zip(seen, [*seen[1:], seen[0]], strict=True))
    mask = np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8)
    index = case.view.crosshair_kji[layout.normal_axis]
    layout.extract(mask, index)[...] = np.abs(turns) > np.pi
    judge = sitk.LabelStatisticsImageFilter()
    judge.Execute(sitk.GetImageFromArray(case.volume.values().astype(np.float64)), sitk.GetImageFromArray(mask))
    assert found["voxels"] == judge.GetCount(1) > 30
    assert found["mean"] == pytest.approx(judge.GetMean(1), rel=1e-6)
    assert found["SD"] == pytest.approx(judge.GetSigma(1), rel=1e-6)
    assert (found["min"], found["max"]) == (judge.GetMinimum(1), judge.GetMaximum(1))
    corners = np.asarray(hand) * layout.screen_spacing_mm(case.volume.geometry)
    following = np.roll(corners, -1, axis=0)
    shoelace = abs(np.sum(corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0])) / 2
    assert found["area"] == pytest.approx(shoelace)
