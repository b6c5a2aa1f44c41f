"""``medview project``: create, inspect, merge, verify, recover and export projects."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from medview.cli.output import print_json, progress, say, show
from medview.cli.project_add import add_to_project
from medview.cli.project_dataset import export_as_dataset, note
from medview.cli.project_import import dataset_request, import_into_project
from medview.cli.project_label_set import label_set_of_project
from medview.cli.project_next import show_next
from medview.core.errors import AmbiguousError, MedViewError, StoreError
from medview.io.datasets.dataset_case import WriteOptions
from medview.io.datasets.table import FORMATS
from medview.store.merge_report import MergeReport
from medview.store.project import Project, verify_folder
from medview.store.recovery import recover_project
from medview.workspace.export_selection import ExportRun, Include
from medview.workspace.exporting import FORMS, Exported
from medview.workspace.project_export import export_project

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress")]
Place = Annotated[Path, typer.Argument(metavar="P", help="Project folder (NAME.medview)")]


@app.command()
def create(
    path: Place, *, name: Annotated[str, typer.Option(help="Name shown in the window")] = "", json: Json = False
) -> None:
    """Create an empty project."""
    with Project.create(path, name or path.stem) as project:
        document = project.info()
    if json:
        print_json(document)
    else:
        say(f"Created {path}.")


@app.command()
def add(
    path: Place,
    places: Annotated[list[Path] | None, typer.Argument(metavar="PATH...", help="Folders, files, zips")] = None,
    *,
    csv: Annotated[Path | None, typer.Option(help="Table of places: path, patient, split, series")] = None,
    patient_from: Annotated[str, typer.Option(metavar="REGEX", help="Finds the patient in a path")] = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add a case for every series found; what is there already stays as it is."""
    add_to_project(path, places or (), csv, patient_from, json=json, quiet=quiet)


