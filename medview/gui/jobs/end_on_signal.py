"""Ctrl+C in the terminal and a polite kill close the window like its own close button."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier


class EndOnSignal(QObject):
    """Calls ``close`` on the GUI thread when SIGINT or SIGTERM arrives.

    Python runs signal handlers between two lines of Python, and there is none while Qt waits for events; so the signal's
    number is written into a socket that Qt watches.
    """

    def __init__(self, close: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._close = close
        self._heard, self._told = socket.socketpair()
        self._heard.setblocking(False)
        self._told.setblocking(False)
        self._notifier = QSocketNotifier(self._heard.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_signal)
        self._wakeup_before = signal.set_wakeup_fd(self._told.fileno())
        self._before = {number: signal.signal(number, _carry_on) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(self) -> None:
        """Leave signals as they were."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._heard.close()
        self._told.close()

    def _on_signal(self) -> None:
        self._heard.recv(64)
        self._close()


def _carry_on(_number: int, _frame: object) -> None:
    """Keep the signal from ending the process; the socket has it already."""
