"""The trainings of the open project: what can be asked of them, and who is told."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from medview.core.language import _
from medview.ml.spec import Task

if TYPE_CHECKING:
    # They read projects, reports and arrays, whose libraries the window does not wait for.
    from medview.ml.guards.finding import GuardFinding
    from medview.ml.packs import ModelPack
    from medview.ml.runs.samples import Samples
    from medview.workspace.jobs import Job
    from medview.workspace.training.line_view import LineView
    from medview.workspace.training.outlook import Outlook
    from medview.workspace.training.run_report import RunReport
    from medview.workspace.training.run_view import RunView
    from medview.workspace.workspace import Workspace

MINUTES = (5.0, 60.0, 480.0)
"""What is offered: a short one, an hour, a night."""
LEAKS = ("same-patient", "same-pixels", "seen-before")
"""Findings of guards that leaving cases out does away with; as in ``training.leaks``."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants trained.

    Attributes
    ----------
    target : str or None
        Classification: the question or label that is learnt.
    parent : ModelPack or None
        The model it begins with.
    minutes : float or None
        Wall time of all of it; None for the steps of the recipe.
    confirmed : bool or frozenset of str
        What the guards want confirmed and somebody means: the sentences that were read; True for whatever they are.
    without_leaks : bool
        Cases whose picture or patient is in another split too are left out.
    """

    task: Task
    target: str | None = None
    parent: ModelPack | None = None
    minutes: float | None = MINUTES[0]
    confirmed: bool | frozenset[str] = False
    without_leaks: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a wish was not carried out.

    Attributes
    ----------
    findings : tuple of GuardFinding
        Of the guards; empty where something else stood in the way.
    sentence : str
        Made in English.
    """

    wish: Wish
    sentence: str
    findings: tuple[GuardFinding, ...] = ()


class Conductor(Protocol):
    """Who freezes labels, starts processes and follows them."""

    def look(self) -> None:
        """Look how all trainings are, unless that is being done."""

    def look_at_project(self) -> None:
        """Find out what can be learnt."""

    def start(self, wish: Wish) -> None:
        """Freeze labels for a training; it begins once no other one trains."""

    def pause(self, name: str) -> None:
        """Let a training end with its next step, so that it can be gone on with."""

    def go_on(self, name: str) -> None:
        """Let a paused training go on once no other one trains."""

    def stop(self, name: str) -> None:
        """End a training, and keep the best it has."""

    def delete(self, name: str) -> None:
        """Remove a training that nobody works on."""

    def read_report(self, name: str) -> None:
        """Read the report of a training."""

    def read_samples(self, name: str) -> None:
        """Read the newest samples of a training."""

    def read_lines(self) -> None:
        """Read the model lines of the project."""

    def take_in(self, name: str) -> None:
        """Try again to take the model of a finished training into the project."""

    def use_version(self, line: str, version: int | None) -> None:
        """Let another version of a model line count; None goes back to the one before."""

    def forget(self) -> None:
        """Another project is open."""


