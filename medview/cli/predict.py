"""``medview predict MODEL SRC``: run a model and write what it finds."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Annotated

import typer

from medview.cli.output import print_json, progress, readers, say
from medview.core.errors import ModelError
from medview.io.load import load_volume
from medview.ml.predict import PredictRequest
from medview.ml.registry import fits
from medview.workspace.exports import (
    OUTPUT_NAMES,
    check_folder,
    prepare_folder,
    refuse_sources,
    remove_outputs,
    write_json,
    write_prediction,
)
from medview.workspace.models import model_registry

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="ID or ID@VERSION")],
    src: Annotated[list[Path], typer.Argument(metavar="SRC", help="Series folder, file or zip")],
    *,
    output: Annotated[Path, typer.Option("-o", help="Folder to write to")],
    series: Annotated[str | None, typer.Option(help="Series UID, where there are several")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write into a folder that is not empty")] = False,
    json: Annotated[bool, typer.Option("--json", help="summary.json on stdout")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Run a model on a series and write masks, boxes, scores and a summary."""
    pack = model_registry().get(model)
    if len(src) > 1:
        raise ModelError(f"{pack.spec.name} takes one image; {len(src)} were given.")
    check_folder(output, overwrite=overwrite)
    with progress(quiet=quiet) as context:
        started = time.monotonic()
        with readers() as pool:
            loaded = load_volume(src[0], series, context, pool)
        load_seconds = time.monotonic() - started
        volume = loaded.volume
        fit = fits(pack.spec, volume.modality, volume.geometry, volume.unit, volume.colour)
        if not fit.ok:
            raise ModelError(fit.reason)
        sources: list[str | Path] = [src[0], *(frame.path for frame in loaded.entry.frames)]
        for name in OUTPUT_NAMES:
            refuse_sources(output / name, sources)
        from medview.ml.runners.run import predict as run_prediction

        request = PredictRequest(volume=volume, pack=pack, device=device, job_id=uuid.uuid4().hex)
        prediction = run_prediction(request, context)
    prepare_folder(output, overwrite=overwrite)
    remove_outputs(output)
    started = time.monotonic()
    warnings = [f"{damaged.path}: {damaged.reason}" for damaged in loaded.damaged]
    summary = write_prediction(prediction, volume, [Path(p) for p in loaded.entry.dicom_paths], output, warnings)
    seconds = dict(prediction.seconds)
    seconds["load"] = seconds.get("load", 0.0) + load_seconds
    seconds["write"] = time.monotonic() - started
    summary["seconds"] = {
        stage: round(seconds.get(stage, 0.0), 4) for stage in ("load", "prepare", "infer", "finish", "write")
    }
    write_json(output / "summary.json", summary)
    if json:
        print_json(summary)
    else:
        say(f"{pack.spec.name} wrote its result to {output}.")
