"""Three panes and the facts."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from medview.gui.panes.pane_grid import PaneGrid
from medview.workspace.workspace import Workspace
from tests.gui.cases import SERIES, make_case, make_workspace


def make_grid(qtbot: QtBot) -> tuple[PaneGrid, Workspace]:
    workspace, hands = make_workspace(make_case(series=replace(SERIES, description="T1 sagittal")))
    grid = PaneGrid(workspace, hands)
    grid.resize(1000, 700)
    qtbot.addWidget(grid)
    with qtbot.waitExposed(grid):
        grid.show()
    return grid, workspace


def test_panes_share_the_room_equally(qtbot: QtBot) -> None:
    grid, _ = make_grid(qtbot)
    sizes = {(pane.width(), pane.height()) for pane in grid.panes.values()}
    assert max(w for w, _ in sizes) - min(w for w, _ in sizes) <= 1
    assert max(h for _, h in sizes) - min(h for _, h in sizes) <= 1
    assert min(sizes)[0] > 490


def test_a_double_click_fills_the_centre_and_another_brings_the_rest_back(qtbot: QtBot) -> None:
    grid, workspace = make_grid(qtbot)
    pane = grid.panes["coronal"]
    for expected in ("coronal", ""):
        qtbot.mouseDClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
        assert workspace.bench.maximised == expected
        shown = {plane for plane, other in grid.panes.items() if other.isVisible()}
        assert shown == ({expected} if expected else {"axial", "coronal", "sagittal"})
    assert grid.facts.isVisible()


def test_a_maximised_pane_has_all_the_room(qtbot: QtBot) -> None:
    grid, workspace = make_grid(qtbot)
    workspace.bench.maximised = "sagittal"
    qtbot.waitUntil(lambda: grid.panes["sagittal"].size() == grid.size())


def test_facts_name_grid_spacing_and_verdict(qtbot: QtBot) -> None:
    grid, workspace = make_grid(qtbot)
    said = [label.text() for label in grid.facts.findChildren(QLabel)]
    for fact in ("T1 sagittal", "24 \u00d7 40 \u00d7 7 voxels", "1.3 \u00d7 0.7 \u00d7 4 mm", "HU"):
        assert fact in said
    workspace.close_case(workspace.active.key if workspace.active else "")
    assert grid.facts.findChildren(QLabel)[0].text() == ""


def test_the_grid_says_what_any_pane_points_at(qtbot: QtBot) -> None:
    grid, _ = make_grid(qtbot)
    with qtbot.waitSignal(grid.pointed_at):
        grid.panes["axial"].pointed_at.emit(None)
