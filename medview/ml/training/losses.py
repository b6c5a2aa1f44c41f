"""What the networks are trained to make small."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from medview.ml.training.patches import PatchBatch

SMOOTH = 1.0
"""Softens the Dice of classes with a few voxels."""

SMALLEST_SHARE = 1e-6

NEAR_CELLS = 1.0
"""Cells closer than this to a centre also learn its size and offset: at inference the peak may be the neighbour."""


def segmentation_loss(
    logits: torch.Tensor, batch: PatchBatch, weights: torch.Tensor, dice_weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Cross-entropy plus soft Dice over the batch, for the foreground classes that are in it.

    Parameters
    ----------
    logits : Tensor, shape (N, classes, k, j, i)
    weights : Tensor, shape (classes,)
        Of the classes in the cross-entropy.
    dice_weights : Tensor, shape (classes - 1,), optional
        Of the foreground classes in the Dice; equal when not given.
    """
    logits = logits.float()
    entropy = functional.cross_entropy(logits, batch.labels, weight=weights)
    probability = logits.softmax(dim=1)
    truth = functional.one_hot(batch.labels, logits.shape[1]).movedim(-1, 1).float()
    axes = (0, 2, 3, 4)
    overlap = (probability * truth).sum(axes)
    total = probability.sum(axes) + truth.sum(axes)
    dice = (2 * overlap + SMOOTH) / (total + SMOOTH)
    present = (truth.sum(axes)[1:] > 0).float()
    share = present if dice_weights is None else present * dice_weights
    return entropy + ((1 - dice[1:]) * share).sum() / share.sum().clamp(min=SMALLEST_SHARE)


def detection_loss(answer: dict[str, torch.Tensor], batch: PatchBatch, stride: int) -> torch.Tensor:
    """Focal loss of the heatmap (Zhou 2019) plus L1 of size (log mm) and offset (cells) near the centres."""
    heatmap = answer["heatmap"].float()
    truth, near, size, offset = detection_targets(batch, heatmap.shape[2:], stride)
    probability = heatmap[:, 0].sigmoid().clamp(1e-4, 1 - 1e-4)
    peaks = truth == 1
    wrong_low = -((1 - probability) ** 2) * probability.log() * peaks
    wrong_high = -((1 - truth) ** 4) * probability**2 * (1 - probability).log() * ~peaks
    count = peaks.sum().clamp(min=1)
    loss = (wrong_low.sum() + wrong_high.sum()) / count
    where = near[:, None].expand(-1, 3, -1, -1, -1)
    if near.any():
        loss = loss + functional.l1_loss(answer["offset"].float()[where], offset[where])
        loss = loss + functional.l1_loss(answer["size_mm"].float().log()[where], size.log()[where])
    return loss


def detection_targets(
    batch: PatchBatch, cells_kji: torch.Size | tuple[int, ...], stride: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return what a perfect detector answers.

    Returns
    -------
    heatmap : Tensor, shape (N, k, j, i)
        1 in the cell of a centre, falling off around it.
    near : Tensor of bool, shape (N, k, j, i)
        Cells that know a size and offset.
    size_mm, offset : Tensor, shape (N, 3, k, j, i)
    """
    count, shape = len(batch.boxes), tuple(cells_kji)
    heatmap = np.zeros((count, *shape), dtype=np.float32)
    nearest = np.full((count, *shape), np.inf, dtype=np.float32)
    size = np.ones((count, 3, *shape), dtype=np.float32)
    offset = np.zeros((count, 3, *shape), dtype=np.float32)
    middle = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) + 0.5 for n in shape), indexing="ij"))
    for n, boxes in enumerate(batch.boxes):
        for box in boxes:
            away = (box[:3] / stride)[:, None, None, None] - middle
            distance = np.sqrt((away**2).sum(axis=0))
            if distance.min() > 3:
                continue
            heatmap[n] = np.maximum(heatmap[n], np.exp(-0.5 * (distance / 0.6) ** 2) * 0.98)
            cell = np.floor(box[:3] / stride).astype(int)
            if ((cell >= 0) & (cell < shape)).all():
                heatmap[n][tuple(cell)] = 1
            closer = (distance < NEAR_CELLS) & (distance < nearest[n])
            nearest[n][closer] = distance[closer]
            offset[n][:, closer] = away[:, closer]
            size[n][:, closer] = box[3:, None]
    near = torch.from_numpy(np.isfinite(nearest))
    return torch.from_numpy(heatmap), near, torch.from_numpy(size), torch.from_numpy(offset)


def presence_loss(logits: torch.Tensor, batch: PatchBatch) -> torch.Tensor:
    """Cross-entropy of "a box's centre lies in the patch"."""
    return functional.binary_cross_entropy_with_logits(logits.float(), batch.holds_a_box())
