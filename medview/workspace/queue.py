"""Which models are still to run on which series, as a value: pure, and without a window."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from medview.core.study import Reason, Series, VolumeEntry
from medview.ml.spec import Shape3

MOST_ATTEMPTS = 2
"""A task during which the program ended so often is not begun again by itself: it may be what ended it."""


class TaskState(StrEnum):
    """How far a task is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


OPEN_STATES = frozenset({TaskState.WAITING, TaskState.RUNNING})
"""Of tasks that still have to be done."""
_TEXTS = ("series_uid", "study_uid", "modality", "description")
RETRIED_STATES = frozenset({TaskState.FAILED, TaskState.CANCELLED})


@dataclass(frozen=True, slots=True)
class SeriesPlace:
    """Which volume of which series, and where its files were when it was queued.

    Attributes
    ----------
    paths : tuple of str
        Of all files behind the volume; used to find it again, never to build another path.
    shape_kji : tuple of int
        Tells the volumes of one series apart.
    """

    series_uid: str
    study_uid: str
    modality: str
    description: str
    shape_kji: Shape3
    paths: tuple[str, ...]

    @classmethod
    def of(cls, series: Series, entry: VolumeEntry) -> SeriesPlace:
        """Return the place of a volume that was scanned."""
        return cls(series.series_uid, series.study_uid, series.modality, series.description, entry.shape_kji, entry.paths)

    def is_of(self, series: Series, entry: VolumeEntry) -> bool:
        """Whether a volume is the one that is meant; its files may have moved."""
        return self.series_uid == series.series_uid and self.shape_kji == entry.shape_kji

    def entry_in(self, series: Iterable[Series]) -> tuple[Series, VolumeEntry] | None:
        """Return the volume among series that were scanned, or None; of two alike, the one with these files."""
        found = [(one, entry) for one in series for entry in one.volumes if self.is_of(one, entry)]
        own = [(one, entry) for one, entry in found if set(entry.paths) == set(self.paths)]
        return next(iter(own or found), None)

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> SeriesPlace:
        """Read what ``asdict`` made of one. Raises ValueError, TypeError or KeyError on anything else."""
        k, j, i = (int(n) for n in found["shape_kji"])
        series_uid, study_uid, modality, description = (str(found[name]) for name in _TEXTS)
        paths = tuple(str(path) for path in found["paths"])
        return cls(series_uid, study_uid, modality, description, (k, j, i), paths)


@dataclass(frozen=True, slots=True)
class QueueTask:
    """One model on one series.

    Attributes
    ----------
    model : str
        ``id@version``.
    sentence : str
        How it went, for the person; English.
    attempts : int
        How often it was begun.
    device : str
        As in PredictRequest.
    """

    model: str
    place: SeriesPlace
    state: TaskState = TaskState.WAITING
    sentence: str = ""
    attempts: int = 0
    device: str = "auto"
    task_uid: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def open(self) -> bool:
        """Whether it still has to be done."""
        return self.state in OPEN_STATES

    @property
    def work(self) -> tuple[object, ...]:
        """What tells two tasks apart: the model and the volume."""
        return self.model, self.place.series_uid, self.place.shape_kji, self.place.paths


