"""What was done and undone, as rows of a list; thousands of them cost no more than those that are seen."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication

from medview.core.language import _, in_language
from medview.gui.parts.identity import command_name

_Index = QModelIndex | QPersistentModelIndex

_ROOT = QModelIndex()

STEPS_ROLE = int(Qt.ItemDataRole.UserRole)
"""How many commands to redo (positive) or undo (negative) to come to the row."""


class HistoryModel(QAbstractListModel):
    """Newest first: what Redo would bring back, then what was done."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._done: tuple[str, ...] = ()
        self._undone: tuple[str, ...] = ()
        self._hidden = False

    def show(self, done: tuple[str, ...], undone: tuple[str, ...], *, hidden: bool) -> None:
        """Show these names of commands.

        Parameters
        ----------
        done : tuple of str
            Oldest first.
        undone : tuple of str
            In the order Redo brings them back.
        hidden : bool
            No name may tell who the patient is.
        """
        self.beginResetModel()
        self._done, self._undone, self._hidden = done, undone, hidden
        self.endResetModel()

    @property
    def current_row(self) -> int:
        """The row of the newest command that is done."""
        return len(self._undone)

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Return the number of commands."""
        return 0 if parent.isValid() else len(self._done) + len(self._undone)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Return the name of a command, how to get there, and grey where it is undone."""
        if not index.isValid():
            return None
        row = index.row()
        undone = row < len(self._undone)
        if role == STEPS_ROLE:
            return len(self._undone) - row
        if role == Qt.ItemDataRole.ForegroundRole:
            return QGuiApplication.palette().placeholderText() if undone else None
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        kept = (
            self._undone[len(self._undone) - 1 - row]
            if undone
            else self._done[len(self._done) - 1 - row + len(self._undone)]
        )
        name = in_language(command_name(kept, hidden=self._hidden))
        return _("Undone: {name}").format(name=name) if undone and role == Qt.ItemDataRole.ToolTipRole else name
