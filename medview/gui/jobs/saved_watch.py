"""Brings what the journal's writer thread says over to the window's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

if TYPE_CHECKING:
    from medview.store.entry import SavedState
    from medview.store.journal import Journal


class SavedWatch(QObject):
    """Repeats a journal's ``saved_changed`` on the thread this object lives in."""

    changed = Signal(object)
    """SavedState."""
    _told = Signal(object)

    def __init__(self, journal: Journal, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._journal = journal
        self._told.connect(self.changed, Qt.ConnectionType.QueuedConnection)
        journal.saved_changed.connect(self._from_writer)

    def stop(self) -> None:
        """Listen no longer; the journal may outlive the window."""
        self._journal.saved_changed.disconnect(self._from_writer, missing_ok=True)

    def _from_writer(self, state: SavedState) -> None:
        # Runs in the writer thread; a Qt signal is the one thing that may be touched from there.
        self._told.emit(state)
