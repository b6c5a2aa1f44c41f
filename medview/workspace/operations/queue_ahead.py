"""Reads the series the queue of models comes to next, one at a time, beside what a person opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from medview.core.errors import MedViewError, PackError
from medview.core.language import _
from medview.ml.packs import ModelPack
from medview.store.project import Project
from medview.workspace.events import Severity, WayOut
from medview.workspace.jobs import Job, Outcome
from medview.workspace.open_case import case_key
from medview.workspace.operations.queue_known import Known, arriving, known_volume
from medview.workspace.queue import QueueTask, TaskState
from medview.workspace.queue_fit import fit_of
from medview.workspace.requests_queue import ReadAhead, ReadVolume
from medview.workspace.workspace import Workspace

Ended = Callable[[QueueTask, TaskState, str], None]


@dataclass(eq=False)
class _Reading:
    task_uid: str
    job: Job | None = None


class ReadingAhead:
    """Holds at most one series: the one that is read, or that was read and waits for its model.

    Parameters
    ----------
    ended : callable
        Told of a task that ended before its model ran, with its state and sentence.
    went_on : callable
        Called when something was read, or is no longer.
    read_now : callable
        Told the key of a case whose stored labels were read just now.
    """

    def __init__(
        self, workspace: Workspace, ended: Ended, went_on: Callable[[], None], read_now: Callable[[str], None]
    ) -> None:
        self._workspace, self._ended, self._went_on, self._read_now = workspace, ended, went_on, read_now
        self._reading: _Reading | None = None
        self._ready: tuple[str, ReadVolume] | None = None

    def take(self) -> tuple[QueueTask, ReadVolume] | None:
        """Give away what is ready, with its task; None where nothing is."""
        ready, self._ready = self._ready, None
        task = self._workspace.queue.queue.find(ready[0]) if ready is not None else None
        return (task, ready[1]) if task is not None and ready is not None else None

    def drop_unwanted(self) -> None:
        """Let go of what was read, or is being read, for a task that is no longer wanted, or while the queue is paused."""
        if self._ready is not None and not self._wanted(self._ready[0]):
            self._ready = None
        reading = self._reading
        if reading is not None and reading.job is not None and not self._wanted(reading.task_uid):
            reading.job.cancel()

    def start(self, running: ReadVolume | None) -> bool:
        """Begin to read for the next task; True where what it needs was at hand.

        Parameters
        ----------
        running : ReadVolume, optional
            What the model that runs now was given.
        """
        queue = self._workspace.queue.queue
        if queue.paused or self._reading is not None or self._ready is not None:
            return False
        waiting = (task for task in queue.tasks if task.state is TaskState.WAITING)
        task = next((task for task in waiting if not arriving(self._workspace, task.place)), None)
        if task is None:
            return False
        known = known_volume(self._workspace, task.place, running)
        unfit = self._unfit(task, known)
        if unfit is not None:
            self._ended(task, *unfit)
        elif known is not None and known.read is not None:
            self._ready = task.task_uid, known.read
            return True
        else:
            self._read(task, known)
        return False

    def _wanted(self, task_uid: str) -> bool:
        queue = self._workspace.queue.queue
        task = queue.find(task_uid)
        return task is not None and task.state is TaskState.WAITING and not queue.paused

    def _unfit(self, task: QueueTask, known: Known | None) -> tuple[TaskState, str] | None:
        """Return how a task ends without its series being read, or None."""
        try:
            pack = pack_of(self._workspace, task)
        except PackError as error:
            return TaskState.FAILED, error.sentence
        if known is None:
            return None
        fit = fit_of(pack, known.series.modality, known.entry)
        return None if fit.ok else (TaskState.SKIPPED, fit.reason)

    def _read(self, task: QueueTask, known: Known | None) -> None:
        services = self._workspace.services
        project: Project | None = services.project
        if project is None or project.read_only:
            reason = services.project_problem or _("No project could be opened, so what models find cannot be kept.")
            again = WayOut(_("Try again"), _("Go on with the queue"), self._workspace.queue.go_on)
            pause_queue(self._workspace, reason, again)
            return
        reading = self._reading = _Reading(task.task_uid)
        scanned = (known.series, known.entry) if known is not None else None
        request = ReadAhead(task.place, scanned, services.pool, services.library, project)
        unread = partial(self._on_unread, reading)
        outcome = Outcome(partial(self._on_read, reading), failed=unread, cancelled=unread)
        reading.job = self._workspace.runner.submit(request, outcome)

    def _on_read(self, reading: _Reading, value: object) -> None:
        if self._reading is reading and isinstance(value, ReadVolume):
            self._reading = None
            self._read_now(case_key(value.series, value.entry))
            self._ready = reading.task_uid, value
            self._went_on()

    def _on_unread(self, reading: _Reading, error: MedViewError | None = None) -> None:
        if self._reading is not reading:
            return
        self._reading = None
        task = self._workspace.queue.queue.find(reading.task_uid)
        if error is not None and task is not None and task.state is TaskState.WAITING:
            self._ended(task, TaskState.FAILED, error.sentence)
        else:
            self._went_on()


def pack_of(workspace: Workspace, task: QueueTask) -> ModelPack:
    """Return the pack of a task.

    Raises
    ------
    PackError
        When it is not installed, or needs another MedView.
    """
    pack = workspace.services.registry.get(task.model)
    if not pack.available:
        raise PackError(pack.reason)
    return pack


def pause_queue(workspace: Workspace, reason: str, way_out: WayOut) -> None:
    """Pause the queue for a reason, and say so with a way out."""
    queue = workspace.queue
    queue.put(replace(queue.queue, paused=True))
    text = _("The queue of models is paused. {reason}").format(reason=reason)
    workspace.say(text, Severity.ERROR, way_out=way_out)
