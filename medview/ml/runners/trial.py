"""What a run would take on this computer, found out with one tile of noise."""

from __future__ import annotations

import math
import time

import torch
from torch import nn

from medview.core.errors import ModelError
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.ml.estimate import RunEstimate
from medview.ml.packs import ModelPack
from medview.ml.runners.device_errors import explained
from medview.ml.runners.memory_plan import MemoryPlan, free_on, plan_for
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.precision import Precision
from medview.ml.runners.preprocess import model_shape
from medview.ml.runners.tile_starts import tile_starts
from medview.ml.runners.watched import Progress, Stopwatch, WatchedNetwork
from medview.ml.spec import Blend, ModelSpec, Shape3
from medview.ml.weights import RESIDENT

LONG_ENOUGH_S = 0.5
"""A tile that takes less is timed a second time: the first one also made the network's memory."""

TRIAL_SIDE = 64
"""Longest side of the piece that stands for networks without tiles of their own."""

AROUND_NETWORK = 1.25
"""Reading, resampling and putting tiles together, as a part of the network's time."""

LEAST_S = 0.5
"""What any run takes."""


def estimate(pack: ModelPack, geometry: Geometry, context: JobContext, device: str = "auto") -> RunEstimate:
    """Time one tile and count how many there are.

    Returns
    -------
    RunEstimate
        With ``problem`` where this computer cannot run the model on such a series.

    Raises
    ------
    PackError
        When the weights are damaged.
    CancelledError
    """
    spec = pack.spec
    context.progress(0.0, f"Loading {spec.name}")
    with torch.inference_mode():
        network = RESIDENT.get(pack, torch.device("cpu"))
        turn = Orientation.towards(geometry, spec.input.orientation, spec.input.axes)
        shape = model_shape(turn.turned_shape(geometry.shape_kji), turn.turned_numbers(geometry.spacing_kji_mm), spec.input)
        rounds = 1
        if spec.tiling is None and spec.input.dimensions == 2:
            rounds, shape = shape[0], (1, shape[1], shape[2])
        try:
            plan = plan_for(pack, network, shape, device)
        except ModelError as error:
            return RunEstimate(0.0, device=device, problem=error.sentence)
        if plan.device.type != "cpu":
            network = RESIDENT.get(pack, plan.device)
        piece, count = _pieces(spec, plan, shape)
        context.progress(0.1, "Timing one tile")
        try:
            seconds = _timed(network, (plan.batch, spec.in_channels, *piece), plan.device, context)
        except (RuntimeError, MemoryError, AssertionError) as error:
            raise explained(spec.name, error) from error
    whole = LEAST_S + AROUND_NETWORK * seconds * math.ceil(count * rounds / plan.batch)
    return RunEstimate(whole, plan.bytes_needed, free_on(plan.device.type), plan.device.type)


def _pieces(spec: ModelSpec, plan: MemoryPlan, shape: Shape3) -> tuple[Shape3, float]:
    """Return the shape of a piece that is timed and how many of them make the whole."""
    tiling = spec.tiling
    if tiling is None:
        return shape, 1.0
    if tiling.blend is Blend.GAUSSIAN:
        # Each tile is looked at in every mirrored way as well.
        count = 1 << len(tiling.mirror_axes)
        for length, side in zip(shape, tiling.tile_kji, strict=True):
            count *= len(tile_starts(length, side, tiling.overlap, spread=tiling.spread))
        return tiling.tile_kji, float(count)
    read = 1.0
    for length, splits, margin in zip(shape, plan.splits_kji, tiling.margin_kji, strict=True):
        read *= splits * min(length, math.ceil(length / splits) + margin * min(2, splits - 1))
    k, j, i = (min(length, TRIAL_SIDE) for length in shape)
    return (k, j, i), read / (k * j * i)


def _timed(network: nn.Module, shape: tuple[int, ...], device: torch.device, context: JobContext) -> float:
    tile = torch.randn(shape, device=device)
    with WatchedNetwork(network, context, Progress(context, 0.1, 1.0), Stopwatch(), Precision.of(device)) as watched:
        times: list[float] = []
        while not times or (len(times) == 1 and times[0] < LONG_ENOUGH_S):
            began = time.perf_counter()
            watched.run(tile)
            if device.type != "cpu":
                torch.cuda.synchronize(device)
            times.append(time.perf_counter() - began)
    return times[-1]
