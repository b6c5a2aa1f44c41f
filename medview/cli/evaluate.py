"""``medview evaluate MODEL``: how good a model is on labelled cases."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from medview.cli.output import check_device, print_json, progress, readers, say, show
from medview.cli.project_import import dataset_request
from medview.core.errors import AmbiguousError
from medview.io.datasets.table import FORMATS
from medview.workspace.evaluation.evaluated import Evaluated, EvaluationRun, evaluate
from medview.workspace.evaluation.files import write_report
from medview.workspace.evaluation.judging import EvaluationSettings
from medview.workspace.exports import check_folder

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("evaluate")
def evaluate_model(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="ID, ID@VERSION, or the folder of a pack")],
    source: Annotated[
        Path | None, typer.Argument(metavar="[P|SRC]", help="Project, dataset folder, or with --format what that names")
    ] = None,
    *,
    split: Annotated[
        str, typer.Option(help="train, val, test or all; val unless given, and all where the dataset knows no splits")
    ] = "",
    images: Annotated[
        Path | None, typer.Option(help="Folder of the images, where labels lie apart, or where those of a project are now")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="Folder or file of the labels, where they lie apart")] = None,
    form: Annotated[str, typer.Option("--format", help=f"Of a foreign dataset: {', '.join(FORMATS)}")] = "",
    label_values: Annotated[str, typer.Option(metavar="255=LV,...", help="What values of masks are called")] = "",
    patient_from: Annotated[str, typer.Option(metavar="REGEX", help="Finds the patient in the name of a file")] = "",
    split_from: Annotated[
        str, typer.Option(metavar="FILE|npz", help="CSV or JSON that says the split of every image")
    ] = "",
    target: Annotated[str | None, typer.Option(help="Of classifiers: the question, where a project asks several")] = None,
    reader: Annotated[str, typer.Option(help="Whose labels, where several people read a case; or consensus")] = "",
    against: Annotated[str, typer.Option(metavar="MODEL", help="Another model to compare with on the same cases")] = "",
    common: Annotated[bool, typer.Option("--common", help="Judge only the classes that both sides have")] = False,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="Surfaces no further apart count as one: mm, or pixels of plain pictures")
    ] = EvaluationSettings().tolerance,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    output: Annotated[Path | None, typer.Option("-o", help="Folder for report.html and report.json")] = None,
    pictures: Annotated[bool, typer.Option(help="Show slices of the worst cases in the report")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write into a folder that is not empty")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Run a model on labelled cases and compare; what every figure means stands in docs/evaluation.md.

    Test cases are locked: every time they are opened is counted and told in the report.
    """
    if source is None and (images is None or labels is None):
        raise AmbiguousError(
            "Say what to judge on: a project or dataset folder, --images and --labels, or --format and SRC."
        )
    check_device(device)
    request = dataset_request(source, images, labels, label_values, patient_from, split_from)
    if output is not None:
        check_folder(output, overwrite=overwrite)
    settings = EvaluationSettings(tolerance, common, device, pictures=pictures and output is not None)
    run = EvaluationRun(model, request, form, split, target, reader, against, settings)
    # What a model is judged on for the moment lies in a folder that goes with it.
    with (
        tempfile.TemporaryDirectory(prefix="medview-") as room,
        progress(quiet=quiet or json) as context,
        readers() as pool,
    ):
        found = evaluate(run, context, pool, Path(room))
    document = found.report.document()
    if output is not None:
        write_report(found.report, output, overwrite=overwrite)
    for warning in found.report.warnings:
        say(warning)
    if json:
        print_json(document)
        return
    for line in lines(document):
        show(line)
    _conclude(found, document, output)


def _conclude(found: Evaluated, document: dict[str, Any], output: Path | None) -> None:
    patients = f" of {document['patients']} patients" if document["patients"] else ""
    where = "" if output is None else f"; the report is in {output}"
    say(f"{found.report.pack.spec.name}: {document['cases']} cases{patients}{where}.")
    if found.report.test_openings and document["split"] in ("test", "all"):
        count = len(found.report.test_openings)
        say(f"The test cases were opened {count} {'time' if count == 1 else 'times'} so far, this one included.")


def lines(document: dict[str, Any]) -> list[str]:
    """Return the figures of a report for a terminal."""
    said = [f"{one['title']:<34}{_told(one['value'], one['low'], one['high'])}" for one in document["headlines"]]
    ends = document["ci95"]["classes"]
    for row in document["per_class"]:
        said.append(str(row["name"]))
        for key, title in _TITLES:
            if row.get(key) is not None:
                low, high = ends.get(row["name"], {}).get(key, (None, None))
                unit = f" {document['unit']}" if key == "hd95" and document["unit"] else ""
                said.append(f"  {title:<32}{_told(row[key], low, high)}{unit}")
    return said + _beside(document.get("comparison"))


def _beside(comparison: dict[str, Any] | None) -> list[str]:
    if comparison is None:
        return []
    head = f"Beside {comparison['model']}@{comparison['version']}"
    if not comparison["same_cases"]:
        return [f"{head}: not compared, since both did not run on the same cases."]
    rows = []
    for one in comparison["figures"]:
        before, now = (_told(one[key], None, None) for key in ("other", "value"))
        difference = _told(one["difference"], one["low"], one["high"])
        rows.append(f"  {one['title']:<32}{before} to {now}: {difference}, {one['verdict']}")
    return [f"{head}:", *rows]


_TITLES = (
    *((f"dice_{n}", f"Dice, clicks: {n}") for n in (1, 3, 5)),
    *((f"growing_{n}", f"growing, clicks: {n}") for n in (1, 3, 5)),
    ("dice", "Dice"),
    ("surface_dice", "surface Dice"),
    ("hd95", "HD95"),
    ("volume_error", "volume error"),
    ("ap50", "AP50"),
    ("auc", "AUC"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("f1", "F1"),
)


def _told(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if low is None or high is None else f"{value:.4g} ({low:.4g} to {high:.4g})"
