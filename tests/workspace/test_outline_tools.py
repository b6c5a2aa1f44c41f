"""Lasso, livewire and scissors in a hand: what is drawn, pulled about and written, on every plane."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.core.screen_map import ScreenMap
from medview.core.window import Window
from medview.edit.segments import new_segment
from medview.workspace import cutting
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.pointer import Button, Modifiers, Pointer
from medview.workspace.preview import ShapePreview
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case
from tests.workspace.gestures import pointer

Places = list[tuple[float, float]]
CORNERS: Places = [(0.7, 1.2), (1.4, 9.6), (5.3, 5.1), (9.6, 9.8), (10.2, 0.8)]
"""Between voxel centres, one of them pointing inwards."""


@pytest.fixture(autouse=True)
def annotating(workspace: Workspace) -> None:
    set_tool(workspace, Tool.LASSO)


def at(
    case: OpenCase, place: tuple[float, float], plane: Plane = Plane.AXIAL, modifiers: Modifiers = Modifiers.NONE
) -> Pointer:
    """A pointer on the picture shown; ten pixels to a row or a column."""
    layout = case.slice_plane(plane)
    row, column = place
    made = Pointer(layout, case.position_on(layout), row, column, column * 10, row * 10, modifiers=modifiers)
    # Gestures measure in pixels of the pane along both sides; what is true of one row is true of one column here.
    return replace(made, mm_per_px=min(layout.screen_spacing_mm(case.volume.geometry)) / 10)


def click(hands: Hands, case: OpenCase, places: Places, plane: Plane = Plane.AXIAL, **held: Modifiers) -> None:
    for place in places:
        here = at(case, place, plane, **held)
        hands.hover(replace(here, button=Button.NONE))
        hands.press(here)
        hands.release(here)


def drag(hands: Hands, case: OpenCase, way: Places, plane: Plane = Plane.AXIAL, **held: Modifiers) -> None:
    points = [at(case, place, plane, **held) for place in way]
    hands.press(points[0])
    for point in points[1:]:
        hands.move(point)
    hands.release(points[-1])


def drawn(case: OpenCase) -> npt.NDArray[np.bool_]:
    segment = case.active_segment
    assert segment is not None
    return case.labels.segmentation.mask(segment)


def inside(corners: npt.ArrayLike, row: npt.ArrayLike, column: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether points see the sides go round them once."""
    points = np.asarray(corners)
    seen = [np.arctan2(r - np.asarray(row), c - np.asarray(column)) for r, c in points]
    turns = sum((b - a + np.pi) % (2 * np.pi) - np.pi for a, b in zip(seen, [*seen[1:], seen[0]], strict=True))
    return np.asarray(np.abs(turns) > np.pi)


def on_slice(case: OpenCase, corners: npt.ArrayLike, plane: Plane = Plane.AXIAL) -> npt.NDArray[np.bool_]:
    layout = case.slice_plane(plane)
    rows, columns = layout.screen_shape(case.volume.geometry)
    expected = np.zeros(case.volume.geometry.shape_kji, dtype=bool)
    row, column = np.indices((rows, columns))
    layout.extract(expected, case.position_on(layout))[...] = inside(corners, row, column)
    return expected


def shape(hands: Hands) -> ShapePreview:
    assert isinstance(hands.preview, ShapePreview)
    return hands.preview


def whole_segment(case: OpenCase) -> None:
    """A segment that holds every voxel."""
    segment = new_segment(case.labels.segmentation, "Body")
    assert case.do(Command("Add", (SegmentChange(None, segment, 0),)))
    case.view.active_segment_id = segment.segment_id
    layer = case.labels.segmentation.layer(segment.layer_id)
    filled = np.full(layer.voxels.shape, segment.value, dtype=np.uint8)
    patch = LabelPatch.between(layer, Box.whole(layer.voxels.shape), filled)
    assert patch is not None
    assert case.do(Command("Fill", (patch,)))


