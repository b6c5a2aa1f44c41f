"""The loupe, and the picture at its own size."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from medview.core.geometry import Geometry
from medview.core.plane import Plane
from medview.gui.drawing.viewport import Viewport
from medview.gui.layers.magnifier import FACTOR
from medview.workspace.actions import action
from medview.workspace.view_state import Camera
from tests.gui.cases import SEGMENT, add_segment, at, label_voxel, make_case, make_pane, make_workspace, pixels

LEFT = Qt.MouseButton.LeftButton


def press(pane: object, x: float, y: float) -> None:
    QTest.mousePress(pane, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(round(x), round(y)))  # type: ignore[call-overload]


def test_what_lies_under_the_pointer_stays_there_and_is_larger_by_the_factor(qtbot: QtBot) -> None:
    # 24 rows of 1.0 mm and 24 columns of 1.0 mm in 480 pixels: 20 pixels a voxel.
    grid = Geometry.from_spacing((3, 24, 24), (5.0, 1.0, 1.0))
    voxels = np.full(grid.shape_kji, -1000, np.int16)
    voxels[1, 8:10, 10:12] = 1000
    case = make_case(grid, voxels)
    case.view.crosshair_kji = (1, 20, 20)
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    before, camera = pixels(pane), case.view.cameras[Plane.AXIAL]
    action("tool.magnifier").run(workspace)
    x, y = 220, 180
    assert min(at(before, x, y)) > 225
    press(pane, x, y)
    shown = pixels(pane)
    assert min(at(shown, x, y)) > 225
    for side in (-1, 1):
        # The bright square reaches 20 pixels from its middle in the pane, 50 in the loupe.
        assert max(at(before, x + side * 32, y)) < 60 < 200 < min(at(shown, x + side * 32, y))
        assert max(at(shown, x + side * (20 * FACTOR + 16), y + 20)) < 60
    assert case.view.cameras[Plane.AXIAL] == camera
    QTest.mouseRelease(pane, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(x, y))
    assert np.array_equal(pixels(pane)[2:-2, 2:-2], before[2:-2, 2:-2])
    assert case.view.crosshair_kji == (1, 20, 20)


def test_labels_are_in_the_loupe_where_the_voxels_are(qtbot: QtBot) -> None:
    grid = Geometry.from_spacing((3, 24, 24), (5.0, 1.0, 1.0))
    case = make_case(grid, np.full(grid.shape_kji, -1000, np.int16))
    case.view.crosshair_kji = (1, 20, 20)
    label_voxel(case, add_segment(case), (1, 8, 13))
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    action("tool.magnifier").run(workspace)
    x, y = 270, 170
    press(pane, x - 24, y)
    shown = pixels(pane)
    # The middle of the labelled voxel is 24 pixels right of the pointer: 60 in the loupe.
    np.testing.assert_allclose(at(shown, x - 24 + 24 * FACTOR, y), np.asarray(SEGMENT.colour) * 0.35, atol=4)


def test_the_loupe_shows_voxels_that_the_pane_has_averaged_away(qtbot: QtBot) -> None:
    rows = 2400
    grid = Geometry.from_spacing((1, rows, rows), (1.0, 0.1, 0.1))
    voxels = np.full(grid.shape_kji, -1000, np.int16)
    voxels[0, 1198:1203, 1198:1203] = 1000
    case = make_case(grid, voxels)
    case.view.crosshair_kji = (0, 100, 100)
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    before = pixels(pane)[236:245, 236:245].min(axis=2).max()
    action("tool.magnifier").run(workspace)
    press(pane, 240, 240)
    assert pixels(pane)[236:245, 236:245].min(axis=2).max() > before


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_at_its_own_size_a_voxel_of_the_finer_axis_is_one_pixel_of_the_screen(ratio: float) -> None:
    seen = Viewport.looking((480, 300), (40, 24), (0.9, 0.6), Camera(actual=True), ratio)
    assert (seen.column_px * ratio, seen.row_px * ratio) == pytest.approx((1.0, 1.5))
    assert Viewport.looking((480, 300), (40, 24), (0.9, 0.6), Camera(actual=True).zoomed(2.0), ratio).column_px == (
        pytest.approx(2.0 / ratio)
    )


def test_one_key_shows_every_plane_at_its_own_size_where_it_was_and_another_fits_it_again(qtbot: QtBot) -> None:
    case = make_case()
    case.view.set_camera(Plane.AXIAL, Camera((3.0, -2.0), 4.0))
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    action("view.actual").run(workspace)
    assert case.view.cameras[Plane.AXIAL] == Camera((3.0, -2.0), 1.0, actual=True)
    pane.grab()
    # 24 columns of 1.3 mm and 40 rows of 0.7 mm: a row is one pixel.
    assert pane.picture_rect.height() == pytest.approx(40, abs=2)
    assert pane.picture_rect.width() == pytest.approx(24 * 1.3 / 0.7, abs=2)
    action("view.fit").run(workspace)
    assert case.view.cameras[Plane.AXIAL] == Camera()
