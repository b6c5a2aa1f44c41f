from __future__ import annotations

import numpy as np
import pytest

from medview.analysis.figures import outline
from medview.analysis.measures import measure
from medview.core.axes import Axes
from medview.core.changes import AnnotationChange
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.plane import Plane
from medview.workspace.actions import action
from medview.workspace.editing import Step
from medview.workspace.hands import Hands
from medview.workspace.measuring import (
    as_text,
    held,
    jump_to,
    lies_on,
    measured,
    measurements,
    rename,
    short_text,
    table,
    where,
)
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.reports import reported
from medview.workspace.pointer import Pointer
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.workspace.gestures import drag, pointer


def only(case: OpenCase) -> Measurement:
    (one,) = measurements(case)
    return one


def value(case: OpenCase, name: str) -> float:
    quantity = measure(case.volume, only(case)).quantity(name)
    assert quantity is not None
    return quantity.value


def ways(case: OpenCase, *places: tuple[float, float], plane: Plane = Plane.AXIAL) -> list[Pointer]:
    return [pointer(case, row, column, plane=plane) for row, column in places]


@pytest.mark.parametrize("plane", list(Plane))
def test_a_drag_measures_the_way_of_the_hand_on_any_plane(
    workspace: Workspace,
    hands: Hands,
    case: OpenCase,
    plane: Plane,
) -> None:
    set_tool(workspace, Tool.LENGTH)
    drag(hands, *ways(case, (2, 3), (3, 4), (5, 11), plane=plane))
    down_mm, right_mm = case.slice_plane(plane).screen_spacing_mm(case.volume.geometry)
    assert value(case, "length") == pytest.approx(np.hypot(3 * down_mm, 8 * right_mm))
    assert (
        only(case).slice_index(case.slice_plane(plane), case.volume.geometry)
        == case.view.crosshair_kji[case.slice_plane(plane).normal_axis]
    )


