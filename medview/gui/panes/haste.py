"""Pictures that take long are coarse while a hand moves them and fine once it rests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QTimer, Signal

SLOW_S = 0.007
"""A picture that kept the processor busy for longer than this does not follow a hand."""

_FEWER = 4
"""How many times fewer pixels a coarse picture has."""

_REST_MS = 150
"""A hand that moved nothing for so long rests."""


class Haste(QObject):
    """Says of each picture of a pane whether it is to be coarse.

    Time is that of the processor in this thread: other programs must not make pictures coarse.
    """

    rested = Signal()
    """The hand rests and the picture that is shown is a coarse one."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._slow_ones = 0
        self._rest = QTimer(self, interval=_REST_MS, singleShot=True)
        self._rest.timeout.connect(self._on_rest)
        self.coarse = False
        """Whether the picture made last is a coarse one."""

    @contextmanager
    def picture(self) -> Iterator[bool]:
        """Make a picture; whether it is to be coarse is told at the beginning."""
        # The first one may be slow for what it loads.
        self.coarse = self._slow_ones > 1 and self._rest.isActive()
        started = time.thread_time()
        yield self.coarse
        slow = time.thread_time() - started > SLOW_S / (_FEWER if self.coarse else 1)
        self._slow_ones = self._slow_ones + 1 if slow else 0
        self._rest.start()

    def end(self) -> bool:
        """Take the hand as resting now; True when the picture that is shown is a coarse one."""
        self._rest.stop()
        return self.coarse

    def _on_rest(self) -> None:
        if self.coarse:
            self.rested.emit()
