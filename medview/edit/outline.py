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
        for where, part in self.slices(box, outside=outside):
            found[where] = part
        return found

    def slices(self, box: Box, *, outside: bool = False) -> Iterator[tuple[tuple[int | slice, ...], Mask]]:
        """Yield the same slice by slice, as (index into the box, mask), so that long work can be told how far it is.

        On every slice of the grid the outline, cast through the volume, is an outline again: exact at any angle.
        """
        axis, u, v = self._along()
        matrix, offset = self.screen_map.matrix, self.screen_map.offset
        shape = (box.shape_kji[u], box.shape_kji[v])
        to_grid = np.linalg.inv(matrix[1:, [u, v]])
        # Position across the pictures of each point of a slice, but for what the slice itself adds.
        ramp = (
            matrix[0, u] * np.arange(box.min_kji[u], box.max_kji[u], dtype=np.float64)[:, None]
            + matrix[0, v] * np.arange(box.min_kji[v], box.max_kji[v], dtype=np.float64)[None, :]
            + offset[0]
        )
        lowest, highest = (float(ramp.min()), float(ramp.max())) if ramp.size else (0.0, 0.0)
        same = not matrix[1:, axis].any()
        flat: Mask | None = None
        for n in range(box.shape_kji[axis]):
            index = box.min_kji[axis] + n
            base = matrix[0, axis] * index
            if base + highest < self.low or base + lowest >= self.high:
                continue
            if flat is None or not same:
                shift = offset[1:] + matrix[1:, axis] * index
                corners = (self.corners - shift) @ to_grid.T - (box.min_kji[u], box.min_kji[v])
                flat = inside_grid(corners, shape)
                if outside:
                    flat = ~flat
            part = flat
            if base + lowest < self.low or base + highest >= self.high:
                part = flat & (ramp >= self.low - base) & (ramp < self.high - base)
            where: list[int | slice] = [slice(None)] * 3
            where[axis] = n
            yield tuple(where), part

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


def _others(axis: int) -> list[int]:
    return [a for a in range(3) if a != axis]


def _triple(numbers: npt.NDArray[np.float64]) -> tuple[int, int, int]:
    k, j, i = (int(n) for n in numbers)
    return k, j, i
