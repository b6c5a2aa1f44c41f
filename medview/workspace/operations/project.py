"""The project as a whole: a copy elsewhere, and going on in it once it can be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from medview.core.errors import MedViewError
from medview.core.job import JobContext
from medview.core.language import _, in_language, plural
from medview.store.project import Project
from medview.store.recovery import REPORT_NAME
from medview.store.repair import BESIDE_THE_DATABASE, Repair, repair_project
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.keeping import StoredCase, Tie, load_stored, tie_pixels
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.open import restore
from medview.workspace.requests import ReadSeries
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SaveProjectCopy:
    """Request: everything in a project, and what could not be written into it, in a new folder."""

    project: Project
    target: Path

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Saving a copy of {name}").format(name=self.project.path.name)

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, _context: JobContext) -> tuple[str, ...]:
        """Copy, and compare the copy; return what it lacks."""
        return tuple(self.project.save_copy(self.target))


@dataclass(frozen=True, slots=True)
class RepairProject:
    """Request: a sound project in the place of a damaged one, which is kept beside it."""

    path: Path

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Recovering {name}").format(name=self.path.name)

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Repair:
        """Recover and compare."""

        def progress(fraction: float) -> None:
            context.raise_if_cancelled()
            context.progress(fraction, self.title)

        return repair_project(self.path, progress=progress)


@dataclass(frozen=True, slots=True, eq=False)
class ReadAgain:
    """Request: the labels of a case that is open already, from the project that can be written now."""

    project: Project
    case: OpenCase

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading the labels again")

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, _context: JobContext) -> tuple[StoredCase, Tie]:
        """Load what is stored and compare the pixels."""
        case = self.case
        # Labels lie on the first time point, whichever is shown.
        first = case.anchor
        stored = load_stored(self.project, case.series, case.entry, first.volume)
        return stored, tie_pixels(self.project, stored, first.volume, first.load.damaged)


def save_project_copy(workspace: Workspace, target: Path) -> Job | None:
    """Write the project into a new folder, with what waits to be saved; None when there is no project."""
    project = workspace.services.project
    if project is None:
        return None

    def done(value: object) -> None:
        losses = value if isinstance(value, tuple) else ()
        if not losses:
            told = _("{name} holds everything up to now; work goes on here.").format(name=target.name)
            if any((project.path / name).is_dir() for name in BESIDE_THE_DATABASE):
                told += " " + _("Images that were unpacked into {name}, and its trainings, stay there.").format(
                    name=project.path.name
                )
            workspace.say(told)
            return
        text = _("{name} holds what could be read; {count} losses are listed in it: {first}")
        first = in_language(str(losses[0]))
        workspace.say(text.format(name=target.name, count=len(losses), first=first), Severity.WARNING)

    def failed(error: MedViewError) -> None:
        advice = _("The labels of the open series can be exported as NIfTI instead.")
        workspace.say(f"{in_language(error.sentence)} {advice}", Severity.ERROR)

    return workspace.runner.submit(SaveProjectCopy(project, target), Outcome(done, failed=failed))


def repair(workspace: Workspace, path: Path, done: Callable[[], None]) -> Job:
    """Put a sound project in the place of a damaged one, say what is lost, then call ``done``."""

    def repaired(value: object) -> None:
        if isinstance(value, Repair):
            done()
            workspace.say(_repaired(path, value), Severity.WARNING if value.report.losses else Severity.INFO)

    return workspace.runner.submit(RepairProject(path), Outcome(repaired, failed=workspace.report))


def _repaired(path: Path, value: Repair) -> str:
    kept = _("The damaged project is kept as {kept}.").format(kept=value.kept.name)
    losses = value.report.losses
    if not losses:
        return _("{name} is whole again, nothing was lost.").format(name=path.name) + " " + kept
    text = plural(
        "{name} was recovered; {n} loss is listed in its {report}.",
        "{name} was recovered; {n} losses are listed in its {report}.",
        len(losses),
    ).format(name=path.name, n=len(losses), report=REPORT_NAME)
    return f"{text} {in_language(losses[0])} {kept}"


def all_read(workspace: Workspace) -> bool:
    """Whether no series is being read: one that is would mix labels of a copy with the project."""
    return not workspace.opening and not any(case.reading for case in workspace.cases.values())


def go_on_in(workspace: Workspace, project: Project) -> None:
    """Use a project in place of the copy that was read, or of none; open cases get their labels from it."""
    workspace.services.project = project
    workspace.services.project_problem = project.read_only_reason
    for case in workspace.cases.values():
        read_again(workspace, project, case)


def read_again(workspace: Workspace, project: Project, case: OpenCase) -> None:
    """Put the labels that a project holds on a case that is open, and let it be changed where the project can be."""
    case.read_only, case.held = _("The labels are being read again."), True
    case.load_changed.emit()

    def cancelled() -> None:
        case.held = False

    outcome = Outcome(partial(_again, workspace, case), failed=partial(_failed, workspace, case), cancelled=cancelled)
    workspace.runner.submit(ReadAgain(project, case), outcome)


def _again(workspace: Workspace, case: OpenCase, value: object) -> None:
    if not isinstance(value, tuple) or workspace.cases.get(case.key) is not case:
        return
    stored, tie = value
    case.read_only, case.held = "", False
    problem = restore(case, workspace.services, stored, ReadSeries(tie.other_pixels, tie.unsure))
    case.load_changed.emit()
    if problem:
        workspace.say(problem, Severity.WARNING)


def _failed(workspace: Workspace, case: OpenCase, error: MedViewError) -> None:
    case.read_only, case.held = error.sentence, False
    case.load_changed.emit()
    workspace.report(error)
