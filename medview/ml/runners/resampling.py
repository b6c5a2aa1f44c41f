"""From the series' grid to the model's: in-plane slab by slab, then along k."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from medview.ml.spec import Shape3, Vector3

COARSE = 3.0
"""An axis whose spacing is more than so many times the finest is resampled by itself."""

SPLINE_REACH = 12
"""Voxels repeated outside each end; a spline's coefficients feel nothing from farther away."""

FloatArray = npt.NDArray[np.float64]


class Resampling(Protocol):
    """How one channel gets from one grid to another; used for one channel from its first slab to the last."""

    @property
    def changes_k(self) -> bool:
        """Whether there is anything to do along k."""

    def in_plane(self, first_k: int, slab: torch.Tensor) -> torch.Tensor:
        """Return a slab (n, rows, columns) from slice ``first_k`` with the model's rows and columns."""

    def along_k(self, lines: torch.Tensor) -> torch.Tensor:
        """Return lines (k, n) with the model's slices."""

    def finish(self, values: torch.Tensor) -> None:
        """Do what can only be done once everything is there, to values (k, j, i) in place."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Linear, edges aligned; coarser grids average instead of skipping voxels."""

    old: Shape3
    new: Shape3

    @property
    def changes_k(self) -> bool:
        """Whether there is anything to do along k."""
        return self.old[0] != self.new[0]

    def in_plane(self, _first_k: int, slab: torch.Tensor) -> torch.Tensor:
        """Return a slab with the model's rows and columns."""
        return _linear(slab[:, None], (self.new[1], self.new[2]))[:, 0]

    def along_k(self, lines: torch.Tensor) -> torch.Tensor:
        """Return lines with the model's slices."""
        return _linear(lines[None, None], (self.new[0], lines.shape[1]))[0, 0]

    def finish(self, values: torch.Tensor) -> None:
        """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class AtPoints:
    """Linear at points: the first voxels of both grids have the same centre.

    Parameters
    ----------
    ratios_kji : tuple of float
        New voxels per old one.
    """

    new: Shape3
    ratios_kji: Vector3

    @property
    def changes_k(self) -> bool:
        """Whether there is anything to do along k."""
        return self.ratios_kji[0] != 1.0

    def in_plane(self, _first_k: int, slab: torch.Tensor) -> torch.Tensor:
        """Return a slab with the model's rows and columns."""
        rows = _sampled(slab, 1, self.new[1], self.ratios_kji[1])
        return _sampled(rows, 2, self.new[2], self.ratios_kji[2])

    def along_k(self, lines: torch.Tensor) -> torch.Tensor:
        """Return lines with the model's slices."""
        return _sampled(lines, 0, self.new[0], self.ratios_kji[0])

    def finish(self, values: torch.Tensor) -> None:
        """Nothing is left to do."""


@dataclass(slots=True)
class Splines:
    """Cubic splines, edges aligned, as nnU-Net resamples: no value leaves the range of what it was made from.

    Along a coarse axis the nearest slice is taken, and the range is that of the slice.

    Parameters
    ----------
    coarse : int or None
        The axis (0 k, 1 j, 2 i) that is so coarse.
    """

    old: Shape3
    new: Shape3
    coarse: int | None
    _ways: list[torch.Tensor | None] = field(init=False, repr=False, default_factory=list)
    _low: torch.Tensor | None = field(init=False, repr=False, default=None)
    _high: torch.Tensor | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        for axis, (old, new) in enumerate(zip(self.old, self.new, strict=True)):
            if old == new:
                self._ways.append(None)
            elif axis == self.coarse:
                self._ways.append(torch.from_numpy(nearest(old, new)))
            else:
                self._ways.append(torch.from_numpy(spline_matrix(old, new).astype(np.float32)))

    @property
    def changes_k(self) -> bool:
        """Whether there is anything to do along k."""
        return self._ways[0] is not None

    def in_plane(self, first_k: int, slab: torch.Tensor) -> torch.Tensor:
        """Return a slab with the model's rows and columns."""
        self._note_range(first_k, slab)
        return self._along(self._along(slab, 2), 1)

    def along_k(self, lines: torch.Tensor) -> torch.Tensor:
        """Return lines with the model's slices."""
        return self._along(lines, 0)

    def finish(self, values: torch.Tensor) -> None:
        """Keep every value in the range of what it was made from."""
        smooth = [axis for axis in range(3) if axis != self.coarse]
        if self._low is None or self._high is None or all(self._ways[axis] is None for axis in smooth):
            return
        low, high = self._low, self._high
        if self.coarse is not None and self._ways[self.coarse] is not None:
            low, high = self._along(low, self.coarse), self._along(high, self.coarse)
        torch.minimum(torch.maximum(values, low, out=values), high, out=values)

    def _along(self, values: torch.Tensor, axis: int) -> torch.Tensor:
        way = self._ways[axis]
        if way is None:
            return values
        way = way.to(values.device)
        if axis == self.coarse:
            return values.index_select(axis, way)
        if axis == values.ndim - 1:
            return values @ way.T
        return way @ values

    def _note_range(self, first_k: int, slab: torch.Tensor) -> None:
        """Keep the least and the largest value, of each slice of the coarse axis where there is one."""
        if self.coarse is None:
            low, high = slab.amin().view(1, 1, 1), slab.amax().view(1, 1, 1)
        else:
            others = [axis for axis in range(3) if axis != self.coarse]
            low, high = slab.amin(others, keepdim=True), slab.amax(others, keepdim=True)
        if self._low is None or self._high is None:
            self._low, self._high = low, high
        elif self.coarse == 0:
            self._low, self._high = torch.cat([self._low, low]), torch.cat([self._high, high])
        else:
            self._low, self._high = torch.minimum(self._low, low), torch.maximum(self._high, high)


