"""``medview project export --format``: the labels of a project as a dataset, or as label files, under its pseudonyms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medview.cli.output import print_json, progress, readers, say
from medview.core.errors import MedViewError, WriteError
from medview.io.datasets.writers import WRITERS
from medview.store.activity import ActivityKind
from medview.store.project import Project
from medview.workspace.dataset_export import document_of, export_dataset, told_of_dataset
from medview.workspace.export_selection import ExportRun, select_cases
from medview.workspace.label_export import LABEL_FORMS, export_labels, label_losses
from medview.workspace.neutral_export import DATASET, export_neutral, keep_splits, plan_dataset

FORMS = (*LABEL_FORMS, *WRITERS, DATASET)


def export_as_dataset(path: Path, output: Path, run: ExportRun, *, dry_run: bool, json: bool, quiet: bool) -> None:
    """Say what a format cannot carry, then write it unless ``dry_run``. Raises MedViewError."""
    if run.form not in FORMS:
        raise WriteError(f"{run.form} is no format that is written; those are {', '.join(FORMS)}.")
    said: list[str] = []

    def told(sentences: Sequence[str]) -> None:
        said.extend(sentences)
        for sentence in sentences:
            say(sentence)

    made: dict[int, str] = {}
    with (
        Project.open(path, read_only=True) as project,
        progress(quiet=quiet or json) as context,
        readers() as pool,
    ):
        if dry_run:
            told(_told(run, project, context, pool))
            if json:
                print_json({"format": run.form, "written": 0, "warnings": said})
            return
        if run.form == DATASET:
            document, planned = export_neutral(run, project, output, context, pool, told)
            made = planned.made
            things = ""
        elif run.form in LABEL_FORMS:
            document = export_labels(run, project, output, context, pool, told)
            for sentence in document["warnings"][len(said) :]:
                say(sentence)
            things = ""
        else:
            written = export_dataset(run, project, output, context, pool, told)
            document = {"format": run.form, **document_of(written, said)}
            things = f" with {written.things} things"
    note_export(path, run.form, document["written"], made)
    if json:
        print_json(document)
    else:
        say(f"Wrote {document['written']} cases{things} to {output}.")


def note_export(path: Path, form: str, cases: int, made: dict[int, str] | None = None) -> None:
    """Write an export down in the project, and the splits that were made for it; say so where that cannot be done."""
    try:
        with Project.open(path) as project:
            if made:
                keep_splits(project, made)
            project.activity.add(ActivityKind.EXPORTED, format=form, cases=cases)
    except MedViewError as error:
        lost = "; the splits that were made are in the dataset alone" if made else ""
        say(f"The project could not note this export{lost}. {error.sentence}")


def _told(run: ExportRun, project: Project, context: Any, pool: Any) -> Sequence[str]:
    if run.form == DATASET:
        return plan_dataset(run, project, context, pool).said
    chosen = select_cases(run, project, context, pool)
    if run.form in LABEL_FORMS:
        return (*chosen.notes, *label_losses(run.form, chosen))
    return told_of_dataset(run, chosen, context)