def test_a_closed_outline_belongs_to_the_segment_it_was_drawn_for(hands: Hands, case: OpenCase) -> None:
    liver = labels.add_segment(case, "Liver")
    click(hands, case, CORNERS)
    hands.clicking.close()
    spleen = labels.add_segment(case, "Spleen")
    assert liver is not None
    assert spleen is not None
    assert case.active_segment == spleen
    assert not hands.clicking.going_on
    assert (case.labels.segmentation.mask(liver) == on_slice(case, CORNERS, Plane.AXIAL)).all()
    assert case.labels.segmentation.count(spleen) == 0
    # One that is still open is drawn on for the segment that was chosen.
    click(hands, case, CORNERS)
    case.view.active_segment_id = liver.segment_id
    assert hands.clicking.going_on
    assert case.history.names[-1] == "Outline Liver"


@pytest.mark.parametrize("plane", list(Plane))
def test_a_polygon_fills_the_voxels_whose_centres_it_holds_once_it_is_closed_and_written(
    hands: Hands, case: OpenCase, plane: Plane
) -> None:
    click(hands, case, CORNERS, plane)
    assert case.history.next_undo() is None
    hands.clicking.close()
    assert shape(hands).closed
    assert not case.labels.segmentation.segments
    hands.clicking.close()
    assert (drawn(case) == on_slice(case, CORNERS, plane)).all()
    assert drawn(case).sum() > 20
    command = case.history.next_undo()
    assert command is not None
    assert command.name == "Outline Segment 1"
    assert not hands.clicking.going_on
    case.undo()
    assert not case.labels.segmentation.segments
    assert not case.labels.segmentation.layer(0).voxels.any()


@pytest.mark.parametrize("plane", list(Plane))
def test_on_a_plane_at_an_angle_the_voxels_it_cuts_are_filled(hands: Hands, case: OpenCase, plane: Plane) -> None:
    case.view.axes = Axes.of_grid(case.volume.geometry).turned((0.3, -1.0, 0.4), 0.5)
    layout = case.slice_plane(plane)
    assert isinstance(layout, ObliquePlane)
    rows, columns = layout.screen_shape(case.volume.geometry)
    corners = [(r / 11 * rows * 0.6 + rows * 0.2 + 0.13, c / 11 * columns * 0.6 + columns * 0.2 + 0.29) for r, c in CORNERS]
    click(hands, case, corners, plane)
    hands.clicking.close()
    hands.clicking.close()
    geometry = case.volume.geometry
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    picture = layout.grid(geometry, case.position_on(layout))
    away = geometry.point_lps_mm(index) - np.asarray(picture.corner_lps_mm)
    row, column = (away @ np.asarray(d) / layout.pixel_mm for d in (layout.down_lps, layout.right_lps))
    normal = np.asarray(layout.normal_lps)
    cut = np.abs(away @ normal) < np.abs(normal @ geometry.affine_lps[:3, :3]).sum() / 2
    assert (drawn(case) == (inside(corners, row, column) & cut)).all()
    assert drawn(case).sum() > 30


def test_a_free_drag_is_closed_by_letting_go_and_keeps_its_shape(hands: Hands, case: OpenCase) -> None:
    angles = np.linspace(0, 2 * np.pi, 90)[:-1]
    way = [(8 + 6 * np.sin(a), 14 + 9 * np.cos(a)) for a in angles]
    drag(hands, case, way)
    assert shape(hands).closed
    assert len(shape(hands).anchors) < 60
    hands.clicking.close()
    expected = on_slice(case, way)
    # No voxel centre lies nearer to the ellipse than what is left out of a free line.
    assert (drawn(case) ^ expected).sum() <= 2
    assert expected.sum() > 120


def test_a_hand_that_trembles_puts_a_corner_and_draws_no_free_line(hands: Hands, case: OpenCase) -> None:
    click(hands, case, CORNERS[:2])
    drag(hands, case, [CORNERS[2], (CORNERS[2][0] + 0.6, CORNERS[2][1])])
    assert len(shape(hands).anchors) in (3, 4)
    assert not shape(hands).closed


def test_an_anchor_is_pulled_before_and_after_the_outline_is_closed(hands: Hands, case: OpenCase) -> None:
    click(hands, case, CORNERS)
    drag(hands, case, [CORNERS[1], (2.0, 12.0), (2.6, 14.3)])
    hands.clicking.close()
    drag(hands, case, [CORNERS[4], (11.0, 2.0), (12.3, 3.4)])
    hands.clicking.close()
    expected = [CORNERS[0], (2.6, 14.3), *CORNERS[2:4], (12.3, 3.4)]
    assert (drawn(case) == on_slice(case, expected)).all()


