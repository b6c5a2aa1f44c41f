"""Mouse and keys of lasso, scissors and region growing on a real pane and window."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from medview.core.plane import Plane
from medview.gui.main_window import MainWindow
from medview.gui.options.grow import GrowOptions
from medview.gui.options.scissors import ScissorsOptions
from medview.gui.panes.slice_view import SliceView
from medview.workspace.events import Message
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.preview import ShapePreview
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import SHAPE_KJI, add_segment, make_case, make_pane, make_workspace, pixels

SQUARE = ((140, 140), (340, 150), (330, 340), (150, 330))
NO_KEY = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


def click(pane: QWidget, *places: tuple[int, int], held: Qt.KeyboardModifier = NO_KEY) -> None:
    for x, y in places:
        QTest.mouseMove(pane, QPoint(x, y))
        QTest.mouseClick(pane, LEFT, held, QPoint(x, y))


def drag(pane: QWidget, *places: tuple[int, int]) -> None:
    QTest.mousePress(pane, LEFT, NO_KEY, QPoint(*places[0]))
    for x, y in places[1:]:
        QTest.mouseMove(pane, QPoint(x, y))
    QTest.mouseRelease(pane, LEFT, NO_KEY, QPoint(*places[-1]))


@pytest.fixture
def case() -> OpenCase:
    return make_case()


@pytest.fixture
def hands(case: OpenCase) -> tuple[Workspace, Hands]:
    return make_workspace(case)


@pytest.fixture
def pane(qtbot: QtBot, hands: tuple[Workspace, Hands]) -> SliceView:
    set_tool(hands[0], Tool.LASSO)
    return make_pane(qtbot, *hands, Plane.SAGITTAL)


def count(case: OpenCase) -> int:
    segment = case.active_segment
    return 0 if segment is None else case.labels.segmentation.count(segment)


def anchors(hands: tuple[Workspace, Hands]) -> int:
    shown = hands[1].preview
    return len(shown.anchors) if isinstance(shown, ShapePreview) else 0


def told_by(workspace: Workspace) -> list[Message]:
    heard: list[Message] = []

    def hear(message: Message) -> None:
        heard.append(message)

    workspace.message.connect(hear)
    return heard


def test_what_escape_drops_comes_back_by_undo_once_and_by_its_button(
    pane: SliceView, case: OpenCase, hands: tuple[Workspace, Hands]
) -> None:
    told = told_by(hands[0])
    click(pane, (200, 160), (300, 170), (290, 300))
    QTest.keyClick(pane, Qt.Key.Key_Return)
    QTest.keyClick(pane, Qt.Key.Key_Return)
    first = count(case)
    click(pane, *SQUARE)
    QTest.keyClick(pane, Qt.Key.Key_Return)
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Escape):
        QTest.keyClick(pane, key)
    assert anchors(hands) == 0
    QTest.keyClick(pane, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    shown = hands[1].preview
    assert isinstance(shown, ShapePreview)
    assert (len(shown.anchors), shown.closed, count(case)) == (4, True, first)
    # Who drops it again means it: Undo is about what was before, the button still brings it back.
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert not hands[1].clicking.undoes_drop
    assert told[-1].way_out is not None
    told[-1].way_out.take()
    assert anchors(hands) == 4
    drag(pane, SQUARE[0], (150, 145))
    QTest.keyClick(pane, Qt.Key.Key_Return)
    assert len(case.history.names) == 2
    told[-1].way_out.take()
    assert anchors(hands) == 0


@pytest.mark.parametrize("other", ["tool", "outline", "case"])
def test_what_was_dropped_is_forgotten_once_something_else_is_taken(
    pane: SliceView, case: OpenCase, hands: tuple[Workspace, Hands], other: str
) -> None:
    workspace, told = hands[0], told_by(hands[0])
    over: list[Message] = []

    def hear(message: Message) -> None:
        over.append(message)

    workspace.message_over.connect(hear)
    click(pane, *SQUARE)
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert told[-1].text == "What was being drawn was dropped."
    if other == "tool":
        set_tool(workspace, Tool.BRUSH)
    elif other == "outline":
        click(pane, (220, 220))
    else:
        workspace.close_case(case.key)
    assert over[-1] is told[-1]
    assert told[-1].way_out is not None
    assert told[-1].way_out.take() is False


def test_enter_closes_then_writes_and_undo_takes_back_what_is_not_written_first(
    pane: SliceView, case: OpenCase, hands: tuple[Workspace, Hands]
) -> None:
    click(pane, *SQUARE)
    QTest.keyClick(pane, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert anchors(hands) == 3
    click(pane, SQUARE[3])
    QTest.keyClick(pane, Qt.Key.Key_Return)
    assert count(case) == 0
    QTest.keyClick(pane, Qt.Key.Key_Return)
    written = count(case)
    assert written > 50
    assert anchors(hands) == 0


def test_a_free_drag_draws_and_what_is_shown_goes_away_with_escape(pane: SliceView, case: OpenCase) -> None:
    before = pixels(pane)
    angles = np.linspace(0, 2 * np.pi, 40)
    drag(pane, *((round(240 + 90 * np.cos(a)), round(240 + 120 * np.sin(a))) for a in angles))
    shown = pixels(pane)
    # The line, and a fill inside it.
    assert (shown[120, 225:255] != before[120, 225:255]).any()
    assert (shown[240, 240] != before[240, 240]).any()
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert (pixels(pane)[2:-2, 2:-2] == before[2:-2, 2:-2]).all()
    assert count(case) == 0


def test_del_removes_the_anchor_under_the_pointer_and_a_double_click_puts_one_on_a_line(
    pane: SliceView, case: OpenCase, hands: tuple[Workspace, Hands]
) -> None:
    click(pane, *SQUARE)
    QTest.keyClick(pane, Qt.Key.Key_Return)
    QTest.mouseMove(pane, QPoint(*SQUARE[1]))
    QTest.keyClick(pane, Qt.Key.Key_Delete)
    assert anchors(hands) == 3
    side = QPoint((SQUARE[2][0] + SQUARE[3][0]) // 2, (SQUARE[2][1] + SQUARE[3][1]) // 2)
    QTest.mouseClick(pane, LEFT, NO_KEY, side)
    QTest.mouseDClick(pane, LEFT, NO_KEY, side)
    assert anchors(hands) == 4


def test_an_anchor_follows_the_hand_on_the_screen(pane: SliceView, hands: tuple[Workspace, Hands]) -> None:
    click(pane, *SQUARE)
    QTest.keyClick(pane, Qt.Key.Key_Return)
    before = pixels(pane)
    drag(pane, SQUARE[0], (120, 120), (90, 90))
    after = pixels(pane)
    assert (after[86:95, 86:95] != before[86:95, 86:95]).any()


def test_a_region_is_shown_while_the_button_is_down_with_its_range_beside_the_hand(
    qtbot: QtBot, hands: tuple[Workspace, Hands], pane: SliceView, case: OpenCase
) -> None:
    set_tool(hands[0], Tool.FILL)
    before = pixels(pane)
    QTest.mousePress(pane, LEFT, NO_KEY, QPoint(300, 330))
    shown = pixels(pane)
    # The tissue around is everything but the one bright voxel.
    changed = (shown != before).any(axis=2)
    assert changed.mean() > 0.4
    QTest.mouseRelease(pane, LEFT, NO_KEY, QPoint(300, 330))
    assert count(case) == SHAPE_KJI[1] * SHAPE_KJI[2] - 1


def test_options_of_growing_and_cutting_stand_in_the_panel_of_tools(
    window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    workspace.add_case(case)
    set_tool(workspace, Tool.GROW)
    grow = window.side.tools.options
    assert isinstance(grow, GrowOptions)
    grow.limit.setValue(40)
    grow.corners.click()
    assert (workspace.bench.grow_limit_mm, workspace.bench.grow_corners) == (40.0, True)
    set_tool(workspace, Tool.SCISSORS)
    scissors = window.side.tools.options
    assert isinstance(scissors, ScissorsOptions)
    assert scissors.inside.isChecked()
    scissors.outside.click()
    scissors.depth_mm.setValue(12)
    assert (workspace.bench.cut_outside, workspace.bench.cut_depth_mm) == (True, 12.0)
    workspace.bench.cut_outside = False
    assert scissors.inside.isChecked()


def test_keys_take_the_tools_and_copy_a_slice_in_the_window(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    add_segment(case)
    workspace.add_case(case)
    case.view.active_segment_id = "s1"
    pane = window.panes.findChild(SliceView, "axial_pane")
    assert pane is not None
    qtbot.waitUntil(pane.isVisible)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    pane.setFocus()
    set_tool(workspace, Tool.BRUSH)
    by_name = {one.objectName(): one for one in window.actions()}

    def ready(name: str) -> None:
        qtbot.waitUntil(by_name[name].isEnabled)

    ready("tool.lasso")
    keys = (Qt.Key.Key_5, Qt.Key.Key_6, Qt.Key.Key_7, Qt.Key.Key_8, Qt.Key.Key_4)
    tools = (Tool.LIVEWIRE, Tool.FILL, Tool.GROW, Tool.SCISSORS, Tool.LASSO)
    for key, tool in zip(keys, tools, strict=True):
        QTest.keyClick(pane, key)
        assert workspace.bench.tool is tool
    middle = pane.picture_rect.center()
    reach = min(pane.picture_rect.width(), pane.picture_rect.height()) // 3
    places = [(middle.x() + a * reach, middle.y() + b * reach) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    click(pane, *places)
    for _ in range(2):
        QTest.keyClick(pane, Qt.Key.Key_Return)
    written = count(case)
    assert written > 0
    ready("slice.to_next")
    QTest.keyClick(pane, Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
    assert count(case) == 2 * written
    QTest.keyClick(pane, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(pane, Qt.Key.Key_PageUp)
    ready("slice.paste")
    QTest.keyClick(pane, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert count(case) == 3 * written
