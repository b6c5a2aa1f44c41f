"""``medview project import``: datasets of other programs become cases with labels."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medview.cli.output import print_json, progress, readers, say, show
from medview.core.errors import ReadError, StoreError
from medview.core.reading_status import Role
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.label_values import label_values
from medview.store.project import Project
from medview.workspace.dataset_import import ImportRun, import_dataset
from medview.workspace.dataset_import_report import ImportReport

OWN_SPLITS = "npz"
"""The word for the splits that an array file states itself."""


def dataset_request(
    source: Path | None,
    images: Path | None,
    labels: Path | None,
    values: str,
    patient_from: str,
    split_from: str,
    threshold: float | None = None,
    *,
    leave_out: bool = False,
) -> DatasetRequest:
    """Return what a person says about a dataset on the command line. Raises ReadError where it cannot be meant."""
    splits = None if split_from in ("", OWN_SPLITS) else Path(split_from)
    if splits is not None and not splits.is_file():
        raise ReadError(f"{splits.name} is not there; --split-from takes a file, or npz for the splits of an .npz file.")
    if threshold is not None and not 0.0 < threshold <= 1.0:
        raise ReadError("--threshold is a probability above 0 and at most 1.")
    given = label_values(values)
    return DatasetRequest(source, images, labels, given, patient_from, splits, threshold, leave_out)


def import_into_project(
    path: Path, form: str, request: DatasetRequest, reader: str = "", *, json: bool, quiet: bool
) -> None:
    """Import a dataset as the labels of a reader, or of who asks, and say what came in.

    A project that is not there is made, and is not left behind where nothing came into it.

    Raises
    ------
    MedViewError
        As Project.open and import_dataset.
    """
    reader = reader.strip()
    if reader.casefold() == Role.CONSENSUS.value:
        raise StoreError("Labels of a file are nobody's consensus; give --reader another name.")
    with _opened(path, reader) as project, progress(quiet=quiet or json) as context, readers() as pool:
        report = import_dataset(ImportRun(form, request), project, context, pool)
    if json:
        print_json(report.document())
        return
    for warning in report.warnings:
        show(warning)
    for line in told(path, report):
        say(line)


@contextmanager
def _opened(path: Path, reader: str) -> Iterator[Project]:
    if path.exists() or path.is_symlink():
        with Project.open(path, reader=reader) as project:
            yield project
        return
    empty = True
    try:
        with Project.create(path, path.stem, reader=reader) as project:
            try:
                yield project
            finally:
                empty = project.info()["cases"] == 0
    except BaseException:  # Ctrl-C as well leaves no empty project behind
        if empty:
            shutil.rmtree(path, ignore_errors=True)
        raise


def told(path: Path, report: ImportReport) -> list[str]:
    """Return what came of it in sentences."""
    got = f"{report.labelled} got labels, which are those of {report.reader}"
    cases = f"{report.cases} {'case' if report.cases == 1 else 'cases'}"
    lines = [f"{path.name}: {cases}, {report.added} of them new; {got}."]
    if report.known:
        lines.append(f"{report.known} had these labels already.")
    if report.unlabelled:
        lines.append(f"Nobody labelled {report.unlabelled} of them.")
    known = f"{report.patients} {'patient' if report.patients == 1 else 'patients'}"
    whose = known if report.patients else "patients are not known"
    lines.append(f"{whose}; splits are by {report.split_by}.".capitalize())
    lines += [f"{name}: {count} {'case' if count == 1 else 'cases'}" for name, count in sorted(report.labels.items())]
    return lines