class Trainings:
    """Trainings run in processes of their own: they go on when the window is closed, and are found again.

    Attributes
    ----------
    runs : tuple of RunView
        The newest first.
    outlook : Outlook or None
        What can be learnt from the project, as it was looked at last.
    preparing : Job or None
        While labels are frozen for one.
    looking : Job or None
        While somebody finds out what can be learnt.
    refused : Refusal or None
        Why the last wish was not carried out.
    reports : dict of str to RunReport
        Those that were read, by name.
    samples : dict of str to Samples
        The newest ones that were read, by name.
    not_taken : dict of str to str
        Why models of finished trainings were not taken into the project, by name.
    lines : tuple of LineView
        The project's model lines, as they were read last.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._conductor: Conductor | None = None
        self.forget()

    def forget(self) -> None:
        """Know nothing: another project is open."""
        self.runs: tuple[RunView, ...] = ()
        self.outlook: Outlook | None = None
        self.outlook_problem = ""
        self.preparing: Job | None = None
        self.looking: Job | None = None
        self.refused: Refusal | None = None
        self.reports: dict[str, RunReport] = {}
        self.samples: dict[str, Samples] = {}
        self.not_taken: dict[str, str] = {}
        self.lines: tuple[LineView, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether anything happens by itself, so that it is worth looking again soon."""
        return self.preparing is not None or any(not run.phase.lasting for run in self.runs)

    @property
    def going(self) -> RunView | None:
        """The training whose process runs now."""
        return next((run for run in self.runs if run.phase.goes_on), None)

    @property
    def current_packs(self) -> tuple[ModelPack, ...]:
        """Versions of the project's model lines that count now."""
        return tuple(line.pack for line in self.lines if line.pack is not None)

    @property
    def other_packs(self) -> tuple[ModelPack, ...]:
        """Versions of the project's model lines that do not count now."""
        return tuple(pack for line in self.lines for pack in line.others)

    def title_of(self, pack: ModelPack) -> str:
        """Return what a pack is called beside others: with its version, which the name of a project's own carries."""
        own = any(pack.digest == held.digest for held in self.current_packs)
        return pack.spec.name if own else f"{pack.spec.name} {pack.spec.version}"

    @property
    def runs_of_versions(self) -> tuple[str, ...]:
        """Names of the trainings that versions of the project's models come from."""
        return tuple(version.run for line in self.lines for version in line.versions)

    def line_of(self, run: str) -> LineView | None:
        """Return the line that the model of a training is a version of."""
        return next((line for line in self.lines if line.of_run(run) is not None), None)

    @property
    def problem(self) -> str:
        """Why nothing can be trained here; empty where it can."""
        project = self._workspace.services.project
        if project is None:
            return self._workspace.services.project_problem or _("No project is open.")
        return project.read_only_reason if project.read_only else ""

    def run(self, name: str) -> RunView | None:
        """Return a training by its name."""
        return next((run for run in self.runs if run.name == name), None)

    def show(self, runs: tuple[RunView, ...]) -> None:
        """Take over how they are, and forget what was read of those that are gone: their names may come again."""
        self.runs = runs
        names = {run.name for run in runs}
        for known in (self.reports, self.samples, self.not_taken):
            for name in known.keys() - names:
                del known[name]
        self.changed.emit()

    def is_preparing(self, job: Job | None) -> None:
        """Say which job freezes labels."""
        self.preparing = job
        self.changed.emit()

    def is_looking(self, job: Job | None) -> None:
        """Say which job finds out what can be learnt."""
        self.looking = job
        self.changed.emit()

    def show_outlook(self, outlook: Outlook | None, problem: str = "") -> None:
        """Take over what can be learnt, or why nothing can."""
        self.outlook, self.outlook_problem, self.looking = outlook, problem, None
        self.changed.emit()

    def refuse(self, refusal: Refusal | None) -> None:
        """Say why a wish was not carried out; None where somebody thought of another."""
        if refusal is not self.refused:
            self.refused = refusal
            self.changed.emit()

    def show_report(self, name: str, report: RunReport) -> None:
        """Take over a report."""
        self.reports[name] = report
        self.changed.emit()

    def show_not_taken(self, name: str, why: str | None) -> None:
        """Say why a model was not taken in; None where that is tried again."""
        self.not_taken.pop(name, None)
        if why is not None:
            self.not_taken[name] = why
        self.changed.emit()

    def show_lines(self, lines: tuple[LineView, ...]) -> None:
        """Take over the model lines."""
        self.lines = lines
        self.changed.emit()

    def show_samples(self, name: str, samples: Samples) -> None:
        """Take over samples."""
        self.samples[name] = samples
        self.changed.emit()

    @property
    def conductor(self) -> Conductor:
        """Made when it is asked for the first time: it imports what trains."""
        if self._conductor is None:
            module = importlib.import_module("medview.workspace.operations.trainings")
            made: Conductor = module.TrainingConductor(self._workspace)
            self._conductor = made
        return self._conductor


def steps_in(run: RunView, minutes: float) -> tuple[int, int] | None:
    """Return how many steps and samples a training like this one makes in some minutes at its pace; None without one."""
    pace: Mapping[str, object] | None = run.pace
    step_s = pace.get("step_seconds") if pace is not None else None
    if not isinstance(step_s, int | float) or step_s <= 0:
        return None
    # Freezing, looks at validation and judging take about a quarter of a short training.
    steps = int(minutes * 60 * 0.75 / float(step_s))
    return steps, steps * run.batch
