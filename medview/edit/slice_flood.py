"""The voxels of one picture that hang together with the one under the hand, on a slice or at an angle to the grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.screen_map import ScreenMap
from medview.core.volume import Volume
from medview.edit.value_range import ValueRange

Mask = npt.NDArray[np.bool_]
Index = tuple[int, int, int]


class SliceFlood:
    """The voxels that a picture cuts, ready to be flooded again and again with other ranges.

    They are looked at along the axis of the grid that the picture faces most: each line of voxels along it is cut in one
    voxel on a slice and in a few at an angle. First the voxels nearest to the picture are flooded, one of each line, then
    what hangs together with them by its faces.
    """

    def __init__(self, volume: Volume, screen_map: ScreenMap, at: float) -> None:
        self._volume = volume
        slope = screen_map.matrix[0]
        self._axis = int(np.argmax(np.abs(slope)))
        self._u, self._v = (axis for axis in range(3) if axis != self._axis)
        shape = volume.geometry.shape_kji
        down = np.arange(shape[self._u])[:, None]
        right = np.arange(shape[self._v])[None, :]
        base = screen_map.offset[0] - at + slope[self._u] * down + slope[self._v] * right
        half, rise = screen_map.half_thickness, float(slope[self._axis])
        # Centres from -half to half across the picture, the upper end left out, as for outlines.
        if rise > 0:
            first, last = np.ceil((-half - base) / rise), np.ceil((half - base) / rise) - 1
        else:
            first, last = np.floor((half - base) / rise) + 1, np.floor((-half - base) / rise)
        count = max(1, int((last - first).max()) + 1)
        index = first + np.arange(count)[:, None, None]
        self._there = (index <= last) & (index >= 0) & (index < shape[self._axis])
        self._index = np.where(self._there, index, 0).astype(np.int32)
        self._nearest = np.clip(np.rint(-base / rise) - first, 0, count - 1).astype(np.intp)[None]
        self._first = first.astype(np.int32)
        self._where: list[npt.NDArray[np.integer[Any]]] = [self._index] * 3
        self._where[self._u], self._where[self._v] = down[None], right[None]
        self._stored = volume.voxels[tuple(self._where)]

    def mask(
        self, seed_kji: Index, values: ValueRange, *, corners: bool = False, limit_mm: float | None = None
    ) -> tuple[Box, Mask] | None:
        """Return what hangs together with a voxel of the picture as (box, mask); None where its value is out of range.

        Parameters
        ----------
        seed_kji : tuple of int
            Inside the grid.
        corners : bool
            Lines of voxels that touch with a corner hang together too (8 neighbours instead of 4).
        limit_mm : float, optional
            No voxel centre further from that of the seed, measured in the patient, takes part.
        """
        from scipy.ndimage import generate_binary_structure, label

        inside = values.holds(self._volume, self._stored) & self._there
        if limit_mm is not None:
            inside &= self._within(seed_kji, limit_mm)
        nearest = np.take_along_axis(inside, self._nearest, axis=0)[0]
        seed = seed_kji[self._u], seed_kji[self._v]
        if not nearest[seed]:
            return None
        parts, _ = label(nearest, generate_binary_structure(2, 2 if corners else 1))
        found = np.zeros_like(inside)
        np.put_along_axis(found, self._nearest, (parts == parts[seed])[None], axis=0)
        if len(found) > 1:
            self._complete(found, inside)
        return self._in_grid(found)

    def _complete(self, found: Mask, inside: Mask) -> None:
        """Add what touches with a face, until nothing more does."""
        before = -1
        while (now := int(np.count_nonzero(found))) != before:
            before = now
            found[1:] |= found[:-1] & inside[1:]
            found[:-1] |= found[1:] & inside[:-1]
            for here, there in _SIDES:
                # Neighbours along the line of a voxel's neighbour are counted from where that line is cut first.
                shift = self._first[here] - self._first[there]
                for n in range(len(found)):
                    for m in range(len(found)):
                        found[(m, *there)] |= found[(n, *here)] & inside[(m, *there)] & (shift == m - n)

    def _within(self, seed_kji: Index, limit_mm: float) -> Mask:
        columns = self._volume.geometry.affine_lps[:3, :3]
        metric = columns.T @ columns
        away = [where - float(at) for where, at in zip(self._where, seed_kji, strict=True)]
        squared = sum(metric[a, b] * away[a] * away[b] for a in range(3) for b in range(3))
        return np.asarray(squared <= limit_mm**2 + 1e-9)

    def _in_grid(self, found: Mask) -> tuple[Box, Mask]:
        n, u, v = np.nonzero(found)
        index = np.empty((3, n.size), dtype=np.int64)
        index[self._axis], index[self._u], index[self._v] = self._index[n, u, v], u, v
        low, high = index.min(axis=1), index.max(axis=1) + 1
        box = Box((int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2])))
        mask = np.zeros(box.shape_kji, dtype=np.bool_)
        mask[tuple(index - low[:, None])] = True
        return box, mask


_ALL, _FORE, _AFT = slice(None), slice(None, -1), slice(1, None)
_SIDES = (
    ((_FORE, _ALL), (_AFT, _ALL)),
    ((_AFT, _ALL), (_FORE, _ALL)),
    ((_ALL, _FORE), (_ALL, _AFT)),
    ((_ALL, _AFT), (_ALL, _FORE)),
)
"""Every line, and its neighbour on one side."""