def test_an_anchor_is_put_on_a_line_by_a_double_click_by_alt_and_by_a_drag_and_removed_by_alt_and_del(
    hands: Hands, case: OpenCase
) -> None:
    square: Places = [(2.2, 2.2), (2.2, 16.2), (14.2, 16.2), (14.2, 2.2)]
    click(hands, case, square)
    hands.clicking.close()
    side = (2.2, 9.0)
    click(hands, case, [side, side])
    hands.double_click(at(case, side))
    assert len(shape(hands).anchors) == 5
    drag(hands, case, [(8.0, 16.2), (8.0, 18.0), (8.0, 20.3)])
    click(hands, case, [(14.2, 9.0)], modifiers=Modifiers.ALT)
    assert len(shape(hands).anchors) == 7
    hands.hover(at(case, (14.2, 9.0)))
    hands.clicking.remove(hands.pointer)
    click(hands, case, [side], modifiers=Modifiers.ALT)
    assert len(shape(hands).anchors) == 5
    hands.clicking.close()
    assert (drawn(case) == on_slice(case, [(2.2, 2.2), (2.2, 16.2), (8.0, 20.3), (14.2, 16.2), (14.2, 2.2)])).all()


def test_the_whole_outline_is_carried_by_its_inside(hands: Hands, case: OpenCase) -> None:
    click(hands, case, CORNERS)
    hands.clicking.close()
    drag(hands, case, [(3.0, 3.0), (4.0, 5.0), (5.5, 9.25)])
    hands.clicking.close()
    assert (drawn(case) == on_slice(case, np.add(CORNERS, (2.5, 6.25)))).all()


def test_a_click_on_the_first_anchor_closes_backspace_opens_again_and_escape_drops(hands: Hands, case: OpenCase) -> None:
    click(hands, case, CORNERS)
    click(hands, case, [CORNERS[0]])
    assert shape(hands).closed
    hands.clicking.back()
    assert not shape(hands).closed
    hands.clicking.back()
    assert len(shape(hands).anchors) == 4
    assert hands.cancel()
    assert hands.preview is None
    assert case.history.next_undo() is None


def test_ctrl_at_the_first_click_erases(hands: Hands, case: OpenCase) -> None:
    whole_segment(case)
    click(hands, case, CORNERS[:1], modifiers=Modifiers.CTRL)
    click(hands, case, CORNERS[1:])
    assert shape(hands).erasing
    hands.clicking.close()
    hands.clicking.close()
    assert (~drawn(case) == on_slice(case, CORNERS)).all()
    command = case.history.next_undo()
    assert command is not None
    assert command.name == "Erase Body"


def test_another_tool_writes_what_is_closed_and_says_that_it_drops_what_is_open(
    hands: Hands, case: OpenCase, workspace: Workspace, said: list[str]
) -> None:
    click(hands, case, CORNERS)
    set_tool(workspace, Tool.BRUSH)
    assert case.history.next_undo() is None
    assert said == ["The outline was still open, so it was given up."]
    set_tool(workspace, Tool.LASSO)
    click(hands, case, CORNERS)
    hands.clicking.close()
    set_tool(workspace, Tool.BRUSH)
    assert (drawn(case) == on_slice(case, CORNERS)).all()
    assert not hands.clicking.going_on


def test_a_case_that_is_closed_keeps_what_was_finished(hands: Hands, case: OpenCase, workspace: Workspace) -> None:
    click(hands, case, CORNERS)
    hands.clicking.close()
    expected = on_slice(case, CORNERS)
    workspace.close_case(case.key)
    assert (drawn(case) == expected).all()
    assert not hands.clicking.going_on


def test_a_click_beside_a_closed_outline_or_on_another_slice_writes_it_and_begins_the_next(
    hands: Hands, case: OpenCase
) -> None:
    click(hands, case, CORNERS)
    hands.clicking.close()
    expected = on_slice(case, CORNERS)
    click(hands, case, [(2.3, 22.0), (2.3, 27.0), (9.3, 27.0)])
    assert (drawn(case) == expected).all()
    hands.clicking.close()
    expected = expected | on_slice(case, [(2.3, 22.0), (2.3, 27.0), (9.3, 27.0)])
    k, j, i = case.view.crosshair_kji
    case.view.crosshair_kji = (k + 2, j, i)
    assert hands.preview is None
    click(hands, case, CORNERS[:2])
    assert (drawn(case) == expected).all()
    assert len(shape(hands).anchors) == 2


