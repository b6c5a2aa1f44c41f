"""The message line offers what can be done about a message with one press."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.gui.parts.message_line import MessageLine
from medview.workspace.events import Severity, WayOut
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
