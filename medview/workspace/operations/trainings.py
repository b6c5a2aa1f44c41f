"""Freezes labels for trainings, starts their processes one after the other, and follows them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec

from medview.core.errors import MedViewError
from medview.core.language import _, in_language
from medview.ml.recipes.table import choose
from medview.ml.runs.control import Ask
from medview.ml.runs.samples import Samples
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, JobStatus, Outcome, Request
from medview.workspace.model_line import ModelVersion
from medview.workspace.requests_lines import ReadLines, TakeRun, UseVersion
from medview.workspace.requests_training import (
    DeleteRun,
    FreezeRun,
    LookAtProject,
    LookAtRuns,
    ReadRunReport,
    ReadRunSamples,
    StartRun,
    TellRun,
    new_run_folder,
    runs_folder,
)
from medview.workspace.training.freeze import GuardedError, Wanted
from medview.workspace.training.outlook import Outlook
from medview.workspace.training.run_report import RunReport
from medview.workspace.training.run_tail import RunTail
from medview.workspace.training.run_view import RunPhase, RunView
from medview.workspace.training.run_words import run_title
from medview.workspace.trainings import Refusal, Wish
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    from medview.store.project import Project

_P = ParamSpec("_P")
_ALIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


class TrainingConductor:
    """One training at a time makes steps; what it is asked for goes through jobs, so that no disk is waited for.

    Attributes
    ----------
    processes : dict of str to Popen
        Those this window started and that have not ended, by the name of their training.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._trainings = workspace.trainings
        self._of: Project | None = None
        self._tails: dict[str, RunTail] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._looking = self._again = self._starting = False
        self._lines_unread = True
        self._reading: set[tuple[str, int]] = set()
        self._taking: set[str] = set()

    def forget(self) -> None:
        """Another project is open: its trainings go on, and those of the other one are looked at."""
        for process in self.processes.values():
            # It outlives whoever started it; nobody waits for it any more.
            process.returncode = 0 if process.poll() is None else process.returncode
        self.processes.clear()
        self._tails, self._of = {}, self._workspace.services.project
        self._looking = self._again = self._starting = False
        self._lines_unread = True
        self._reading.clear()
        self._taking.clear()
        for job in (self._trainings.preparing, self._trainings.looking):
            if job is not None:
                job.cancel()
        held = bool(self._trainings.current_packs)
        self._workspace.services.registry.hold(())
        self._trainings.forget()
        self._trainings.changed.emit()
        if held:
            self._workspace.models_changed.emit()

    def look(self) -> None:
        """Look how all trainings are, unless that is being done; then once more."""
        project = self._workspace.services.project
        if project is not self._of:
            self.forget()
            self.read_lines()
        if project is None:
            return
        if self._looking:
            self._again = True
            return
        self._reap()
        self._looking, self._again = True, False

        def done(value: object) -> None:
            self._looking = False
            if isinstance(value, tuple):
                self._take(value)
            if self._again:
                self.look()

        self._submit(LookAtRuns(runs_folder(project.path), self._tails), done, self._not_looked)

    def look_at_project(self) -> None:
        """Find out what can be learnt, unless that is being done."""
        project, trainings = self._workspace.services.project, self._trainings
        if project is None or trainings.looking is not None:
            return

        def done(value: object) -> None:
            if isinstance(value, Outlook):
                trainings.show_outlook(value)

        def failed(error: MedViewError) -> None:
            trainings.show_outlook(None, error.sentence)

        job = self._submit(LookAtProject(project), done, failed, lambda: trainings.is_looking(None))
        if job.status in _ALIVE:
            trainings.is_looking(job)

    def start(self, wish: Wish) -> None:
        """Freeze labels for a training; it begins once no other one trains."""
        project, trainings = self._workspace.services.project, self._trainings
        if project is None or trainings.preparing is not None or trainings.problem:
            return
        path = new_run_folder(runs_folder(project.path), wish.task.value, trainings.runs_of_versions)
        wanted = Wanted(
            source=project.path,
            task=wish.task,
            recipe=choose(wish.task),
            target=wish.target,
            minutes=wish.minutes,
            parent=wish.parent,
            without_leaks=wish.without_leaks,
            # As the page says before: it has no choice of whose labels count.
            without_undecided=True,
            confirmed=wish.confirmed,
            began=time.monotonic(),
            samples=True,
        )
        trainings.refuse(None)

        def over() -> None:
            trainings.is_preparing(None)
            # Cases may have been given a split, whatever came of it.
            self._workspace.worklist.reload()

        def done(_value: object) -> None:
            over()
            self.look()

        def failed(error: MedViewError) -> None:
            over()
            findings = error.report.findings if isinstance(error, GuardedError) else ()
            trainings.refuse(Refusal(wish, error.sentence, findings))

        request = FreezeRun(project, wanted, path, self._workspace.services.pool)
        job = self._submit(request, done, failed, over)
        if job.status in _ALIVE:
            trainings.is_preparing(job)

    def pause(self, name: str) -> None:
        """Let a training end with its next step; one that waits for its turn waits no longer."""
        run = self._trainings.run(name)
        if run is not None and run.can_pause:
            self._tell(TellRun(run.path, Ask.PAUSE if run.phase.goes_on else None))

    def go_on(self, name: str) -> None:
        """Put a training that rests into the queue."""
        run = self._trainings.run(name)
        if run is not None and run.can_go_on:
            self._tell(TellRun(run.path, queued=True))

    def stop(self, name: str) -> None:
        """End a training, and keep the best it has; of one that rests, that is judged."""
        run = self._trainings.run(name)
        if run is None or not run.can_stop:
            return
        if run.phase.goes_on:
            self._tell(TellRun(run.path, Ask.STOP))
        elif self._trainings.going is not None:
            self._workspace.say(_("Another training runs now; end this one once that is over."))
        else:
            self._begin(run, enough=True)

    def delete(self, name: str) -> None:
        """Remove a training that nobody works on."""
        run = self._trainings.run(name)
        if run is not None and run.can_delete:
            self._tell(DeleteRun(run.path))

    def read_report(self, name: str) -> None:
        """Read the report of a training, once."""
        run = self._trainings.run(name)
        if run is None or run.result is None or name in self._trainings.reports or (name, -1) in self._reading:
            return
        self._reading.add((name, -1))

        def done(value: object) -> None:
            self._reading.discard((name, -1))
            if isinstance(value, RunReport):
                self._trainings.show_report(name, value)

        self._submit(ReadRunReport(run.path), done, self._workspace.report)

    def read_samples(self, name: str) -> None:
        """Read the newest samples of a training, once."""
        run, known = self._trainings.run(name), self._trainings.samples.get(name)
        if run is None or not run.sample_step or (known is not None and known.step == run.sample_step):
            return
        key = name, run.sample_step
        if key in self._reading:
            return
        self._reading.add(key)

        def done(value: object) -> None:
            self._reading.discard(key)
            if isinstance(value, Samples):
                self._trainings.show_samples(name, value)

        # Pictures that cannot be read are not worth a line: the training goes on.
        self._submit(ReadRunSamples(run.path, run.sample_step), done, lambda _error: None)

    def read_lines(self) -> None:
        """Read the model lines of the project; the queue of a project that was just opened goes on once they are known."""
        project = self._of
        if project is None:
            return

        def done(value: object) -> None:
            if isinstance(value, tuple):
                known = {pack.digest for pack in self._trainings.current_packs}
                self._trainings.show_lines(value)
                self._workspace.services.registry.hold(self._trainings.current_packs, self._trainings.other_packs)
                if {pack.digest for pack in self._trainings.current_packs} != known:
                    self._workspace.models_changed.emit()

            self._lines_known()

        def failed(error: MedViewError) -> None:
            self._workspace.report(error)
            self._lines_known()

        self._submit(ReadLines(project), done, failed, self._lines_known)

    def _lines_known(self) -> None:
        """Go on with the queue of a project that was just opened: its tasks may be for versions of its own models."""
        if self._lines_unread:
            self._lines_unread = False
            self._workspace.queue.load()

    def use_version(self, line: str, version: int | None) -> None:
        """Let another version of a model line count; None goes back to the one before."""
        project = self._workspace.services.project
        if project is None or self._trainings.problem:
            return

        def done(value: object) -> None:
            if isinstance(value, ModelVersion):
                self._workspace.say(_("{version} counts now.").format(version=value.title))
            self.read_lines()

        self._submit(UseVersion(project, line, version), done, self._workspace.report)

    def take_in(self, name: str) -> None:
        """Try again to take the model of a finished training into the project."""
        run = self._trainings.run(name)
        if run is not None and name in self._trainings.not_taken:
            self._trainings.show_not_taken(name, None)
            self._taking.discard(name)
            self._take_in(run)

    def _take_in(self, run: RunView) -> None:
        """Take the model of a finished training into the project, once."""
        project = self._of
        wanted = run.of_line and run.gate is not None and run.taken is None and run.name not in self._taking
        if project is None or not wanted or self._trainings.problem:
            return
        self._taking.add(run.name)

        def done(value: object) -> None:
            if isinstance(value, ModelVersion):
                self._workspace.say(value.reason)
                self.read_lines()
                self.look()

        def failed(error: MedViewError) -> None:
            # By itself it is not tried again: what fails now fails a second later, and it may take minutes.
            self._trainings.show_not_taken(run.name, error.sentence)
            self._workspace.report(error)

        def cancelled() -> None:
            self._trainings.show_not_taken(run.name, _("That was cancelled."))

        self._submit(TakeRun(project, run.path), done, failed, cancelled)

    def _take(self, views: tuple[RunView, ...]) -> None:
        before = {run.name: run.phase for run in self._trainings.runs}
        self._trainings.show(views)
        names = {run.name for run in views}
        self._taking &= names
        self._reading = {(name, step) for name, step in self._reading if name in names}
        for run in views:
            if before.get(run.name, run.phase) is not run.phase:
                self._announce(run)
            if run.phase is RunPhase.DONE:
                self._take_in(run)
        waiting = [run for run in views if run.phase is RunPhase.QUEUED]
        # A look from before its process said anything shows the one that was started as resting.
        free = self._trainings.going is None and not self._starting and not self.processes
        if waiting and free and not self._trainings.problem:
            # The newest is listed first.
            self._begin(waiting[-1])

    def _begin(self, run: RunView, *, enough: bool = False) -> None:
        if self._starting:
            return
        self._starting = True

        def done(value: object) -> None:
            self._starting = False
            if isinstance(value, subprocess.Popen):
                self.processes[run.name] = value
                if (tail := self._tails.get(run.name)) is not None:
                    tail.started()
            self.look()

        def failed(error: MedViewError) -> None:
            self._starting = False
            self._workspace.report(error)

        self._submit(StartRun(run.path, enough), done, failed)

    def _reap(self) -> None:
        """Take note of processes that ended, so that the system forgets them."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                del self.processes[name]
                if (tail := self._tails.get(name)) is not None:
                    tail.ended(process.returncode)

    def _announce(self, run: RunView) -> None:
        if run.phase is RunPhase.FAILED:
            self._workspace.say(f"{run_title(run)}: {in_language(run.text)}", Severity.ERROR)
        elif run.phase is RunPhase.DONE and run.gate is None:
            self._workspace.say(_("The training {name} is over.").format(name=run_title(run)))

    def _tell(self, request: Request) -> None:
        self._submit(request, lambda _value: self.look(), self._workspace.report)

    def _not_looked(self, error: MedViewError) -> None:
        self._looking = False
        self._workspace.report(error)

    def _submit(
        self,
        request: Request,
        done: Callable[[object], None],
        failed: Callable[[MedViewError], None],
        cancelled: Callable[[], None] = lambda: None,
    ) -> Job:
        outcome = Outcome(self._here(done), failed=self._here(failed), cancelled=self._here(cancelled))
        return self._workspace.runner.submit(request, outcome)

    def _here(self, end: Callable[_P, None]) -> Callable[_P, None]:
        """Return the end of a job, which is nobody's business once another project is open."""
        project = self._workspace.services.project

        def heard(*given: _P.args, **named: _P.kwargs) -> None:
            if self._workspace.services.project is project:
                end(*given, **named)

        return heard
