"""Undo shows what it takes back."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.changes import AnnotationChange, Command
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.plane import Plane
from medview.core.trace import Trace, TraceKind
from medview.workspace.layout import grid
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.places import go_back_and_forth, place_of
from medview.workspace.view_state import Camera
from medview.workspace.workspace import Workspace
from tests.helpers.strokes import stroke_patch


def _paint(case: OpenCase, at_kji: tuple[int, int, int]) -> None:
    segment = case.active_segment or labels.add_segment(case, "Liver")
    assert segment is not None
    patch = stroke_patch(case.labels.segmentation, segment, at_kji, at_kji, radius_mm=1.3, plane=None)
    assert patch is not None
    case.do(Command("Brush", (patch,)))


def test_undo_and_redo_go_to_the_slice_where_the_change_is(workspace: Workspace, case: OpenCase) -> None:
    workspace.bench.layout = grid(1, 1)
    _paint(case, (2, 5, 7))
    case.view.crosshair_kji = (9, 15, 20)
    go_back_and_forth(workspace, case, -1)
    k, j, i = case.view.crosshair_kji
    assert k == 2
    assert abs(j - 5) <= 2
    assert abs(i - 7) <= 3
    case.view.crosshair_kji = (9, 15, 20)
    go_back_and_forth(workspace, case, 1)
    assert case.view.crosshair_kji[0] == 2


def test_what_is_seen_already_moves_nothing(workspace: Workspace, case: OpenCase) -> None:
    workspace.bench.layout = grid(1, 1)
    _paint(case, (2, 5, 7))
    case.view.crosshair_kji = (2, 19, 29)
    go_back_and_forth(workspace, case, -1)
    assert case.view.crosshair_kji == (2, 19, 29)


def test_one_of_three_planes_that_shows_it_is_enough(workspace: Workspace, case: OpenCase) -> None:
    _paint(case, (2, 5, 7))
    sideways = case.slice_plane(Plane.SAGITTAL)
    at = [9, 15, 20]
    at[sideways.normal_axis] = (2, 5, 7)[sideways.normal_axis]
    case.view.crosshair_kji = (at[0], at[1], at[2])
    go_back_and_forth(workspace, case, -1)
    assert case.view.crosshair_kji == tuple(at)


def test_planes_behind_a_maximised_one_show_nothing(workspace: Workspace, case: OpenCase) -> None:
    _paint(case, (2, 5, 7))
    sideways = case.slice_plane(Plane.SAGITTAL)
    at = [9, 15, 20]
    at[sideways.normal_axis] = (2, 5, 7)[sideways.normal_axis]
    case.view.crosshair_kji = (at[0], at[1], at[2])
    workspace.bench.maximised = next(c.pane_id for c in workspace.bench.layout.slices if c.plane is Plane.AXIAL)
    go_back_and_forth(workspace, case, -1)
    assert case.view.crosshair_kji[0] == 2


def test_of_several_places_the_nearest_is_shown(workspace: Workspace, case: OpenCase) -> None:
    workspace.bench.layout = grid(1, 1)
    segment = labels.add_segment(case, "Liver")
    assert segment is not None
    changes = []
    for at in ((0, 3, 3), (11, 17, 26)):
        patch = stroke_patch(case.labels.segmentation, segment, at, at, radius_mm=1.0)
        assert patch is not None
        changes.append(patch)
    case.do(Command("Two spots", tuple(changes)))
    case.view.crosshair_kji = (8, 10, 15)
    go_back_and_forth(workspace, case, -1)
    assert case.view.crosshair_kji[0] == 11


def test_a_magnified_picture_is_moved_to_the_place(workspace: Workspace, case: OpenCase) -> None:
    workspace.bench.layout = grid(1, 1)
    _paint(case, (2, 2, 3))
    case.view.crosshair_kji = (2, 18, 27)
    layout = case.slice_plane(Plane.AXIAL)
    case.view.set_camera(Plane.AXIAL, Camera((5.0, 5.0), zoom=10.0))
    go_back_and_forth(workspace, case, -1)
    geometry = case.volume.geometry
    _, row, column = layout.screen(geometry, case.view.at_kji)
    rows, columns = layout.screen_shape(geometry)
    high, wide = layout.screen_spacing_mm(geometry)
    middle = ((row - (rows - 1) / 2) * high, (column - (columns - 1) / 2) * wide)
    assert case.view.cameras[Plane.AXIAL].center_offset_mm == pytest.approx(middle)
    assert case.view.cameras[Plane.AXIAL].zoom == 10.0


def test_planes_at_an_angle_are_led_there_too(workspace: Workspace, case: OpenCase) -> None:
    workspace.bench.layout = grid(1, 1)
    _paint(case, (2, 5, 7))
    case.view.axes = Axes.of_grid(case.volume.geometry).turned((1.0, 0.0, 0.0), 0.35)
    case.view.look_at((10, 16, 24), case.volume.geometry.shape_kji)
    go_back_and_forth(workspace, case, -1)
    layout = case.slice_plane(Plane.AXIAL)
    there = layout.screen(case.volume.geometry, (2, 5, 7))[0]
    assert abs(case.position_on(layout) - there) < 2.0


def test_names_have_no_place(workspace: Workspace, case: OpenCase) -> None:
    labels.add_segment(case, "Liver")
    before = case.view.crosshair_kji
    go_back_and_forth(workspace, case, -1)
    assert case.view.crosshair_kji == before


def test_boxes_and_measurements_have_a_place_inside_the_grid(case: OpenCase) -> None:
    geometry = case.volume.geometry
    box = BoxAnnotation.on_grid("b", "Nodule", geometry, (2, 3, 4), (5, 9, 11))
    place = place_of(AnnotationChange(None, box), geometry)
    assert place is not None
    assert np.abs(np.subtract(place.min_kji, (2, 3, 4))).max() <= 1
    assert np.abs(np.subtract(place.max_kji, (5, 9, 11))).max() <= 1
    ends = tuple(tuple(geometry.point_lps_mm(at)) for at in ((7, 2, 3), (7, 12, 400)))
    length = Measurement("m", MeasurementKind.LENGTH, ends)  # type: ignore[arg-type]
    place = place_of(AnnotationChange(length, None), geometry)
    assert place == Box((7, 2, 3), (8, 13, 30))


@pytest.mark.parametrize("k", [4, 5])
def test_a_box_on_one_slice_is_seen_on_that_slice_alone_and_a_line_where_it_goes(case: OpenCase, k: int) -> None:
    geometry = case.volume.geometry
    flat = BoxAnnotation.on_grid("b", "Nodule", geometry, (k, 3, 4), (k + 1, 9, 11), flat_edge=0)
    assert place_of(AnnotationChange(None, flat), geometry) == Box((k, 3, 4), (k + 1, 9, 11))
    points = tuple((float(x), float(y), float(z)) for x, y, z in geometry.point_lps_mm([(k, 3, 4), (k + 2, 5, 6.2)]))
    line = Trace("t", TraceKind.OPEN, points)
    assert place_of(AnnotationChange(line, None), geometry) == Box((k, 3, 4), (k + 3, 6, 7))
