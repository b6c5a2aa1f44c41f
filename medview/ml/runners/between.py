"""Linear interpolation from the model's grid to the input's, one axis at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """Which two model's voxels each voxel of the input lies between, as index tensors, and how far it is on the way.

    Attributes
    ----------
    below, above : Tensor of int64
    share, rest : Tensor of float32
        Weight of ``above``, and of ``below``.
    """

    below: torch.Tensor
    above: torch.Tensor
    share: torch.Tensor
    rest: torch.Tensor

    def mixed(self, planes: torch.Tensor, axis: int) -> torch.Tensor:
        """Interpolate along one axis of a tensor.

        Two products and a sum for each number, nothing else: the result of a voxel does not depend on what is computed
        beside it, and where one number is at most another at both voxels it is at most the other between them.
        """
        shape = [-1 if n == axis else 1 for n in range(planes.ndim)]
        low = planes.index_select(axis, self.below).mul_(self.rest.view(shape))
        return low.add_(planes.index_select(axis, self.above).mul_(self.share.view(shape)))


class Between:
    """Where the voxels of one axis of the input lie between those of the model's grid.

    Parameters
    ----------
    length, model_length : int
        Voxels of the two grids, which cover the same extent.
    ratio : float, optional
        Model's voxels per input voxel where the first voxels of both have the same centre instead.
    nearest : bool
        Whether the nearest of the model's voxels counts alone.
    ends : tuple of two int, optional
        The first of the model's voxels that there are numbers of, and the one after the last; all of them when not given.

    Attributes
    ----------
    covered : slice
        The input's voxels that lie within ``ends``.
    model_length : int
        Between ``ends``.
    below : ndarray of int64
        For each covered voxel the model's voxel at or below it, counted from the first that there are numbers of.
    share : ndarray of float32
        How far each is on the way to the next, 0 to 1.
    """

    def __init__(
        self,
        length: int,
        model_length: int,
        ratio: float | None = None,
        ends: tuple[int, int] | None = None,
        *,
        nearest: bool = False,
    ) -> None:
        low, high = ends or (0, model_length)
        voxels = np.arange(length)
        place = (voxels + 0.5) * (model_length / length) - 0.5 if ratio is None else voxels * ratio
        place = np.clip(np.floor(place + 0.5) if nearest else place, 0.0, model_length - 1.0)
        inside = np.flatnonzero((place >= low - 0.5) & (place < high - 0.5))
        first = int(inside[0]) if len(inside) else 0
        self.covered = slice(first, first + len(inside))
        self.model_length = high - low
        place = np.clip(place[self.covered] - low, 0.0, self.model_length - 1.0)
        self.below = np.floor(place).astype(np.int64)
        self.share = (place - self.below).astype(np.float32)

    def __len__(self) -> int:
        """Voxels of the input that are covered."""
        return len(self.below)

    def above(self, n: int) -> int:
        """Return the last model's voxel that a voxel of the input needs."""
        return min(int(self.below[n]) + (1 if self.share[n] > 0 else 0), self.model_length - 1)

    def first_from(self, model_voxel: int) -> int:
        """Return the first of the input's voxels whose neighbours are this model's voxel or later ones."""
        return int(np.searchsorted(self.below, model_voxel, "left"))

    def reached(self, region: slice) -> slice:
        """Return the input's voxels that a region of the model's contributes to, leaving out its rim."""
        # A region that ends at the face has no rim there.
        low = region.start if region.start == 0 else region.start + 1
        high = region.stop - 1 if region.stop == self.model_length else region.stop - 2
        first = int(np.searchsorted(self.below, max(0, low - 1), "left"))
        return slice(first, int(np.searchsorted(self.below, high, "right")))

    def taps(self, reached: slice, region: slice, device: torch.device) -> Taps:
        """Return the interpolation of some of the input's voxels from a region of the model's, counted from its start."""
        below = self.below[reached] - region.start
        above = np.minimum(below + 1, region.stop - region.start - 1)
        share = self.share[reached]
        made = (torch.from_numpy(array).to(device) for array in (below, above, share, np.float32(1.0) - share))
        return Taps(*made)


def classes_outermost(logits: torch.Tensor) -> torch.Tensor:
    """Return (classes, k, j, i) in that order in memory."""
    last = logits.permute(1, 2, 3, 0)
    if not last.is_contiguous():
        return logits.contiguous()
    # Turning a matrix is several times as fast as permuting four axes.
    return last.reshape(-1, len(logits)).t().contiguous().view(logits.shape)
