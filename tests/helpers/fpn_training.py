"""What a detector with a pyramid of features is trained to answer, and what its mistakes cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from medview.ml.training.patches import PatchBatch

ALPHA, GAMMA = 0.25, 2.0
"""Of the focal loss (Lin 2017)."""

NEAR_CELLS = 1.5
"""Cells inside an object whose middle is not further from its middle than this answer for it (Tian 2019)."""

LARGEST_CELLS = 8.0
"""An object whose longest edge is over so many cells of a level belongs to a coarser one."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LevelTargets:
    """What a perfect detector answers on one level, for a batch; arrays (N, channels, k, j, i), or without k for slices.

    Attributes
    ----------
    present : Tensor of float32
        1 in the cells that answer for an object, one class.
    centre : Tensor of float32
        Centerness there, 1 in the middle.
    offset, size : Tensor of float32
        In cells, and in voxels.
    """

    present: torch.Tensor
    centre: torch.Tensor
    offset: torch.Tensor
    size: torch.Tensor


def fpn_targets(
    boxes: Sequence[Floats], shapes: Sequence[tuple[int, ...]], levels: Sequence[tuple[int, int, int]]
) -> list[LevelTargets]:
    """Return what is to be answered.

    Parameters
    ----------
    boxes : sequence of ndarray, shape (n, 6)
        Per patch: centre k, j, i in voxels at voxel edges, then edge lengths in voxels.
    shapes : sequence of tuple of int
        Cells of every level: (k, j, i), or (j, i) for slices, of which only boxes that reach into the slice count.
    levels : sequence of tuple of int
        Voxels per cell along k, j, i.
    """
    found = []
    for number, (shape, step) in enumerate(zip(shapes, levels, strict=True)):
        flat, dims = len(shape) == 2, len(shape)
        steps = np.asarray(step[-dims:], dtype=np.float64)
        longest = LARGEST_CELLS * steps.max()
        bounds = (0.0 if number == 0 else longest / 2, np.inf if number == len(levels) - 1 else longest)
        grid = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) for n in shape], indexing="ij"), axis=-1) * steps
        present = np.zeros((len(boxes), 1, *shape), dtype=np.float32)
        centre, offset = np.zeros_like(present), np.zeros((len(boxes), dims, *shape), dtype=np.float32)
        size = np.ones_like(offset)
        for n, ones in enumerate(boxes):
            # Smaller objects are written last: of two that share a cell it answers for the smaller.
            for box in sorted(ones.astype(np.float64), key=lambda b: -float(np.prod(b[3:]))):
                if flat and not abs(box[0] - 0.5) < box[3] / 2:
                    continue
                middle, edges = box[3 - dims : 3], box[6 - dims :]
                if not bounds[0] < edges.max() <= bounds[1]:
                    continue
                away = middle - grid
                inside = (np.abs(away) <= edges / 2).all(axis=-1) & (np.abs(away) <= NEAR_CELLS * steps).all(axis=-1)
                own = tuple(np.floor(middle / steps).astype(int))
                if all(0 <= c < count for c, count in zip(own, shape, strict=True)):
                    inside[own] = True
                present[n, 0][inside] = 1.0
                nearness = 1.0 - np.abs(away) / ((edges + steps) / 2)
                centre[n, 0][inside] = np.clip(nearness, 0.0, 1.0).prod(axis=-1)[inside] ** (1 / dims)
                offset[n][:, inside] = (away / steps)[inside].T
                size[n][:, inside] = edges[:, None]
        found.append(LevelTargets(*(torch.from_numpy(a) for a in (present, centre, offset, size))))
    return found


def fpn_loss(
    answer: dict[str, torch.Tensor],
    batch: PatchBatch,
    levels: Sequence[tuple[int, int, int]],
    spacing_kji_mm: tuple[float, float, float],
) -> torch.Tensor:
    """Return the focal loss of one class plus, where objects are, those of centerness, offset (cells) and size (log)."""
    in_voxels = [np.concatenate([b[:, :3], b[:, 3:] / np.asarray(spacing_kji_mm)], axis=1) for b in batch.boxes]
    shapes = [tuple(answer[f"logits_{n}"].shape[2:]) for n in range(len(levels))]
    targets = fpn_targets([b.astype(np.float32) for b in in_voxels], shapes, levels)
    count = max(1.0, float(sum(t.present.sum() for t in targets)))
    loss = answer["logits_0"].new_zeros((), dtype=torch.float32)
    for n, truth in enumerate(targets):
        logits, centre = answer[f"logits_{n}"].float(), answer[f"centre_{n}"].float()
        loss = loss + focal(logits, truth.present) / count
        here = truth.present[:, 0] > 0
        if not here.any():
            continue
        loss = loss + functional.binary_cross_entropy_with_logits(centre[:, 0][here], truth.centre[:, 0][here])
        found, wanted = answer[f"offset_{n}"].float().movedim(1, -1)[here], truth.offset.movedim(1, -1)[here]
        loss = loss + functional.l1_loss(found, wanted)
        found, wanted = answer[f"size_{n}"].float().movedim(1, -1)[here], truth.size.movedim(1, -1)[here]
        loss = loss + functional.l1_loss(found.log(), wanted.log())
    return loss


def focal(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the focal loss of all cells together: what is easy counts little."""
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    probability = logits.sigmoid()
    wrong = truth * (1 - probability) + (1 - truth) * probability
    weight = truth * ALPHA + (1 - truth) * (1 - ALPHA)
    return (weight * wrong**GAMMA * entropy).sum()
