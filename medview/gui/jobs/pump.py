"""Large changes on the GUI thread, a few milliseconds at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Slot

from medview.workspace.jobs import Job, JobStatus, Lane
from medview.workspace.pour import Poured

_PAUSE_MS = 2
"""Between two steps, so that mouse, keys and painting come in between."""

_QUIET_S = 0.3
"""What is over sooner does not appear among the jobs."""

_TELL_S = 0.1


class Pump(QObject):
    """Steps whatever it is given until it is over.

    Parameters
    ----------
    jobs : list of Job
        What runs in the window; a pour that takes long is listed there, with a way to cancel it.
    changed : callable
        Told when that list or a progress changed.
    """

    def __init__(self, jobs: list[Job], changed: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._changed = changed
        self._poured: dict[Poured, Job] = {}
        self._told = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._step)

    def take(self, poured: Poured) -> None:
        """Begin, and go on whenever the window has nothing else to do."""
        if poured.step():
            return
        job = Job(poured.title, Lane.COMPUTE, JobStatus.RUNNING, started=time.monotonic())
        job.cancel = poured.abort
        self._poured[poured] = job
        self._timer.start()

    def close(self) -> None:
        """Finish everything at once."""
        for poured in list(self._poured):
            while not poured.step():
                pass
            self._end(poured)

    @Slot()
    def _step(self) -> None:
        poured, job = next(iter(self._poured.items()))
        if poured.step():
            self._end(poured)
            return
        now = time.monotonic()
        job.fraction = poured.fraction
        if job not in self._jobs and now - job.started > _QUIET_S:
            self._jobs.append(job)
        if job in self._jobs and now - self._told > _TELL_S:
            self._told = now
            self._changed()

    def _end(self, poured: Poured) -> None:
        job = self._poured.pop(poured)
        job.status = JobStatus.DONE
        if not self._poured:
            self._timer.stop()
        if job in self._jobs:
            self._jobs.remove(job)
            self._changed()
