"""The labels of a project as a dataset that other programs train on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from medview.core.job import JobContext, JobPart
from medview.io.datasets.dataset_case import DatasetCase, Written, many
from medview.io.datasets.writers import losses, write_dataset
from medview.io.reader_pool import Pool
from medview.store.project import Project
from medview.workspace.export_selection import ExportRun, Selection, select_cases

__all__ = ["ExportRun", "document_of", "export_dataset", "select_cases", "told_of_dataset"]


def export_dataset(
    run: ExportRun, project: Project, output: Path, context: JobContext, pool: Pool, told: Callable[[Sequence[str]], None]
) -> Written:
    """Write the labels of a project as a dataset, whole or not at all.

    Parameters
    ----------
    told : callable
        Gets what the format cannot carry, before anything is written.

    Raises
    ------
    MedViewError
        When images are gone, or are others than were labelled; nothing is left behind then.
    """
    chosen = select_cases(run, project, JobPart(context, 0.0, 0.2), pool)
    told(told_of_dataset(run, chosen, JobPart(context, 0.2, 0.3)))
    return write_dataset(run.form, output, _pictured(chosen), run.options, JobPart(context, 0.3, 1.0))


def told_of_dataset(run: ExportRun, chosen: Selection, context: JobContext) -> tuple[str, ...]:
    """Return what is said before anything is written."""
    said = list(chosen.notes)
    if chosen.answered:
        kept = "not in this format; label files and the dataset folder hold them."
        said.append(many(chosen.answered, f"1 answer to a form is {kept}", f"{{n}} answers to forms are {kept}"))
    return (*said, *losses(run.form, _pictured(chosen), run.options, context))


def _pictured(chosen: Selection) -> tuple[DatasetCase, ...]:
    """Return the cases on which something is drawn or said; answers to forms are carried by none of these formats."""
    return tuple(case for case in chosen.cases if case.segments or case.boxes or case.answers or case.points or case.others)


def document_of(written: Written, said: Sequence[str]) -> dict[str, Any]:
    """Return what was written ready for JSON."""
    return {"written": written.cases, "pictures": written.pictures, "things": written.things, "warnings": list(said)}
