"""Whose the active case is, over a view that draws no text of its own."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from medview.gui.layers.owner import STRIP_HEIGHT_PX, paint_strip
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.workspace.owners import Owner, owner_strip
from medview.workspace.workspace import Workspace


class OwnerStrip(QWidget):
    """The strip that pictures carry while more than one patient is open; not there otherwise."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.owner: Owner | None = None
        self.setFixedHeight(STRIP_HEIGHT_PX)
        heard = Subscriptions(self)
        for signal in (workspace.active_changed, workspace.cases_changed, workspace.studies_changed):
            heard.add(signal, self.refresh)
        for name in ("identity_hidden", "names_read_as"):
            heard.add(field_signal(workspace.bench, name), self.refresh)
        self.refresh()

    def refresh(self, *_values: object) -> None:
        """Follow the active case."""
        case = self._workspace.active
        self.owner = owner_strip(self._workspace, case) if case is not None else None
        self.setVisible(self.owner is not None)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the strip."""
        if self.owner is not None:
            painter = QPainter(self)
            paint_strip(painter, self.owner, self.width(), self.font())
            painter.end()
