"""From a closed outline on a plane to the voxels inside it: of the picture, within a depth, or through everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.screen_map import ScreenMap

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_SLICES_OF_PIECE = 16


def inside_grid(corners: FloatArray, shape: tuple[int, int]) -> Mask:
    """Return which points of a grid lie inside a closed outline, by the even-odd rule.

    Parameters
    ----------
    corners : ndarray of float64, shape (n, 2)
        Rows and columns of the outline; the last corner is joined to the first. Grid points are whole numbers from 0.
    shape : tuple of int
        Rows and columns of the grid.

    Returns
    -------
    ndarray of bool
        A point on the outline itself counts on its upper and left sides only, so that outlines with a common side share
        no point and miss none.
    """
    rows, columns = shape
    toggles = np.zeros((rows, columns + 1), dtype=np.uint8)
    start, end = corners, np.roll(corners, -1, axis=0)
    upper = np.where((start[:, 0] <= end[:, 0])[:, None], start, end)
    lower = np.where((start[:, 0] <= end[:, 0])[:, None], end, start)
    first = np.clip(np.ceil(upper[:, 0]), 0, rows).astype(np.int64)
    past = np.clip(np.ceil(lower[:, 0]), 0, rows).astype(np.int64)
    counts = past - first
    edge = np.repeat(np.arange(len(corners)), counts)
    if edge.size == 0:
        return np.zeros(shape, dtype=np.bool_)
    row = np.arange(edge.size) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    height = lower[edge, 0] - upper[edge, 0]
    part = (row - upper[edge, 0]) / height
    crossing = upper[edge, 1] + part * (lower[edge, 1] - upper[edge, 1])
    column = np.clip(np.ceil(crossing), 0, columns).astype(np.int64)
    np.bitwise_xor.at(toggles, (row, column), 1)
    return np.bitwise_xor.accumulate(toggles, axis=1)[:, :columns].view(np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Prism:
    """What lies behind and before a closed outline, seen across the pictures of a plane.

    Attributes
    ----------
    corners : ndarray of float64, shape (n, 2)
        Screen rows and columns.
    screen_map : ScreenMap
        Of the plane.
    low, high : float
        Positions across the pictures between which a voxel's centre lies (``low`` counts, ``high`` does not).
    """

    corners: FloatArray
    screen_map: ScreenMap
    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def on_picture(cls, corners: FloatArray, screen_map: ScreenMap, at: float) -> Prism:
        """Return the voxels that one picture cuts: along the grid those of the slice, at an angle all it passes through."""
        half = screen_map.half_thickness
        return cls(corners, screen_map, at - half, at + half)

    def box(self, within: Box) -> Box:
        """Return a box that holds every voxel of the prism inside another one; it may be empty."""
        across, row, column = self._ranges(within)
        ends = [(a, r, c) for a in across for r in row for c in column]
        corners = self.screen_map.index_kji(ends)
        # Rounding must not leave a centre out that lies on a face.
        low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0)) + 1
        return Box(_triple(low), _triple(high)).intersection(within)

    def mask(self, box: Box, *, outside: bool = False) -> Mask:
        """Return which voxel centres of a box lie inside, or those within the depth that lie outside of the outline.

        Returns
        -------
        ndarray of bool, shape ``box.shape_kji``
        """
        found = np.zeros(box.shape_kji, dtype=np.bool_)
        for part, mask in self.slices(box, outside=outside):
            found[part.within(box).slices] = mask
        return found

    def pieces(self, box: Box, *, outside: bool = False) -> Iterator[tuple[Box, Mask]]:
        """Yield the same in a few flat boxes that do not overlap, each as small as what it holds.

        A picture at an angle passes through a box many times as large as what it cuts.
        """
        group: list[tuple[Box, Mask]] = []
        for part, mask in self.slices(box, outside=outside):
            group.append((part, mask))
            if len(group) == _SLICES_OF_PIECE:
                yield _joined(group)
                group = []
        if group:
            yield _joined(group)

    def slices(self, box: Box, *, outside: bool = False) -> Iterator[tuple[Box, Mask]]:
        """Yield the same slice by slice, as (box of one slice, mask); slices that hold nothing are left out.

        On every slice of the grid the outline, cast through the volume, is an outline again: exact at any angle.
        """
        axis, u, v = self._along()
        matrix, offset = self.screen_map.matrix, self.screen_map.offset
        to_grid = np.linalg.inv(matrix[1:, [u, v]])
        same = not matrix[1:, axis].any()
        flat: tuple[tuple[int, int, int, int], Mask] | None = None
        for index in range(box.min_kji[axis], box.max_kji[axis]):
            shift = offset[1:] + matrix[1:, axis] * index
            corners = (self.corners - shift) @ to_grid.T
            rise = (float(matrix[0, u]), float(matrix[0, v]))
            base = float(offset[0] + matrix[0, axis] * index)
            sides = (box.min_kji[u], box.max_kji[u]), (box.min_kji[v], box.max_kji[v])
            part = self._part(corners, sides, rise, base, outside=outside)
            if part is None:
                continue
            if flat is None or not same or flat[0] != part:
                u0, u1, v0, v1 = part
                inside = inside_grid(corners - (u0, v0), (u1 - u0, v1 - v0))
                flat = part, ~inside if outside else inside
            mask = self._deep(flat[1], part, rise, base)
            if mask.any():
                low, high = [index] * 3, [index + 1] * 3
                low[u], high[u], low[v], high[v] = part
                piece = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
                yield piece, mask.reshape(piece.shape_kji)

    def _part(
        self,
        corners: FloatArray,
        sides: tuple[tuple[int, int], tuple[int, int]],
        rise: tuple[float, float],
        base: float,
        *,
        outside: bool,
    ) -> tuple[int, int, int, int] | None:
        """Return the part (first and last of u, of v) of a slice that can hold anything, or None."""
        found = list(sides)
        if not outside:
            for n in range(2):
                low, high = float(corners[:, n].min()), float(corners[:, n].max())
                found[n] = max(sides[n][0], int(np.floor(low))), min(sides[n][1], int(np.ceil(high)) + 1)
        for n in range(2):
            other = 1 - n
            ends = [rise[other] * found[other][0], rise[other] * (found[other][1] - 1)]
            least, most = self.low - base - max(ends), self.high - base - min(ends)
            if rise[n] == 0.0:
                if least > 0.0 or most < 0.0:
                    return None
                continue
            low, high = sorted((least / rise[n], most / rise[n]))
            first = found[n][0] if np.isinf(low) else max(found[n][0], int(np.floor(low)))
            past = found[n][1] if np.isinf(high) else min(found[n][1], int(np.ceil(high)) + 1)
            found[n] = first, past
        (u0, u1), (v0, v1) = found
        return (u0, u1, v0, v1) if u0 < u1 and v0 < v1 else None

    def _deep(self, flat: Mask, part: tuple[int, int, int, int], rise: tuple[float, float], base: float) -> Mask:
        """Leave out of a slice what does not lie within the depth."""
        if np.isinf(self.low) and np.isinf(self.high):
            return flat
        u0, u1, v0, v1 = part
        across = rise[0] * np.arange(u0, u1, dtype=np.float64)[:, None] + rise[1] * np.arange(v0, v1) + base
        return np.asarray(flat & (across >= self.low) & (across < self.high))

    def _along(self) -> tuple[int, int, int]:
        """Return the axis whose slices face the pictures most, and the two others in the order of the grid."""
        minors = [abs(np.linalg.det(self.screen_map.matrix[1:, _others(axis)])) for axis in range(3)]
        axis = int(np.argmax(minors))
        u, v = _others(axis)
        return axis, u, v

    def _ranges(self, within: Box) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
        ends = [(low, high - 1) for low, high in zip(within.min_kji, within.max_kji, strict=True)]
        seen = self.screen_map.screen([(k, j, i) for k in ends[0] for j in ends[1] for i in ends[2]])
        low, high = seen.min(axis=0), seen.max(axis=0)
        rows, columns = self.corners[:, 0], self.corners[:, 1]
        return (
            (max(float(low[0]), self.low), min(float(high[0]), self.high)),
            (float(rows.min()), float(rows.max())),
            (float(columns.min()), float(columns.max())),
        )


def _joined(group: list[tuple[Box, Mask]]) -> tuple[Box, Mask]:
    box = Box.union_of(part for part, _ in group)
    assert box is not None
    whole = np.zeros(box.shape_kji, dtype=np.bool_)
    for part, mask in group:
        whole[part.within(box).slices] = mask
    return box, whole


def _others(axis: int) -> list[int]:
    return [a for a in range(3) if a != axis]


def _triple(numbers: npt.NDArray[np.float64]) -> tuple[int, int, int]:
    k, j, i = (int(n) for n in numbers)
    return k, j, i
