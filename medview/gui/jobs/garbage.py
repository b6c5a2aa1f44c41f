"""Python's cycle collector, run by the window's own thread and no other.

Left to itself it runs in whatever thread happens to allocate. What it finds may be pieces of the window (a panel held in a
cycle by the lambda of one of its buttons), and Qt objects that are taken apart in a worker while the window draws bring the
program down, seldom and without a trace that tells why.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_LOOK_MS = 250
_YOUNG = 2_000
"""New objects after which the young are looked through; a few milliseconds."""
_MIDDLE_ROUNDS = 10
"""Rounds of one generation before the next older one."""
_OLD_ROUNDS = 20
"""The oldest wait longer: looking through all of a large study takes tens of milliseconds."""


class GarbageInWindow(QObject):
    """Turns automatic collection off and collects from a timer of the thread it lives in, until ``stop``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        self._young_rounds = self._middle_rounds = 0
        gc.disable()
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect what has become old enough."""
        if gc.get_count()[0] < _YOUNG:
            return
        self._young_rounds += 1
        if self._young_rounds < _MIDDLE_ROUNDS:
            gc.collect(0)
            return
        self._young_rounds = 0
        self._middle_rounds += 1
        if self._middle_rounds < _OLD_ROUNDS:
            gc.collect(1)
            return
        self._middle_rounds = 0
        gc.collect()

    def stop(self) -> None:
        """Give collection back to Python."""
        self._timer.stop()
        if self._was_on:
            gc.enable()
