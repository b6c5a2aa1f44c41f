"""What can be done with an outline before it is written, where its tool is in hand."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import words
from medview.gui.parts.qt_actions import QtActions
from medview.workspace.workspace import Workspace

HELP = _(
    "Drag a point, a side or the inside to adjust it. Alt and click: a point more or less. Backspace: one step back. "
    "Enter: close, then finish. Esc: drop."
)


class OutlineOptions(QWidget):
    """There is nothing to set; hands that know brushes only are told what they can do."""

    def __init__(self, _workspace: Workspace, _actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(words(HELP, "quiet"))
