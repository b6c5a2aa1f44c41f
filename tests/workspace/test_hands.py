from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.plane import NORMAL_LPS, Plane
from medview.workspace.events import Message
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations import segments as segment_ops
from medview.workspace.pointer import Button, Modifiers, Pointer
from medview.workspace.tool_actions import set_mode, set_tool
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case
from tests.workspace.gestures import drag, pointer


def test_a_left_drag_windows_while_reading(hands: Hands, case: OpenCase) -> None:
    before = case.view.window
    drag(hands, pointer(case, 5, 5), pointer(case, 8, 15))
    assert case.view.window.width > before.width
    assert case.view.window.center > before.center
    assert case.view.crosshair_kji == (6, 10, 15)


def test_a_left_click_moves_the_crosshair_and_leaves_the_window_alone(hands: Hands, case: OpenCase) -> None:
    before = case.view.window
    at = pointer(case, 3, 7)
    drag(hands, at, at)
    assert case.view.window == before
    expected = tuple(int(n) for n in at.index_kji(case.volume.geometry))
    assert case.view.crosshair_kji == expected


def test_the_middle_button_pans_by_the_way_of_the_hand_in_millimetres(hands: Hands, case: OpenCase) -> None:
    drag(hands, pointer(case, 5, 5, button=Button.MIDDLE), pointer(case, 7, 9, button=Button.MIDDLE))
    assert case.view.cameras[Plane.AXIAL].center_offset_mm == pytest.approx((-2.0, -4.0))
    assert case.view.cameras[Plane.CORONAL].center_offset_mm == (0.0, 0.0)


