"""Closed contours to a mask.

A voxel belongs when its centre lies inside by the even-odd rule, counted over all contours given, or on a contour. So a
contour inside another one cuts a hole, a keyhole keeps its hole, and contours drawn through the centres of the outermost
voxels as well as contours drawn around these give the voxels that were meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ON_LINE_VOXELS = 0.01
"""How far from a contour the centre of a voxel may lie and still be on it; writers round millimetres to text."""
CROSSINGS_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """What contours hold.

    Attributes
    ----------
    mask : ndarray of bool, shape (j, i)
    crossing : bool
        Two of them overlap in part, where even-odd may not be what was meant.
    """

    mask: BoolArray
    crossing: bool = False


def filled(contours: Sequence[FloatArray], shape_ji: tuple[int, int]) -> Filled:
    """Return the voxels inside closed contours of one plane.

    Parameters
    ----------
    contours : sequence of ndarray of float64, shape (points, 2)
        Rows and columns (j, i); whole numbers are centres of voxels. The last point joins the first. Two that are the
        same count once. What lies outside of ``shape_ji`` is cut off.
    """
    parity = np.zeros(shape_ji, dtype=np.bool_)
    lines = np.zeros(shape_ji, dtype=np.bool_)
    crossing = False
    once = {_corners(contour): contour for contour in contours}
    for contour in sorted(once.values(), key=_area, reverse=True):
        corner, size = _window(contour, shape_ji)
        if min(size) <= 0:
            continue
        window = tuple(slice(low, low + length) for low, length in zip(corner, size, strict=True))
        inside = _inside(contour - corner, size)
        meets = inside & parity[window]
        crossing |= bool(meets.any()) and bool((inside & ~parity[window]).any())
        parity[window] ^= inside
        lines[window] |= _on_lines(contour - corner, size)
    return Filled(parity | lines, crossing)


def _corners(contour: FloatArray) -> bytes:
    """Return what is equal for contours with the same points, whatever the first one is and whichever way round."""
    rounded = np.round(contour, 6) + 0.0
    return rounded[np.lexsort(rounded.T)].tobytes()


def _area(contour: FloatArray) -> float:
    """Twice the area inside a contour."""
    j, i = (contour - contour[0]).T
    return float(abs(j @ np.roll(i, -1) - i @ np.roll(j, -1)))


def _window(contour: FloatArray, shape_ji: tuple[int, int]) -> tuple[IntArray, tuple[int, int]]:
    """Return the first voxel a contour can reach, and how many there are along j and i."""
    low = np.maximum(np.ceil(contour.min(axis=0) - ON_LINE_VOXELS), 0.0)
    high = np.minimum(np.floor(contour.max(axis=0) + ON_LINE_VOXELS), np.asarray(shape_ji) - 1.0)
    rows, columns = (int(n) for n in np.maximum(high - low + 1.0, 0.0))
    return low.astype(np.int64), (rows, columns)


def _inside(contour: FloatArray, size: tuple[int, int]) -> BoolArray:
    """Say of the centres of a window whether an odd number of edges lies to their left."""
    rows, columns = size
    turns = np.zeros(rows * (columns + 1), dtype=np.int64)
    for j, i in _crossings(contour, rows, 0.0):
        # Half-open in both directions: a point belongs to one of two contours that share an edge, never to none.
        first = np.clip(np.ceil(i), 0, columns).astype(np.int64)
        turns += np.bincount(j * (columns + 1) + first, minlength=turns.size)
    return np.asarray(np.cumsum(turns.reshape(rows, columns + 1), axis=1)[:, :columns] & 1 == 1)


def _on_lines(contour: FloatArray, size: tuple[int, int]) -> BoolArray:
    """Say of the centres of a window whether an edge runs through them."""
    found = np.zeros(size, dtype=np.bool_)
    for turned, points in ((found, contour), (found.T, contour[:, ::-1])):
        rows, columns = turned.shape
        for j, i in _crossings(points, rows, ON_LINE_VOXELS):
            nearest = np.rint(i)
            on = (np.abs(i - nearest) <= ON_LINE_VOXELS) & (nearest >= 0) & (nearest < columns)
            turned[j[on], nearest[on].astype(np.int64)] = True
    return found


def _crossings(contour: FloatArray, rows: int, slack: float) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield whole rows and where edges cross them; without slack each edge holds its lower end and not its upper one."""
    ends = np.roll(contour, -1, axis=0)
    swap = contour[:, :1] > ends[:, :1]
    low, high = np.where(swap, ends, contour), np.where(swap, contour, ends)
    rising = high[:, 0] > low[:, 0]
    low, high = low[rising], high[rising]
    first = np.maximum(np.ceil(low[:, 0] - slack), 0).astype(np.int64)
    last = np.floor(high[:, 0] + slack) if slack else np.ceil(high[:, 0]) - 1
    counts = np.maximum(np.minimum(last, rows - 1).astype(np.int64) - first + 1, 0)
    at_once = max(CROSSINGS_AT_ONCE // max(rows, 1), 1)
    for start in range(0, len(counts), at_once):
        part = slice(start, start + at_once)
        count = counts[part]
        edge = np.repeat(np.arange(count.size) + start, count)
        begins = np.repeat(np.cumsum(count) - count, count)
        row = first[edge] + np.arange(edge.size) - begins
        a, b = low[edge], high[edge]
        along = np.clip((row - a[:, 0]) / (b[:, 0] - a[:, 0]), 0.0, 1.0)
        yield row, a[:, 1] + along * (b[:, 1] - a[:, 1])
