"""The crosshair's lines on panes: through the place that is looked at, slanting where the planes are turned."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from medview.core.axes import Axes
from medview.core.plane import Plane
from medview.gui.panes.slice_view import SliceView
from medview.gui.parts.theme_tokens import PLANE_COLOURS
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import SHAPE_KJI, make_case, make_pane, make_workspace, pixels
from tests.gui.windows import hands_of


@pytest.fixture
def case() -> OpenCase:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    case.view.crosshair_kji = (3, 20, 12)
    return case


@pytest.fixture
def workspace(case: OpenCase) -> Workspace:
    return make_workspace(case)[0]


def pane_along(qtbot: QtBot, workspace: Workspace, plane: Plane) -> SliceView:
    return make_pane(qtbot, workspace, hands_of(workspace), plane)


def line_pixels(before: np.ndarray, after: np.ndarray, colour: str) -> np.ndarray:
    """Places (x, y) that became the colour of a plane."""
    wanted = np.array(QColor(colour).getRgb()[:3], dtype=float)
    changed = after.astype(float) - before
    strength = changed.max(axis=2)
    hue = changed / np.maximum(strength, 1)[..., None]
    near = np.abs(hue - wanted / wanted.max()).max(axis=2) < 0.15
    rows, columns = np.nonzero(near & (strength > 40))
    return np.column_stack([columns + 0.5, rows + 0.5])


@pytest.mark.parametrize("degrees", [20.0, -35.0, 60.0])
def test_lines_slant_by_the_angle_the_planes_were_turned(
    qtbot: QtBot, case: OpenCase, workspace: Workspace, degrees: float
) -> None:
    axial = Axes.of_grid(case.volume.geometry)
    case.view.axes = axial.turned(axial.screen(Plane.AXIAL)[2], np.radians(degrees))
    workspace.bench.crosshair_visible = False
    pane = pane_along(qtbot, workspace, Plane.AXIAL)
    before = pixels(pane)
    workspace.bench.crosshair_visible = True
    after = pixels(pane)
    geometry, layout = case.volume.geometry, case.slice_plane(Plane.AXIAL)
    _, row, column = layout.screen(geometry, case.view.at_kji)
    middle = pane._picture.viewport.point_px(row, column)  # type: ignore[union-attr]  # it was drawn
    for plane, straight in ((Plane.CORONAL, 0.0), (Plane.SAGITTAL, 90.0)):
        places = line_pixels(before, after, PLANE_COLOURS[plane]) - (middle.x(), middle.y())
        assert len(places) > 150
        # Clockwise on the screen, as the hand turned them: y grows downwards.
        angle = np.radians(straight + degrees)
        along, off = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        assert np.percentile(np.abs(places @ off), 95) < 2.0
        assert (places @ along).min() < -100 < 100 < (places @ along).max()
        # What is pointed at stays free.
        assert np.abs(places @ along).min() > 12


def test_straight_lines_stay_crisp(qtbot: QtBot, case: OpenCase, workspace: Workspace) -> None:
    workspace.bench.crosshair_visible = False
    pane = pane_along(qtbot, workspace, Plane.AXIAL)
    before = pixels(pane)
    workspace.bench.crosshair_visible = True
    after = pixels(pane)
    for plane, axis in ((Plane.CORONAL, 1), (Plane.SAGITTAL, 0)):
        places = line_pixels(before, after, PLANE_COLOURS[plane])
        assert len(np.unique(places[:, axis])) == 1


def test_a_line_that_moves_leaves_nothing_behind(qtbot: QtBot, case: OpenCase, workspace: Workspace) -> None:
    case.view.axes = Axes().turned((0.3, 1.0, 0.4), 0.4)
    pane = pane_along(qtbot, workspace, Plane.AXIAL)
    pixels(pane)
    layout, geometry = case.slice_plane(Plane.AXIAL), case.volume.geometry
    at, row, column = layout.screen(geometry, case.view.at_kji)
    case.view.look_at(layout.index_kji(geometry, at, row + 2, column - 3), SHAPE_KJI)
    moved = pixels(pane)
    pane._mark(type(pane._stale).ALL)
    np.testing.assert_array_equal(moved, pixels(pane))


def test_the_crosshair_tool_shows_where_lines_are_turned(qtbot: QtBot, case: OpenCase, workspace: Workspace) -> None:
    pane = pane_along(qtbot, workspace, Plane.AXIAL)
    before = pixels(pane)
    workspace.bench.tool = Tool.CROSSHAIR
    changed = (pixels(pane) != before).any(axis=2)
    assert 50 < changed.sum() < 1500
