"""Dividing the centre by menu, dropping series into panes, menus of panes, hanging rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QComboBox, QMenu, QToolButton
from pytestqt.qtbot import QtBot

from medview.gui.commands.layout_menu import GridChooser
from medview.gui.dialogs.hanging import HangingDialog
from medview.gui.main_window import MainWindow
from medview.gui.panes.pane_menu import pane_menu
from medview.gui.panes.slice_view import SliceView
from medview.gui.parts.series_mime import encode
from medview.workspace.hanging import rule_for
from medview.workspace.layout import EMPTY, layout_of
from medview.workspace.operations.open import open_path
from medview.workspace.workspace import Workspace
from tests.gui.windows import bare_workspace
from tests.helpers.dicom_series import ROOT, write_ct


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = bare_workspace(tmp_path)
    for n in (2, 7):
        write_ct(
            tmp_path / "study" / str(n), series=f"{ROOT}.{n}", change=lambda _k, ds: setattr(ds, "SeriesDescription", "CT")
        )
    return made


@pytest.fixture
def opened(window: MainWindow, workspace: Workspace, tmp_path: Path) -> MainWindow:
    open_path(workspace, tmp_path / "study")
    window.files.open_series(workspace.series[0], workspace.series[0].best)
    return window


def drop(pane: SliceView, data: QMimeData) -> bool:
    """Drop something on the middle of a pane, as the window system does; say whether it was taken."""
    at = QPointF(pane.rect().center())
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(at.toPoint(), copy, data, left, none)
    enter.ignore()
    pane.dragEnterEvent(enter)
    if not enter.isAccepted():
        return False
    pane.dropEvent(QDropEvent(at, copy, data, left, none))
    return True


def test_a_series_dropped_on_a_pane_is_shown_in_that_pane(opened: MainWindow, workspace: Workspace) -> None:
    opened.actions_table.run("layout.2x2")
    other = workspace.series[1]
    assert drop(opened.panes.panes["4"], encode(other, other.best, files=False))
    assert [cell.case_key == EMPTY for cell in workspace.bench.layout.slices] == [False, True, True, False]
    shown = workspace.case_in("4")
    assert shown is not None
    assert shown.series.series_uid == other.series_uid
    assert workspace.active is shown


def test_files_are_not_taken_by_a_pane_but_by_the_window(opened: MainWindow, tmp_path: Path) -> None:
    data = QMimeData()
    data.setText("file list")
    assert not drop(opened.panes.panes["axial"], data)


def test_the_next_series_fills_the_empty_pane(opened: MainWindow, workspace: Workspace) -> None:
    opened.actions_table.run("layout.1x2")
    assert workspace.case_in("2") is None
    opened.files.open_series(workspace.series[1], workspace.series[1].best)
    shown = workspace.case_in("2")
    assert shown is not None
    assert shown.series.series_uid == workspace.series[1].series_uid


def test_pointing_at_a_square_of_the_chooser_divides_the_centre(
    qtbot: QtBot, opened: MainWindow, workspace: Workspace
) -> None:
    button = opened.findChild(QToolButton, "button layout")
    assert button is not None
    menu = button.menu()
    assert isinstance(menu, QMenu)
    chooser = next(action.defaultWidget() for action in menu.actions() if hasattr(action, "defaultWidget"))
    assert isinstance(chooser, GridChooser)
    chooser.resize(chooser.sizeHint())
    qtbot.mouseRelease(chooser, Qt.MouseButton.LeftButton, pos=QPoint(80, 45))
    assert (workspace.bench.layout.rows, workspace.bench.layout.columns) == (2, 3)
    assert sorted(opened.panes.panes) == ["1", "2", "3", "4", "5", "6"]


def test_a_right_click_on_a_pane_offers_its_plane_and_series(opened: MainWindow, workspace: Workspace) -> None:
    menu = pane_menu(workspace, opened.actions_table, "coronal", opened)
    planes = next(action.menu() for action in menu.actions() if action.text() == "Plane")
    assert isinstance(planes, QMenu)
    checked = [action.text() for action in planes.actions() if action.isChecked()]
    assert checked == ["Coronal"]
    next(action for action in planes.actions() if action.text() == "Sagittal").trigger()
    assert opened.panes.panes["coronal"].plane.value == "sagittal"
    menu.deleteLater()


def test_a_right_click_without_a_drag_asks_for_the_menu_and_a_drag_does_not(qtbot: QtBot, opened: MainWindow) -> None:
    pane = opened.panes.panes["axial"]
    opened.panes.menu_wanted.disconnect()
    asked: list[str] = []
    opened.panes.menu_wanted.connect(lambda pane_id, _place: asked.append(pane_id))
    right, middle = Qt.MouseButton.RightButton, pane.rect().center()
    qtbot.mouseClick(pane, right, pos=middle)
    assert asked == ["axial"]
    qtbot.mousePress(pane, right, pos=middle)
    qtbot.mouseMove(pane, middle + QPoint(0, 40))
    qtbot.mouseRelease(pane, right, pos=middle + QPoint(0, 40))
    assert asked == ["axial"]


def test_hanging_rules_are_added_changed_and_removed_in_their_dialog(
    qtbot: QtBot, opened: MainWindow, workspace: Workspace
) -> None:
    opened.actions_table.run("layout.2x2")
    dialog = HangingDialog(workspace, opened)
    qtbot.addWidget(dialog)
    shipped = dialog.table.rowCount()
    dialog.add.click()
    case = workspace.active
    assert case is not None
    assert rule_for(workspace, case).layout == "2x2"
    assert dialog.table.rowCount() == shipped + 1
    layouts = dialog.table.cellWidget(0, 1)
    assert isinstance(layouts, QComboBox)
    layouts.setCurrentIndex(layouts.findData("1x1"))
    assert rule_for(workspace, case).layout == "1x1"
    # What MedView came with cannot be changed.
    assert not dialog.table.cellWidget(1, 1).isEnabled()
    remove = dialog.table.cellWidget(0, 4)
    assert isinstance(remove, QToolButton)
    remove.click()
    assert dialog.table.rowCount() == shipped
    assert rule_for(workspace, case).layout == layout_of("planes").layout_id


def test_a_pane_stands_in_a_window_of_its_own_until_that_is_closed(
    qtbot: QtBot, opened: MainWindow, workspace: Workspace
) -> None:
    workspace.bench.pointed = "coronal"
    opened.actions_table.run("view.detach")
    pane = opened.panes.panes["coronal"]
    assert pane.window() is not opened
    qtbot.waitUntil(pane.isVisible)
    pane.window().close()
    QApplication.processEvents()
    assert workspace.bench.detached == ()
    assert pane.window() is opened
    assert pane.isVisible()
