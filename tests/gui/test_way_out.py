"""The message line offers what can be done about a message with one press, and says nothing that is over."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from medview.core.plane import Plane
from medview.gui.parts.message_line import MessageLine
from medview.workspace.events import Severity, WayOut
from medview.workspace.operations import labels
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Mode, Tool
from tests.gui.cases import make_case, make_pane
from tests.gui.windows import bare_workspace, hands_of


def test_the_button_does_what_it_says_once_and_goes(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    line = MessageLine(workspace, hands_of(workspace).scheme)
    qtbot.addWidget(line)
    line.show()
    assert line.way_out.isHidden()
    taken: list[str] = []
    way_out = WayOut("Run on the CPU", "It takes longer", lambda: taken.append("cpu"))
    workspace.say("Graphics memory ran out.", Severity.ERROR, way_out=way_out)
    assert line.way_out.isVisible()
    assert line.way_out.text() == "Run on the CPU"
    assert line.way_out.toolTip() == "It takes longer"
    qtbot.mouseClick(line.way_out, Qt.MouseButton.LeftButton)
    assert taken == ["cpu"]
    assert line.way_out.isHidden()
    workspace.say("Something else.")
    assert line.way_out.isHidden()


def test_what_was_taken_back_is_no_longer_reported(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    case = make_case()
    workspace.add_case(case)
    line = MessageLine(workspace, hands_of(workspace).scheme)
    qtbot.addWidget(line)
    labels.add_segment(case, "Liver")
    workspace.say("Added Liver.", undo=True)
    labels.add_segment(case, "Spleen")
    case.undo()
    assert line.label.text() == "Added Liver."
    case.undo()
    assert line.label.text() != "Added Liver."


def test_a_line_is_taken_away_by_who_said_it_and_no_other_of_the_same_words(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    line = MessageLine(workspace, hands_of(workspace).scheme)
    qtbot.addWidget(line)
    earlier, later = workspace.say("Wait."), workspace.say("Wait.")
    workspace.unsay(earlier)
    assert line.label.text() == "Wait."
    workspace.unsay(later)
    assert line.label.text() == ""


def test_why_a_gesture_came_to_nothing_is_over_with_the_next_one(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    workspace.add_case(make_case())
    hands = hands_of(workspace)
    line = MessageLine(workspace, hands.scheme)
    qtbot.addWidget(line)
    workspace.bench.mode = Mode.ANNOTATE
    set_tool(workspace, Tool.ERASER)
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    qtbot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    assert line.label.text().startswith("There is no segment to erase from")
    set_tool(workspace, Tool.BRUSH)
    qtbot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    assert not line.label.text().startswith("There is no segment")
