"""What was done, newest first; what was undone stays listed until something else is done."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import words
from medview.gui.parts.identity import command_name
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.workspace import Workspace

_MOST_SHOWN = 300


class HistoryPanel(QWidget):
    """The undo stack of the active case. A double click on an entry undoes or redoes up to it."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.list = QListWidget()
        self.list.setObjectName("history")
        self.list.setToolTip(_("Double click an entry to go back or forward to it"))
        self.list.setMinimumHeight(110)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.itemDoubleClicked.connect(self._go_to)
        self._empty = words(
            _("Nothing has been changed yet. Everything you do can be undone, also after a restart."), "quiet"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.addWidget(self._empty)
        layout.addWidget(self.list, 1)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self.refresh)
        heard.add(workspace.history_changed, self.refresh)
        heard.add(field_signal(workspace.bench, "identity_hidden"), self.refresh)
        self.refresh()

    def refresh(self, *_values: object) -> None:
        """Show the history of the active case."""
        case = self._workspace.active
        undone = case.history.undone_names if case else ()
        done = case.history.names if case else ()
        self._empty.setVisible(not undone and not done)
        self.list.setVisible(bool(undone or done))
        self.list.clear()
        # Redo brings the entry next to what is done back first.
        for steps, name in reversed(list(enumerate(undone, start=1))):
            self._add(name, steps, undone=True)
        for back, name in enumerate(reversed(done[-_MOST_SHOWN:])):
            self._add(name, -back, undone=False)

    def _add(self, name: str, steps: int, *, undone: bool) -> None:
        name = in_language(command_name(name, hidden=self._workspace.bench.identity_hidden))
        item = QListWidgetItem(name)
        item.setToolTip(name)
        item.setData(Qt.ItemDataRole.UserRole, steps)
        if undone:
            item.setForeground(QBrush(self.palette().color(self.palette().ColorRole.PlaceholderText)))
            item.setToolTip(_("Undone: {name}").format(name=name))
        self.list.addItem(item)

    def _go_to(self, item: QListWidgetItem) -> None:
        case = self._workspace.active
        steps = int(item.data(Qt.ItemDataRole.UserRole))
        for _unused in range(abs(steps)):
            if case is not None:
                case.redo() if steps > 0 else case.undo()
