"""How unsure a model that makes masks is, added up slab by slab on its own grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from medview.core.job import JobContext
from medview.ml.runners.tiling import LogitSlab
from medview.ml.spec import Shape3, Vector3

NEAR_MM = 3.0
"""So far around what is found, in its slice, a model may be wrong about where it ends."""

PLAUSIBLE = 0.1
"""A class is looked for where it has this probability, found or not."""

HELD_NUMBERS = 1 << 24
"""Probabilities that are held at once beside the logits of a slab."""

LEAST_VOXELS = 27.0
"""So many sure voxels are added to every class: one doubtful voxel is no doubt about a case."""

Doubles = npt.NDArray[np.float64]


@dataclass(slots=True)
class Doubts:
    """Sums by class and slice.

    Parameters
    ----------
    channels : sequence of int
        Of the logits: one per class.
    looks : int
        How many looks the logits of a slab hold, one after the other.
    exclusive : bool
        One class wins each voxel (softmax), or each is there where it is more probable than not (sigmoid).
    shape_kji : tuple of int
        Of the model's grid.
    origin_kji : tuple of int
        Where slabs begin on it.
    spacing_kji_mm : tuple of float
    axis : int
        Of the model's grid (0 k, 1 j, 2 i), along which slices are counted.

    Attributes
    ----------
    doubt, near, found, wrong : ndarray of float64, shape (classes, slices)
        How unsure it is, summed over the voxels where a class is or may be, how many those are, how many it finds, and
        how many voxels are expected to be wrong.
    """

    channels: Sequence[int]
    looks: int
    exclusive: bool
    shape_kji: Shape3
    origin_kji: Shape3
    spacing_kji_mm: Vector3
    axis: int
    doubt: Doubles = field(init=False)
    near: Doubles = field(init=False)
    found: Doubles = field(init=False)
    wrong: Doubles = field(init=False)

    def __post_init__(self) -> None:
        size = len(self.channels), self.shape_kji[self.axis]
        self.doubt, self.near, self.found, self.wrong = (np.zeros(size) for _ in range(4))

    def add(self, slab: LogitSlab, context: JobContext) -> None:
        """Take in a slab with the logits of all looks (looks * classes, slices, j, i).

        Raises
        ------
        CancelledError
            Between slices.
        """
        logits = slab.logits
        count, slices, rows, columns = logits.shape
        step = max(1, HELD_NUMBERS // max(1, count * rows * columns))
        for k in range(0, slices, step):
            context.raise_if_cancelled()
            part = logits[:, k : k + step].reshape(self.looks, count // self.looks, -1, rows, columns).float()
            shares = part.softmax(dim=1) if self.exclusive else part.sigmoid()
            mean = shares.mean(dim=0)
            winner = mean.argmax(dim=0) if self.exclusive else None
            for number, channel in enumerate(self.channels):
                there = mean[channel] > 0.5 if winner is None else winner == channel
                self._take(number, shares[:, channel], mean[channel], there, slab.first_k + k)

    @property
    def unsure(self) -> Doubles:
        """How unsure it is of each class where that is or may be, 0 to 1, shape (classes,)."""
        return np.asarray(self.doubt.sum(axis=1) / (self.near.sum(axis=1) + LEAST_VOXELS))

    def _take(self, number: int, shares: torch.Tensor, mean: torch.Tensor, there: torch.Tensor, first_k: int) -> None:
        """Add one class from slice ``first_k`` on: shares (looks, k, j, i), their mean and where it is found (k, j, i)."""
        seen = there | (mean > PLAUSIBLE)
        rows, columns = (torch.nonzero(seen.any(dim=0).any(dim=dim)).flatten() for dim in (1, 0))
        if not len(rows):
            return
        reach = [max(1, round(NEAR_MM / max(mm, 1e-3))) for mm in self.spacing_kji_mm[1:]]
        reach = [min(r, length - 1) for r, length in zip(reach, seen.shape[1:], strict=True)]
        (j0, j1), (i0, i1) = (
            (max(0, int(hits[0]) - r), min(length, int(hits[-1]) + r + 1))
            for hits, r, length in zip((rows, columns), reach, seen.shape[1:], strict=True)
        )
        here = (slice(None), slice(j0, j1), slice(i0, i1))
        mean, there = mean[here], there[here]
        near = _widened(there, reach) | seen[here]
        of_mean = _bits(mean)
        doubt = of_mean
        if self.looks > 1:
            of_looks = _bits(shares[(slice(None), *here)]).mean(dim=0)
            # What all looks together are unsure of, and what each is not: there they contradict each other.
            doubt = (of_mean + (of_mean - of_looks).clamp_min_(0.0)) / 2.0
        wrong = torch.minimum(mean, 1.0 - mean)
        origin = np.add(self.origin_kji, (first_k, j0, i0))
        for into, values in (
            (self.doubt, doubt * near),
            (self.near, near),
            (self.found, there),
            (self.wrong, wrong * near),
        ):
            across = [dim for dim in range(3) if dim != self.axis]
            sums = values.sum(dim=across, dtype=torch.float64).cpu().numpy()
            start = int(origin[self.axis])
            into[number, start : start + len(sums)] += sums


def _bits(share: torch.Tensor) -> torch.Tensor:
    """Return the entropy of yes and no in bits."""
    bits: torch.Tensor = (torch.special.entr(share) + torch.special.entr(1.0 - share)) / float(np.log(2.0))
    return bits


def _widened(there: torch.Tensor, reach: Sequence[int]) -> torch.Tensor:
    """Return where a mask (k, j, i) is within so many rows and columns, slice by slice."""
    kernel = (2 * reach[0] + 1, 2 * reach[1] + 1)
    wide = functional.max_pool2d(there[:, None].float(), kernel, stride=1, padding=(reach[0], reach[1]))
    return wide[:, 0] > 0
