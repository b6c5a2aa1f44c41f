"""A project in whichever format is named, for windows and the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medview.core.errors import WriteError
from medview.core.job import JobContext
from medview.io.datasets.writers import WRITERS
from medview.io.reader_pool import Pool
from medview.store.activity import ActivityKind
from medview.store.project import Project
from medview.workspace.dataset_export import document_of, export_dataset, told_of_dataset
from medview.workspace.export_selection import ExportRun, select_cases
from medview.workspace.label_export import LABEL_FORMS, export_labels, label_losses
from medview.workspace.neutral_export import DATASET, export_neutral, keep_splits, plan_dataset

FORMS = (*LABEL_FORMS, *WRITERS, DATASET)
"""What a project is written as."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes
    ----------
    document : dict
        For ``--json``; ``written`` says how many cases.
    made : mapping of int to str
        Splits of cases that had none; for the project to keep.
    """

    form: str
    document: dict[str, Any]
    made: Mapping[int, str] = field(default_factory=dict)


def told_before(run: ExportRun, project: Project, context: JobContext, pool: Pool) -> tuple[str, ...]:
    """Return what has to be said before anything is written: what is left out, and what the format cannot carry.

    Raises
    ------
    MedViewError
        When it could not be written at all.
    """
    _check(run)
    if run.form == DATASET:
        return plan_dataset(run, project, context, pool).said
    chosen = select_cases(run, project, context, pool)
    if run.form in LABEL_FORMS:
        return (*chosen.notes, *label_losses(run.form, chosen))
    return told_of_dataset(run, chosen, context)


def export_as(
    run: ExportRun, project: Project, output: Path, context: JobContext, pool: Pool, told: Callable[[Sequence[str]], None]
) -> Exported:
    """Write a project as ``run.form``, whole or not at all.

    Parameters
    ----------
    project : Project
        Only read; a copy will do.
    told : callable
        Gets what ``told_before`` returns, before anything is written.

    Raises
    ------
    MedViewError
    """
    _check(run)
    if run.form == DATASET:
        document, planned = export_neutral(run, project, output, context, pool, told)
        return Exported(run.form, document, planned.made)
    if run.form in LABEL_FORMS:
        return Exported(run.form, export_labels(run, project, output, context, pool, told))
    said: list[str] = []

    def tell(sentences: Sequence[str]) -> None:
        said.extend(sentences)
        told(sentences)

    written = export_dataset(run, project, output, context, pool, tell)
    return Exported(run.form, {"format": run.form, **document_of(written, said)})


def note_export(project: Project, exported: Exported) -> None:
    """Write an export down in a project, and keep the splits that were made for it. Raises MedViewError."""
    if exported.made:
        keep_splits(project, exported.made)
    project.activity.add(ActivityKind.EXPORTED, format=exported.form, cases=exported.document["written"])


def _check(run: ExportRun) -> None:
    if run.form not in FORMS:
        raise WriteError(f"{run.form} is no format that is written; those are {', '.join(FORMS)}.")
