"""Explains an answer: ``explain(request, context) -> Explanation``."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import torch
from torch import nn

from medview.core.errors import DeviceError, ModelError
from medview.core.explanation import Explanation
from medview.core.geometry import Geometry
from medview.core.heat import Heat, to_levels
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.source import Source, SourceKind
from medview.ml.explain.deletion import deletion_check
from medview.ml.explain.gradcam import deepest_layer, gradcam
from medview.ml.explain.occlusion import AT_ONCE, occlusion
from medview.ml.explain.targets import Target, box_target, class_target, slice_of
from medview.ml.explain_request import ExplainRequest
from medview.ml.outputs import ClassificationOutput
from medview.ml.predict import as_wanted
from medview.ml.runners.device_errors import explained
from medview.ml.runners.memory_plan import FLOAT, plan_for
from medview.ml.runners.model_grid import ModelGrid
from medview.ml.runners.preprocess import Prepared, prepare, shown_of
from medview.ml.runners.run import let_go
from medview.ml.spec import Shape3
from medview.ml.weights import load_network

COVER_MM = 12.0
"""Side of a cover for occlusion, where the picture has millimetres."""

SMALL = 40
"""Side of the part on which the layer to look at is found."""

HOTTEST = 1.0
"""Heat maps are told as parts of their hottest place."""

_log = logging.getLogger("medview.models")


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """What was looked at: part of the model's grid, from a corner."""

    values: torch.Tensor
    corner_kji: tuple[int, int, int]
    target: Target


def explain(request: ExplainRequest, context: JobContext) -> Explanation:
    """Say where a model looked.

    Raises
    ------
    ModelError
        One sentence; details go to the log.
    CancelledError
        When the person pressed Cancel.
    """
    spec = request.predict.pack.spec
    began = time.monotonic()
    try:
        looked, prepared, network = _start(request, context)
        heat = _heat(request, looked, network, prepared, context).detach().cpu()
        fill = looked.values.mean(dim=(0, 2, 3, 4))
        with torch.inference_mode():
            check = deletion_check(
                looked.values, heat, _scoring(network, looked.target, context), fill, _ticker(context, 0.85, 1.0)
            )
    except (RuntimeError, MemoryError, AssertionError, ValueError) as error:
        _log.exception("%s could not be explained", spec.key)
        wrong = explained(spec.name, error)
        if isinstance(wrong, DeviceError):
            let_go()
        raise wrong from error
    strengths = heat.numpy()
    if not strengths.max() > 0:
        raise ModelError(
            f"Nothing in this picture speaks for {request.class_name} by this method; try the other one.",
            detail=f"{spec.key}, {request.method}",
        )
    shown = Heat(
        to_levels(strengths / strengths.max(), 0.0, HOTTEST),
        _geometry(request, prepared, looked),
        f"{request.class_name}: {_WHAT[request.method]}",
        note=check.sentence(),
        source=_source(request),
    )
    context.progress(1.0, "Done")
    return Explanation(shown, check, request.method, request.class_name, time.monotonic() - began)


_WHAT = {"gradcam": _("where the model looked"), "occlusion": _("what the score hangs on")}


def _start(request: ExplainRequest, context: JobContext) -> tuple[_Looked, Prepared, nn.Module]:
    spec = request.predict.pack.spec
    context.progress(0.0, f"Loading {spec.name}")
    # Not one of those kept for runs: they were made for answers only and know no gradients.
    network = load_network(request.predict.pack)
    context.progress(0.03, "Preparing the volume")
    volumes = as_wanted(request.predict).volumes
    shown = shown_of(volumes, spec.input, context)
    device = _device(request, network, shown.shape_kji)
    network = network.to(device)
    for leaf in network.modules():
        leaf.register_forward_pre_hook(lambda *_inputs: context.raise_if_cancelled())
    context.progress(0.05, "Preparing the volume")
    prepared = prepare(volumes, spec.input, context, device, shown)
    values = prepared.values.clone()[None]
    if isinstance(spec.output, ClassificationOutput):
        number = spec.output.classes.index(request.class_name)
        target = class_target(number, spec.output)
        if spec.input.dimensions == 3:
            return _Looked(values, (0, 0, 0), target), prepared, network
        with torch.inference_mode():
            k = slice_of(request.slice_index, values, network, target, prepared, context)
        return _Looked(values[:, :, k : k + 1].clone(), (k, 0, 0), target), prepared, network
    if request.box is None:
        raise ModelError(f"{spec.name} finds boxes; choose the one to explain.")
    part, corner, target = box_target(
        request.box, request.class_name, values, network, spec, prepared, request.predict.volume
    )
    return _Looked(part, corner, target), prepared, network


