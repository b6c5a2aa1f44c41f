"""Bringing copies of the open project into it: which ones, how far it is, and what came of each."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from medview.core.language import _
from medview.workspace.project_place import is_project

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.merge_report import MergeReport
    from medview.workspace.jobs import Job
    from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class MergedCopy:
    """What came of one copy.

    Attributes
    ----------
    name : str
        Of its folder.
    report : MergeReport or None
        None where nothing was taken from it, and ``problem`` says why.
    """

    name: str
    report: MergeReport | None = None
    problem: str = ""


class Merging:
    """The copies somebody chose and what came of merging them; one merge at a time.

    Attributes
    ----------
    chosen : tuple of Path
        Folders of copies that are still to be merged.
    results : tuple of MergedCopy
        Of the copies merged since the project was opened, oldest first.
    job : Job or None
        While copies are being merged.
    problem : str
        Why a folder was not taken, or nothing was merged; empty where all is well.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.chosen: tuple[Path, ...] = ()
        self.results: tuple[MergedCopy, ...] = ()
        self.job: Job | None = None
        self.problem = ""

    @property
    def working(self) -> bool:
        """Whether copies are being merged."""
        return self.job is not None

    def add(self, path: Path) -> bool:
        """Choose a copy; False where it is none, and ``problem`` says why."""
        project = self._workspace.services.project
        self.problem = ""
        if not is_project(path):
            text = _("{name} is no project; choose a folder that holds project.db.")
            self.problem = text.format(name=path.name)
        elif project is not None and path.resolve() == project.path.resolve():
            self.problem = _("{name} is this very project; choose a copy of it.").format(name=path.name)
        elif path not in self.chosen:
            self.chosen = (*self.chosen, path)
        self.changed.emit()
        return not self.problem

    def remove(self, path: Path) -> None:
        """Take a copy off the list again."""
        self.chosen = tuple(one for one in self.chosen if one != path)
        self.changed.emit()

    def begin(self) -> bool:
        """Merge what is chosen; False where that cannot be now, and ``problem`` says why."""
        # It reads the database, whose library the window does not wait for.
        return bool(importlib.import_module("medview.workspace.operations.merging").merge_copies(self._workspace))

    def cancel(self) -> None:
        """Stop; the copy that is being merged leaves the project as it was, those before it stay merged."""
        if self.job is not None:
            self.job.cancel()

    def forget(self) -> None:
        """Another project is open."""
        self.chosen, self.results, self.problem = (), (), ""
        self.changed.emit()

    def refuse(self, problem: str) -> None:
        """Say why nothing is merged."""
        self.problem = problem
        self.changed.emit()

    def took(self, merged: MergedCopy) -> None:
        """Take over what came of a copy."""
        self.results = (*self.results, merged)
        self.chosen = tuple(path for path in self.chosen if path.name != merged.name or merged.report is None)
        self.changed.emit()

    def is_at(self, job: Job | None) -> None:
        """Say which job merges."""
        self.job, self.problem = job, ""
        self.changed.emit()
