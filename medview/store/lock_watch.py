"""Waits beside a project that somebody else writes until it can be written here."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from psygnal import EmitLoopError, Signal

from medview.store.clock import Clock, SystemClock
from medview.store.lock import ProjectLock
from medview.store.silence import Silence

LOOK_EVERY_S = 5.0
_PATIENCE_S = 2.0

log = logging.getLogger("medview.store")


class LockWatch:
    """Looks every few seconds whether the writer of a project is gone, from a thread of its own.

    Attributes
    ----------
    silence : Silence
        What was seen of the writer so far; hand it to ``Project.open``.
    """

    freed = Signal()
    """Emitted FROM THE WATCHING THREAD, once after each ``start``: the project can be written now."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._folder = folder
        self._clock = clock or SystemClock()
        self.silence = Silence(folder, self._clock)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look, or to look again after ``freed``."""
        self._thread = threading.Thread(target=self._run, name="medview-lock-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no longer. Safe to call again."""
        self._stop.set()
        if self._thread is not None:
            # A network drive that is gone may keep it waiting; nobody else has to.
            self._thread.join(timeout=_PATIENCE_S)
            self._thread = None

    def look(self) -> bool:
        """Look once; True when the project can be written now."""
        try:
            return ProjectLock(self._folder, self._clock, self.silence).free()
        except OSError:
            # The drive is away, or may not be written.
            return False

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            if self.look():
                try:
                    self.freed.emit()
                except EmitLoopError:
                    log.exception("a listener of the lock failed")
                return
