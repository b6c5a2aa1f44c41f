"""Notices that a pane or its picture moved under a pointer that rests: the system sends no event of the mouse then."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, QTimer
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QWidget


class RestingPointer(QObject):
    """Asks once for all that moved in a turn of the event loop, and not while a button is down.

    Parameters
    ----------
    moved : callable
        Takes where the pointer lies in the pane now; None where it is known already, since only the picture moved.
    """

    def __init__(self, pane: QWidget, moved: Callable[[QPointF | None], object]) -> None:
        super().__init__(pane)
        self._pane, self._moved, self._itself = pane, moved, False
        self._turn = QTimer(self, interval=0, singleShot=True)
        self._turn.timeout.connect(self._ask)

    def pane_moved(self) -> None:
        """Ask about a pane that has another place or size."""
        self._itself = True
        self._turn.start()

    def picture_moved(self) -> None:
        """Ask about a picture that moved in its pane."""
        self._turn.start()

    def _ask(self) -> None:
        itself, self._itself = self._itself, False
        if not QGuiApplication.mouseButtons():
            self._moved(QPointF(self._pane.mapFromGlobal(QCursor.pos())) if itself else None)