def test_a_whole_drag_is_one_step_back_and_forth(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    steps: list[Step] = []
    case.record = steps.append
    set_tool(workspace, Tool.LENGTH)
    drag(hands, *ways(case, *((2.0, 3.0 + n) for n in range(20))))
    (step,) = steps
    (change,) = step.command.changes
    assert isinstance(change, AnnotationChange)
    assert (change.before, change.after) == (None, only(case))
    case.undo()
    assert measurements(case) == []
    case.redo()
    assert value(case, "length") > 0


def test_long_and_short_axis_take_one_key_and_two_drags(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    action("tool.bidirectional").run(workspace)
    drag(hands, *ways(case, (4, 4), (4, 14)))
    assert value(case, "long axis") == pytest.approx(10 * 0.6)
    assert value(case, "short axis") == pytest.approx(0.6 * 10 * 0.6)
    # The short axis stands across the middle; its upper end is pulled to where the lesion ends.
    end = np.asarray(only(case).points_kji(case.volume.geometry)[3])
    _, row, column = case.slice_plane(Plane.AXIAL).screen(case.volume.geometry, end)
    drag(hands, *ways(case, (row, column), (row + (1 if row > 4 else -1), column)))
    assert value(case, "short axis") == pytest.approx(0.6 * 10 * 0.6 + 0.9)
    assert len(measurements(case)) == 1
    assert short_text(measure(case.volume, only(case))) == ["6.0 \u00d7 4.5 mm"]


def test_the_corner_of_a_rectangle_pulls_its_sides_along(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    set_tool(workspace, Tool.RECTANGLE)
    drag(hands, *ways(case, (4, 4), (8, 14)))
    drag(hands, *ways(case, (8, 14), (10, 19)))
    assert value(case, "area") == pytest.approx(6 * 0.9 * 15 * 0.6)
    points = only(case).points_kji(case.volume.geometry)
    sides = np.diff(np.vstack([points, points[:1]]), axis=0) @ np.diag([5.0, 0.9, 0.6])
    assert abs(float(sides[0] @ sides[1])) < 1e-6


def test_the_end_of_an_ellipse_stretches_it_round_its_middle(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    set_tool(workspace, Tool.ELLIPSE)
    drag(hands, *ways(case, (4, 4), (10, 14)))
    before = only(case).points_kji(case.volume.geometry).mean(axis=0)
    drag(hands, *ways(case, (7, 14), (7, 16)))
    assert value(case, "area") == pytest.approx(np.pi * 7 * 0.6 * 3 * 0.9)
    np.testing.assert_allclose(only(case).points_kji(case.volume.geometry).mean(axis=0), before, atol=1e-9)


def test_a_line_is_moved_as_a_whole(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    set_tool(workspace, Tool.LENGTH)
    drag(hands, *ways(case, (4, 4), (4, 14)))
    drag(hands, *ways(case, (4, 9), (6, 12)))
    points = [
        case.slice_plane(Plane.AXIAL).screen(case.volume.geometry, p)[1:]
        for p in only(case).points_kji(case.volume.geometry)
    ]
    np.testing.assert_allclose(points, [(6, 7), (6, 17)], atol=1e-9)


def test_a_freehand_outline_follows_the_hand_and_a_tap_draws_nothing(
    workspace: Workspace, hands: Hands, case: OpenCase
) -> None:
    set_tool(workspace, Tool.FREEHAND)
    at = pointer(case, 3, 3)
    drag(hands, at, at)
    assert measurements(case) == []
    drag(hands, *ways(case, (3, 3), (3, 9), (3, 15), (9, 15), (9, 3)))
    assert value(case, "area") == pytest.approx(6 * 0.9 * 12 * 0.6)


def test_escape_takes_a_drag_back(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    set_tool(workspace, Tool.LENGTH)
    way = ways(case, (2, 3), (3, 9))
    hands.press(way[0])
    hands.move(way[1])
    assert len(measurements(case)) == 1
    hands.cancel()
    assert measurements(case) == []
    assert case.history.next_undo() is None


def test_a_probe_marks_the_place_of_a_click(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    set_tool(workspace, Tool.PROBE)
    at = pointer(case, 3, 7)
    before = case.view.crosshair_kji
    drag(hands, at, at)
    k, j, i = (int(n) for n in at.index_kji(case.volume.geometry))
    assert value(case, "value") == float(case.volume.voxels[k, j, i])
    assert case.view.crosshair_kji == before


def test_measuring_makes_no_proposal_stale(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    before = case.labels.revision
    set_tool(workspace, Tool.LENGTH)
    drag(hands, *ways(case, (2, 3), (5, 11)))
    assert case.labels.revision == before


def test_figures_of_other_slices_are_out_of_reach(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    set_tool(workspace, Tool.LENGTH)
    drag(hands, *ways(case, (4, 4), (4, 14)))
    assert held(case, pointer(case, 4, 9)) == (only(case), None)
    assert held(case, pointer(case, 4, 14)) == (only(case), 1)
    case.view.set_slice(0, 7)
    assert held(case, pointer(case, 4, 9)) is None
    jump_to(case, only(case))
    assert case.view.crosshair_kji[0] == 6


def test_the_list_can_be_taken_along_as_text_and_as_a_table(workspace: Workspace, hands: Hands, case: OpenCase) -> None:
    set_tool(workspace, Tool.LENGTH)
    drag(hands, *ways(case, (4, 4), (4, 14)))
    assert rename(case, only(case), "Segment VI")
    assert where(case, only(case)) == "axial 7"
    assert as_text(case, measurements(case)) == "Segment VI, axial 7: length 6.0 mm"
    rows = [line.split("\t") for line in table(case).splitlines()]
    assert rows[0] == ["Name", "Slice", "Quantity", "Value", "Unit", "Note"]
    assert rows[1] == ["Segment VI", "axial 7", "length", "6", "mm", ""]


def test_the_delete_key_removes_what_was_drawn_last_and_undo_brings_it_back(
    workspace: Workspace,
    hands: Hands,
    case: OpenCase,
) -> None:
    set_tool(workspace, Tool.LENGTH)
    drag(hands, *ways(case, (4, 4), (4, 14)))
    one = only(case)
    remove = action("measurement.delete")
    assert remove.enabled(workspace)
    remove.run(workspace)
    assert measurements(case) == []
    assert not remove.enabled(workspace)
    case.undo()
    assert only(case) == one


@pytest.mark.parametrize("kind", [MeasurementKind.ANGLE, MeasurementKind.COBB])
def test_an_angle_stands_up_with_one_drag_and_each_end_can_be_pulled(
    workspace: Workspace,
    hands: Hands,
    case: OpenCase,
    kind: MeasurementKind,
) -> None:
    set_tool(workspace, Tool(kind.value))
    drag(hands, *ways(case, (10, 4), (10, 20)))
    name = "angle" if kind is MeasurementKind.ANGLE else "Cobb angle"
    before = value(case, name)
    assert before == pytest.approx(40.0 if kind is MeasurementKind.ANGLE else 0.0, abs=1e-6)
    points = only(case).points_kji(case.volume.geometry)
    _, row, column = case.slice_plane(Plane.AXIAL).screen(case.volume.geometry, points[-1])
    drag(hands, *ways(case, (row, column), (row + 2, column)))
    assert value(case, name) != pytest.approx(before, abs=0.5)


def oblique_ellipse(workspace: Workspace, hands: Hands, case: OpenCase) -> Measurement:
    case.view.axes = Axes().turned((0.3, -1.0, 0.4), 0.5)
    set_tool(workspace, Tool.ELLIPSE)
    layout = case.slice_plane(Plane.CORONAL)
    _, row, column = layout.screen(case.volume.geometry, case.view.at_kji)
    at = case.position_on(layout)
    drag(hands, *(Pointer(layout, at, row + n, column + n, 10.0 * n, 10.0 * n, 0.06) for n in (-6.0, 0.0, 5.0)))
    return only(case)


def test_a_region_drawn_at_an_angle_says_that_its_values_are_interpolated_wherever_it_is_told(
    workspace: Workspace, hands: Hands, case: OpenCase
) -> None:
    one = oblique_ellipse(workspace, hands, case)
    note = "values interpolated on an oblique plane"
    assert where(case, one) == "on an oblique plane"
    told = as_text(case, [one])
    assert "mean" in told
    assert told.endswith(f"({note})")
    rows = [line.split("\t") for line in table(case).splitlines()[1:]]
    assert {row[5] for row in rows} == {note}
    assert "voxels" not in {row[2] for row in rows}
    assert any(line.startswith("mean") for line in short_text(measure(case.volume, one)))
    assert reported(case.volume, one).note == note


def test_jumping_to_a_figure_brings_the_very_plane_it_was_drawn_on(
    workspace: Workspace, hands: Hands, case: OpenCase
) -> None:
    one = oblique_ellipse(workspace, hands, case)
    layout, geometry = case.slice_plane(Plane.CORONAL), case.volume.geometry
    case.view.look_at((2, 3, 4), geometry.shape_kji)
    assert not lies_on(one, layout, geometry, case.position_on(layout))
    jump_to(case, one)
    across = layout.screen(geometry, one.points_kji(geometry).mean(axis=0))[0]
    assert case.position_on(layout) == pytest.approx(across, abs=1e-5)
    assert lies_on(one, layout, geometry, case.position_on(layout))


def test_the_wheel_under_a_hand_that_pulls_leaves_the_figure_on_its_slice(
    workspace: Workspace, hands: Hands, case: OpenCase
) -> None:
    set_tool(workspace, Tool.LENGTH)
    drag(hands, *ways(case, (4, 4), (4, 14)))
    layout, geometry = case.slice_plane(Plane.AXIAL), case.volume.geometry
    before = only(case).slice_index(layout, geometry)
    hands.press(*ways(case, (4, 14)))
    hands.wheel(*ways(case, (4, 14)), 1)
    hands.move(*ways(case, (6, 15)))
    hands.release(*ways(case, (6, 15)))
    assert only(case).slice_index(layout, geometry) == before
    assert lies_on(only(case), layout, geometry, before or 0)
    rows = [tuple(layout.screen(geometry, p)[1:]) for p in only(case).points_kji(geometry)]
    np.testing.assert_allclose(rows, [(4, 4), (6, 15)], atol=1e-9)


def test_a_rectangle_on_a_plane_at_an_angle_stays_one_when_it_is_pulled(
    workspace: Workspace, hands: Hands, case: OpenCase
) -> None:
    case.view.axes = Axes().turned((0.3, -1.0, 0.4), 0.5)
    set_tool(workspace, Tool.RECTANGLE)
    layout, geometry = case.slice_plane(Plane.CORONAL), case.volume.geometry
    _, row, column = layout.screen(geometry, case.view.at_kji)
    at = case.position_on(layout)

    def place(down: float, right: float) -> Pointer:
        return Pointer(layout, at, row + down, column + right, 10.0 * right, 10.0 * down, 0.06)

    drag(hands, place(-5, -6), place(0, 0), place(5, 6))
    drag(hands, place(5, 6), place(6, 8), place(8, 10))
    corners = geometry.point_lps_mm(only(case).points_kji(geometry))
    sides = np.diff(np.vstack([corners, corners[:1]]), axis=0)
    assert float(sides[0] @ sides[1]) == pytest.approx(0.0, abs=1e-6)
    row_mm, column_mm = layout.screen_spacing_mm(geometry)
    assert value(case, "area") == pytest.approx(13 * row_mm * 16 * column_mm)


@pytest.mark.parametrize("tool", [Tool.RECTANGLE, Tool.PROBE, Tool.LENGTH])
def test_values_of_a_slice_that_could_not_be_read_are_told_nowhere_and_the_reason_is(
    workspace: Workspace, hands: Hands, case: OpenCase, tool: Tool
) -> None:
    set_tool(workspace, tool)
    drag(hands, *ways(case, (4, 4), (8, 14)))
    one = only(case)
    before = {q.name: q.value for q in measured(case, one).quantities}
    case.load.mark(5, ok=False)
    assert {q.name: q.value for q in measured(case, one).quantities} == before, "another slice"
    case.load.mark(6, ok=False)
    found = measured(case, one)
    kept = {q.name: q.value for q in found.quantities}
    assert kept == {name: number for name, number in before.items() if name in ("area", "length")}
    reason = "" if tool is Tool.LENGTH else "no values: it lies on a slice that could not be read"
    assert found.remark == reason
    told = as_text(case, [one])
    assert told.endswith(f"({reason})" if reason else " mm")
    assert "HU" not in told


def test_a_region_at_an_angle_has_no_values_where_a_slice_it_is_interpolated_from_could_not_be_read(
    workspace: Workspace, hands: Hands, case: OpenCase
) -> None:
    one = oblique_ellipse(workspace, hands, case)
    along = outline(one.points_kji(case.volume.geometry), one.kind)[:, 0]
    case.load.mark(int(np.ceil(along.max())) + 1, ok=False)
    assert measured(case, one).quantity("mean") is not None
    case.load.mark(int(np.ceil(along.max())), ok=False)
    found = measured(case, one)
    assert [q.name for q in found.quantities] == ["area"]
    assert found.remark == "no values: it lies on a slice that could not be read"