def test_an_open_outline_waits_on_its_slice_and_says_so(
    hands: Hands, case: OpenCase, workspace: Workspace, said: list[str]
) -> None:
    click(hands, case, CORNERS[:3])
    k, j, i = case.view.crosshair_kji
    case.view.crosshair_kji = (k - 1, j, i)
    click(hands, case, CORNERS[3:])
    assert "own slice" in said[-1]
    case.view.crosshair_kji = (k, j, i)
    hands.hover(at(case, (8.0, 8.0)))
    assert len(shape(hands).anchors) == 3


def test_a_locked_segment_and_a_case_that_is_only_read_are_not_drawn_on_and_say_why(
    hands: Hands, case: OpenCase, said: list[str]
) -> None:
    whole_segment(case)
    (segment,) = case.labels.segmentation.segments
    assert case.do(Command("Lock", (SegmentChange(segment, replace(segment, locked=True), 0),)))
    click(hands, case, CORNERS)
    assert not hands.clicking.going_on
    assert "locked" in said[-1]
    case.read_only = "Only read here."
    click(hands, case, CORNERS)
    assert said[-1] == "Only read here."
    assert drawn(case).all()


def test_rules_hold_for_outlines_too(hands: Hands, case: OpenCase, workspace: Workspace) -> None:
    values = case.volume.values()
    low, high = float(values[6, 4].min()), float(values[6, 4].max())
    workspace.bench.rules = replace(workspace.bench.rules, value_range=(low, high))
    click(hands, case, CORNERS)
    hands.clicking.close()
    hands.clicking.close()
    assert (drawn(case) == (on_slice(case, CORNERS) & (values >= low) & (values <= high))).all()
    assert drawn(case).any()


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("plane", list(Plane))
def test_scissors_cut_through_all_slices_what_lies_behind_the_outline(
    hands: Hands, case: OpenCase, workspace: Workspace, plane: Plane, turned: bool, outside: bool
) -> None:
    whole_segment(case)
    if turned:
        case.view.axes = Axes.of_grid(case.volume.geometry).turned((0.3, -1.0, 0.4), 0.5)
    set_tool(workspace, Tool.SCISSORS)
    workspace.bench.cut_outside = outside
    layout = case.slice_plane(plane)
    rows, columns = layout.screen_shape(case.volume.geometry)
    corners = [(r / 11 * rows * 0.6 + rows * 0.2 + 0.13, c / 11 * columns * 0.6 + columns * 0.2 + 0.29) for r, c in CORNERS]
    click(hands, case, corners, plane)
    hands.clicking.close()
    hands.clicking.close()
    index = np.stack(np.meshgrid(*(np.arange(n) for n in case.volume.geometry.shape_kji), indexing="ij"), axis=-1)
    seen = np.moveaxis(ScreenMap.of(layout, case.volume.geometry).screen(index), -1, 0)
    behind = inside(corners, seen[1], seen[2])
    assert (drawn(case) == (behind if outside else ~behind)).all()
    assert 100 < behind.sum() < behind.size / 2
    case.undo()
    assert drawn(case).all()


def test_scissors_cut_no_deeper_than_is_set(hands: Hands, case: OpenCase, workspace: Workspace) -> None:
    whole_segment(case)
    set_tool(workspace, Tool.SCISSORS)
    # Slices lie 5 mm apart: 12 mm reach one slice to each side.
    workspace.bench.cut_depth_mm = 12.0
    click(hands, case, CORNERS)
    hands.clicking.close()
    hands.clicking.close()
    gone = ~drawn(case)
    assert sorted(set(np.nonzero(gone)[0])) == [5, 6, 7]
    assert (gone[5] == gone[6]).all()
    assert (gone[6] == on_slice(case, CORNERS)[6]).all()


