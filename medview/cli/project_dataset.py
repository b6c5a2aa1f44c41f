"""``medview project export --format``: the labels of a project as a dataset of other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medview.cli.output import print_json, progress, readers, say
from medview.io.datasets.writers import losses
from medview.store.project import Project
from medview.workspace.dataset_export import ExportRun, document_of, export_dataset, select_cases


def export_as_dataset(path: Path, output: Path, run: ExportRun, *, dry_run: bool, json: bool, quiet: bool) -> None:
    """Say what a format cannot carry, then write the dataset unless ``dry_run``. Raises MedViewError."""
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
            chosen = select_cases(run, project, context, pool)
            told((*chosen.notes, *losses(run.form, chosen.cases, run.options, context)))
            if json:
                print_json({"written": 0, "warnings": said})
            return
        written = export_dataset(run, project, output, context, pool, told)
    if json:
        print_json(document_of(written, said))
    else:
        say(f"Wrote {written.cases} cases with {written.things} things to {output}.")
