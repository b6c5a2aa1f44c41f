"""``medview predict MODEL SRC``: run a model and write what it finds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, cast

import typer

from medview.cli.channels import channels_of
from medview.cli.output import check_device, print_json, progress, readers, say
from medview.core.errors import AmbiguousError, ModelError
from medview.core.explanation import Explanation
from medview.core.job import JobContext
from medview.core.prediction import Prediction
from medview.core.study import DamagedFile
from medview.io.load import load_volume
from medview.io.placed import unplaced_note
from medview.io.reader_pool import Pool
from medview.ml.explain_request import METHODS
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.runners.quiet_import import import_torch
from medview.workspace.explain_files import HEAT_FILE, check_class, request_for, write_heat
from medview.workspace.exports import (
    OUTPUT_NAMES,
    check_folder,
    prepare_folder,
    refuse_sources,
    remove_outputs,
    write_json,
    write_prediction,
)
from medview.workspace.input_preparation import Preparation
from medview.workspace.model_inputs import ModelInputs, given_of
from medview.workspace.models import model_registry, pack_of
from medview.workspace.project_place import is_project
from medview.workspace.requests_queue import damage

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def predict(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="ID or ID@VERSION; for a project also a model line of it, LINE or LINE@VERSION"
        ),
    ],
    src: Annotated[list[Path], typer.Argument(metavar="SRC", help="Series folder, file or zip, or a project")],
    *,
    output: Annotated[Path, typer.Option("-o", help="Folder to write to")],
    series: Annotated[str | None, typer.Option(help="Series UID, where there are several")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write into a folder that is not empty")] = False,
    channel: Annotated[list[str] | None, typer.Option(help="NAME=SERIES UID or NAME=PATH, for one channel")] = None,
    reference: Annotated[str | None, typer.Option(help="Channel on whose grid the result lies; else the first")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a project where an earlier run ended")] = False,
    explain: Annotated[str | None, typer.Option(metavar="CLASS", help="Write where the model looked for a class")] = None,
    method: Annotated[str, typer.Option(help="Of --explain: gradcam or occlusion")] = "gradcam",
    full_precision: Annotated[
        bool, typer.Option("--full-precision", help="On a graphics card, calculate in 32 bits instead of 16")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="summary.json on stdout")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress")] = False,
) -> None:
    """Run a model on a series, or on every case of a project, and write masks, boxes, scores and a summary.

    A model of several channels takes one SRC for each, in its order, or one folder with a study.
    """
    if method not in METHODS:
        raise AmbiguousError(f"--method {method} is none; choose {' or '.join(METHODS)}.")
    check_device(device)
    pack = _pack_of(model, src)
    if len(src) == 1 and is_project(src[0]):
        of_one = {"--series": series, "--channel": channel, "--reference": reference, "--explain": explain}
        if given := [option for option, value in of_one.items() if value]:
            raise AmbiguousError(f"A project is run case by case, each as the project knows it; leave {given[0]} out.")
        # Projects bring the database library with them.
        from medview.cli.predict_project import run_on_project
        from medview.workspace.project_predict import ProjectRun

        run = ProjectRun(pack, src[0], output, device, resume, overwrite, full_precision)
        run_on_project(run, json=json, quiet=quiet)
        return
    if resume:
        raise ModelError("Only a run over a project can be resumed; leave --resume out.")
    channels = [one.name for one in pack.spec.input.channels]
    # Colours of a picture are told as the one image that they are.
    names = channels if pack.spec.input.several else channels[:1]
    if len(src) > 1 and len(names) == 1:
        raise ModelError(f"{pack.spec.name} takes one image; {len(src)} were given.")
    if series is not None and (len(names) > 1 or channel):
        raise AmbiguousError(f"--series is for models of one series, without --channel; say --channel {names[0]}=UID.")
    if reference is not None and reference not in names:
        raise AmbiguousError(f"--reference {reference} is no channel of {pack.spec.name}; it has {', '.join(names)}.")
    check_folder(output, overwrite=overwrite)
    with progress(quiet=quiet) as context:
        started = time.monotonic()
        with readers() as pool:
            if len(names) == 1 and not channel:
                inputs, damaged = _series_of(pack, src[0], series, context, pool)
            else:
                inputs, damaged = channels_of(pack, src, channel or [], context, pool)
            if reference is not None:
                inputs = inputs.with_reference(names.index(reference))
            request = inputs.request(device)
            base = inputs.of(inputs.reference)
            assert base is not None
            paths = [frame.path for n in range(len(names)) if (one := inputs.of(n)) for frame in one.entry.frames]
            sources: list[str | Path] = [*src, *paths]
            for name in OUTPUT_NAMES:
                refuse_sources(output / name, sources)
            if isinstance(request, Preparation):
                request = request.prepare(context)
            request = replace(request, full_precision=full_precision)
        load_seconds = time.monotonic() - started
        import_torch()
        from medview.ml.runners.run import predict as run_prediction

        if explain is not None:
            check_class(request, explain)
        prediction = run_prediction(request, context)
        explanation = None if explain is None else _explained(request, prediction, explain, method, context)
    prepare_folder(output, overwrite=overwrite)
    remove_outputs(output)
    started = time.monotonic()
    warnings = [f"{one.path}: {one.reason}" for one in damaged]
    # Its voxels, unless the result lies on another channel's grid, are those of the first channel.
    # The channels of a colour picture are told as the one image that they are.
    volume = request.volumes[inputs.reference] if inputs.several else request.volume
    explained = None if explanation is None else write_heat(explanation, volume.geometry, output, context)
    if explained is not None:
        warnings += [note for note in [unplaced_note(volume.geometry, HEAT_FILE)] if note]
    # The summary comes last: where there is one, all that it names is there.
    summary = write_prediction(prediction, volume, [Path(p) for p in base.entry.dicom_paths], output, warnings)
    if explained is not None:
        summary["explain"] = explained
        summary["outputs"] = [*cast(list[str], summary["outputs"]), str(output / HEAT_FILE)]
    seconds = dict(prediction.seconds)
    seconds["load"] = seconds.get("load", 0.0) + load_seconds
    seconds["write"] = time.monotonic() - started
    summary["seconds"] = {
        stage: round(seconds.get(stage, 0.0), 4) for stage in ("load", "prepare", "infer", "finish", "write")
    }
    if inputs.several:
        summary["inputs"] = [
            {"channel": inputs.name(n), "series_uid": one.series.series_uid, "reference": n == inputs.reference}
            for n in range(len(names))
            if (one := inputs.of(n))
        ]
    write_json(output / "summary.json", summary)
    if json:
        print_json(summary)
    else:
        say(f"{pack.spec.name} wrote its result to {output}.")


def _pack_of(model: str, src: Sequence[Path]) -> ModelPack:
    if len(src) == 1 and is_project(src[0]):
        return pack_of(model, src[0])
    return model_registry().get(model)


def _explained(
    request: PredictRequest, prediction: Prediction, class_name: str, method: str, context: JobContext
) -> Explanation | None:
    """Return why a class was found; says so where there is no box of it."""
    wanted = request_for(request, prediction, class_name, method)
    if wanted is None:
        say(f"No box of {class_name} was found, so there is none to explain.")
        return None
    from medview.ml.explain.explain import explain

    return explain(wanted, context)


def _series_of(
    pack: ModelPack, path: Path, series_uid: str | None, context: JobContext, pool: Pool
) -> tuple[ModelInputs, tuple[DamagedFile, ...]]:
    """Return the one series under a path as what a model of one channel is given."""
    loaded = load_volume(path, series_uid, context, pool)
    if loaded.gaps:
        raise ModelError(damage(len(loaded.gaps)))
    one = given_of(loaded.series.series_uid, loaded.series, loaded.entry, loaded.volume)
    assert one is not None, "what was read can be given"
    return ModelInputs.proposed(pack, (one,), pool, one.key), loaded.damaged