def test_scissors_without_anything_to_cut_say_so_and_leave_no_trace(
    hands: Hands, case: OpenCase, workspace: Workspace, said: list[str]
) -> None:
    set_tool(workspace, Tool.SCISSORS)
    click(hands, case, CORNERS)
    assert not hands.clicking.going_on
    assert "no segment" in said[-1]
    segment = new_segment(case.labels.segmentation, "Empty")
    assert case.do(Command("Add", (SegmentChange(None, segment, 0),)))
    case.view.active_segment_id = segment.segment_id
    click(hands, case, CORNERS)
    hands.clicking.close()
    hands.clicking.close()
    assert "Empty" in said[-1]
    command = case.history.next_undo()
    assert command is not None
    assert command.name == "Add"


def test_a_cut_too_large_for_a_moment_is_the_same_cut(
    hands: Hands, case: OpenCase, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "AT_ONCE_VOXELS", 10)
    whole_segment(case)
    set_tool(workspace, Tool.SCISSORS)
    click(hands, case, CORNERS)
    hands.clicking.close()
    hands.clicking.close()
    behind = np.broadcast_to(on_slice(case, CORNERS).any(axis=0), case.volume.geometry.shape_kji)
    assert (~drawn(case) == behind).all()
    command = case.history.next_undo()
    assert command is not None
    assert command.name == "Cut Body"
    case.undo()
    assert drawn(case).all()


def test_a_case_that_was_cut_by_a_job_and_closed_is_forgotten(
    workspace: Workspace, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "AT_ONCE_VOXELS", 10)
    other = make_case()
    other.series = replace(other.series, series_uid="1.2.3.77")
    workspace.add_case(other)
    whole_segment(other)
    set_tool(workspace, Tool.SCISSORS)
    click(hands, other, CORNERS)
    hands.clicking.close()
    hands.clicking.close()
    assert not drawn(other).all()
    hands.hover(None)
    workspace.close_case(other.key)
    gone = weakref.ref(other)
    del other
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("plane", list(Plane))
def test_a_livewire_finds_the_outline_of_an_organ_from_four_clicks_beside_it(
    hands: Hands, case: OpenCase, workspace: Workspace, plane: Plane, turned: bool
) -> None:
    if turned:
        case.view.axes = Axes.of_grid(case.volume.geometry).turned((0.3, -1.0, 0.4), 0.3)
    layout = case.slice_plane(plane)
    geometry = case.volume.geometry
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    # An ellipse on this picture, the same behind and before it.
    rows, columns = layout.screen_shape(geometry)
    middle, radii = (rows / 2 - 0.3, columns / 2 + 0.2), (rows * 0.3, columns * 0.3)
    _, row, column = np.moveaxis(ScreenMap.of(layout, geometry).screen(index), -1, 0)
    organ = ((row - middle[0]) / radii[0]) ** 2 + ((column - middle[1]) / radii[1]) ** 2 < 1
    noise = np.random.default_rng(3).normal(0, 4, organ.shape)
    case.volume = replace(case.volume, voxels=(np.where(organ, 100, -50) + noise).astype(np.int16))
    case.view.window = Window(25, 300)
    set_tool(workspace, Tool.LIVEWIRE)
    angles = np.arange(6) * np.pi / 3 + 0.4
    clicks = [(middle[0] + radii[0] * np.sin(a), middle[1] + radii[1] * np.cos(a)) for a in angles]
    click(hands, case, clicks, plane)
    assert len(shape(hands).line) > len(shape(hands).anchors)
    hands.clicking.close()
    hands.clicking.close()
    at_slice = case.position_on(layout)
    across = ScreenMap.of(layout, geometry).screen(index)[..., 0]
    cut = np.abs(across - at_slice) < ScreenMap.of(layout, geometry).half_thickness
    found, truth = drawn(case), organ & cut
    assert not (found & ~cut).any()
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > (0.9 if turned else 0.93)


def test_the_mode_follows_the_tool_and_a_double_click_closes(hands: Hands, case: OpenCase, workspace: Workspace) -> None:
    assert workspace.bench.mode is Mode.ANNOTATE
    click(hands, case, CORNERS)
    last = at(case, CORNERS[-1])
    hands.press(last)
    hands.double_click(last)
    hands.release(last)
    assert shape(hands).closed
    assert workspace.bench.maximised == ""
    outer = pointer(case, 3.0, 3.0)
    hands.press(outer)
    hands.double_click(outer)
    assert (drawn(case) == on_slice(case, CORNERS)).all()
