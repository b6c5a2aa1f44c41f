"""``medview agree P``: how far the readers of a project go together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medview.analysis.agreement.bootstrap import Interval
from medview.analysis.agreement.lesions import OVERLAP
from medview.analysis.agreement.masks import TOLERANCE_MM
from medview.analysis.agreement.reader_answers import QuestionAgreement
from medview.analysis.agreement.segments import DISTANCE_MM, Conventions
from medview.cli.output import print_json, progress, say, show
from medview.workspace.agreement_files import write_agreement
from medview.workspace.project_agreement import ProjectAgreement, project_agreement

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def agree(
    path: Annotated[Path, typer.Argument(metavar="P", help="Project folder (NAME.medview)")],
    *,
    readers: Annotated[
        tuple[str, str] | None,
        typer.Option(
            help="Two readers, the first of whom is the reference; also consensus, 'NAME, review' (edits of a reviewer) "
            "and 'NAME, corrected' (what reviews made of a reader's labels). All pairs of readers otherwise"
        ),
    ] = None,
    tolerance_mm: Annotated[float, typer.Option(min=0.0, help="Surfaces no further apart count as one")] = TOLERANCE_MM,
    overlap: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Lesions and boxes that share more of their union (IoU) are the same")
    ] = OVERLAP,
    distance_mm: Annotated[
        float, typer.Option(min=0.0, help="Marks of one label whose middles are no further apart are the same lesion")
    ] = DISTANCE_MM,
    output: Annotated[Path | None, typer.Option("-o", help="Folder for the tables as CSV and all of it as JSON")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Compare the labels of the readers of a project; what every figure means stands in docs/agreement.md."""
    with progress(quiet=quiet or json) as context:
        wanted = None if readers is None else [readers]
        found = project_agreement(path, wanted, context, Conventions(tolerance_mm, overlap, distance_mm))
    if output is not None:
        write_agreement(found, output, overwrite=overwrite)
    if json:
        print_json(found.document())
        return
    for line in _lines(found):
        show(line)
    for warning in found.warnings:
        say(warning)
    report = found.report
    say(f"Compared {len(report.cases)} cases of {len(report.patients)} patients, read by {', '.join(found.readers)}.")


def _lines(agreement: ProjectAgreement) -> list[str]:
    lines: list[str] = []
    for line in agreement.report.segments:
        pair = f"{line.first_reader} / {line.second_reader}" if line.first_reader else "all pairs"
        lines.append(f"{line.segment}, {pair}: {line.cases} cases")
        for name, title, unit in _FIGURES:
            figure = line.figure(name)
            if figure.value is not None:
                lines.append(f"  {title:<26}{_told(figure)}{unit}")
        f1 = line.figure("lesion_f1")
        if f1.value is not None:
            lesions = f"{line.lesions_matched} found"
            if line.directed:
                lesions += f", {line.lesions_missed} missed, {line.lesions_extra} extra"
            lines.append(f"  {'lesions: F1':<26}{_told(f1)}; {lesions}")
        counts = ((line.both_empty, "empty on both sides"), (line.one_empty, "empty on one side"))
        lines += [f"  {count} {what}" for count, what in (*counts, (line.not_compared, "still to be drawn")) if count]
    for boxes in agreement.report.boxes:
        lines.append(f"Boxes: {boxes.label}, {boxes.first_reader} / {boxes.second_reader}: {boxes.cases} cases")
        lines += [f"  {'F1':<26}{_told(boxes.f1)}", f"  {'IoU of pairs':<26}{_told(boxes.mean_iou)}"]
    for answer in agreement.report.answers:
        lines += _answer(answer)
    return lines


_FIGURES = (
    ("dice", "Dice", ""),
    ("surface_dice", "surface Dice", ""),
    ("hd95_mm", "HD95", " mm"),
    ("mean_surface_mm", "mean surface distance", " mm"),
    ("volume_difference_ml", "volume difference", " mL"),
)


def _answer(answer: QuestionAgreement) -> list[str]:
    title = f"{answer.question}{f' [{answer.option}]' if answer.option else ''}"
    lines = [f"{title}: {answer.things} answered"]
    for pair in answer.pairs:
        names = f"  {pair.first_reader} / {pair.second_reader}: "
        if pair.only_first or pair.only_second:
            lines.append(f"{names}{pair.only_first} lesions only the first has, {pair.only_second} only the second")
        if pair.kappa is not None and pair.kappa.value is not None:
            lines.append(f"{names}kappa {_told(pair.kappa)}")
        if pair.numbers is not None and pair.numbers.lower is not None and pair.numbers.upper is not None:
            limits = f"limits of agreement {pair.numbers.lower:.3g} to {pair.numbers.upper:.3g} {answer.unit}"
            lines.append(f"{names}mean difference {pair.numbers.mean_difference:.3g}, {limits}")
    if len(answer.pairs) > 1 and answer.raters is not None and answer.raters.kappa is not None:
        lines.append(f"  all readers: Fleiss' kappa {answer.raters.kappa:.3f}")
    if answer.correlation is not None and answer.correlation.icc is not None:
        lines.append(f"  all readers: ICC(2,1) {answer.correlation.icc:.3f}")
    return lines


def _told(figure: Interval) -> str:
    if figure.value is None:
        return "-"
    interval = "" if figure.low is None or figure.high is None else f" ({figure.low:.3f} to {figure.high:.3f})"
    return f"{figure.value:.3f}{interval}"
