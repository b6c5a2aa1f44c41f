"""The queue of models of everything open now: what is asked of it, and who is told."""

from __future__ import annotations

import importlib
import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from medview.workspace.jobs import Job
from medview.workspace.queue import Queue, QueueTask, TaskState

if TYPE_CHECKING:
    from medview.workspace.workspace import Workspace


class Conductor(Protocol):
    """Who reads series and runs models for the queue."""

    def advance(self) -> None:
        """Begin what can be begun now."""

    def keep(self, before: Queue, after: Queue) -> None:
        """Write what changed into the project."""

    def load(self) -> None:
        """Read the queue of the project and go on where it was."""

    def stop(self, task_uid: str) -> None:
        """Cancel the task that runs."""

    def let_go(self) -> None:
        """Note in the project, at once, that what runs now was not to blame for the program's end."""


class ModelQueue:
    """Holds the Queue; every change of it goes through ``put``.

    Attributes
    ----------
    queue : Queue
    job : Job or None
        The model that runs for it now.
    seconds : dict of str to list of float
        How long tasks took, by model, since the program started.
    """

    changed = Signal()
    """The queue, or how far its running task is begun, changed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._conductor: Conductor | None = None
        self.queue = Queue()
        self.job: Job | None = None
        self.seconds: dict[str, list[float]] = {}

    def put(self, queue: Queue, *, keep: bool = True) -> None:
        """Replace the queue, write what changed into the project, and begin what can be begun."""
        before, self.queue = self.queue, queue
        if keep and before.tasks != queue.tasks:
            self.conductor.keep(before, queue)
        self.changed.emit()
        if queue.open:
            self.conductor.advance()

    def add(self, tasks: Iterable[QueueTask], *, first: bool = False) -> int:
        """Ask for tasks; return how many were not asked for already."""
        before = {task.task_uid for task in self.queue.tasks}
        self.put(self.queue.added(tasks, first=first))
        return sum(task.task_uid not in before for task in self.queue.tasks)

    def pause(self) -> None:
        """Begin no further task; the one that runs goes on."""
        self.put(replace(self.queue, paused=True))

    def go_on(self) -> None:
        """Begin tasks again."""
        self.put(replace(self.queue, paused=False))

    def cancel(self, task_uids: Collection[str] | None = None) -> None:
        """Cancel tasks that wait or run: those named, or all."""
        going = [t.task_uid for t in self.queue.tasks if t.state is TaskState.RUNNING]
        # First those that wait: else the next of them would be begun.
        self.put(self.queue.cancelled(task_uids))
        for task_uid in going:
            if task_uids is None or task_uid in task_uids:
                self.conductor.stop(task_uid)

    def retry(self, task_uids: Collection[str] | None = None, device: str = "") -> None:
        """Begin failed and cancelled tasks anew: those named, or all that failed; pausing ends."""
        self.put(replace(self.queue.retried(task_uids, device), paused=False))

    def move(self, task_uid: str, steps: int) -> None:
        """Do a waiting task later, or sooner (negative)."""
        self.put(self.queue.moved(task_uid, steps))

    def clear_finished(self) -> None:
        """Forget tasks that are over."""
        self.put(self.queue.without_finished())

    def load(self) -> None:
        """Take over the queue of the project that was just opened."""
        self.conductor.load()

    def let_go(self) -> None:
        """Get ready for the project to be closed; what runs now is begun anew the next time."""
        if self._conductor is not None:
            self._conductor.let_go()

    def took(self, model: str, seconds: float) -> None:
        """Remember how long a task took."""
        self.seconds.setdefault(model, []).append(seconds)

    def remaining_seconds(self, now: float | None = None) -> float | None:
        """Estimate how long all of it takes from here, by what tasks took so far; None while that is not known."""
        known = [seconds for taken in self.seconds.values() for seconds in taken]
        rest = self.job.remaining_seconds(time.monotonic() if now is None else now) if self.job is not None else None
        waiting = [task for task in self.queue.tasks if task.state is TaskState.WAITING]
        if not known and (waiting or rest is None):
            return rest if not waiting else None
        mean = sum(known) / len(known) if known else 0.0

        def typical(model: str) -> float:
            taken = self.seconds.get(model)
            return sum(taken) / len(taken) if taken else mean

        return (rest or 0.0) + sum(typical(task.model) for task in waiting)

    @property
    def conductor(self) -> Conductor:
        """Made when there is something to do: it imports what reads series."""
        if self._conductor is None:
            module = importlib.import_module("medview.workspace.operations.run_queue")
            made: Conductor = module.QueueConductor(self._workspace)
            self._conductor = made
        return self._conductor
