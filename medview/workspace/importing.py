"""A labelled dataset on its way into the open project: where it is, what it holds, and what was decided about it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    # They read files and projects, whose libraries the window does not wait for.
    from medview.io.other_grid import Way
    from medview.workspace.dataset_import_report import ImportReport
    from medview.workspace.dataset_look import DatasetLook, LookedCase
    from medview.workspace.jobs import Job
    from medview.workspace.operations.other_grid import Choice
    from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person says about a dataset.

    Attributes
    ----------
    form : str
        One of ``io.datasets.table.FORMATS``.
    source, images, labels, splits : Path or None
        The dataset, its two folders where they lie apart, and the list of splits.
    values : str
        ``255=LV, 128=``.
    patient_from : str
        A regular expression.
    """

    form: str
    source: Path | None = None
    images: Path | None = None
    labels: Path | None = None
    values: str = ""
    patient_from: str = ""
    splits: Path | None = None


class Importing:
    """One dataset at a time. What was found is put aside once anything else is said about it.

    Attributes
    ----------
    wanted : Wanted or None
        What was looked at, or is being looked at.
    found : DatasetLook or None
        What it holds.
    choices : dict of str to tuple of Choice
        Path of a label file of another grid -> the ways it may be put onto its image, with pictures.
    decided : dict of str to Way
        What somebody decided; what is not in it is left out.
    report : ImportReport or None
        What came of the import.
    job : Job or None
        While something is looked at or imported.
    problem : str
        Why there is nothing, or empty.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.wanted: Wanted | None = None
        self.found: DatasetLook | None = None
        self.choices: dict[str, tuple[Choice, ...]] = {}
        self.decided: dict[str, Way] = {}
        self.report: ImportReport | None = None
        self.job: Job | None = None
        self.problem = ""

    def look(self, wanted: Wanted) -> None:
        """Find out what a dataset holds."""
        self.put_aside()
        self.wanted = wanted
        self._operations().look(self._workspace, wanted)

    def look_closely(self, case: LookedCase) -> None:
        """Find out where the labels of a case would come down."""
        if case.label_path not in self.choices:
            self._operations().look_closely(self._workspace, case)

    def decide(self, label_path: str, way: Way | None) -> None:
        """Say how a label file is put onto its image; None leaves it out."""
        if way is None:
            self.decided.pop(label_path, None)
        else:
            self.decided[label_path] = way
        self.changed.emit()

    def begin(self) -> None:
        """Import what was found."""
        if self.found is not None and self.job is None:
            self._operations().import_found(self._workspace)

    def cancel(self) -> None:
        """Stop."""
        if self.job is not None:
            self.job.cancel()

    def put_aside(self) -> None:
        """Forget what was found."""
        self.cancel()
        self.wanted, self.found, self.report, self.job, self.problem = None, None, None, None, ""
        self.choices, self.decided = {}, {}
        self.changed.emit()

    def is_at(self, job: Job | None, problem: str = "") -> None:
        """Say which job is at work, or why none is."""
        self.job, self.problem = job, problem
        self.changed.emit()

    def show(self, found: DatasetLook) -> None:
        """Take over what a dataset holds."""
        self.found, self.job, self.problem = found, None, ""
        self.changed.emit()

    def show_choices(self, label_path: str, choices: tuple[Choice, ...]) -> None:
        """Take over where labels would come down; none where they cannot."""
        self.choices[label_path] = choices
        self.changed.emit()

    def done(self, report: ImportReport) -> None:
        """Take over what came of the import."""
        self.report, self.job, self.problem = report, None, ""
        self.changed.emit()

    def _operations(self) -> ModuleType:
        return importlib.import_module("medview.workspace.operations.importing")
