"""An axis-aligned box of voxels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open box of voxel indices: ``min_kji`` is inside, ``max_kji`` is not."""

    min_kji: tuple[int, int, int]
    max_kji: tuple[int, int, int]

    @classmethod
    def whole(cls, shape_kji: tuple[int, int, int]) -> Box:
        """Return the box that covers a whole grid."""
        return cls((0, 0, 0), shape_kji)

    @classmethod
    def around(cls, mask: npt.NDArray[np.bool_]) -> Box | None:
        """Return the smallest box around the true voxels of a (k, j, i) mask, or None when there are none."""
        bounds: list[tuple[int, int]] = []
        left = mask
        for axis in range(3):
            others = tuple(a for a in range(3) if a != axis)
            hits = np.flatnonzero(left.any(axis=others))
            if hits.size == 0:
                return None
            low, high = int(hits[0]), int(hits[-1]) + 1
            bounds.append((low, high))
            # What is known to be empty is not looked at again.
            left = left[(slice(None),) * axis + (slice(low, high),)]
        (k0, k1), (j0, j1), (i0, i1) = bounds
        return cls((k0, j0, i0), (k1, j1, i1))

    @classmethod
    def union_of(cls, boxes: Iterable[Box]) -> Box | None:
        """Return the smallest box that holds all the given ones, or None when there are none."""
        found = [box for box in boxes if not box.empty]
        if not found:
            return None
        low = np.min([box.min_kji for box in found], axis=0)
        high = np.max([box.max_kji for box in found], axis=0)
        return cls(_triple(low), _triple(high))

    @property
    def shape_kji(self) -> tuple[int, int, int]:
        """Extent in voxels along k, j, i; never negative."""
        (k0, j0, i0), (k1, j1, i1) = self.min_kji, self.max_kji
        return max(0, int(k1 - k0)), max(0, int(j1 - j0)), max(0, int(i1 - i0))

    @property
    def size(self) -> int:
        """Voxels in the box."""
        k, j, i = self.shape_kji
        return k * j * i

    @property
    def empty(self) -> bool:
        """Whether the box holds no voxel."""
        return 0 in self.shape_kji

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """The box as numpy slices in (k, j, i) order."""
        (k0, j0, i0), (k1, j1, i1) = self.min_kji, self.max_kji
        return slice(k0, k1), slice(j0, j1), slice(i0, i1)

    def clipped(self, shape_kji: tuple[int, int, int]) -> Box:
        """Return the part of the box inside a grid of ``shape_kji``."""
        return self.intersection(Box.whole(shape_kji))

    def intersection(self, other: Box) -> Box:
        """Return the common part of two boxes; it may be empty."""
        # Plain numbers: a project that is checked asks this a million times, and three of them are too few for numpy.
        (a0, a1, a2), (b0, b1, b2) = self.min_kji, other.min_kji
        (c0, c1, c2), (d0, d1, d2) = self.max_kji, other.max_kji
        low = (int(max(a0, b0)), int(max(a1, b1)), int(max(a2, b2)))
        high = (int(min(c0, d0)), int(min(c1, d1)), int(min(c2, d2)))
        return Box(low, (max(low[0], high[0]), max(low[1], high[1]), max(low[2], high[2])))

    def padded(self, margin_kji: tuple[int, int, int]) -> Box:
        """Return the box grown by ``margin_kji`` voxels on both sides."""
        low = np.subtract(self.min_kji, margin_kji)
        return Box(_triple(low), _triple(np.add(self.max_kji, margin_kji)))

    def within(self, outer: Box) -> Box:
        """Return the same box with indices counted from the corner of ``outer``."""
        (k, j, i), (k0, j0, i0), (k1, j1, i1) = outer.min_kji, self.min_kji, self.max_kji
        return Box((int(k0 - k), int(j0 - j), int(i0 - i)), (int(k1 - k), int(j1 - j), int(i1 - i)))

    def shifted(self, offset_kji: tuple[int, int, int]) -> Box:
        """Return the box moved by ``offset_kji`` voxels."""
        return Box(_triple(np.add(self.min_kji, offset_kji)), _triple(np.add(self.max_kji, offset_kji)))

    def pieces(self, shape_kji: tuple[int, int, int]) -> Iterator[Box]:
        """Yield the parts of the box in cells of ``shape_kji`` counted from voxel (0, 0, 0), in C order."""
        starts = [
            range(low - low % step, high, step)
            for low, high, step in zip(self.min_kji, self.max_kji, shape_kji, strict=True)
        ]
        for corner in product(*starts):
            yield self.intersection(Box(_triple(corner), _triple(np.add(corner, shape_kji))))

    def touches_slice(self, axis: int, index: int) -> bool:
        """Whether the slice ``index`` along array axis ``axis`` cuts the box."""
        return self.min_kji[axis] <= index < self.max_kji[axis]


def _triple(numbers: Iterable[int]) -> tuple[int, int, int]:
    k, j, i = (int(number) for number in numbers)
    return k, j, i
