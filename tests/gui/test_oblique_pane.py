"""What a pane shows at an angle to the grid, pixel by pixel, on an anisotropic, asymmetric grid; SimpleITK judges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.annotations import BoxAnnotation
from medview.core.axes import Axes
from medview.core.changes import AnnotationChange, Command
from medview.core.geometry import Calibration, Geometry
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.core.slab import Slab, SlabMode
from medview.core.study import Reason
from medview.core.window import Window
from medview.gui.panes.slice_content import MISSING_LEVEL
from medview.gui.panes.slice_view import SliceView
from medview.gui.panes.stale import Stale
from medview.workspace.load_state import LoadState
from medview.workspace.measuring import measured, measurements
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Camera, Tool, Turn
from tests.gui.cases import (
    BRIGHT_KJI,
    LABELLED_KJI,
    PANE_PX,
    SHAPE_KJI,
    Painted,
    add_segment,
    at,
    label_voxel,
    make_case,
    make_pane,
    make_workspace,
    pane_of,
    pixels,
    sagittal_geometry,
)

PLANES = pytest.mark.parametrize("plane", list(Plane))
TURNED = Axes().turned((0.4, -1.0, 0.3), 0.5)


def turned_case(**more: object) -> OpenCase:
    case = make_case(**more)  # type: ignore[arg-type]  # those of make_case
    case.view.axes = TURNED
    return case


def mm_per_px(case: OpenCase, plane: Plane, zoom: float = 1.0) -> float:
    return max(layout(case, plane).home_mm) / PANE_PX / zoom


def layout(case: OpenCase, plane: Plane) -> ObliquePlane:
    found = case.slice_plane(plane)
    assert isinstance(found, ObliquePlane)
    return found


def place_px(case: OpenCase, plane: Plane, index_kji: object) -> tuple[float, float]:
    """Where a fitted pane shows a place, by hand: its distance from the middle of the volume along the screen."""
    geometry, here = case.volume.geometry, layout(case, plane)
    away = geometry.point_lps_mm(index_kji) - geometry.point_lps_mm((np.asarray(geometry.shape_kji) - 1) / 2)
    scale = mm_per_px(case, plane)
    return (
        PANE_PX / 2 + float(away @ np.asarray(here.right_lps)) / scale,
        PANE_PX / 2 + float(away @ np.asarray(here.down_lps)) / scale,
    )


@PLANES
@pytest.mark.parametrize("turn", [Turn(), Turn(1), Turn(2, True)], ids=str)
def test_a_bright_voxel_lies_where_the_patient_has_it(qtbot: QtBot, plane: Plane, turn: Turn) -> None:
    case = turned_case()
    case.view.set_turn(plane, turn)
    workspace, hands = make_workspace(case)
    workspace.bench.crosshair_visible = False
    shown = pixels(make_pane(qtbot, workspace, hands, plane))[..., 0].astype(float)
    x, y = place_px(case, plane, BRIGHT_KJI)
    # A lone voxel, interpolated, is a spot around its centre, dark again one voxel (of 4 mm at the most) further.
    reach = round(4.5 / mm_per_px(case, plane))
    top, left = round(y) - reach, round(x) - reach
    spot = shown[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
    assert spot.max() > 90
    assert max(spot[0].max(), spot[-1].max(), spot[:, 0].max(), spot[:, -1].max()) < 20
    rows, columns = np.indices(spot.shape)
    centre = ((spot * rows).sum() / spot.sum() + top + 0.5, (spot * columns).sum() / spot.sum() + left + 0.5)
    np.testing.assert_allclose(centre, (y, x), atol=0.5 * layout(case, plane).pixel_mm / mm_per_px(case, plane))


@PLANES
def test_a_labelled_voxel_is_tinted_where_it_lies_and_a_brush_stroke_shows_at_once(qtbot: QtBot, plane: Plane) -> None:
    case = turned_case()
    case.view.crosshair_kji = LABELLED_KJI
    segment = add_segment(case)
    pane = pane_of(qtbot, case, plane)
    x, y = place_px(case, plane, LABELLED_KJI)
    assert max(at(pixels(pane), x, y)) < 20
    label_voxel(case, segment, LABELLED_KJI)
    labelled = at(pixels(pane), x, y)
    assert labelled[2] > 60
    assert labelled[2] > labelled[0] + 20
    case.undo()
    assert max(at(pixels(pane), x, y)) < 20


@PLANES
def test_a_box_is_drawn_around_what_the_plane_cuts_of_it(qtbot: QtBot, plane: Plane) -> None:
    case = turned_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    case.view.crosshair_kji = (3, 20, 12)
    workspace, hands = make_workspace(case)
    workspace.bench.crosshair_visible = False
    pane = make_pane(qtbot, workspace, hands, plane)
    before = pixels(pane)
    geometry = case.volume.geometry
    low, high = np.asarray((2, 14, 8)), np.asarray((5, 27, 17))
    case.do(Command("Box", (AnnotationChange(None, BoxAnnotation.on_grid("b", "", geometry, low, high)),)))
    changed = np.argwhere((pixels(pane) != before).any(axis=2))
    # By brute force: the places of the picture that lie in the box.
    here = layout(case, plane)
    rows, columns = here.screen_shape(geometry)
    grid = here.grid(geometry, case.position_on(here))
    places = np.asarray([[grid.point_lps_mm(r, c) for c in range(columns)] for r in range(rows)])
    index = geometry.index_kji(places)
    # Bounds count voxel edges.
    inside = np.argwhere(((index >= low - 0.5) & (index <= high - 0.5)).all(axis=2))
    scale = mm_per_px(case, plane)
    # One pixel of the picture, and the width of the line.
    slack = here.pixel_mm / scale + 3
    for axis, count in ((0, rows), (1, columns)):
        for end, sign, drawn in (
            (inside.min(axis=0), -1, changed.min(axis=0)),
            (inside.max(axis=0), 1, changed.max(axis=0)),
        ):
            edge = PANE_PX / 2 + (end[axis] + sign * 0.5 - (count - 1) / 2) * here.pixel_mm / scale
            assert drawn[axis] == pytest.approx(edge, abs=slack)


def by_simpleitk(case: OpenCase, plane: Plane) -> np.ndarray:
    """The values in the middles of the pixels of a fitted pane; far below the window outside the volume."""
    volume, here, scale = case.volume, layout(case, plane), mm_per_px(case, plane)
    image = sitk.GetImageFromArray(volume.values().astype(np.float64))
    image.SetSpacing(volume.geometry.spacing_kji_mm[::-1])
    image.SetDirection(volume.geometry.directions_kji[::-1].T.ravel().tolist())
    image.SetOrigin(volume.geometry.affine_lps[:3, 3].tolist())
    right, down = np.asarray(here.right_lps), np.asarray(here.down_lps)
    at_mm = volume.geometry.point_lps_mm(case.view.at_kji)
    middle = volume.geometry.point_lps_mm((np.asarray(volume.geometry.shape_kji) - 1) / 2)
    across = np.cross(right, down)
    middle = middle + across * float((at_mm - middle) @ across)
    corner = middle - (right + down) * (PANE_PX - 1) / 2 * scale
    found = sitk.Resample(
        image, (PANE_PX, PANE_PX, 1), sitk.Transform(), sitk.sitkLinear, corner.tolist(), (scale, scale, 1.0),
        np.stack([right, down, across], axis=1).ravel().tolist(), -30000.0,
    )  # fmt: skip
    return np.asarray(sitk.GetArrayFromImage(found)[0])


@PLANES
def test_the_picture_is_the_one_simpleitk_resamples(qtbot: QtBot, plane: Plane) -> None:
    k, j, i = np.indices(SHAPE_KJI)
    voxels = np.rint(100 * np.sin(k / 2) + 60 * np.cos(j / 7 + i / 5) + 3 * i - 2 * j).astype(np.int16)
    case = turned_case(voxels=voxels)
    case.view.window = Window(0, 400)
    case.view.look_at((3.3, 20.6, 11.2), SHAPE_KJI)
    workspace, hands = make_workspace(case)
    workspace.bench.crosshair_visible = False
    shown = pixels(make_pane(qtbot, workspace, hands, plane)).astype(int)[..., 0]
    judged = by_simpleitk(case, plane)
    levels = np.clip((judged + 200) / 400 * 255, 0, 255)
    inside = judged > -29000
    # Half a voxel within the border, where SimpleITK ends; words stand at the edges.
    core = inside.copy()
    reach = 6
    for shift in (reach, -reach):
        core &= np.roll(inside, shift, axis=0) & np.roll(inside, shift, axis=1)
    core[:110] = core[-110:] = False
    assert core.sum() > 3000
    difference = np.abs(shown - levels)[core]
    assert np.median(difference) < 1.0
    assert np.percentile(difference, 99) < 4.0


@PLANES
def test_a_length_drawn_on_an_oblique_pane_is_that_of_the_hand(qtbot: QtBot, plane: Plane) -> None:
    case = turned_case()
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, plane)
    workspace.bench.tool = Tool.LENGTH
    drag(qtbot, pane, QPoint(200, 220), QPoint(290, 260))
    (one,) = measurements(case)
    length = measured(case, one).quantities[0]
    assert (length.unit, length.value) == ("mm", pytest.approx(np.hypot(90, 40) * mm_per_px(case, plane)))
    ends = [place_px(case, plane, point) for point in one.points_kji(case.volume.geometry)]
    np.testing.assert_allclose(ends, [(200, 220), (290, 260)], atol=1e-6)
    # It is drawn there, and gone half a step and more away.
    shown = pixels(pane)
    assert max(at(shown, 245, 240)) > 120
    here = layout(case, plane)
    geometry = case.volume.geometry
    away = here.index_kji(geometry, case.position_on(here) + 1, *here.screen(geometry, case.view.at_kji)[1:])
    case.view.look_at(away, geometry.shape_kji)
    assert max(at(pixels(pane), 222, 230)) < 120


def drag(qtbot: QtBot, pane: SliceView, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(pane, Qt.MouseButton.LeftButton, pos=start)
    for n in range(1, 5):
        _send_move(pane, start + (end - start) * n / 4)
    qtbot.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=end)


def _send_move(pane: SliceView, to: QPoint) -> None:
    left = Qt.MouseButton.LeftButton
    place = QPointF(to)
    event = QMouseEvent(
        QEvent.Type.MouseMove, place, QPointF(pane.mapToGlobal(to)), Qt.MouseButton.NoButton, left,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(pane, event)


def under_px(case: OpenCase, x: int, y: int) -> np.ndarray:
    """Return the place in the patient under a pixel of the coronal pane, written the long way."""
    geometry, here = case.volume.geometry, layout(case, Plane.CORONAL)
    scale = mm_per_px(case, Plane.CORONAL)
    middle = geometry.point_lps_mm((np.asarray(SHAPE_KJI) - 1) / 2)
    normal = np.asarray(here.normal_lps)
    at_mm = geometry.point_lps_mm(case.view.at_kji)
    return np.asarray(
        middle
        + normal * float((at_mm - middle) @ normal)
        + np.asarray(here.right_lps) * (x - PANE_PX / 2) * scale
        + np.asarray(here.down_lps) * (y - PANE_PX / 2) * scale
    )


@pytest.mark.parametrize("sphere", [False, True])
def test_disc_and_sphere_paint_the_voxels_within_the_radius_the_disc_those_that_the_plane_cuts(
    qtbot: QtBot, sphere: bool
) -> None:
    case = turned_case()
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.CORONAL)
    workspace.bench.tool, workspace.bench.brush_sphere = Tool.BRUSH, sphere
    workspace.bench.set_radius(5.0)
    qtbot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(250, 230))
    assert case.history.names == ("Brush Segment 1",)
    (layer,) = case.labels.segmentation.layers.values()
    geometry, normal = case.volume.geometry, np.asarray(layout(case, Plane.CORONAL).normal_lps)
    away = geometry.point_lps_mm(np.moveaxis(np.indices(SHAPE_KJI), 0, -1)) - under_px(case, 250, 230)
    across = away @ normal
    if sphere:
        wanted = np.linalg.norm(away, axis=-1) <= 5.0
    else:
        reach_mm = np.abs(normal @ geometry.affine_lps[:3, :3]).sum() / 2
        along = np.linalg.norm(away - across[..., np.newaxis] * normal, axis=-1)
        wanted = (along <= 5.0) & (np.abs(across) <= reach_mm)
    assert wanted.sum() > 30
    np.testing.assert_array_equal(layer.voxels != 0, wanted)
    # What was painted is what is seen: no hole in the middle of the disc.
    shown = pixels(pane)[215:246, 235:266].astype(int)
    assert (shown.max(axis=2) > 20).all()


@PLANES
def test_a_slab_brings_up_what_lies_before_and_behind_the_plane(qtbot: QtBot, plane: Plane) -> None:
    case = turned_case()
    geometry, here = case.volume.geometry, layout(case, plane)
    across, row, column = here.screen(geometry, BRIGHT_KJI)
    away = here.index_kji(geometry, across + 5.0 / here.step_mm, row, column)
    case.view.look_at(away, geometry.shape_kji)
    off_mm = abs(here.screen(geometry, case.view.at_kji)[0] - across) * here.step_mm
    if off_mm < 3:
        away = here.index_kji(geometry, across - 5.0 / here.step_mm, row, column)
        case.view.look_at(away, geometry.shape_kji)
    workspace, hands = make_workspace(case)
    workspace.bench.crosshair_visible = False
    pane = make_pane(qtbot, workspace, hands, plane)
    x, y = (round(n) for n in place_px(case, plane, BRIGHT_KJI))
    around = (slice(y - 6, y + 7), slice(x - 6, x + 7))
    assert pixels(pane)[around].max() < 60
    workspace.bench.slab = Slab(SlabMode.MAXIMUM, 16.0)
    assert pixels(pane)[around].max() > 90
    assert any(text.startswith("MIP 1") and "layers" in text for text in pane.shown_text())
    workspace.bench.slab = Slab(SlabMode.MINIMUM, 16.0)
    assert pixels(pane)[around].max() < 20


def test_what_is_mixed_with_a_damaged_slice_is_marked_and_nothing_else(qtbot: QtBot) -> None:
    case = turned_case(voxels=np.full(SHAPE_KJI, 1000, np.int16))
    load = LoadState(SHAPE_KJI[0])
    load.mark_all_ready()
    load.mark(3, ok=False, reason="torn")
    case.load = load
    case.view.crosshair_kji = (3, 20, 12)
    workspace, hands = make_workspace(case)
    workspace.bench.crosshair_visible = False
    shown = pixels(make_pane(qtbot, workspace, hands, Plane.CORONAL))
    geometry, here = case.volume.geometry, layout(case, Plane.CORONAL)
    _, row, column = here.screen(geometry, (3.0, 20.0, 12.0))
    checked = set()
    for step in np.arange(-7.0, 7.0, 0.25):
        index = here.index_kji(geometry, case.position_on(here), row, column + step / here.pixel_mm)
        k = index[0]
        x, y = place_px(case, Plane.CORONAL, index)
        if not geometry.contains(index) or min(abs(k - 2), abs(k - 4)) < 0.3:
            continue
        near = abs(k - 3) < 1
        checked.add(near)
        level = at(shown, x, y)[0]
        assert level == MISSING_LEVEL if near else level > 250, (k, level)
    assert checked == {True, False}


def test_a_closer_look_is_worked_out_anew_where_the_pane_was_coarser(qtbot: QtBot) -> None:
    fine = Geometry(SHAPE_KJI, sagittal_geometry().affine_lps @ np.diag([0.2, 0.2, 0.2, 1.0]), "1.2.3")
    fine = Geometry((60, 900, 300), fine.affine_lps, "1.2.3")
    voxels = np.full(fine.shape_kji, -1000, np.int16)
    voxels[30, 450, 150] = 1000
    case = turned_case(geometry=fine, voxels=voxels)
    case.view.crosshair_kji = (30, 450, 150)
    workspace, hands = make_workspace(case)
    workspace.bench.crosshair_visible = False
    pane = make_pane(qtbot, workspace, hands, Plane.CORONAL)
    pixels(pane)
    assert pane._picture.image._image.width() < layout(case, Plane.CORONAL).columns  # type: ignore[union-attr]  # there is one
    case.view.set_camera(Plane.CORONAL, Camera((0.0, 0.0), 12.0))
    away = fine.point_lps_mm((30, 450, 150)) - fine.point_lps_mm((np.asarray(fine.shape_kji) - 1) / 2)
    scale = mm_per_px(case, Plane.CORONAL, 12.0)
    here = layout(case, Plane.CORONAL)
    x, y = (PANE_PX / 2 + float(away @ np.asarray(d)) / scale for d in (here.right_lps, here.down_lps))
    assert min(at(pixels(pane), x, y)) > 120


def stack_of(count: int, calibration: Calibration = Calibration.IN_PLANE) -> OpenCase:
    shape = (count, *SHAPE_KJI[1:])
    geometry = Geometry(shape, sagittal_geometry().affine_lps, "1.2.3", calibration)
    case = turned_case(geometry=geometry, voxels=np.full(shape, 1000, np.int16))
    case.view.crosshair_kji = (0, 9, 17)
    return case


def test_a_stack_refuses_planes_across_its_slices_with_the_reason_in_place(qtbot: QtBot) -> None:
    case = stack_of(7)
    why = "Slices 3 and 4 are 9.1 mm apart, the others 4.0 mm."
    case.entry = replace(case.entry, reasons=(Reason("uneven_spacing", why),))
    for plane in Plane:
        pane = pane_of(qtbot, case, plane)
        shown, text = pixels(pane), pane.shown_text()
        acquired = plane is case.acquired_plane
        assert (why in text) == (not acquired)
        assert ("Only the pictures themselves can be shown" in text) == (not acquired)
        assert (at(shown, PANE_PX / 2 + 40, PANE_PX / 2 + 90)[0] > 200) == acquired
        assert not any("oblique" in line or "Interpolated" in line for line in text)


def test_a_single_picture_says_that_it_has_no_other_planes(qtbot: QtBot) -> None:
    case = stack_of(1)
    other = next(plane for plane in Plane if plane is not case.acquired_plane)
    pane = pane_of(qtbot, case, other)
    assert "A single picture has no other planes" in pane.shown_text()
    assert at(pixels(pane), PANE_PX / 2 + 40, PANE_PX / 2 + 90) == (0, 0, 0)
    assert "A single picture has no other planes" not in pane_of(qtbot, case, case.acquired_plane).shown_text()


def test_the_corner_says_how_far_a_plane_is_turned_and_that_it_is_interpolated(qtbot: QtBot) -> None:
    case = make_case()
    case.view.axes = Axes()
    assert "Axial, of the patient" in pane_of(qtbot, case, Plane.AXIAL).shown_text()
    case.view.axes = Axes().turned((1, 0, 0), np.radians(20))
    text = pane_of(qtbot, case, Plane.AXIAL).shown_text()
    assert "Axial, 20\u00b0 oblique" in text
    assert "Interpolated, 0.70 mm" in text


@PLANES
@pytest.mark.parametrize("turn", [Turn(), Turn(1), Turn(2, True)], ids=str)
@pytest.mark.parametrize("camera", [Camera(), Camera((3.0, -2.0), 2.5), Camera(actual=True)], ids=str)
def test_a_picture_keeps_its_scale_while_its_plane_is_turned_out_of_the_grid(
    qtbot: QtBot, plane: Plane, turn: Turn, camera: Camera
) -> None:
    case = make_case()
    case.view.set_turn(plane, turn)
    case.view.set_camera(plane, camera)
    pane = pane_of(qtbot, case, plane)
    pane.resize(PANE_PX, PANE_PX // 2)
    straight = Axes.of_grid(case.volume.geometry)

    def looked() -> tuple[float, tuple[float, float]]:
        pixels(pane)
        seen = pane._picture.viewport
        assert seen is not None
        middle = seen.slice_px.center()
        return seen.mm_per_px, (middle.x(), middle.y())

    scale, middle = looked()
    for about in ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.4, -1.0, 0.3)):
        for degrees in (1, 7, 20, 33, 45, 60):
            case.view.axes = straight.turned(about, np.radians(degrees))
            now, at_px = looked()
            assert now == pytest.approx(scale, rel=1e-9)
            assert at_px == pytest.approx(middle, abs=1e-6)


@PLANES
def test_planes_of_the_patient_are_fitted_whole(qtbot: QtBot, plane: Plane) -> None:
    case = make_case()
    case.view.axes = Axes()
    pane = pane_of(qtbot, case, plane)
    pixels(pane)
    found = pane.picture_rect
    assert max(found.width(), found.height()) == pytest.approx(PANE_PX, abs=8)


@PLANES
@pytest.mark.parametrize("sphere", [False, True])
def test_a_stroke_draws_only_around_itself_and_looks_as_if_all_had_been_drawn(
    qtbot: QtBot, plane: Plane, sphere: bool
) -> None:
    case = turned_case()
    add_segment(case)
    case.view.active_segment_id = case.labels.segmentation.segments[0].segment_id
    workspace, hands = make_workspace(case)
    workspace.bench.tool, workspace.bench.brush_sphere = Tool.BRUSH, sphere
    workspace.bench.set_radius(3.0)
    pane = make_pane(qtbot, workspace, hands, plane)
    qtbot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(230, 240))
    painted = Painted(pane)
    qtbot.mousePress(pane, Qt.MouseButton.LeftButton, pos=QPoint(240, 230))
    for n in range(1, 5):
        _send_move(pane, QPoint(240 + 8 * n, 230 + 5 * n))
    qtbot.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=QPoint(272, 250))
    assert case.history.names == ("Brush Liver", "Brush Liver")
    qtbot.waitUntil(lambda: not painted.region.isEmpty())
    assert painted.area_px < 0.5 * PANE_PX**2
    shown = pixels(pane)
    pane._mark(Stale.ALL)
    np.testing.assert_array_equal(pixels(pane), shown)
    for _ in range(2):
        case.undo()
    blank = pixels(pane)
    pane._mark(Stale.ALL)
    np.testing.assert_array_equal(pixels(pane), blank)
    assert (shown != blank).any()
