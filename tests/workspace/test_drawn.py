"""Boxes, points and lines drawn, pulled and moved on every plane, along the grid and at an angle to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.attributes import Attribute
from medview.core.axes import Axes
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, Command
from medview.core.geometry import Calibration
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.core.segmentation import Segment
from medview.core.source import Source, SourceKind
from medview.core.trace import TraceKind
from medview.core.vector import triple
from medview.store.codec import decode, encode
from medview.workspace import drawn
from medview.workspace.actions import action
from medview.workspace.drawn import all_drawn, jump_to, relabel, set_attributes, set_visible, where
from medview.workspace.events import Message
from medview.workspace.handles import handles_of
from medview.workspace.hands import Hands
from medview.workspace.nudging import nudge
from medview.workspace.open_case import OpenCase, Step
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import GripPreview, OutlinePreview
from medview.workspace.view_state import Mode, Tool, Turn
from medview.workspace.workspace import Workspace
from tests.workspace.gestures import drag

PLANES = list(Plane)


def take(workspace: Workspace, tool: str) -> None:
    action(f"tool.{tool}").run(workspace)


def pointer(
    case: OpenCase, row: float, column: float, plane: Plane = Plane.AXIAL, modifiers: Modifiers = Modifiers.NONE
) -> Pointer:
    """A hand on a pane that shows a millimetre as ten pixels."""
    layout = case.slice_plane(plane)
    row_mm, column_mm = layout.screen_spacing_mm(case.volume.geometry)
    x, y = column * column_mm * 10, row * row_mm * 10
    return Pointer(layout, case.position_on(layout), row, column, x, y, 0.1, modifiers=modifiers)


def pull(
    hands: Hands, case: OpenCase, start: tuple[float, float], end: tuple[float, float], plane: Plane = Plane.AXIAL,
    modifiers: Modifiers = Modifiers.NONE,
) -> None:  # fmt: skip
    between = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    drag(hands, *(pointer(case, *at, plane, modifiers) for at in (start, between, end)))


def click(hands: Hands, case: OpenCase, places: Iterable[tuple[float, float]], plane: Plane = Plane.AXIAL) -> None:
    for at in places:
        there = pointer(case, *at, plane)
        hands.hover(there)
        drag(hands, there, there)


def only(case: OpenCase) -> Drawn:
    (one,) = all_drawn(case)
    return one


def only_box(case: OpenCase) -> BoxAnnotation:
    one = only(case)
    assert isinstance(one, BoxAnnotation)
    return one


def only_trace(case: OpenCase) -> Trace:
    one = only(case)
    assert isinstance(one, Trace)
    return one


def bounds(case: OpenCase) -> tuple[list[int], list[int]]:
    low, high = only_box(case).bounds_kji(case.volume.geometry)
    assert np.allclose((low, high), np.rint((low, high)))
    return np.rint(low).astype(int).tolist(), np.rint(high).astype(int).tolist()


def place(case: OpenCase, low: tuple[int, int, int], high: tuple[int, int, int], **how: object) -> BoxAnnotation:
    made = BoxAnnotation.on_grid("b", "Nodule", case.volume.geometry, low, high, **how)  # type: ignore[arg-type]
    assert case.do(Command("Box", (AnnotationChange(None, made),)))
    return made


@pytest.mark.parametrize("turn", [Turn(), Turn(1, mirrored=True)])
@pytest.mark.parametrize("plane", PLANES)
def test_a_drag_draws_a_box_around_the_voxels_between(
    hands: Hands, workspace: Workspace, case: OpenCase, plane: Plane, turn: Turn
) -> None:
    case.view.set_turn(plane, turn)
    take(workspace, "box")
    layout = case.slice_plane(plane)
    start, end = (2.2, 3.4), (6.4, 8.8)
    pull(hands, case, start, end, plane)
    inside = [layout.index_kji(case.volume.geometry, case.position_on(layout), *at) for at in (start, end)]
    voxels = np.rint(inside).astype(int)
    low, high = bounds(case)
    assert low == voxels.min(axis=0).tolist()
    assert high == (voxels.max(axis=0) + 1).tolist()
    assert only_box(case).flat_edge == layout.normal_axis
    assert case.view.active_annotation_id == only(case).annotation_id
    assert case.history.names == ("Draw Box",)


@pytest.mark.parametrize("plane", PLANES)
def test_a_3d_box_is_as_deep_as_the_bench_says_and_the_other_planes_go_through_it(
    hands: Hands, workspace: Workspace, case: OpenCase, plane: Plane
) -> None:
    take(workspace, "box3d")
    workspace.bench.box_depth = 15.0
    axis = case.layouts()[plane].normal_axis
    here = case.view.crosshair_kji[axis]
    pull(hands, case, (2.0, 3.0), (7.0, 8.0), plane)
    low, high = bounds(case)
    spacing_mm = case.volume.geometry.spacing_kji_mm[axis]
    assert high[axis] - low[axis] == round(15.0 / spacing_mm)
    assert abs((low[axis] + high[axis] - 1) / 2 - here) <= 0.5
    assert only_box(case).flat_edge is None
    assert case.view.crosshair_kji[axis] == here
    assert all(drawn.shows_on(case, only(case), other) for other in Plane)


def test_depth_in_slices_stays_inside_the_volume(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    take(workspace, "box3d")
    workspace.bench.box_depth, workspace.bench.box_depth_in_slices = 5.0, True
    case.view.set_slice(0, 1)
    pull(hands, case, (2.0, 3.0), (7.0, 8.0))
    low, high = bounds(case)
    assert (low[0], high[0]) == (0, 5)


@pytest.mark.parametrize("plane", PLANES)
def test_every_handle_moves_its_own_faces_only(hands: Hands, workspace: Workspace, case: OpenCase, plane: Plane) -> None:
    take(workspace, "box3d")
    place(case, (4, 6, 10), (8, 14, 20))
    geometry = case.volume.geometry
    layout = case.slice_plane(plane)
    handles = handles_of(only(case), layout, geometry, case.position_on(layout))
    assert len(handles) == 9
    for handle in handles:
        step = 2.0 if not handle.whole else 1.0
        pull(hands, case, handle.at, (handle.at[0] + step, handle.at[1] + step), plane)
        low, high = bounds(case)
        moved = layout.index_kji(geometry, 0, step, step) - layout.index_kji(geometry, 0, 0, 0)
        expected = np.array([[4, 6, 10], [8, 14, 20]], dtype=float)
        for axis, end in handle.faces:
            expected[end, axis] += moved[axis]
        if handle.whole:
            expected += moved
        assert [low, high] == expected.tolist(), handle
        assert case.undo() is not None
        assert bounds(case) == ([4, 6, 10], [8, 14, 20])


@pytest.mark.parametrize("plane", PLANES)
def test_on_a_plane_at_an_angle_faces_follow_the_hand_along_their_own_axis(
    hands: Hands, workspace: Workspace, case: OpenCase, plane: Plane
) -> None:
    geometry = case.volume.geometry
    made = place(case, (3, 5, 8), (9, 15, 22))
    case.view.axes = Axes.of_grid(geometry).turned((0.3, 1.0, -0.2), 0.35)
    case.view.look_at((5.6, 9.7, 14.8), geometry.shape_kji)
    take(workspace, "box")
    layout = case.slice_plane(plane)
    assert isinstance(layout, ObliquePlane)
    index = case.position_on(layout)
    handles = [h for h in handles_of(only(case), layout, geometry, index) if len(h.faces) == 1]
    assert len(handles) >= 3
    for handle in handles:
        ((axis, end),) = handle.faces
        target = (handle.at[0] + 3.0, handle.at[1] - 4.0)
        pull(hands, case, handle.at, target, plane)
        low, high = bounds(case)
        wanted = layout.index_kji(geometry, index, *target)[axis] + 0.5
        found = (low, high)[end][axis]
        assert found == pytest.approx(np.clip(wanted, 0, geometry.shape_kji[axis]), abs=0.5 + 1e-6)
        expected = np.array([(3, 5, 8), (9, 15, 22)])
        expected[end, axis] = found
        assert [low, high] == expected.tolist()
        if only(case) != made:
            case.undo()


def test_a_flat_box_on_an_oblique_plane_lies_on_that_picture(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    geometry = case.volume.geometry
    case.view.axes = Axes.of_grid(geometry).turned((0.3, 1.0, -0.2), 0.35)
    case.view.look_at((5.6, 9.7, 14.8), geometry.shape_kji)
    take(workspace, "box")
    layout = case.slice_plane(Plane.CORONAL)
    assert isinstance(layout, ObliquePlane)
    middle = layout.screen(geometry, case.view.at_kji)
    start, end = (middle[1] - 5, middle[2] - 4), (middle[1] + 6, middle[2] + 7)
    pull(hands, case, start, end, Plane.CORONAL)
    box = only_box(case)
    assert box.size_mm() == pytest.approx((layout.step_mm, 11 * layout.pixel_mm, 11 * layout.pixel_mm))
    assert drawn.shows_on(case, box, Plane.CORONAL)
    assert where(case, box) == "on an oblique plane"
    corner = next(h for h in handles_of(box, layout, geometry, middle[0]) if h.at == pytest.approx(end, abs=1e-6))
    pull(hands, case, corner.at, (end[0] + 2, end[1] + 3), Plane.CORONAL)
    assert only_box(case).size_mm() == pytest.approx((layout.step_mm, 13 * layout.pixel_mm, 14 * layout.pixel_mm))
    case.view.axes = None
    jump_to(case, only(case))
    assert np.allclose(case.view.at_kji, geometry.index_kji(only_box(case).middle_lps_mm()))


def test_a_solid_box_on_an_oblique_plane_lies_along_the_grid_and_holds_the_rectangle(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    geometry = case.volume.geometry
    case.view.axes = Axes.of_grid(geometry).turned((0.3, 1.0, -0.2), 0.35)
    case.view.look_at((5.6, 9.7, 14.8), geometry.shape_kji)
    take(workspace, "box3d")
    layout = case.slice_plane(Plane.AXIAL)
    middle = layout.screen(geometry, case.view.at_kji)
    start, end = (middle[1] - 3, middle[2] - 3), (middle[1] + 3, middle[2] + 3)
    pull(hands, case, start, end)
    box = only_box(case)
    assert box.along(geometry)
    for row in (start[0], end[0]):
        for column in (start[1], end[1]):
            parts = box.parts(geometry.point_lps_mm(layout.index_kji(geometry, middle[0], row, column)))
            assert np.all((parts >= 0) & (parts <= 1))


def test_a_flat_box_moves_to_another_slice_on_another_plane_and_keeps_its_thickness(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    take(workspace, "box")
    place(case, (6, 6, 10), (7, 14, 20), flat_edge=0)
    layout = case.slice_plane(Plane.CORONAL)
    geometry = case.volume.geometry
    handles = handles_of(only(case), layout, geometry, case.position_on(layout))
    assert all(axis != 0 for handle in handles for axis, _ in handle.faces)
    (middle,) = [handle for handle in handles if handle.whole]
    pull(hands, case, middle.at, (middle.at[0] + 2, middle.at[1]), Plane.CORONAL)
    low, high = bounds(case)
    assert high[0] - low[0] == 1
    assert abs(low[0] - 6) == 2
    assert where(case, only(case)) == f"axial {low[0] + 1}"


def test_a_face_pulled_through_the_other_turns_the_box_over_and_leaves_a_voxel(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    take(workspace, "box")
    place(case, (6, 6, 10), (7, 14, 20), flat_edge=0)
    layout, geometry = case.slice_plane(Plane.AXIAL), case.volume.geometry
    side = next(h for h in handles_of(only(case), layout, geometry, 6) if h.faces == ((2, 1),))
    sign = -1 if layout.column_flip else 1
    pull(hands, case, side.at, (side.at[0], side.at[1] - sign * 10))
    assert bounds(case) == ([6, 6, 9], [7, 14, 10]) or bounds(case) == ([6, 6, 10], [7, 14, 11])
    case.undo()
    pull(hands, case, side.at, (side.at[0], side.at[1] - sign * 14))
    assert bounds(case) == ([6, 6, 6], [7, 14, 10])


def test_nothing_is_pulled_out_of_the_volume(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    take(workspace, "box")
    place(case, (6, 6, 10), (7, 14, 20), flat_edge=0)
    layout, geometry = case.slice_plane(Plane.AXIAL), case.volume.geometry
    middle = handles_of(only(case), layout, geometry, 6)[-1]
    pull(hands, case, middle.at, (middle.at[0] + 50, middle.at[1] + 50))
    low, high = bounds(case)
    assert np.subtract(high, low).tolist() == [1, 8, 10]
    assert min(low) >= 0
    assert np.all(np.asarray(high) <= geometry.shape_kji)


@pytest.mark.parametrize("plane", PLANES)
def test_arrows_move_what_is_chosen_by_a_voxel_as_it_lies_on_the_screen(
    workspace: Workspace, case: OpenCase, plane: Plane
) -> None:
    workspace.bench.mode, workspace.bench.tool = Mode.ANNOTATE, Tool.BOX
    made = place(case, (4, 6, 10), (8, 14, 20))
    case.view.active_annotation_id = made.annotation_id
    geometry, layout = case.volume.geometry, case.slice_plane(plane)
    before = layout.screen(geometry, geometry.index_kji(made.middle_lps_mm()))
    assert nudge(workspace, plane.value, 1, 0)
    assert nudge(workspace, plane.value, 0, -1)
    after = layout.screen(geometry, geometry.index_kji(only_box(case).middle_lps_mm()))
    assert np.subtract(after, before) == pytest.approx((0, 1, -1))
    assert [case.undo() is not None for _ in range(2)] == [True, True]
    assert only(case) == made


def test_arrows_at_an_angle_move_a_box_by_one_voxel_of_the_nearest_axis(workspace: Workspace, case: OpenCase) -> None:
    made = place(case, (4, 6, 10), (8, 14, 20))
    case.view.active_annotation_id = made.annotation_id
    case.view.axes = Axes.of_grid(case.volume.geometry).turned((0.3, 1.0, -0.2), 0.35)
    case.view.look_at((5.6, 9.7, 14.8), case.volume.geometry.shape_kji)
    assert nudge(workspace, Plane.AXIAL.value, 0, 1)
    low, high = bounds(case)
    assert sorted(abs(a - b) for a, b in zip(low, (4, 6, 10), strict=True)) == [0, 0, 1]
    assert sorted(abs(a - b) for a, b in zip(high, (8, 14, 20), strict=True)) == [0, 0, 1]


@pytest.mark.parametrize("plane", PLANES)
def test_a_click_puts_a_point_and_a_drag_moves_it(hands: Hands, workspace: Workspace, case: OpenCase, plane: Plane) -> None:
    take(workspace, "point")
    layout, geometry = case.slice_plane(plane), case.volume.geometry
    before = case.view.crosshair_kji
    click(hands, case, [(4.3, 6.6)], plane)
    assert case.view.crosshair_kji == before
    point = only_trace(case)
    assert point.kind is TraceKind.POINT
    assert drawn.shows_on(case, point, plane)
    assert layout.screen(geometry, point.points_kji(geometry)[0])[1:] == pytest.approx((4.3, 6.6))
    pull(hands, case, (4.3, 6.6), (5.3, 8.6), plane)
    assert layout.screen(geometry, only_trace(case).points_kji(geometry)[0])[1:] == pytest.approx((5.3, 8.6))
    assert case.undo() is not None
    assert only(case) == point


def test_a_line_goes_through_slices_and_planes_and_enter_ends_it(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    take(workspace, "polyline")
    steps: list[Step] = []
    case.record = steps.append
    geometry = case.volume.geometry
    expected = []
    for k, at in ((4, (3.0, 3.0)), (6, (9.0, 12.0)), (8, (12.0, 20.0))):
        case.view.set_slice(0, k)
        expected.append(case.slice_plane(Plane.AXIAL).index_kji(geometry, k, *at))
        click(hands, case, [at])
    layout = case.slice_plane(Plane.SAGITTAL)
    expected.append(layout.index_kji(geometry, case.position_on(layout), 2.0, 4.0))
    click(hands, case, [(2.0, 4.0)], Plane.SAGITTAL)
    assert isinstance(hands.preview, OutlinePreview)
    assert steps == []
    assert hands.clicking.close()
    line = only_trace(case)
    assert line.kind is TraceKind.OPEN
    np.testing.assert_allclose(line.points_kji(geometry), expected, atol=1e-9)
    assert line.length_mm() == pytest.approx(np.linalg.norm(np.diff(geometry.point_lps_mm(expected), axis=0), axis=1).sum())
    assert [step.command.name for step in steps] == ["Draw Polyline"]


def test_a_click_on_the_first_point_closes_a_line_and_ctrl_adds_and_removes_points(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    take(workspace, "polyline")
    corners = [(3.0, 3.0), (3.0, 20.0), (12.0, 20.0)]
    click(hands, case, [*corners, corners[0]])
    assert only_trace(case).kind is TraceKind.CLOSED
    pull(hands, case, (3.0, 11.0), (6.0, 11.0), modifiers=Modifiers.CTRL)
    geometry, layout = case.volume.geometry, case.slice_plane(Plane.AXIAL)
    places = [layout.screen(geometry, p)[1:] for p in only_trace(case).points_kji(geometry)]
    assert places[1] == pytest.approx((6.0, 11.0), abs=1e-6)
    assert len(places) == 4
    there = pointer(case, 6.0, 11.0, modifiers=Modifiers.CTRL)
    drag(hands, there, there)
    assert len(only_trace(case).points_lps_mm) == 3
    said: list[Message] = []
    workspace.message.connect(said.append)
    there = pointer(case, 12.0, 20.0, modifiers=Modifiers.CTRL)
    drag(hands, there, there)
    assert "needs the points it has" in said[-1].text
    assert [case.undo() is not None for _ in range(3)] == [True, True, True]
    assert all_drawn(case) == []


def test_escape_gives_a_drag_back(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    take(workspace, "box")
    made = place(case, (6, 6, 10), (7, 14, 20), flat_edge=0)
    middle = handles_of(made, case.slice_plane(Plane.AXIAL), case.volume.geometry, 6)[-1]
    hands.press(pointer(case, *middle.at))
    hands.move(pointer(case, middle.at[0] + 3, middle.at[1] + 3))
    assert only(case) != made
    assert hands.cancel()
    assert only(case) == made
    hands.press(pointer(case, 1.0, 1.0))
    hands.move(pointer(case, 4.0, 4.0))
    assert len(all_drawn(case)) == 2
    hands.cancel()
    assert only(case) == made
    assert case.history.names == ("Box",)


@pytest.mark.parametrize("tool", ["box", "box3d"])
def test_beside_the_volume_nothing_is_drawn_and_at_its_edge_what_lies_inside(
    hands: Hands, workspace: Workspace, case: OpenCase, tool: str
) -> None:
    take(workspace, tool)
    pull(hands, case, (-9.0, -9.0), (-3.0, -2.0))
    assert all_drawn(case) == []
    assert case.history.next_undo() is None
    pull(hands, case, (-9.0, -9.0), (3.0, 2.0))
    low, high = bounds(case)
    assert np.all(np.asarray(low) >= 0)
    assert sorted(np.subtract(high, low)[1:].tolist()) == [3, 4]


def test_escape_lets_go_of_what_is_chosen(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    case.view.active_annotation_id = place(case, (6, 6, 10), (7, 14, 20), flat_edge=0).annotation_id
    assert not hands.cancel()
    take(workspace, "box")
    assert hands.cancel()
    assert case.view.active_annotation_id == ""
    assert not hands.cancel()


def test_a_click_inside_chooses_the_smallest_box_and_outside_none(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    take(workspace, "box")
    geometry = case.volume.geometry
    for name, low, high in (("outer", (6, 2, 4), (7, 18, 26)), ("inner", (6, 6, 10), (7, 14, 20))):
        made = BoxAnnotation.on_grid(name, name, geometry, low, high, flat_edge=0)
        case.do(Command("Box", (AnnotationChange(None, made),)))
    layout = case.slice_plane(Plane.AXIAL)
    inside = layout.screen(geometry, (6, 10, 15))[1:]
    click(hands, case, [(inside[0] + 2, inside[1] + 2)])
    assert case.view.active_annotation_id == "inner"
    click(hands, case, [layout.screen(geometry, (6, 0, 0))[1:]])
    assert case.view.active_annotation_id == ""


def test_what_a_model_found_is_corrected_when_a_hand_changes_it(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    take(workspace, "box")
    source = Source(SourceKind.MODEL, "nodules", "1.2")
    made = place(case, (6, 6, 10), (7, 14, 20), source=source, score=0.8)
    revision = case.labels.revision
    assert set_visible(case, [made], visible=False)
    assert only(case).source == source
    assert case.labels.revision == revision
    assert set_visible(case, [only(case)], visible=True)
    assert relabel(case, [only(case)], "Granuloma")
    assert only(case).source.title == "nodules 1.2, corrected"
    assert only_box(case).score == 0.8
    case.undo()
    middle = handles_of(only(case), case.slice_plane(Plane.AXIAL), case.volume.geometry, 6)[-1]
    pull(hands, case, middle.at, (middle.at[0] + 1, middle.at[1]))
    assert only(case).source.corrected
    assert case.labels.revision > revision
    case.undo()
    assert only(case).source == source


def test_delete_removes_what_is_chosen_and_undo_brings_it_back(workspace: Workspace, case: OpenCase) -> None:
    made = place(case, (6, 6, 10), (7, 14, 20))
    assert not action("measurement.delete").enabled(workspace)
    case.view.active_annotation_id = made.annotation_id
    assert action("measurement.delete").enabled(workspace)
    action("measurement.delete").run(workspace)
    assert all_drawn(case) == []
    case.undo()
    assert only(case) == made


def test_a_new_thing_is_called_as_chosen_else_as_the_active_segment(
    hands: Hands, workspace: Workspace, case: OpenCase
) -> None:
    case.labels.segmentation.segments.append(Segment("s", "Liver", (1, 2, 3), 0, 1))
    case.view.active_segment_id = "s"
    take(workspace, "point")
    click(hands, case, [(4.0, 4.0)])
    workspace.bench.mark_label = "Apex"
    click(hands, case, [(9.0, 9.0)])
    assert [one.label for one in all_drawn(case)] == ["Liver", "Apex"]
    assert drawn.label_choices(case) == ["Liver", "Apex"]


def test_a_case_that_cannot_be_changed_says_why_to_every_tool(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    said: list[Message] = []
    workspace.message.connect(said.append)
    made = place(case, (6, 6, 10), (7, 14, 20))
    case.read_only = "These labels belong to another window."
    for tool in ("box", "box3d", "point", "polyline"):
        said.clear()
        take(workspace, tool)
        pull(hands, case, (2.0, 2.0), (8.0, 8.0))
        assert [message.text for message in said] == [case.read_only]
    case.view.active_annotation_id = made.annotation_id
    assert not nudge(workspace, Plane.AXIAL.value, 1, 0)
    assert not relabel(case, [made], "Other")
    assert [only(case)] == [made]


def test_everything_comes_back_from_the_journal(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    steps: list[Step] = []
    case.record = steps.append
    take(workspace, "box")
    pull(hands, case, (2.2, 3.4), (6.4, 8.8))
    set_attributes(case, only(case), (Attribute("Grade", 3.0), Attribute("Note", "spiculated")))
    set_visible(case, [only(case)], visible=False)
    take(workspace, "polyline")
    click(hands, case, [(3.0, 3.0), (9.0, 12.0), (12.0, 20.0)])
    hands.clicking.close()
    for step in steps:
        made = encode(step.command)
        assert decode(made.document, made.payload, made.blobs.__getitem__) == step.command
    assert len(steps) == 4


def test_boxes_written_before_they_could_be_drawn_are_read(case: OpenCase) -> None:
    source = '{"created_utc":"","job_id":"j","kind":"model","model_id":"m","model_sha256":"","model_version":"1"}'
    old = (
        '{"changes":[{"after":{"corner_lps_mm":[0,0,0],"edges_lps_mm":[[1,0,0],[0,1,0],[0,0,1]],"id":"b","kind":"box",'
        f'"label":"N","score":0.5,"source":{source}}},"before":null,"kind":"annotation"}}],"name":"Accept","tool":"","v":1}}'
    )
    (change,) = decode(old, b"", {}.__getitem__).changes
    assert isinstance(change, AnnotationChange)
    box = change.after
    assert isinstance(box, BoxAnnotation)
    assert (box.flat_edge, box.attributes, box.visible, box.source.corrected) == (None, (), True, False)


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_gestures_is_undone_exactly_and_replayed_from_the_journal(
    hands: Hands, workspace: Workspace, case: OpenCase, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    steps: list[Step] = []
    case.record = steps.append
    states = [dict(case.labels.annotations)]
    tools = ("box", "box3d", "point", "polyline")
    for _ in range(60):
        before = len(case.history.names)
        plane = PLANES[rng.integers(3)]
        layout = case.slice_plane(plane)
        rows, columns = layout.screen_shape(case.volume.geometry)
        places = [(float(rng.uniform(0, rows - 1)), float(rng.uniform(0, columns - 1))) for _ in range(3)]
        what = rng.integers(8)
        if what == 0 and case.undo() is not None:
            states.pop()
            assert case.labels.annotations == states[-1]
            continue
        take(workspace, str(rng.choice(tools)))
        if what == 1:
            nudge(workspace, plane.value, int(rng.integers(-1, 2)), 1)
        elif what == 2 and all_drawn(case):
            set_visible(case, [all_drawn(case)[0]], visible=bool(rng.integers(2)))
        elif what == 3:
            case.view.axes = Axes.of_grid(case.volume.geometry).turned((0.3, 1.0, -0.2), float(rng.uniform(-0.6, 0.6)))
        elif what == 4:
            case.view.axes = None
        else:
            pull(hands, case, places[0], places[1], plane)
            hands.clicking.close()
        if len(case.history.names) > before:
            states.append(dict(case.labels.annotations))
        assert len(case.history.names) - before in (0, 1)
    assert len(states) > 10
    replayed = CaseLabels.empty(case.volume.geometry)
    for step in steps:
        made = encode(step.command)
        command = decode(made.document, made.payload, made.blobs.__getitem__)
        replayed.apply((command.inverse() if step.kind == "undo" else command).changes)
    assert replayed.annotations == case.labels.annotations
    while case.undo() is not None:
        states.pop()
        assert case.labels.annotations == states[-1]
    assert case.labels.annotations == {}


def test_where_a_series_has_no_millimetres_between_slices_sizes_do_not_claim_any(case: OpenCase) -> None:
    geometry = case.volume.geometry
    flat = BoxAnnotation.on_grid("b", "N", geometry, (6, 6, 10), (7, 14, 20), flat_edge=0)
    solid = BoxAnnotation.on_grid("b", "N", geometry, (4, 6, 10), (8, 14, 20))
    line = Trace("t", TraceKind.OPEN, tuple(triple(p) for p in geometry.point_lps_mm([(1, 2, 3), (1, 2, 13)])))
    assert [drawn.size_text(case.volume, one) for one in (flat, solid, line)] == [
        "6.0 \u00d7 7.2 mm",
        "6.0 \u00d7 7.2 \u00d7 20.0 mm",
        "6.0 mm",
    ]
    for calibration, words in (
        (Calibration.IN_PLANE, ["6.0 \u00d7 7.2 mm", "6.0 \u00d7 7.2 mm, 4 slices", "2 points"]),
        (Calibration.PIXELS, ["10.0 \u00d7 8.0 px", "10.0 \u00d7 8.0 px, 4 slices", "2 points"]),
    ):
        volume = replace(case.volume, geometry=replace(geometry, calibration=calibration))
        assert [drawn.size_text(volume, one) for one in (flat, solid, line)] == words


def test_what_a_press_would_take_hold_of_is_shown(hands: Hands, workspace: Workspace, case: OpenCase) -> None:
    take(workspace, "box")
    made = place(case, (6, 6, 10), (7, 14, 20), flat_edge=0)
    handles = handles_of(made, case.slice_plane(Plane.AXIAL), case.volume.geometry, 6)
    hands.hover(pointer(case, handles[0].at[0] + 0.3, handles[0].at[1] + 0.3))
    assert hands.preview == GripPreview("axial", *handles[0].at, whole=False)
    hands.hover(pointer(case, *handles[-1].at))
    assert hands.preview == GripPreview("axial", *handles[-1].at, whole=True)
    case.view.set_slice(0, 8)
    workspace.looked_elsewhere.emit()
    assert hands.preview is None
    case.view.set_slice(0, 6)
    hands.hover(pointer(case, *handles[0].at))
    assert hands.preview is not None
    drawn.delete(case, [made])
    assert hands.preview is None
    case.undo()
    hands.hover(pointer(case, 1.0, 1.0))
    assert hands.preview is None
    case.read_only = "These labels belong to another window."
    hands.hover(pointer(case, *handles[0].at))
    assert hands.preview is None
