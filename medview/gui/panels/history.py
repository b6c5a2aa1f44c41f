"""What was done, newest first; what was undone stays listed until something else is done."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QListView, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import words
from medview.gui.parts.history_model import STEPS_ROLE, HistoryModel
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.places import go_back_and_forth
from medview.workspace.workspace import Workspace


class HistoryPanel(QWidget):
    """The undo stack of the active case. A double click on an entry undoes or redoes up to it."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.model = HistoryModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setUniformItemSizes(True)
        self.list.setObjectName("history")
        self.list.setToolTip(_("Double click an entry to go back or forward to it"))
        self.list.setMinimumHeight(110)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.doubleClicked.connect(self._go_to)
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
        self.model.show(done, undone, hidden=self._workspace.bench.identity_hidden)
        if undone:
            self.list.scrollTo(self.model.index(self.model.current_row))

    def _go_to(self, index: QModelIndex) -> None:
        case = self._workspace.active
        if case is not None:
            go_back_and_forth(self._workspace, case, int(index.data(STEPS_ROLE)))
