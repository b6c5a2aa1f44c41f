"""Works through the queue of models: reads one series ahead, runs one model, puts what it finds into the project."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

from medview.core.errors import DeviceError, GraphicsError, MedViewError, ModelError, PackError
from medview.core.language import _, plural
from medview.core.prediction import Prediction, Proposal
from medview.core.study import Reason
from medview.store.project import Project
from medview.workspace.events import Severity, WayOut
from medview.workspace.jobs import Job, Outcome
from medview.workspace.model_queue import ModelQueue
from medview.workspace.open_case import case_key
from medview.workspace.operations.queue_ahead import ReadingAhead, pack_of, pause_queue
from medview.workspace.operations.queue_known import of_study, request_for
from medview.workspace.operations.queue_results import QueueResults, Result
from medview.workspace.queue import Queue, QueueTask, TaskState
from medview.workspace.queue_fit import fit_of
from medview.workspace.queue_words import counts_text
from medview.workspace.requests_queue import (
    KeepQueue,
    LoadQueue,
    ReadVolume,
    RunQueued,
    row_of,
)
from medview.workspace.workspace import Workspace

MOST_DEVICE_ERRORS = 3
"""So many tasks in a row that the computer could not do pause the queue: the next would end the same way."""


@dataclass(eq=False)
class _Run:
    """A task whose model runs."""

    task_uid: str
    read: ReadVolume
    started_s: float
    job: Job | None = None


class QueueConductor:
    """One model runs, the next series is read meanwhile, and no more: memory holds two volumes that nobody looks at."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._running: _Run | None = None
        self._results = QueueResults(workspace, self._end_of)
        self._ahead = ReadingAhead(workspace, self._end, self.advance, self._results.read)
        self._ended = 0
        self._device_errors = 0
        self._advancing = self._again = False
        for signal in (workspace.cases_changed, workspace.load_changed):
            signal.connect(self._on_elsewhere)

    def advance(self) -> None:
        """Begin what can be begun now."""
        self._again = True
        if self._advancing:
            # Where jobs are done in place, one ends while the next is being begun.
            return
        self._advancing = True
        try:
            while self._again:
                self._again = False
                self._results.deliver_held()
                self._ahead.drop_unwanted()
                self._start_running()
                running = self._running.read if self._running is not None else None
                if self._ahead.start(running):
                    self._again = True
        finally:
            self._advancing = False

    def keep(self, before: Queue, after: Queue) -> None:
        """Write what changed into the project."""
        project = self._project
        if project is None:
            return
        outcome = Outcome(lambda _value: None, failed=self._workspace.report)
        self._workspace.runner.submit(KeepQueue(project, before, after), outcome)

    def load(self) -> None:
        """Read the queue of the project and go on where it was."""
        project = self._project
        if project is not None:
            self._workspace.runner.submit(LoadQueue(project), Outcome(self._on_loaded, failed=self._workspace.report))

    def stop(self, task_uid: str) -> None:
        """Cancel the task that runs."""
        if self._running is not None and self._running.task_uid == task_uid and self._running.job is not None:
            self._running.job.cancel()

    def let_go(self) -> None:
        """Note in the project, at once, that what runs now was not to blame for the program's end."""
        project, step = self._project, self._running
        task = self._state.queue.find(step.task_uid) if step is not None else None
        if project is not None and task is not None:
            waiting = replace(task, state=TaskState.WAITING, attempts=max(0, task.attempts - 1))
            project.queue.keep([row_of(waiting, self._state.queue.tasks.index(task))])

    @property
    def _state(self) -> ModelQueue:
        return self._workspace.queue

    @property
    def _project(self) -> Project | None:
        project = self._workspace.services.project
        return None if project is None or project.read_only else project

    def _start_running(self) -> None:
        if self._running is not None or (taken := self._ahead.take()) is None:
            return
        task, read = taken
        if read.problem:
            self._end(task, TaskState.SKIPPED, read.problem)
            return
        try:
            pack = pack_of(self._workspace, task)
            fit = fit_of(pack, read.volume.modality, read.entry)
            if not fit.ok:
                self._end(task, TaskState.SKIPPED, fit.reason)
                return
            workspace = self._workspace
            others = of_study(workspace.series, read.series.study_uid)
            request = request_for(pack, read, others, workspace.services.pool, task.device)
        except ModelError as error:
            self._end(task, TaskState.FAILED if isinstance(error, PackError) else TaskState.SKIPPED, error.sentence)
            return
        run = self._running = _Run(task.task_uid, read, time.monotonic())
        self._state.put(
            self._state.queue.with_task(replace(task, state=TaskState.RUNNING, sentence="", attempts=task.attempts + 1))
        )
        case = self._workspace.cases.get(case_key(read.series, read.entry))
        stored = read.stored
        revision = case.labels.revision if case is not None else stored.revision if stored is not None else 0
        outcome = Outcome(
            partial(self._on_found, run, request.job_id, revision),
            failed=partial(self._on_failed, run),
            cancelled=partial(self._on_cancelled, run),
        )
        tasks = self._state.queue.tasks
        number = 1 + sum(not one.open for one in tasks)
        job = self._workspace.runner.submit(RunQueued(request, number, len(tasks)), outcome)
        if self._running is run:
            run.job = self._state.job = job
            self._state.changed.emit()

    def _on_found(self, run: _Run, proposal_id: str, revision: int, value: object) -> None:
        task = self._ran(run)
        if task is None or not isinstance(value, Prediction):
            return
        self._device_errors = 0
        self._state.took(task.model, time.monotonic() - run.started_s)
        proposal = Proposal(proposal_id, value, revision)
        seconds = sum(value.seconds.values())
        told = Reason("TOOK", f"It took {seconds:.1f} s on {value.device}.").text
        if proposal.empty:
            told = Reason("NOTHING", "It found nothing.").text
        self._results.deliver(Result(task.task_uid, run.read, proposal, run.read.stored, told))
        self.advance()

    def _on_failed(self, run: _Run, error: MedViewError) -> None:
        task = self._ran(run)
        if task is None:
            return
        self._device_errors = self._device_errors + 1 if isinstance(error, DeviceError) else 0
        if self._device_errors >= MOST_DEVICE_ERRORS:
            self._device_errors = 0
            cpu = isinstance(error, GraphicsError)
            title = _("Retry on the CPU") if cpu else _("Retry")
            again = partial(self._state.retry, None, "cpu" if cpu else "")
            pause_queue(self._workspace, error.sentence, WayOut(title, _("Begin what failed again"), again))
        self._end(task, TaskState.FAILED, error.sentence)

    def _on_cancelled(self, run: _Run) -> None:
        task = self._ran(run)
        if task is not None:
            self._end(task, TaskState.CANCELLED, "")

    def _ran(self, run: _Run) -> QueueTask | None:
        if self._running is not run:
            return None
        self._running = self._state.job = None
        return self._state.queue.find(run.task_uid)

    def _end_of(self, task_uid: str, state: TaskState, sentence: str) -> None:
        task = self._state.queue.find(task_uid)
        if task is not None:
            self._end(task, state, sentence)

    def _end(self, task: QueueTask, state: TaskState, sentence: str) -> None:
        self._ended += 1
        self._state.put(self._state.queue.with_task(replace(task, state=state, sentence=sentence)))
        if self._state.queue.open:
            self.advance()
        elif self._ended > 1:
            self._ended = 0
            self._workspace.say(summary(self._state.queue), _severity(self._state.queue))
        else:
            self._ended = 0

    def _on_elsewhere(self) -> None:
        # A series that was being opened may have arrived. Asked for every slice that does: nothing may be slow here.
        if self._state.queue.open and not self._advancing:
            self.advance()

    def _on_loaded(self, value: object) -> None:
        if not isinstance(value, Queue) or not value.tasks:
            return
        # What was asked for while it was read stays.
        kept = value.after_a_restart()
        merged = replace(kept.added(self._state.queue.tasks), paused=self._state.queue.paused)
        waiting = len(kept.open)
        if waiting:
            text = plural(
                "The queue of models goes on: {n} task is left.", "The queue of models goes on: {n} are left.", waiting
            )
            pause = WayOut(_("Pause"), _("Begin no further task"), self._state.pause)
            self._workspace.say(text.format(n=waiting), way_out=pause)
        # Written first: putting it to work may end tasks.
        self.keep(value, merged)
        self._state.put(merged, keep=False)


def summary(queue: Queue) -> str:
    """Return in one line how the queue stands."""
    listed = counts_text(queue, ", ")
    return _("Queue of models: {listed}.").format(listed=listed)


def _severity(queue: Queue) -> Severity:
    return Severity.WARNING if queue.counts()[TaskState.FAILED] else Severity.INFO
