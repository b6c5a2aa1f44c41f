"""Which number of a network's answer is explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from medview.core.annotations import BoxAnnotation
from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.core.volume import Volume
from medview.ml.outputs import ClassificationOutput, DetectionOutput
from medview.ml.runners.classifier import SLICES_AT_ONCE, probabilities
from medview.ml.runners.decode import Decoder
from medview.ml.runners.placing import to_model
from medview.ml.runners.preprocess import Prepared
from medview.ml.spec import ModelSpec

Corner = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Target:
    """One number of an answer.

    Attributes
    ----------
    logit : callable
        From an answer to the number before its activation, shape (N,); what gradients are taken of.
    probability : callable
        From an answer to the score 0 to 1, shape (N,).
    """

    logit: Callable[[Any], torch.Tensor]
    probability: Callable[[Any], torch.Tensor]


def class_target(number: int, output: ClassificationOutput) -> Target:
    """Return the score of a class."""
    return Target(lambda found: found[:, number], lambda found: probabilities(found, output)[:, number])


def slice_of(
    wanted: int | None, values: torch.Tensor, network: nn.Module, target: Target, prepared: Prepared, context: JobContext
) -> int:
    """Return the model's slice of an input slice; without one that with the highest score."""
    count = values.shape[2]
    if wanted is not None:
        turned = prepared.turned_shape_kji[0]
        at = turned - 1 - wanted if prepared.orientation.flipped[0] else wanted
        return min(count - 1, max(0, int(to_model(prepared, (at + 0.5, 0.0, 0.0))[0])))
    scores = []
    for k in range(0, count, SLICES_AT_ONCE):
        context.raise_if_cancelled()
        slices = values[0, :, k : k + SLICES_AT_ONCE].transpose(0, 1)[:, :, None]
        scores += target.probability(network(slices)).tolist()
    return int(np.argmax(scores))


def box_target(
    box: BoxAnnotation,
    class_name: str,
    values: torch.Tensor,
    network: nn.Module,
    spec: ModelSpec,
    prepared: Prepared,
    volume: Volume,
) -> tuple[torch.Tensor, Corner, Target]:
    """Return the tile around a box, its corner in the model's grid (outside where the volume is smaller), and its score.

    The score is the highest one of the cells inside the box, so that it follows the object where its middle moves a little.
    """
    output, tiling = spec.output, spec.tiling
    assert isinstance(output, DetectionOutput)
    assert tiling is not None
    number = [one.name for one in output.classes].index(class_name)
    low, high = _in_model(box, prepared, volume)
    tile, corner = _tile(values, (low + high) / 2, tiling.tile_kji)
    decoder = Decoder(network, prepared.spacing_kji_mm, output)
    low, high = low - corner, high - corner
    levels = decoder.levels if decoder.levels is not None else (decoder.cell_kji,)
    windows = [_cells(low, high, step) for step in levels]
    # The level that says most about this box in the picture as it is; the others know nothing of it.
    with torch.inference_mode():
        found = decoder.check(network(tile))
        best = max(range(len(levels)), key=lambda n: float(_inside(_scores(found, n, decoder), number, windows[n]).max()))

    def probability(answer: dict[str, torch.Tensor]) -> torch.Tensor:
        return _inside(_scores(answer, best, decoder), number, windows[best]).flatten(1).amax(1)

    def logit(answer: dict[str, torch.Tensor]) -> torch.Tensor:
        key = "heatmap" if decoder.levels is None else f"logits_{best}"
        return _inside(answer[key], number, windows[best]).flatten(1).amax(1)

    return tile, (int(corner[0]), int(corner[1]), int(corner[2])), Target(logit, probability)


def _in_model(box: BoxAnnotation, prepared: Prepared, volume: Volume) -> tuple[Any, Any]:
    """Return the bounds of a box in the model's voxels, at voxel edges."""
    geometry, turn = volume.geometry, prepared.orientation
    low, high = box.bounds_kji(geometry)
    ends = []
    for n, axis in enumerate(turn.axes):
        length = geometry.shape_kji[axis]
        pair = (length - high[axis], length - low[axis]) if turn.flipped[n] else (low[axis], high[axis])
        ends.append(pair)
    both = np.asarray(ends)
    return to_model(prepared, both[:, 0]), to_model(prepared, both[:, 1])


def _tile(values: torch.Tensor, middle: Any, tile_kji: Corner) -> tuple[torch.Tensor, Any]:
    """Return a tile around a place, inside the volume where it is large enough, with zeros around it where it is not."""
    sides, tile = np.asarray(values.shape[2:]), np.asarray(tile_kji)
    corner = np.clip(np.floor(middle - tile / 2), 0, np.maximum(sides - tile, 0)).astype(int)
    before = np.maximum(tile - sides, 0) // 2
    cut = values[:, :, corner[0] : corner[0] + tile[0], corner[1] : corner[1] + tile[1], corner[2] : corner[2] + tile[2]]
    missing = tile - np.asarray(cut.shape[2:])
    pads = [int(n) for axis in (2, 1, 0) for n in (before[axis], missing[axis] - before[axis])]
    return functional.pad(cut, pads).contiguous(), corner - before


def _cells(low: Any, high: Any, step: Corner) -> tuple[slice, ...]:
    """Return the cells inside a box, at least the one of its middle."""
    window = []
    for a, b, s in zip(low, high, step, strict=True):
        middle = int((a + b) / 2 // s)
        first, last = int(np.ceil(a / s - 0.5)), int(np.floor(b / s - 0.5))
        window.append(slice(max(0, min(first, middle)), max(last, middle, 0) + 1))
    return tuple(window)


def _scores(answer: dict[str, torch.Tensor], level: int, decoder: Decoder) -> torch.Tensor:
    if decoder.levels is None:
        return torch.sigmoid(answer["heatmap"].float())
    logits, centre = answer[f"logits_{level}"].float(), answer[f"centre_{level}"].float()
    return torch.sqrt(torch.sigmoid(logits) * torch.sigmoid(centre))


def _inside(maps: torch.Tensor, number: int, window: tuple[slice, ...]) -> torch.Tensor:
    found = maps[:, number][(slice(None), *window)]
    if found.numel() == 0:
        raise ModelError("This box lies where the model gives no answer; run the model again.")
    return found
