"""Runs any pack on a volume: ``predict(request, context) -> Prediction``."""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import torch

from medview.core.errors import DeviceError, MedViewError, ModelError
from medview.core.job import JobContext
from medview.core.prediction import Prediction
from medview.core.scores import ScoreRule
from medview.core.source import Source, SourceKind
from medview.ml.next_cases.case_scores import CaseScores
from medview.ml.outputs import ClassificationOutput, DetectionOutput, Output
from medview.ml.predict import PredictRequest, as_wanted
from medview.ml.registry import fits
from medview.ml.runners.body import Body, find_body
from medview.ml.runners.device_errors import explained
from medview.ml.runners.job import PREPARED_AT, Findings, RunningJob
from medview.ml.runners.memory_plan import plan_for
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.precision import Precision
from medview.ml.runners.preprocess import prepare, shown_of
from medview.ml.runners.probability import class_levels
from medview.ml.runners.prompt_session import KEPT
from medview.ml.runners.unsure import doubtful, looks_of, scores_of
from medview.ml.runners.watched import Stopwatch
from medview.ml.spec import Crop, ModelSpec, Shape3, Task
from medview.ml.weights import RESIDENT

RUNNERS: Mapping[Task, str] = {
    Task.SEGMENTATION: "medview.ml.runners.segmenter:segment",
    Task.DETECTION: "medview.ml.runners.detector:detect",
    Task.CLASSIFICATION: "medview.ml.runners.classifier:classify",
}
"""Task to ``module:function``, imported when it is needed."""

_log = logging.getLogger("medview.models")


def predict(request: PredictRequest, context: JobContext) -> Prediction:
    """Run a pack on a volume.

    Parameters
    ----------
    request : PredictRequest
    context : JobContext
        Progress, and Cancel before every layer and between pieces of resampling.

    Returns
    -------
    Prediction
        On the volume's own grid.

    Raises
    ------
    ModelError
        One sentence; details go to the log.
    CancelledError
        When the person pressed Cancel; nothing is left behind.
    """
    spec = request.pack.spec
    stopwatch = Stopwatch()
    with explaining(spec):
        job = _start(request, context, stopwatch)
        findings = _runner(spec.task)(job)
    _log.info("%s on %s: %s", spec.key, job.plan.device, stopwatch.seconds)
    context.progress(1.0, "Done")
    return Prediction(
        task=spec.task.value,
        model_name=spec.name,
        source=job.source,
        geometry=request.volume.geometry,
        series_uid=request.volume.series_uid,
        mask=findings.mask,
        further=findings.further,
        boxes=findings.boxes,
        scores=findings.scores or {},
        slice_scores=findings.slice_scores,
        score_rule=_rule(spec.output),
        seconds=dict(stopwatch.seconds),
        device=_device_name(job),
        peak_memory_mb=_peak_bytes(job.plan.device, stopwatch) / 1e6,
        notice=spec.notice,
        warnings=(*request.remarks, *findings.warnings),
    )


def probability(request: PredictRequest, value: int, context: JobContext) -> npt.NDArray[np.uint8]:
    """Run a pack on a volume once more and return how probable one of its segments is, shape (k, j, i), 255 for 1.

    Raises
    ------
    ModelError
        As ``predict``, and when the pack makes no masks or has no segment of this value.
    """
    stopwatch = Stopwatch()
    with explaining(request.pack.spec):
        levels = class_levels(_start(request, context, stopwatch), value)
    context.progress(1.0, "Done")
    return levels


def unsure(request: PredictRequest, context: JobContext) -> CaseScores:
    """Run a pack on a volume to see how unsure it is of it; nothing is labelled.

    Raises
    ------
    ModelError
        As ``predict``.
    """
    spec = request.pack.spec
    stopwatch = Stopwatch()
    threshold = spec.output.score_threshold if isinstance(spec.output, DetectionOutput) else 0.5
    asked, looks = replace(request, pack=doubtful(request.pack)), looks_of(spec)
    with explaining(spec):
        try:
            job = _start(asked, context, stopwatch, len(looks))
        except ModelError:
            # One look takes no more memory than a prediction. What else is wrong is wrong again.
            looks = looks[:1]
            job = _start(asked, context, stopwatch)
        found = scores_of(job, looks, threshold)
    _log.info("%s: how unsure it is: %s", spec.key, stopwatch.seconds)
    context.progress(1.0, "Done")
    return found


