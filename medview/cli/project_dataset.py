"""``medview project export --format``: the labels of a project as a dataset, or as label files, under its pseudonyms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medview.cli.output import print_json, progress, readers, say
from medview.core.errors import MedViewError
from medview.store.project import Project
from medview.workspace.export_selection import ExportRun
from medview.workspace.exporting import Exported, export_as, note_export, told_before


def export_as_dataset(path: Path, output: Path, run: ExportRun, *, dry_run: bool, json: bool, quiet: bool) -> None:
    """Say what a format cannot carry, then write it unless ``dry_run``. Raises MedViewError."""
    said: list[str] = []

    def told(sentences: Sequence[str]) -> None:
        said.extend(sentences)
        for sentence in sentences:
            say(sentence)

    with (
        Project.open(path, read_only=True) as project,
        progress(quiet=quiet or json) as context,
        readers() as pool,
    ):
        if dry_run:
            told(told_before(run, project, context, pool))
            if json:
                print_json({"format": run.form, "written": 0, "warnings": said})
            return
        exported = export_as(run, project, output, context, pool, told)
    for sentence in exported.document["warnings"][len(said) :]:
        say(sentence)
    note(path, exported)
    if json:
        print_json(exported.document)
    else:
        things = f" with {exported.document['things']} things" if "things" in exported.document else ""
        count = exported.document["written"]
        if count == 1:
            say(f"Wrote 1 case{things} to {output}.")
        else:
            say(f"Wrote {count} cases{things} to {output}.")


def note(path: Path, exported: Exported) -> None:
    """Write an export down in the project; say so where that cannot be done."""
    try:
        with Project.open(path) as project:
            note_export(project, exported)
    except MedViewError as error:
        lost = "; the splits that were made are in the dataset alone" if exported.made else ""
        say(f"The project could not note this export{lost}. {error.sentence}")