@dataclass(frozen=True, slots=True)
class Queue:
    """All tasks in the order they are to be done.

    Attributes
    ----------
    paused : bool
        No further task is begun; the one that runs goes on.
    """

    tasks: tuple[QueueTask, ...] = ()
    paused: bool = False

    @property
    def open(self) -> tuple[QueueTask, ...]:
        """Tasks that still have to be done."""
        return tuple(task for task in self.tasks if task.open)

    def find(self, task_uid: str) -> QueueTask | None:
        """Return a task, or None."""
        return next((task for task in self.tasks if task.task_uid == task_uid), None)

    def counts(self) -> dict[TaskState, int]:
        """Return how many tasks there are in each state."""
        return {state: sum(task.state is state for task in self.tasks) for state in TaskState}

    def added(self, tasks: Iterable[QueueTask], *, first: bool = False) -> Queue:
        """Return the queue with more tasks, before or behind those that wait.

        What waits or runs already is not asked for twice; an older one that is over gives way.
        """
        known = {task.work: task for task in self.tasks}
        asked: dict[tuple[object, ...], QueueTask] = {}
        for task in tasks:
            before = known.get(task.work)
            if before is None or not before.open:
                asked.setdefault(task.work, task)
        kept = [task for task in self.tasks if task.work not in asked]
        over = [task for task in kept if not task.open]
        waiting = [task for task in kept if task.state is TaskState.WAITING]
        running = [task for task in kept if task.state is TaskState.RUNNING]
        order = [*running, *asked.values(), *waiting] if first else [*running, *waiting, *asked.values()]
        return replace(self, tasks=(*over, *order))

    def with_task(self, changed: QueueTask) -> Queue:
        """Return the queue with one task changed; one that is gone stays gone."""
        return self._mapped({changed.task_uid}, lambda _task: changed)

    def cancelled(self, task_uids: Collection[str] | None = None) -> Queue:
        """Return the queue with tasks that wait cancelled: those named, or all."""
        waiting = {task.task_uid for task in self.tasks if task.state is TaskState.WAITING}
        named = waiting if task_uids is None else waiting.intersection(task_uids)
        return self._mapped(named, lambda task: replace(task, state=TaskState.CANCELLED, sentence=""))

    def retried(self, task_uids: Collection[str] | None = None, device: str = "") -> Queue:
        """Return the queue with failed or cancelled tasks waiting again, last: those named, or all that failed."""
        if task_uids is None:
            task_uids = {task.task_uid for task in self.tasks if task.state is TaskState.FAILED}
        again = [task for task in self.tasks if task.task_uid in task_uids and task.state in RETRIED_STATES]
        uids = {task.task_uid for task in again}
        fresh = [
            replace(task, state=TaskState.WAITING, sentence="", attempts=0, device=device or task.device) for task in again
        ]
        return replace(self, tasks=(*(task for task in self.tasks if task.task_uid not in uids), *fresh))

    def moved(self, task_uid: str, steps: int) -> Queue:
        """Return the queue with a waiting task so many places further among the waiting ones (negative: sooner)."""
        waiting = [n for n, task in enumerate(self.tasks) if task.state is TaskState.WAITING]
        at = next((n for n, index in enumerate(waiting) if self.tasks[index].task_uid == task_uid), None)
        if at is None:
            return self
        order = [self.tasks[index] for index in waiting]
        order.insert(min(max(at + steps, 0), len(order) - 1), order.pop(at))
        tasks = list(self.tasks)
        for index, task in zip(waiting, order, strict=True):
            tasks[index] = task
        return replace(self, tasks=tuple(tasks))

    def without_finished(self) -> Queue:
        """Return the queue with only what still has to be done."""
        return replace(self, tasks=self.open)

    def after_a_restart(self) -> Queue:
        """Return the queue as it goes on after the program ended: what ran then waits again, unless it may be to blame."""
        running = {task.task_uid for task in self.tasks if task.state is TaskState.RUNNING}
        return self._mapped(running, _interrupted)

    def _mapped(self, task_uids: Collection[str], change: Callable[[QueueTask], QueueTask]) -> Queue:
        tasks = tuple(change(task) if task.task_uid in task_uids else task for task in self.tasks)
        return replace(self, tasks=tasks)


def tasks_of(models: Sequence[str], places: Sequence[SeriesPlace]) -> list[QueueTask]:
    """Return every model on every series; all models of one series follow each other, so that it is read once."""
    return [QueueTask(model, place) for place in places for model in models]


def _interrupted(task: QueueTask) -> QueueTask:
    if task.attempts < MOST_ATTEMPTS:
        return replace(task, state=TaskState.WAITING)
    times = task.attempts
    why = Reason("ENDED", f"MedView ended {times} times while this ran; retry it when other programs are closed.")
    return replace(task, state=TaskState.FAILED, sentence=why.text)
