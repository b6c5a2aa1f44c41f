"""From which value to which a region reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.volume import Volume

Mask = npt.NDArray[np.bool_]
Index = tuple[int, int, int]

_SPREAD = 3.0
"""Standard deviations of the values around a place that belong to what lies there."""
_LEAST_PART = 0.01
"""Half of the narrowest range, as a part of the spread of what is around it further away."""


@dataclass(frozen=True, slots=True)
class ValueRange:
    """Values in the unit of a volume, both ends included."""

    low: float
    high: float

    @classmethod
    def around(cls, volume: Volume, index_kji: Index) -> ValueRange:
        """Return the range of the tissue at a voxel: its own value, and what the noise of its neighbours makes of it."""
        near = volume.values(_near(index_kji, volume.geometry.shape_kji, (1, 2, 2))).astype(np.float64)
        wide = volume.values(_near(index_kji, volume.geometry.shape_kji, (2, 12, 12))).astype(np.float64)
        value = float(volume.values(index_kji))
        near, wide = near[np.isfinite(near)], wide[np.isfinite(wide)]
        if not np.isfinite(value) or near.size == 0:
            return cls(value, value)
        # A voxel at an edge has neighbours of another kind: the middle half of them tells the noise, not all.
        middle = float(np.median(near))
        spread = 1.4826 * float(np.median(np.abs(near - middle)))
        half = max(_SPREAD * spread, _LEAST_PART * float(np.ptp(wide)), abs(value - middle))
        return cls(middle - half, middle + half)

    def widened(self, factor: float) -> ValueRange:
        """Return the range about the same middle, so many times as wide."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2 * factor
        return ValueRange(middle - half, middle + half)

    def holds(self, volume: Volume, stored: npt.NDArray[np.generic]) -> Mask:
        """Say of stored numbers of a volume, any shape, whether their values lie in the range; padding never does."""
        slope, intercept = volume.rescale.slope, volume.rescale.intercept
        low, high = sorted(((self.low - intercept) / slope, (self.high - intercept) / slope))
        numbers: npt.NDArray[Any] = stored
        if np.issubdtype(numbers.dtype, np.integer):
            limits = np.iinfo(numbers.dtype)
            # What rounding made of a whole number is that number.
            first, last = int(np.ceil(max(low, limits.min) - 1e-6)), int(np.floor(min(high, limits.max) + 1e-6))
            if first > last:
                return np.zeros(stored.shape, dtype=np.bool_)
            found = (numbers >= first) & (numbers <= last)
        else:
            found = (numbers >= low) & (numbers <= high)
        if volume.padding is not None:
            found &= ~volume.is_padding(stored)
        return np.asarray(found)


def _near(index_kji: Index, shape_kji: Index, reach_kji: Index) -> tuple[slice, ...]:
    sides = zip(index_kji, shape_kji, reach_kji, strict=True)
    return tuple(slice(max(0, at - reach), min(count, at + reach + 1)) for at, count, reach in sides)
