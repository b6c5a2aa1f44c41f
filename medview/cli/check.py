"""``medview check SRC``: found, assumed, wrong, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medview.cli.output import print_json, progress, readers, show
from medview.core.errors import AmbiguousError, ReadError
from medview.core.job import JobContext
from medview.core.study import DamagedFile, Series, Verdict, VolumeEntry
from medview.io.dicom.reasons import ReasonKind
from medview.io.dicom.scan import scan
from medview.io.library import user_library
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader
from medview.workspace.check import Finding, check, of_kind, verdict_sentence

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_TITLES = {ReasonKind.FOUND: "Found", ReasonKind.ASSUMED: "Assumed", ReasonKind.WRONG: "Wrong"}


@app.command(name="check")
def run(
    src: Annotated[Path, typer.Argument(help="DICOM file, folder or zip, NIfTI, NRRD or image")],
    *,
    series: Annotated[str | None, typer.Option(help="Series UID, where there are several")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Read one series whole and say what was found, what was assumed and what is wrong."""
    with readers() as pool, progress(quiet=quiet) as context:
        result = scan(src, context, pool, user_library())
        chosen = _choose(src, result.series, series, result.damaged)
        checked = [(entry, check(chosen, entry, _damaged(chosen, entry, context, pool))) for entry in chosen.volumes]
    if json:
        print_json(_document(chosen, checked, result.damaged))
    else:
        _print(checked, result.damaged)


def _choose(src: Path, found: tuple[Series, ...], uid: str | None, damaged: tuple[DamagedFile, ...]) -> Series:
    candidates = [one for one in found if one.volumes and uid in (None, one.series_uid)]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        listed = "; ".join(f"{one.series_uid} ({one.modality or 'image'}, {one.description})" for one in candidates[:20])
        raise AmbiguousError(f"{src.name} holds {len(candidates)} series; name one with --series: {listed}")
    if uid is not None:
        raise ReadError(f"{src.name} holds no series {uid}; `medview scan` lists what is there.")
    if damaged:
        raise ReadError(damaged[0].reason)
    raise ReadError(f"{src.name or src} holds no images; choose a DICOM folder, a NIfTI or NRRD file, or a picture.")


def _damaged(series: Series, entry: VolumeEntry, context: JobContext, pool: Pool) -> list[str]:
    """Decode every slice and return why some could not be."""
    if entry.verdict is Verdict.REFUSED:
        return []
    reader = SeriesReader(pool)
    sentences = []
    for time_point in range(entry.time_points):
        reports = reader.fill(reader.begin(series, entry, time_point), 0, context)
        moment = f" of volume {time_point + 1}" if entry.time_points > 1 else ""
        sentences += [f"Slice {report.k + 1}{moment}: {report.reason}" for report in reports]
    return sentences


def _document(
    series: Series, checked: list[tuple[VolumeEntry, tuple[Finding, ...]]], damaged: tuple[DamagedFile, ...]
) -> dict[str, object]:
    return {
        "series_uid": series.series_uid,
        "modality": series.modality,
        "description": series.description,
        "instances": series.instances,
        "volumes": [
            {
                "verdict": entry.verdict.value,
                "shape": list(entry.shape_kji),
                **{kind.value: [{"code": f.code, "text": f.text} for f in of_kind(findings, kind)] for kind in ReasonKind},
            }
            for entry, findings in checked
        ],
        "damaged": [{"path": d.path, "reason": d.reason} for d in damaged],
    }


def _print(checked: list[tuple[VolumeEntry, tuple[Finding, ...]]], damaged: tuple[DamagedFile, ...]) -> None:
    for number, (entry, findings) in enumerate(checked, start=1):
        if len(checked) > 1:
            show(f"{'' if number == 1 else chr(10)}Part {number} of {len(checked)}")
        show(verdict_sentence(entry))
        for kind in ReasonKind:
            lines = of_kind(findings, kind)
            if lines:
                show(f"{_TITLES[kind]}:")
                show("\n".join(f"  {finding.text}" for finding in lines))
    for file in damaged:
        show(f"Damaged: {file.path}: {file.reason}")
