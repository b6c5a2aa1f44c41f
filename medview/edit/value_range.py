"""From which value to which a region reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.volume import Volume

Mask = npt.NDArray[np.bool_]
Index = tuple[int, int, int]

_NEAR, _WIDE = 3, 18
"""Voxels around a place that tell what lies there, and those that tell how different values are about it."""
_ALIKE = 0.3
"""Part of the neighbours that are of the same tissue, even at its edge or in a small vessel: those most like the place."""
_LIKELY = 0.3
_SPREAD = 8.3
"""How many times further than this part of the neighbours the range reaches: amid a tissue 3.2 standard deviations of its
noise, so that it gets few holes, and more at its edge."""
_SHIFTS = 2
"""Times that the middle of the range moves to the middle of the neighbours in it: the place itself may be an odd one."""
_MOST_PART = 0.42
"""Half of the widest range, as a part of the spread of what is around it further away; amid a tissue that is its noise."""
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
        spacing = volume.geometry.spacing_kji_mm
        # Slices that lie further apart than pixels do are other places, not neighbours.
        reach_mm = _NEAR * sorted(spacing)[1]
        near = _seen(volume, index_kji, [int(reach_mm / mm + 1e-6) for mm in spacing])
        wide = _seen(volume, index_kji, [int(_WIDE / _NEAR * reach_mm / mm) for mm in spacing])
        value = float(volume.values(index_kji))
        if not np.isfinite(value) or near.size == 0:
            return cls(value, value)
        # A voxel at an edge has neighbours of another kind: those most like it tell what it belongs to.
        alike = np.sort(np.abs(near - value))[: max(1, int(near.size * _ALIKE))]
        middle = float(near[np.abs(near - value) <= alike[-1]].mean())
        spread = float(np.quantile(np.abs(near - middle), _LIKELY))
        around = float(np.ptp(wide))
        half = max(min(_SPREAD * spread, _MOST_PART * around), _LEAST_PART * around)
        for _unused in range(_SHIFTS):
            inside = np.abs(near - middle) <= half
            middle = float(near[inside].mean()) if inside.any() else middle
        half = max(half, abs(value - middle))
        return cls(middle - half, middle + half)

    def widened(self, factor: float) -> ValueRange:
        """Return the range about the same middle, so many times as wide."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2 * factor
        return ValueRange(middle - half, middle + half)

    def with_value(self, value: float) -> ValueRange:
        """Return the range, reaching as far as a value."""
        return ValueRange(min(self.low, value), max(self.high, value))

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


def _seen(volume: Volume, index_kji: Index, reach_kji: list[int]) -> npt.NDArray[np.float64]:
    sides = zip(index_kji, volume.geometry.shape_kji, reach_kji, strict=True)
    part = tuple(slice(max(0, at - reach), min(count, at + reach + 1)) for at, count, reach in sides)
    return volume.seen_values(part).astype(np.float64)