@app.command("import")
def import_(
    path: Place,
    source: Annotated[Path | None, typer.Argument(metavar="[SRC]", help="Folder or file of the dataset")] = None,
    *,
    form: Annotated[str, typer.Option("--format", help=f"Which kind of dataset it is: {', '.join(FORMATS)}")],
    images: Annotated[Path | None, typer.Option(help="Folder of the images, where they lie apart")] = None,
    labels: Annotated[Path | None, typer.Option(help="Folder or file of the labels, where they lie apart")] = None,
    label_values: Annotated[str, typer.Option(metavar="255=LV,...", help="What values of masks are called")] = "",
    patient_from: Annotated[str, typer.Option(metavar="REGEX", help="Finds the patient in the name of a file")] = "",
    split_from: Annotated[
        str, typer.Option(metavar="FILE|npz", help="CSV or JSON that says the split of every image")
    ] = "",
    reader: Annotated[str, typer.Option(metavar="NAME", help="Whose labels they are; yours unless named")] = "",
    threshold: Annotated[
        float | None, typer.Option(help="From which probability a voxel belongs, where a SEG holds probabilities")
    ] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Leave out label files that fit no images or cannot be read, and say so")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Import a labelled dataset of another program."""
    request = dataset_request(
        source, images, labels, label_values, patient_from, split_from, threshold, leave_out=leave_out
    )
    import_into_project(path, form, request, reader, json=json, quiet=quiet)


@app.command()
def info(path: Place, *, json: Json = False) -> None:
    """Say what is in a project."""
    with Project.open(path, read_only=True) as project:
        document = project.info()
    if json:
        print_json(document)
        return
    for key, value in document.items():
        if key == "models":
            value = ", ".join(f"{one['line']} v{one['version']}" for one in value) or "none"
        show(f"{key}: {value}")


@app.command("list")
def list_readings(path: Place, *, json: Json = False) -> None:
    """List the cases of a project."""
    with Project.open(path, read_only=True) as project:
        cases = [case.document() for case in project.cases()]
    if json:
        print_json({"cases": cases})
        return
    for case in cases:
        show("  ".join(f"{key}={value}" for key, value in case.items()))


@app.command()
def models(
    path: Place,
    number: Annotated[int | None, typer.Argument(metavar="[VERSION]", help="Of --roll-back; else the one before")] = None,
    *,
    line: Annotated[str, typer.Option(help="Which model line, where there are several")] = "",
    take: Annotated[Path | None, typer.Option(metavar="RUN", help="Take a finished training of the project up")] = None,
    roll_back: Annotated[bool, typer.Option("--roll-back", help="Let an earlier version count again")] = False,
    choose: Annotated[
        int | None, typer.Option(metavar="VERSION", help="Let a version count that was not promoted; who says so is kept")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the models that were trained on a project: which counts, and why. See docs/model-line.md."""
    # Trainings bring the code that judges models with them.
    from medview.cli.project_models import models_of_project

    models_of_project(path, number, line=line, take=take, roll_back=roll_back, choose=choose, json=json, quiet=quiet)


@app.command()
def merge(
    path: Place,
    others: Annotated[list[Path], typer.Argument(metavar="OTHER...", help="Copies of the same project; only read")],
    *,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take what is new in copies of a project into it. Nothing is lost: where both went on, both are kept.

    A copy that is refused changes nothing; the others are merged all the same, and the command fails in the end.
    """
    reports: list[MergeReport] = []
    refused: dict[Path, MedViewError] = {}
    try:
        with Project.open(path) as project, progress(quiet=quiet or json) as context:
            for other in others:
                try:
                    report = project.merge(other, partial(context.progress, text=f"Merging {other.name}"))
                except MedViewError as error:
                    refused[other] = error
                    say(error.sentence)
                    continue
                reports.append(report)
                if not json:
                    _say_merged(report)
    finally:
        # Interrupted, too: what was joined by then stays.
        if json and (reports or refused):
            document = {"merged": [report.document() for report in reports]}
            why = [{"other": other.name, "error": error.sentence} for other, error in refused.items()]
            print_json({"project": str(path), **document, "refused": why})
    if refused:
        if reports:
            say(f"{_count(len(reports), 'copy', 'copies')} merged, {len(refused)} refused.")
        raise typer.Exit(1)


def _say_merged(report: MergeReport) -> None:
    for line in (*report.conflicts, *report.notes):
        show(line)
    if report.pseudonyms:
        called = ", ".join(f"{theirs} is {mine}" for theirs, mine in sorted(report.pseudonyms.items()))
        show(f"Patients who are called otherwise here than in {report.other}: {called}.")
    if not report.changed:
        say(f"{report.other} holds nothing new.")
        return
    new = [_count(report.cases, "new case"), _count(report.readings, "new reading"), _count(report.gestures, "gesture")]
    say(f"{report.other} brought {', '.join(new)}; {_count(len(report.conflicts), 'conflict')}.")


@app.command()
def log(path: Place, *, json: Json = False) -> None:
    """List what was done beside labelling: who opened, finished, sent back, merged or exported what, and when."""
    with Project.open(path, read_only=True) as project:
        entries = project.activity.entries()
    if json:
        print_json({"entries": [entry.document() for entry in entries]})
        return
    for entry in entries:
        about = [f"case {entry.case_id}"] if entry.case_id else []
        about += [f"reading {entry.reading_id}"] if entry.reading_id else []
        about += [f"{key}={value}" for key, value in entry.details.items()]
        show("  ".join((entry.when_utc, entry.who or "nobody", entry.kind, *about)))


@app.command()
def verify(path: Place, *, json: Json = False, quiet: Quiet = False) -> None:
    """Check every row, blob, snapshot and backup of a project."""
    with progress(quiet=quiet or json) as context:
        report = verify_folder(path, lambda fraction: context.progress(fraction, f"Checking {path.name}"))
    if json:
        print_json(report.document())
    else:
        for line in (*report.problems, *report.recorded):
            show(line)
        if report.writer is not None:
            say(f"{report.writer['user']} on {report.writer['host']} writes it since {report.writer['since_utc']}.")
        checked = [_count(report.cases, "case"), _count(report.rows, "row"), _count(report.blobs, "blob")]
        say(f"Checked {', '.join(checked)}, {_count(report.snapshots, 'snapshot')} and {_count(report.backups, 'backup')}.")
    if report.problems:
        count = len(report.problems)
        raise StoreError(
            f"{path.name} has {count} {'problem' if count == 1 else 'problems'}; recover it into a new project."
        )


@app.command()
def recover(
    path: Place,
    output: Annotated[Path, typer.Option("-o", help="New project folder (NAME.medview)")],
    *,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write everything that can be had of a damaged project into a new one, and say what cannot."""
    with progress(quiet=quiet or json) as context:
        report = recover_project(
            path, output, progress=lambda fraction: context.progress(fraction, f"Recovering {path.name}")
        )
    if json:
        print_json(report.document(path, output))
    else:
        for loss in report.losses:
            show(loss)
    kept = f"{_count(report.cases, 'case')} with {_count(report.gestures, 'gesture')}"
    say(f"{output.name} holds {kept}; {report.lost or 'none'} {'is' if report.lost == 1 else 'are'} lost.")


@app.command("label-set")
def label_set(
    path: Place,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Label set (JSON) to put to use")] = None,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="In place of what is there, instead of beside it")] = False,
    json: Json = False,
) -> None:
    """Show the labels and forms of a project, or put those of a file to use; answers given so far are kept."""
    label_set_of_project(path, file, replace=replace, json=json)


@app.command("next")
def next_(
    path: Place,
    *,
    model: Annotated[
        str, typer.Option(help="ID, ID@VERSION or the folder of a pack; the one the project uses unless named")
    ] = "",
    count: Annotated[int, typer.Option(min=1, help="How many cases")] = 5,
    strategy: Annotated[
        str, typer.Option(help="uncertainty, or to compare with it foreground-random or random")
    ] = "uncertainty",
    seed: Annotated[int, typer.Option(help="Of chance; the same seed gives the same cases")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    most: Annotated[int, typer.Option(min=0, help="Look at so many cases at most, drawn by chance; 0 is all")] = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say which cases to label next and which slices of them, beside those chance would give."""
    show_next(path, model, strategy, count=count, seed=seed, device=device, most=most, json=json, quiet=quiet)


@app.command()
def export(
    path: Place,
    output: Annotated[Path, typer.Option("-o", help="Folder to write to")],
    *,
    images: Annotated[Path | None, typer.Option(help="Folder with the images; needed to write DICOM SEG")] = None,
    form: Annotated[str, typer.Option("--format", help=f"Under pseudonyms, as one of: {', '.join(FORMS)}")] = "",
    reader: Annotated[
        str,
        typer.Option(
            help="With --format: whose labels: NAME, 'NAME, review' or consensus; what counts of each case unless named"
        ),
    ] = "",
    include: Annotated[
        Include | None,
        typer.Option(help="With --format: how far cases have to be; all unless given, for dataset those that are done"),
    ] = None,
    licence: Annotated[str, typer.Option(help="With --format: what the data card says of who may use it")] = "",
    every_slice: Annotated[
        bool, typer.Option("--every-slice", help="With --format: of pictures those without labels too")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --format: only say what would be lost")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="In place of an earlier export")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the labels of every case as NIfTI, and as DICOM SEG where the images are at hand; or as --format says."""
    if form:
        options = WriteOptions(path.stem, every_slice=every_slice, overwrite=overwrite, licence=licence)
        run = ExportRun(form, reader, options, include, images)
        export_as_dataset(path, output, run, dry_run=dry_run, json=json, quiet=quiet)
        return
    of_datasets = {
        "--reader": reader,
        "--include": include,
        "--licence": licence,
        "--every-slice": every_slice,
        "--dry-run": dry_run,
    }
    if given := [option for option, value in of_datasets.items() if value]:
        are, them = ("is", "it") if len(given) == 1 else ("are", "them")
        raise AmbiguousError(f"{', '.join(given)} {are} for --format; name a format, or leave {them} out.")
    with progress(quiet=quiet) as context:
        document = export_project(path, output, images, context, overwrite=overwrite)
    note(path, Exported("nifti and seg" if images is not None else "nifti", document))
    if json:
        print_json(document)
    else:
        say(f"Wrote the labels of {document['written']} cases to {output}.")


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or f'{noun}s'}"
