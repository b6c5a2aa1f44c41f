"""A pane in a window of its own, for a second monitor."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.identity import series_description
from medview.workspace.workspace import Workspace

_START_PX = 800


class DetachedPane(QWidget):
    """A frame around one pane; closing it puts the pane back. It opens on another screen where there is one.

    Keys work in it as in the main window, whose actions it shares.
    """

    closed = Signal()

    def __init__(self, workspace: Workspace, pane_id: str, main: QWidget) -> None:
        super().__init__(main, Qt.WindowType.Window)
        self.setObjectName(f"{pane_id}_window")
        self._workspace, self._pane_id = workspace, pane_id
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.addActions(main.actions())
        self._place(main)
        heard = Subscriptions(self)
        bench = workspace.bench
        for signal in (workspace.active_changed, field_signal(bench, "identity_hidden"), field_signal(bench, "layout")):
            heard.add(signal, self._name)
        self._name()

    def hold(self, pane: QWidget) -> None:
        """Show the pane."""
        layout = self.layout()
        if layout is not None and layout.indexOf(pane) < 0:
            layout.addWidget(pane)
        pane.show()
        self.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Give the pane back."""
        super().closeEvent(event)
        self.closed.emit()

    def _place(self, main: QWidget) -> None:
        others = [screen for screen in QGuiApplication.screens() if screen is not main.screen()]
        room = (others[0] if others else main.screen()).availableGeometry()
        side = min(_START_PX, room.width(), room.height())
        self.resize(side, side)
        self.move(room.topLeft())

    def _name(self, *_values: object) -> None:
        case = self._workspace.case_in(self._pane_id)
        hidden = self._workspace.bench.identity_hidden
        name = series_description(case.series, hidden=hidden) if case is not None else ""
        self.setWindowTitle(f"{name} – MedView" if name else "MedView")
