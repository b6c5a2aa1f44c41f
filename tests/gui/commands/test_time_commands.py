"""The curve over time comes once what draws it is loaded, a few milliseconds at a time."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from medview.gui.commands.time_commands import TimeCommands
from medview.workspace.workspace import Workspace


def test_the_curve_is_loaded_in_steps_and_stands_once(workspace: Workspace, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    commands = TimeCommands(window, workspace)

    def curves() -> list[QDialog]:
        return [one for one in window.findChildren(QDialog) if one.objectName() == "time curve"]

    commands.show_curve()
    commands.show_curve()
    assert curves() == [], "the window is not held up"
    qtbot.waitUntil(lambda: len(curves()) == 1)
    commands.show_curve()
    assert len(curves()) == 1
    assert curves()[0].isVisible()
