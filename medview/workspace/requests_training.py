"""Frozen descriptions of what trainings of the open project have done for them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from medview.core.atomic import write_error
from medview.core.errors import ReadError, WriteError
from medview.core.job import JobContext
from medview.core.language import _
from medview.io.reader_pool import Pool
from medview.ml.runs.control import Ask, ask
from medview.ml.runs.folder import RunFolder
from medview.ml.runs.samples import Samples, read_samples
from medview.store.project import Project
from medview.workspace.jobs import Lane
from medview.workspace.training.freeze import Wanted, freeze, remove_left
from medview.workspace.training.outlook import Outlook, outlook_of
from medview.workspace.training.process import start_training
from medview.workspace.training.run_report import RunReport, read_report
from medview.workspace.training.run_tail import QUEUED, RunTail
from medview.workspace.training.run_view import RunView

_DELETED = ".deleted-"
"""Begins the names of folders of trainings that are being deleted."""


@dataclass(frozen=True, slots=True, eq=False)
class LookAtProject:
    """Request: what can be learnt from the open project."""

    project: Project
    lane: Lane = field(default=Lane.TRAIN)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Looking at what can be learnt")

    def run(self, context: JobContext) -> Outlook:
        """Look at a copy: labelling goes on meanwhile."""
        self.project.journal.flush()
        return outlook_of(self.project.path, context)


@dataclass(frozen=True, slots=True, eq=False)
class FreezeRun:
    """Request: the labels of the open project frozen into the folder of a training, which then waits for its turn."""

    project: Project
    wanted: Wanted
    path: Path
    pool: Pool
    lane: Lane = field(default=Lane.TRAIN)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Getting the training {name} ready").format(name=self.path.name)

    def run(self, context: JobContext) -> None:
        """Freeze a copy; what a person has to know of it stands in the folder.

        What a window that was killed left half made or half deleted beside it is removed: while a window writes the project
        nobody else makes trainings of it.

        Raises
        ------
        GuardedError
            When the guards speak against it.
        MedViewError
        """
        folder = self.path.parent
        remove_left(folder)
        for gone in folder.glob(f"{_DELETED}*"):
            shutil.rmtree(gone, ignore_errors=True)
        freeze(self.wanted, self.path, context, self.pool, lambda _told: None, self.project)
        mark_queued(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class LookAtRuns:
    """Request: how the trainings of a project are.

    Attributes
    ----------
    tails : dict of str to RunTail
        By name; added to and taken from here. One look at a time.
    """

    folder: Path
    tails: dict[str, RunTail]
    lane: Lane = field(default=Lane.FOLLOW)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Looking at the trainings")

    def run(self, _context: JobContext) -> tuple[RunView, ...]:
        """Return those whose labels are frozen, the newest first."""
        there = {run.name: run for run in run_folders(self.folder)}
        for name in self.tails.keys() - there.keys():
            del self.tails[name]
        views = []
        for name, path in there.items():
            tail = self.tails.get(name)
            if tail is None or tail.run.path != path:
                tail = self.tails[name] = RunTail(path)
            try:
                views.append(tail.look())
            except ReadError as error:
                views.append(tail.damaged(error))
        return tuple(sorted(views, key=_age, reverse=True))


@dataclass(frozen=True, slots=True, eq=False)
class StartRun:
    """Request: the process of a training that was frozen, or paused.

    Attributes
    ----------
    enough : bool
        It makes no more steps and judges the best weights it has.
    """

    path: Path
    enough: bool = False
    lane: Lane = field(default=Lane.FOLLOW)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Starting the training")

    def run(self, _context: JobContext) -> subprocess.Popen[bytes]:
        """Start it, with lower priority than everything else. Raises WriteError."""
        (self.path / QUEUED).unlink(missing_ok=True)
        return start_training(self.path, background=True, enough=self.enough)


@dataclass(frozen=True, slots=True)
class TellRun:
    """Request: something is asked of a training.

    Attributes
    ----------
    what : Ask or None
        Of its process; None puts it into the queue, or takes it out.
    """

    path: Path
    what: Ask | None = None
    queued: bool = False
    lane: Lane = field(default=Lane.FOLLOW)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Asking the training")

    def run(self, _context: JobContext) -> None:
        """Write it down. Raises WriteError."""
        if self.what is not None:
            ask(RunFolder(self.path), self.what)
        elif self.queued:
            mark_queued(self.path)
        else:
            (self.path / QUEUED).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """Request: the folder of a training removed, with everything in it."""

    path: Path
    lane: Lane = field(default=Lane.TRAIN)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Deleting {name}").format(name=self.path.name)

    def run(self, _context: JobContext) -> None:
        """Remove it; renamed first, so that half a training is never listed.

        Raises
        ------
        WriteError
            When it trains, or cannot be removed.
        """
        if RunFolder(self.path).busy():
            raise WriteError(f"{self.path.name} is being trained; pause it first.")
        try:
            gone = self.path.rename(self.path.with_name(f"{_DELETED}{self.path.name}"))
            shutil.rmtree(gone)
        except OSError as error:
            raise write_error(self.path, error) from error


@dataclass(frozen=True, slots=True)
class ReadRunReport:
    """Request: the report of a training."""

    path: Path
    lane: Lane = field(default=Lane.FOLLOW)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading the report")

    def run(self, _context: JobContext) -> RunReport | None:
        """Read it; None before it is judged. Raises ReadError."""
        return read_report(RunFolder(self.path))


@dataclass(frozen=True, slots=True)
class ReadRunSamples:
    """Request: what a training found on a few slices at its last look."""

    path: Path
    step: int
    lane: Lane = field(default=Lane.FOLLOW)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading samples")

    def run(self, _context: JobContext) -> Samples | None:
        """Read them. Raises ReadError."""
        return read_samples(RunFolder(self.path), self.step)


def runs_folder(project: Path) -> Path:
    """Return where the trainings of a project are."""
    return project / "runs"


def run_folders(folder: Path) -> list[Path]:
    """Return the folders of trainings whose labels are frozen."""
    if not folder.is_dir():
        return []
    return [one for one in folder.iterdir() if not one.name.startswith(".") and RunFolder(one).settings_file.is_file()]


def new_run_folder(folder: Path, task: str, known: Iterable[str] = ()) -> Path:
    """Return a folder for a training, numbered from the last one; it is not made.

    Parameters
    ----------
    known : iterable of str
        Names of trainings that versions of models come from, though their folders may be gone.
    """
    names = [*known, *((one.name for one in folder.iterdir()) if folder.is_dir() else ())]
    numbers = [int(tail) for name in names if (tail := name.removeprefix(f"{task}-")) != name and tail.isdigit()]
    return folder / f"{task}-{max(numbers, default=0) + 1}"


def mark_queued(path: Path) -> None:
    """Let a training begin once no other one trains. Raises WriteError."""
    try:
        (path / QUEUED).touch()
    except OSError as error:
        raise write_error(path / QUEUED, error) from error


def _age(view: RunView) -> tuple[str, int]:
    tail = view.name.rpartition("-")[2]
    return ("" if view.settings is None else view.settings.created_utc), int(tail) if tail.isdigit() else 0
