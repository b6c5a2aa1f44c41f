"""Tiled inference against MONAI's sliding window on the same network, volume, tiles and thread count.

A 192 x 192 x 160 volume at 1 mm is run at 1.5 mm and brought back to its own grid. MONAI's way keeps all logits, resamples
them and takes the largest. The weights are random, so every class wins everywhere: the worst case for what comes after.
Seconds are of processor time on one thread, which neighbours on the same computer disturb least.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from monai.inferers import SlidingWindowInferer
from torch import nn
from torch.nn import functional

from medview.core.job import Inline
from medview.ml.networks.unet import unet3d
from medview.ml.runners.finish import GridLabels
from medview.ml.runners.memory_plan import MemoryPlan
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.tiling import logit_slabs
from medview.ml.runners.watched import Progress, Stopwatch, WatchedNetwork
from medview.ml.spec import Blend, Shape3, Tiling
from medview.ml.weights import ready
from tests.benchmarks.row import Row

SHAPE: Shape3 = (160, 192, 192)
MODEL_SHAPE: Shape3 = (107, 128, 128)
TILE: Shape3 = (64, 64, 64)
CLASSES = (2, 21)
"""One and twenty, with background."""

RUNS = 3


class Clocked(nn.Module):
    """Counts the seconds inside a network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seconds = 0.0

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        started = time.process_time()
        found: torch.Tensor = self.network(tiles)
        self.seconds += time.process_time() - started
        return found


def ours(network: nn.Module, values: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    grid = GridLabels(SHAPE, Orientation(), MODEL_SHAPE, Inline())
    plan = MemoryPlan(torch.device("cpu"), (1, 1, 1), 2, 0)
    with WatchedNetwork(network, Inline(), Progress(Inline(), 0.0, 1.0), Stopwatch()) as watched:
        for slab in logit_slabs(watched, values, Tiling(TILE, 0.5, Blend.GAUSSIAN), plan):
            grid.add(slab)
    return grid.labels


def theirs(network: nn.Module, values: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    logits = SlidingWindowInferer(TILE, sw_batch_size=2, overlap=0.5, mode="gaussian")(values[None], network)
    assert isinstance(logits, torch.Tensor)
    wide = functional.interpolate(logits, SHAPE, mode="trilinear", align_corners=False)
    return np.asarray(wide[0].argmax(0).to(torch.uint8).numpy())


def rows() -> list[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [row for classes in CLASSES for row in compared(classes)]
    finally:
        torch.set_num_threads(threads)


def compared(classes: int) -> list[Row]:
    """Return the rows of one number of classes."""
    found = []
    plain, fast, values = networks(classes)
    with torch.inference_mode():
        # In turns, so that both meet the same weather.
        runs = [(measured(ours, fast, values), measured(theirs, plain, values)) for _ in range(RUNS)]
    mask, other = runs[0][0][0], runs[0][1][0]
    ours_network, theirs_network = (min(run[side][1] for run in runs) for side in (0, 1))
    ours_after, theirs_after = (min(run[side][2] for run in runs) for side in (0, 1))
    what = f"{classes - 1} class{'es' if classes > 2 else ''}"
    note = f"{ours_network:.2f} s against {theirs_network:.2f} s of MONAI"
    found.append(Row(f"inference, {what}: network", ours_network / theirs_network, "x", 1.0, note))
    note = f"{ours_after:.2f} s against {theirs_after:.2f} s of MONAI"
    found.append(Row(f"inference, {what}: after the network", ours_after / theirs_after, "x", 1 / 1.5, note))
    dice = [2 * ((mask == v) & (other == v)).sum() / ((mask == v).sum() + (other == v).sum()) for v in np.unique(other)]
    found.append(
        Row(f"inference, {what}: 1 - Dice with MONAI", 1.0 - float(min(dice)), "", 0.001, f"{len(dice)} labels present")
    )
    return found


def networks(classes: int) -> tuple[nn.Module, nn.Module, torch.Tensor]:
    """Return one network twice, as built and as MedView readies it, and a volume on which every class wins somewhere."""
    torch.manual_seed(0)
    values = functional.interpolate(torch.randn(1, 1, 12, 14, 14), MODEL_SHAPE, mode="trilinear")[0]
    pair = []
    for _ in range(2):
        torch.manual_seed(1)
        pair.append(unet3d(1, classes, [8, 16, 32]).eval().requires_grad_(False))
    with torch.inference_mode():
        spread, mean = torch.std_mean(pair[0](values[None])[0], dim=(1, 2, 3))
    for network in pair:
        network.head.weight.div_(spread.view(-1, 1, 1, 1, 1))
        network.get_parameter("head.bias").sub_(mean).div_(spread)
    return pair[0], ready(pair[1]), values


def measured(
    way: Callable[[nn.Module, torch.Tensor], np.ndarray[tuple[int, ...], np.dtype[np.uint8]]],
    network: nn.Module,
    values: torch.Tensor,
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], float, float]:
    """Return the labels, and the seconds in the network and after it."""
    clocked = Clocked(network)
    started = time.process_time()
    labels = way(clocked, values)
    return labels, clocked.seconds, time.process_time() - started - clocked.seconds
