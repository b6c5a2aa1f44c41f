"""``medview scan PATH``: what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medview.cli.output import print_json, progress, readers, show
from medview.core.errors import ReadError
from medview.core.study import ScanResult, Verdict, VolumeEntry
from medview.io.dicom.scan import scan as scan_path
from medview.io.library import user_library

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def scan(
    path: Annotated[Path, typer.Argument(help="Folder, file or zip")],
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """List the series in a folder, file or zip with what is known of their geometry."""
    with readers() as pool, progress(quiet=quiet) as context:
        result = scan_path(path, context, pool, user_library())
    if json:
        print_json(document(result))
    else:
        _print_table(result)
    if not any(series.volumes for series in result.series):
        raise ReadError(f"{path} holds no image that MedView can read; choose a folder with DICOM, NIfTI or NRRD files.")


def document(result: ScanResult) -> dict[str, object]:
    """Return a scan as the documented JSON."""
    return {
        "files": {
            "seen": result.seen,
            "dicom": result.dicom,
            "ignored": dict(result.ignored),
            "damaged": [{"path": d.path, "reason": d.reason} for d in result.damaged],
        },
        "series": [
            {
                "series_uid": s.series_uid,
                "study_uid": s.study_uid,
                "patient_id": s.patient_id,
                "patient_name": s.patient_name,
                "modality": s.modality,
                "description": s.description,
                "instances": s.instances,
                "transfer_syntaxes": list(s.transfer_syntaxes),
                "volumes": [_volume(v) for v in s.volumes],
            }
            for s in result.series
        ],
    }


def _volume(entry: VolumeEntry) -> dict[str, object]:
    is_volume = entry.verdict is Verdict.VOLUME and entry.geometry is not None
    return {
        "verdict": entry.verdict.value,
        "reasons": [{"code": r.code, "text": r.text} for r in entry.reasons],
        "shape": list(entry.shape_kji),
        "spacing_mm": list(entry.spacing_kji_mm),
        "affine_lps": entry.geometry.affine_lps.tolist() if is_volume and entry.geometry else None,
        "unit": entry.unit,
        "colour": entry.colour,
        "time_points": entry.time_points,
        "times_s": list(entry.times_s),
        "spacing_source": entry.spacing_source.value,
        "suv": {kind.value: factor for kind, factor in entry.suv.factors} if entry.suv else None,
    }


def _print_table(result: ScanResult) -> None:
    for series in result.series:
        show(f"{series.modality or '-':3} {series.description or series.series_uid}  ({series.instances} files)")
        for entry in series.volumes:
            spacing = " x ".join("?" if d is None else f"{d:.3g}" for d in entry.spacing_kji_mm)
            shape = " x ".join(map(str, entry.shape_kji))
            show(f"    {entry.verdict.value}: {shape} voxels (k, j, i), {spacing} mm")
            for reason in entry.reasons:
                show(f"      {reason.code}: {reason.text}")
    for damaged in result.damaged:
        show(f"Damaged: {damaged.path}: {damaged.reason}")