@contextlib.contextmanager
def explaining(spec: ModelSpec) -> Iterator[None]:
    """Say in one sentence what goes wrong inside, and let go of all networks where the computer was to blame."""
    try:
        with torch.inference_mode():
            yield
    except (RuntimeError, MemoryError, AssertionError) as error:
        # torch tells of drivers and graphics cards with all three; what is no device's fault is named as such.
        _log.exception("%s failed", spec.key)
        wrong = explained(spec.name, error)
        if isinstance(wrong, DeviceError):
            let_go()
        raise wrong from error
    except MedViewError as error:
        if error.detail:
            _log.warning("%s: %s", spec.key, error.detail)
        raise


def _start(request: PredictRequest, context: JobContext, stopwatch: Stopwatch, looks: int = 1) -> RunningJob:
    spec = request.pack.spec
    if spec.task not in RUNNERS:
        raise ModelError(f"{spec.name} finds objects from prompts; take the prompt tool in the window and choose it there.")
    for channel, given in enumerate(request.volumes):
        fit = fits(spec, given.modality, given.geometry, given.unit, given.colour, channel)
        if not fit.ok:
            raise ModelError(fit.reason)
    request = as_wanted(request)
    context.progress(0.0, f"Loading {spec.name}")
    with stopwatch.stage("load"):
        network = RESIDENT.get(request.pack, torch.device("cpu"))
        shown = shown_of(request.volumes, spec.input, context)
        body = _body(request, shown.orientation, shown.shape_kji, context)
        looked_at = shown.shape_kji if body is None else body.box.shape_kji
        if spec.tiling is None and spec.input.dimensions == 2:
            # Slices go through one by one, whatever their number.
            looked_at = (1, looked_at[1], looked_at[2])
        plan = plan_for(request.pack, network, looked_at, request.device, looks=looks)
        if plan.device.type != "cpu":
            network = RESIDENT.get(request.pack, plan.device)
            torch.cuda.reset_peak_memory_stats(plan.device)
    context.progress(PREPARED_AT / 4, "Preparing the volume")
    with stopwatch.stage("prepare"):
        prepared = prepare(request.volumes, spec.input, context, plan.device, shown)
    source = Source(
        kind=SourceKind.MODEL,
        model_id=spec.id,
        model_version=spec.version,
        model_sha256=request.pack.sha256,
        job_id=request.job_id,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    precision = Precision.of(plan.device, full=request.full_precision)
    return RunningJob(request, context, stopwatch, source, plan, network, prepared, precision, body)


def _body(request: PredictRequest, turn: Orientation, shape_kji: Shape3, context: JobContext) -> Body | None:
    spec = request.pack.spec
    if not request.crop or spec.input.crop is not Crop.BODY or spec.task is not Task.SEGMENTATION:
        return None
    return find_body(
        request.volumes, turn, shape_kji, context, (0, 0, 0) if spec.tiling is None else spec.tiling.margin_kji
    )


def _rule(output: Output) -> ScoreRule | None:
    if not isinstance(output, ClassificationOutput):
        return None
    return ScoreRule(output.subject.value, output.threshold, output.abstain, output.activation == "softmax")


def _runner(task: Task) -> Callable[[RunningJob], Findings]:
    module, _, function = RUNNERS[task].partition(":")
    found: Callable[[RunningJob], Findings] = getattr(importlib.import_module(module), function)
    return found


def let_go() -> None:
    """Give back the memory that networks and prompts hold, so that another try has it."""
    RESIDENT.clear()
    KEPT.clear()
    if torch.cuda.is_initialized():
        # After a fault of the card every call fails, this one too.
        with contextlib.suppress(RuntimeError):
            torch.cuda.empty_cache()


def _device_name(job: RunningJob) -> str:
    device = job.plan.device
    name = "cpu" if device.type == "cpu" else f"cuda ({torch.cuda.get_device_name(device)})"
    return name if job.precision.half is None else f"{name}, half precision"


def _peak_bytes(device: torch.device, stopwatch: Stopwatch) -> int:
    return stopwatch.peak_bytes if device.type == "cpu" else int(torch.cuda.max_memory_allocated(device))
