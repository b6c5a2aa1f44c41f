"""Mouse and keys of the polygon on a real pane and window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from medview.core.plane import Plane
from medview.gui.main_window import MainWindow
from medview.gui.panes.slice_view import SliceView
from medview.gui.parts.theme_tokens import PICTURE_MEASURE_ACTIVE
from medview.workspace.actions import action
from medview.workspace.measuring import measurements
from medview.workspace.open_case import OpenCase
from medview.workspace.scheme import shipped
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case, make_pane, make_workspace, pixels

PLACES = ((120, 120), (320, 140), (300, 340), (140, 300))
NO_KEY = Qt.KeyboardModifier.NoModifier


def click(pane: QWidget, *places: tuple[int, int]) -> None:
    for x, y in places:
        QTest.mouseMove(pane, QPoint(x, y))
        QTest.mouseClick(pane, Qt.MouseButton.LeftButton, NO_KEY, QPoint(x, y))


@pytest.fixture
def case() -> OpenCase:
    return make_case()


@pytest.fixture
def pane(qtbot: QtBot, case: OpenCase) -> SliceView:
    workspace, hands = make_workspace(case)
    made = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    action("tool.polygon").run(workspace)
    return made


def corners(case: OpenCase) -> list[int]:
    return [len(one.points_lps_mm) for one in measurements(case)]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_closes_and_backspace_takes_the_last_corner_back(pane: SliceView, case: OpenCase, key: Qt.Key) -> None:
    click(pane, *PLACES)
    QTest.keyClick(pane, Qt.Key.Key_Backspace)
    QTest.keyClick(pane, key)
    assert corners(case) == [3]


def test_escape_gives_up_and_leaves_nothing_on_the_picture(pane: SliceView, case: OpenCase) -> None:
    before = pixels(pane)
    click(pane, *PLACES)
    assert (pixels(pane) != before).any()
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert (pixels(pane)[2:-2, 2:-2] == before[2:-2, 2:-2]).all()
    assert corners(case) == []


def test_a_double_click_closes(pane: SliceView, case: OpenCase) -> None:
    click(pane, *PLACES)
    QTest.mouseDClick(pane, Qt.MouseButton.LeftButton, NO_KEY, QPoint(*PLACES[-1]))
    assert corners(case) == [4]


def test_the_outline_is_drawn_to_the_pointer_before_it_is_closed(pane: SliceView, case: OpenCase) -> None:
    click(pane, *PLACES[:2])
    QTest.mouseMove(pane, QPoint(300, 300))
    QApplication.processEvents()
    shown = pixels(pane)
    line = int(PICTURE_MEASURE_ACTIVE[1:3], 16)
    # The middle of the first side, and somewhere along the dashed line to the pointer.
    assert shown[128:133, 220].max() > line - 60
    assert shown[200:240, 300:320].max() > line - 60
    assert corners(case) == []


def test_the_keys_of_the_polygon_go_before_shortcuts_of_the_window_only_while_one_is_drawn(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    # In this scheme Backspace deletes the measurement drawn last.
    window.hands.scheme.use(shipped("ohif"))
    workspace.add_case(case)
    pane = window.panes.findChild(SliceView, "axial_pane")
    assert pane is not None
    qtbot.waitUntil(pane.isVisible)
    pane.setFocus()
    action("tool.polygon").run(workspace)
    middle = pane.rect().center()
    triangle = [(middle.x() - 40, middle.y() - 50), (middle.x() + 40, middle.y() - 40), (middle.x(), middle.y() + 50)]
    click(pane, *triangle)
    QTest.keyClick(pane, Qt.Key.Key_Return)
    assert corners(case) == [3]
    click(pane, (middle.x() - 90, middle.y()), (middle.x() - 90, middle.y() + 60))
    QTest.keyClick(pane, Qt.Key.Key_Backspace)
    assert corners(case) == [3]
    assert window.hands.clicking.going_on
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    QTest.keyClick(pane, Qt.Key.Key_Backspace)
    assert corners(case) == []