def coarse_axis(first_kji_mm: Vector3, second_kji_mm: Vector3) -> int | None:
    """Return the one axis that is so coarse in the first spacing, or else in the second; None where there is none.

    Two axes that are equally coarse are none: slices between them would not be flat.
    """
    for spacing in (first_kji_mm, second_kji_mm):
        if max(spacing) > COARSE * min(spacing):
            largest = [axis for axis in range(3) if spacing[axis] == max(spacing)]
            return largest[0] if len(largest) == 1 else None
    return None


def nearest(old: int, new: int) -> npt.NDArray[np.int64]:
    """Return for each of ``new`` voxels the nearest of ``old`` ones that cover the same length."""
    place = (np.arange(new) + 0.5) * (old / new)
    return np.asarray(np.floor(place).clip(0, old - 1), dtype=np.int64)


def nearest_points(old: int, new: int, ratio: float) -> npt.NDArray[np.int64]:
    """Return for each of ``new`` voxels the nearest of ``old`` ones, where the first of both have the same middle.

    Parameters
    ----------
    ratio : float
        New voxels per old one.
    """
    return np.asarray(np.floor(np.arange(new) / ratio + 0.5).clip(0, old - 1), dtype=np.int64)


def spline_matrix(old: int, new: int) -> FloatArray:
    """Return the matrix (new, old) of cubic spline interpolation between grids that cover the same length.

    Outside, the outermost values are repeated.
    """
    from scipy.linalg import solve_banded

    long = old + 2 * SPLINE_REACH
    repeated = np.zeros((long, old))
    repeated[np.arange(long), np.arange(-SPLINE_REACH, old + SPLINE_REACH).clip(0, old - 1)] = 1.0
    # The value of a spline at a voxel is made of three coefficients; to find them is to solve for all voxels at once.
    bands = np.full((3, long), 1.0 / 6.0)
    bands[1] = 4.0 / 6.0
    # At both ends the spline goes on as its mirror image.
    bands[0, 1] = bands[2, -2] = 2.0 / 6.0
    coefficients = solve_banded((1, 1), bands, repeated)
    place = (np.arange(new) + 0.5) * (old / new) - 0.5 + SPLINE_REACH
    below = np.floor(place).astype(np.int64)
    share = place - below
    weights = np.zeros((new, long))
    for offset in (-1, 0, 1, 2):
        away = np.abs(share - offset)
        near = 2.0 / 3.0 - away**2 + away**3 / 2.0
        far = np.clip(2.0 - away, 0.0, None) ** 3 / 6.0
        weights[np.arange(new), below + offset] += np.where(away < 1.0, near, far)
    return np.asarray(weights @ coefficients)


def _linear(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(planes.shape[2:]) == size:
        return planes
    return functional.interpolate(planes, size, mode="bilinear", align_corners=False, antialias=True)


def _sampled(values: torch.Tensor, axis: int, size: int, ratio: float) -> torch.Tensor:
    """Return the values along one axis at ``size`` points ``1 / ratio`` voxels apart, the first at the first voxel."""
    if ratio == 1.0:
        return values
    place = (torch.arange(size, dtype=torch.float64, device=values.device) / ratio).clamp_(max=values.shape[axis] - 1)
    below = place.long()
    share = (place - below).to(values.dtype).view([-1 if a == axis else 1 for a in range(values.ndim)])
    above = (below + 1).clamp_(max=values.shape[axis] - 1)
    return torch.lerp(values.index_select(axis, below), values.index_select(axis, above), share)
