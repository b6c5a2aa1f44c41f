"""Panes of layouts on the screen: whose pictures they show, windows of their own, and what stays behind when they go."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from medview.core.axes import Axes
from medview.core.plane import Plane
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.panes.pane_grid import PaneGrid
from medview.workspace.actions import action
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.workspace import Workspace
from tests.gui.cases import PANE_PX, SERIES, SHAPE_KJI, make_case, make_workspace, pixels


def case_of(number: int) -> OpenCase:
    """A case whose pictures are all of one grey that tells its number."""
    voxels = np.full(SHAPE_KJI, -200 + 70 * number, dtype=np.int16)
    return make_case(voxels=voxels, series=replace(SERIES, series_uid=f"1.2.3.{number}", description=f"Series {number}"))


def make_grid(qtbot: QtBot, *cases: OpenCase) -> tuple[PaneGrid, Workspace]:
    workspace, hands = make_workspace(*cases)
    grid = PaneGrid(workspace, hands)
    grid.resize(2 * PANE_PX, 2 * PANE_PX)
    qtbot.addWidget(grid)
    with qtbot.waitExposed(grid):
        grid.show()
    return grid, workspace


def middle(pane: QWidget) -> int:
    shown = pixels(pane)
    return int(shown[shown.shape[0] // 2 + 60, shown.shape[1] // 2 + 20, 0])


def point_at(pane: QWidget, x: int = 120, y: int = 120) -> None:
    """Let the pointer pass over a pane, no button down."""
    at = QPointF(x, y)
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, QPointF(pane.mapToGlobal(at)), none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(pane, event)


def test_four_panes_show_four_series(qtbot: QtBot) -> None:
    grid, workspace = make_grid(qtbot, *(case_of(n) for n in range(1, 5)))
    action("layout.2x2").run(workspace)
    greys = {pane_id: middle(pane) for pane_id, pane in grid.panes.items()}
    # The active one first, then the others as they were opened.
    wanted = [255 * (70 * n) / 400 for n in (4, 1, 2, 3)]
    assert [greys[str(n)] for n in range(1, 5)] == pytest.approx(wanted, abs=2)
    names = [next(text for text in grid.panes[str(n)].shown_text() if "Series" in text) for n in range(1, 5)]
    assert [name.removeprefix("CT ") for name in names] == [f"Series {n}" for n in (4, 1, 2, 3)]


def test_series_opened_one_after_the_other_appear_in_pane_after_pane(qtbot: QtBot) -> None:
    grid, workspace = make_grid(qtbot, case_of(1))
    action("layout.1x2").run(workspace)
    assert [any(pane.shown_text()) for pane in grid.panes.values()] == [True, False]
    workspace.add_case(case_of(2))
    workspace.choose("1")
    workspace.add_case(case_of(3))
    assert [middle(grid.panes[n]) for n in ("1", "2")] == pytest.approx([255 * 210 / 400, 255 * 140 / 400], abs=2)
    workspace.close_case("1.2.3.3")
    assert middle(grid.panes["1"]) == 0
    assert not any(grid.panes["1"].shown_text())
    assert middle(grid.panes["2"]) == pytest.approx(255 * 140 / 400, abs=2)


def test_the_pointer_alone_says_which_pane_keys_act_on(qtbot: QtBot) -> None:
    grid, workspace = make_grid(qtbot, case_of(1), case_of(2))
    action("layout.1x2").run(workspace)
    for pane_id, key in (("2", "1.2.3.1"), ("1", "1.2.3.2")):
        point_at(grid.panes[pane_id])
        assert workspace.bench.pointed == pane_id
        assert workspace.looked_at is workspace.cases[key]
        inverted = workspace.cases[key].view.inverted
        action("window.invert").run(workspace)
        assert workspace.cases[key].view.inverted != inverted
    # Nothing was pressed: the panels still speak of the series opened last.
    assert workspace.active is workspace.cases["1.2.3.2"]


def test_panes_that_leave_the_layout_are_destroyed_and_hold_no_case(qtbot: QtBot) -> None:
    grid, workspace = make_grid(qtbot, case_of(1))
    action("layout.2x2").run(workspace)
    case = case_of(2)
    case.view.axes = Axes().turned((1, 2, 3), 0.3)
    labels.add_segment(case, "Liver")
    workspace.add_case(case)
    for pane in grid.panes.values():
        pixels(pane)
        point_at(pane)
    gone = [weakref.ref(case), weakref.ref(case.volume.voxels)]
    layer = weakref.ref(case.labels.segmentation.layer(0).voxels)
    old = grid.panes["2"]
    destroyed: list[str] = []
    old.destroyed.connect(lambda: destroyed.append("pane"))
    action("layout.1x1").run(workspace)
    qtbot.waitUntil(lambda: destroyed == ["pane"])
    assert set(grid.panes) == {"1"}
    pixels(grid.panes["1"])
    workspace.close_case(case.key)
    pixels(grid.panes["1"])
    del case, old, pane
    gc.collect()
    assert [one() for one in (*gone, layer)] == [None] * 3


def test_a_pane_shown_alone_keeps_the_others_for_later(qtbot: QtBot) -> None:
    grid, workspace = make_grid(qtbot, *(case_of(n) for n in range(1, 5)))
    action("layout.2x2").run(workspace)
    point_at(grid.panes["3"])
    action("view.maximise").run(workspace)
    qtbot.waitUntil(lambda: grid.panes["3"].size() == grid.size())
    assert [pane_id for pane_id, pane in grid.panes.items() if pane.isVisible()] == ["3"]
    action("view.maximise").run(workspace)
    assert all(pane.isVisible() for pane in grid.panes.values())
    assert middle(grid.panes["3"]) == pytest.approx(255 * 140 / 400, abs=2)


@pytest.fixture
def opened(qtbot: QtBot, workspace: Workspace, threads: JobThreads, window: MainWindow) -> MainWindow:
    workspace.add_case(case_of(1))
    workspace.add_case(case_of(2))
    return window


def test_a_pane_in_a_window_of_its_own_shows_its_series_and_comes_back_when_that_is_closed(
    qtbot: QtBot, opened: MainWindow, workspace: Workspace
) -> None:
    grid = opened.panes
    action("layout.1x2").run(workspace)
    point_at(grid.panes["2"])
    action("view.detach").run(workspace)
    frame = grid.windows["2"]
    assert frame.isVisible()
    assert frame.isWindow()
    assert grid.panes["2"].window() is frame
    assert frame.windowTitle().startswith("Series 1")
    assert middle(grid.panes["2"]) == pytest.approx(255 * 70 / 400, abs=2)
    assert grid.panes["1"].isVisible()
    frame.close()
    assert workspace.bench.detached == ()
    assert grid.windows == {}
    assert grid.panes["2"].window() is opened
    qtbot.waitUntil(grid.panes["2"].isVisible)
    assert middle(grid.panes["2"]) == pytest.approx(255 * 70 / 400, abs=2)


def test_keys_work_in_a_window_of_its_own_without_a_click(qtbot: QtBot, opened: MainWindow, workspace: Workspace) -> None:
    grid = opened.panes
    action("layout.1x2").run(workspace)
    point_at(grid.panes["2"])
    action("view.detach").run(workspace)
    frame = grid.windows["2"]
    frame.activateWindow()
    qtbot.waitUntil(frame.isActiveWindow)
    point_at(grid.panes["2"])
    case = workspace.cases["1.2.3.1"]
    before = case.view.inverted
    qtbot.keyClick(frame, Qt.Key.Key_I)
    qtbot.waitUntil(lambda: case.view.inverted != before)
    assert not workspace.cases["1.2.3.2"].view.inverted


def test_a_double_click_in_a_window_of_its_own_leaves_the_main_window_as_it_is(
    qtbot: QtBot, opened: MainWindow, workspace: Workspace
) -> None:
    grid = opened.panes
    action("layout.1x2").run(workspace)
    workspace.bench.pointed = "2"
    action("view.detach").run(workspace)
    qtbot.mouseDClick(grid.panes["2"], Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert workspace.bench.maximised == ""
    assert grid.panes["1"].isVisible()


def test_another_layout_takes_windows_of_their_own_away(qtbot: QtBot, opened: MainWindow, workspace: Workspace) -> None:
    grid = opened.panes
    action("layout.1x2").run(workspace)
    workspace.bench.pointed = "2"
    action("view.detach").run(workspace)
    frame = grid.windows["2"]
    destroyed: list[str] = []
    frame.destroyed.connect(lambda: destroyed.append("frame"))
    action("layout.planes").run(workspace)
    qtbot.waitUntil(lambda: destroyed == ["frame"])
    assert grid.windows == {}
    assert set(grid.panes) == {plane.value for plane in Plane}
