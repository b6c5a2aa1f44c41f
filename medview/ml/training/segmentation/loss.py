"""What segmentation networks make small: overlap and cross-entropy, with what nobody knows left out.

Where somebody drew only some of the classes, a voxel without a label is background or one of the others: the probabilities
of those are added up there (marginal loss, Fang 2020, doi 10.1109/TMI.2020.3001036).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from medview.ml.examples import UNKNOWN
from medview.ml.training.segmentation.samples import Batch

LOSSES = ("dice_ce", "dice_focal", "ce", "focal", "dice")

FOCUS = 2.0
"""Exponent of the focal loss (Lin 2017)."""

SMOOTH = 1.0
"""Softens the overlap of classes with a few voxels."""


def segmentation_loss(
    answers: torch.Tensor | Sequence[torch.Tensor], batch: Batch, name: str, *, overlapping: bool, alone: bool = False
) -> dict[str, torch.Tensor]:
    """Return ``loss`` and its parts, those of the finest answer.

    Parameters
    ----------
    answers : Tensor or sequence of Tensor
        Logits (N, channels, [k,] j, i), finest first; each coarser one counts half as much as the one before.
    name : str
        One of ``LOSSES``.
    overlapping : bool
        Whether channel n is class n + 1 by itself; otherwise channel n is class n, and 0 background.
    alone : bool
        Whether the overlap of each sample counts by itself; otherwise that of the batch as a whole, in which a small
        object weighs less than a large one.
    """
    scales = [answers] if isinstance(answers, torch.Tensor) else list(answers)
    weights = [0.5**n for n in range(len(scales))]
    found: dict[str, torch.Tensor] = {}
    total = torch.zeros((), device=batch.values.device)
    for logits, weight in zip(scales, weights, strict=True):
        labels = _at_scale(batch.labels, logits.shape[2:])
        of_scale = _overlapping if overlapping else _exclusive
        parts = of_scale(logits.float(), labels, batch.open_classes, name, alone)
        total = total + weight / sum(weights) * sum(parts.values())
        found = found or {key: part.detach() for key, part in parts.items()}
    return {"loss": total, **found}


def _at_scale(labels: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Return the label of the nearest voxel."""
    for axis, (have, want) in enumerate(zip(labels.shape[2:], shape, strict=True)):
        if have != want:
            places = ((torch.arange(want, device=labels.device) + 0.5) * (have / want)).long()
            labels = labels.index_select(axis + 2, places)
    return labels


def _exclusive(
    logits: torch.Tensor, labels: torch.Tensor, open_classes: tuple[tuple[int, ...], ...], name: str, alone: bool
) -> dict[str, torch.Tensor]:
    numbers = labels[:, 0].long()
    known = numbers != UNKNOWN
    numbers = numbers * known
    sure = known[:, None]
    chances = functional.log_softmax(logits, dim=1)
    counted = sure.expand_as(chances)
    marginal = chances
    if any(open_classes):
        marginal, counted = _marginal(chances, numbers, sure, open_classes)
    entropy = -marginal.gather(1, numbers[:, None])
    truth = torch.zeros_like(chances).scatter_(1, numbers[:, None], 1.0) * counted
    return _parts(entropy, sure, chances[:, 1:].exp() * counted[:, 1:], truth[:, 1:], name, alone)


def _marginal(
    chances: torch.Tensor, numbers: torch.Tensor, sure: torch.Tensor, open_classes: tuple[tuple[int, ...], ...]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log probabilities with those of open classes added to the background's, and where each class counts."""
    rest, counted = [], []
    for own, number, known, missing in zip(chances, numbers, sure, open_classes, strict=True):
        rest.append(torch.logsumexp(own[[0, *missing]], dim=0, keepdim=True))
        where = known.expand_as(own).clone()
        # Where nothing is drawn such a class may well be: there its overlap is not known.
        where[list(missing)] &= number != 0
        counted.append(where)
    return torch.cat((torch.stack(rest), chances[:, 1:]), dim=1), torch.stack(counted)


def _overlapping(
    logits: torch.Tensor, labels: torch.Tensor, _open: tuple[tuple[int, ...], ...], name: str, alone: bool
) -> dict[str, torch.Tensor]:
    known = labels != UNKNOWN
    truth = (labels * known).float()
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return _parts(entropy, known, logits.sigmoid() * known, truth, name, alone)


def _parts(
    entropy: torch.Tensor, known: torch.Tensor, chances: torch.Tensor, truth: torch.Tensor, name: str, alone: bool
) -> dict[str, torch.Tensor]:
    parts = {}
    for part in name.split("_"):
        if part == "dice":
            parts[part] = _overlap_loss(chances, truth, alone=alone)
            continue
        weighed = entropy if part == "ce" else (1 - (-entropy).exp()).clamp(min=0) ** FOCUS * entropy
        parts[part] = (weighed * known).sum() / known.sum().clamp(min=1)
    return parts


def _overlap_loss(chances: torch.Tensor, truth: torch.Tensor, *, alone: bool) -> torch.Tensor:
    """Return one less the soft Dice of each sample, or over the batch, averaged over the classes that are in it."""
    inside = tuple(range(2, chances.ndim))
    axes = inside if alone else (0, *inside)
    there = truth.sum(axes)
    dice = (2 * (chances * truth).sum(axes) + SMOOTH) / (chances.sum(axes) + there + SMOOTH)
    present = there > 0
    return ((1 - dice) * present).sum() / present.sum().clamp(min=1)