def test_the_right_button_zooms_while_reading_and_windows_while_drawing(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    way = [pointer(case, 9, 5, button=Button.RIGHT), pointer(case, 2, 8, button=Button.RIGHT)]
    drag(hands, *way)
    zoom, window = case.view.cameras[Plane.AXIAL].zoom, case.view.window
    assert zoom > 1.0
    set_mode(workspace, Mode.ANNOTATE)
    drag(hands, *way)
    assert case.view.cameras[Plane.AXIAL].zoom == zoom
    assert case.view.window != window


@pytest.mark.parametrize("plane", list(Plane))
def test_the_wheel_steps_one_slice_on_the_pane_under_the_pointer_and_stops_at_the_end(
    hands: Hands, case: OpenCase, plane: Plane
) -> None:
    layout = case.slice_plane(plane)
    before = case.view.crosshair_kji[layout.normal_axis]
    hands.wheel(pointer(case, 1, 1, plane=plane), 1)
    assert abs(case.view.crosshair_kji[layout.normal_axis] - before) == 1
    for _ in range(40):
        hands.wheel(pointer(case, 1, 1, plane=plane), 1)
    assert case.view.crosshair_kji[layout.normal_axis] in (0, layout.count(case.volume.geometry) - 1)


def test_the_wheel_away_from_the_person_goes_towards_the_head(hands: Hands, case: OpenCase) -> None:
    geometry = case.volume.geometry
    before = geometry.point_lps_mm(case.view.crosshair_kji)
    hands.wheel(pointer(case, 1, 1), 1)
    assert geometry.point_lps_mm(case.view.crosshair_kji)[2] > before[2]


def test_painting_makes_the_first_segment_and_one_history_entry(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    set_tool(workspace, Tool.BRUSH)
    drag(hands, pointer(case, 5, 5), pointer(case, 6, 9), pointer(case, 8, 14))
    assert [s.name for s in case.labels.segmentation.segments] == ["Segment 1"]
    assert case.history.names == ("Brush Segment 1",)
    painted = case.labels.segmentation.layer(0).voxels
    assert painted[6].any()
    assert not painted[:6].any()
    case.undo()
    assert case.labels.segmentation.segments == []
    assert not painted.any()


def test_a_sphere_reaches_other_slices_and_a_disc_does_not(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    set_tool(workspace, Tool.BRUSH)
    workspace.bench.brush_sphere = True
    workspace.bench.set_radius(6.0)
    at = pointer(case, 10, 15)
    drag(hands, at, at)
    slices = np.flatnonzero(case.labels.segmentation.layer(0).voxels.any(axis=(1, 2)))
    assert slices.tolist() == [5, 6, 7]


def test_ctrl_turns_the_brush_into_an_eraser_for_one_stroke(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    set_tool(workspace, Tool.BRUSH)
    at = pointer(case, 10, 15)
    drag(hands, at, at)
    assert case.labels.segmentation.layer(0).voxels.any()
    held = replace(at, modifiers=Modifiers.CTRL)
    drag(hands, held, held)
    assert not case.labels.segmentation.layer(0).voxels.any()
    assert workspace.bench.tool is Tool.BRUSH


def test_painting_a_locked_segment_says_so_and_changes_nothing(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    said: list[Message] = []
    workspace.message.connect(said.append)
    segment = labels.add_segment(case, "Liver")
    segment_ops.set_locked(case, [segment.segment_id], locked=True)
    set_tool(workspace, Tool.BRUSH)
    entries = case.history.names
    drag(hands, pointer(case, 5, 5), pointer(case, 6, 9))
    assert case.history.names == entries
    assert "locked" in said[-1].text


def test_escape_takes_the_running_stroke_back(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    set_tool(workspace, Tool.BRUSH)
    hands.press(pointer(case, 5, 5))
    hands.move(pointer(case, 6, 9))
    hands.cancel()
    hands.release(pointer(case, 6, 9))
    assert case.labels.segmentation.segments == []
    assert case.history.names == ()


def test_shift_and_wheel_change_the_radius_while_drawing(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    set_tool(workspace, Tool.BRUSH)
    before, slice_before = workspace.bench.brush_radius_mm, case.view.crosshair_kji
    hands.wheel(pointer(case, 5, 5, modifiers=Modifiers.SHIFT), 1)
    assert workspace.bench.brush_radius_mm > before
    assert case.view.crosshair_kji == slice_before
    assert hands.preview is not None
    assert hands.preview.radius_mm == workspace.bench.brush_radius_mm


def test_a_double_click_fills_the_centre_with_the_pane_and_another_brings_the_rest_back(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    hands.double_click(pointer(case, 5, 5, plane=Plane.CORONAL))
    assert workspace.bench.maximised == "coronal"
    hands.double_click(pointer(case, 5, 5, plane=Plane.CORONAL))
    assert workspace.bench.maximised == ""


def test_keys_act_on_the_pane_under_the_pointer(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    from medview.workspace.actions import action

    hands.hover(pointer(case, 5, 5, plane=Plane.SAGITTAL))
    before = case.view.crosshair_kji
    action("slice.next").run(workspace)
    layout = case.slice_plane(Plane.SAGITTAL)
    changed = [axis for axis in range(3) if case.view.crosshair_kji[axis] != before[axis]]
    assert changed == [layout.normal_axis]


@pytest.mark.parametrize("plane", list(Plane))
def test_the_wheel_steps_across_a_plane_at_an_angle_and_back_to_the_same_place(
    hands: Hands, case: OpenCase, plane: Plane
) -> None:
    case.view.axes = Axes().turned((0.3, -1.0, 0.4), 0.5)
    layout, at = case.slice_plane(plane), case.view.at_kji
    start = case.position_on(layout)

    def turn(steps: float) -> float:
        index = case.position_on(layout)
        hands.wheel(Pointer(layout, index, 3.0, 4.0), steps)
        return case.position_on(layout) - index

    assert turn(1) == pytest.approx(1.0, abs=1e-5)
    assert turn(0.2) == pytest.approx(1.0, abs=1e-5)
    assert turn(-2) == pytest.approx(-2.0, abs=1e-5)
    assert case.view.at_kji == pytest.approx(at, abs=1e-4)
    assert case.position_on(layout) == pytest.approx(start, abs=1e-5)
    # Away from the person is towards head, back or left.
    before = case.volume.geometry.point_lps_mm(case.view.at_kji)
    hands.wheel(Pointer(layout, start, 3.0, 4.0), 1)
    moved = case.volume.geometry.point_lps_mm(case.view.at_kji) - before
    assert float(moved @ np.asarray(NORMAL_LPS[plane])) > 0
    for _ in range(100):
        hands.wheel(Pointer(layout, case.position_on(layout), 3.0, 4.0), 1)
    assert hands.preview is None
    shape = case.volume.geometry.shape_kji
    assert all(0 <= n <= count - 1 for n, count in zip(case.view.at_kji, shape, strict=True))


def test_the_exact_place_is_kept_until_the_voxel_is_left(case: OpenCase) -> None:
    view, shape = case.view, case.volume.geometry.shape_kji
    view.look_at((3.4, 7.6, 100.0), shape)
    assert view.at_kji == (3.4, 7.6, 29.0)
    assert view.crosshair_kji == (3, 8, 29)
    view.crosshair_kji = (4, 8, 29)
    assert view.at_kji == (4.0, 8.0, 29.0)


def _another(workspace: Workspace) -> OpenCase:
    """A case that comes to the front by itself, at another slice."""
    other = make_case()
    other.series = replace(other.series, series_uid="9.9")
    other.view.crosshair_kji = (2, 10, 15)
    workspace.add_case(other)
    return other


def test_a_stroke_ends_where_another_case_comes_under_the_hand(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    set_tool(workspace, Tool.BRUSH)
    hands.press(pointer(case, 5, 5))
    hands.move(pointer(case, 6, 9))
    painted = case.labels.segmentation.layer(0).voxels.copy()
    other = _another(workspace)
    hands.move(pointer(other, 8, 14))
    hands.release(pointer(other, 9, 20))
    assert case.history.names == ("Brush Segment 1",)
    assert np.array_equal(case.labels.segmentation.layer(0).voxels, painted)
    assert np.flatnonzero(painted.any(axis=(1, 2))).tolist() == [6]
    assert other.labels.segmentation.segments == []
    drag(hands, pointer(other, 5, 5), pointer(other, 6, 9))
    assert other.history.names == ("Brush Segment 1",)


def test_a_stroke_on_a_case_that_closes_is_kept_as_far_as_it_went(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    other = _another(workspace)
    set_tool(workspace, Tool.BRUSH)
    hands.press(pointer(other, 5, 5))
    hands.move(pointer(other, 6, 9))
    workspace.close_case(other.key)
    assert other.history.names == ("Brush Segment 1",)
    hands.move(pointer(case, 8, 14))
    hands.release(pointer(case, 9, 20))
    assert case.labels.segmentation.segments == []
