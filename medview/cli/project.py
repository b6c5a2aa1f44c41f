"""``medview project``: create, inspect, verify and export projects."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medview.cli.output import print_json, progress, say
from medview.core.errors import StoreError
from medview.store.project import Project
from medview.workspace.project_export import export_project

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout")]
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
def info(path: Place, *, json: Json = False) -> None:
    """Say what is in a project."""
    with Project.open(path, read_only=True) as project:
        document = project.info()
    if json:
        print_json(document)
        return
    for key, value in document.items():
        print(f"{key}: {value}")


@app.command("list")
def list_cases(path: Place, *, json: Json = False) -> None:
    """List the cases of a project."""
    with Project.open(path, read_only=True) as project:
        cases = [case.document() for case in project.cases()]
    if json:
        print_json({"cases": cases})
        return
    for case in cases:
        print("  ".join(f"{key}={value}" for key, value in case.items()))


@app.command()
def verify(path: Place, *, json: Json = False) -> None:
    """Check every row, blob and snapshot of a project."""
    with Project.open(path, read_only=True) as project:
        report = project.verify()
    if json:
        print_json(report.document())
    else:
        for problem in report.problems:
            print(problem)
        say(f"Checked {report.rows} rows, {report.blobs} blobs and {report.snapshots} snapshots.")
    if report.problems:
        raise StoreError(f"{path} has {len(report.problems)} problems; see the lines above.")


@app.command()
def export(
    path: Place,
    output: Annotated[Path, typer.Option("-o", help="Folder to write to")],
    *,
    images: Annotated[Path | None, typer.Option(help="Folder with the images; needed to write DICOM SEG")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite")] = False,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Write the labels of every case as NIfTI, and as DICOM SEG where the images are at hand."""
    with progress(quiet=quiet) as context:
        document = export_project(path, output, images, context, overwrite=overwrite)
    if json:
        print_json(document)
    else:
        say(f"Wrote the labels of {document['written']} cases to {output}.")