def _device(request: ExplainRequest, network: nn.Module, shape_kji: Shape3) -> torch.device:
    """Return where there is room: for the volume, a copy of it, and covered copies of what is looked at."""
    pack = request.predict.pack
    spec = pack.spec
    looked = shape_kji
    if spec.tiling is not None:
        looked = spec.tiling.tile_kji
    elif spec.input.dimensions == 2:
        looked = (1, shape_kji[1], shape_kji[2])
    channel = 2 * math.prod(shape_kji) + AT_ONCE * math.prod(looked)
    held = FLOAT * spec.in_channels * channel
    return plan_for(pack, network, looked, request.predict.device, held).device


def _heat(
    request: ExplainRequest, looked: _Looked, network: nn.Module, prepared: Prepared, context: JobContext
) -> torch.Tensor:
    if request.method == "gradcam":
        context.progress(0.2, "Looking at the features")
        context.raise_if_cancelled()
        return gradcam(network, looked.values, looked.target.logit, _layer(request, looked, network))
    dk, dj, di = (max(1, round(COVER_MM / mm)) for mm in prepared.spacing_kji_mm)
    fill = looked.values.mean(dim=(0, 2, 3, 4))
    with torch.inference_mode():
        scoring = _scoring(network, looked.target, context)
        return occlusion(looked.values, scoring, (dk, dj, di), fill, _ticker(context, 0.1, 0.85))


def _layer(request: ExplainRequest, looked: _Looked, network: nn.Module) -> str:
    """Return the layer to look at, found on a small part where the network takes any size.

    To find it the gradients of all layers are kept; of a whole volume that would take more memory than there is.
    """
    spec, values = request.predict.pack.spec, looked.values
    if isinstance(spec.output, ClassificationOutput) and spec.input.shape_kji is None:
        middle = [slice(max(0, (n - SMALL) // 2), max(0, (n - SMALL) // 2) + SMALL) for n in values.shape[2:]]
        # Some networks need more than they were promised.
        with contextlib.suppress(RuntimeError, ValueError):
            return deepest_layer(network, values[(slice(None), slice(None), *middle)], looked.target.logit)
    return deepest_layer(network, values, looked.target.logit)


def _scoring(network: nn.Module, target: Target, context: JobContext) -> Callable[[torch.Tensor], torch.Tensor]:
    def score(values: torch.Tensor) -> torch.Tensor:
        context.raise_if_cancelled()
        return target.probability(network(values))

    return score


def _ticker(context: JobContext, first: float, last: float) -> Callable[[float], None]:
    def tick(fraction: float) -> None:
        context.raise_if_cancelled()
        context.progress(first + (last - first) * fraction, "Covering parts of the picture")

    return tick


def _geometry(request: ExplainRequest, prepared: Prepared, looked: _Looked) -> Geometry:
    """Return the grid of what was looked at in the patient: the model's axes, spacing and corner."""
    whole = request.predict.volume.geometry
    grid = ModelGrid.of(prepared, whole).geometry
    k, j, i = (int(n) for n in looked.values.shape[2:])
    affine = np.array(grid.affine_lps)
    affine[:3, 3] = grid.point_lps_mm(looked.corner_kji)
    return Geometry((k, j, i), affine, whole.frame_of_reference_uid, whole.calibration)


def _source(request: ExplainRequest) -> Source:
    pack = request.predict.pack
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Source(SourceKind.MODEL, pack.spec.id, pack.spec.version, pack.sha256, request.predict.job_id, now)
