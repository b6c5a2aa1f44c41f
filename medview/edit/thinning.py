"""A line drawn by a free hand, with no more corners than its shape needs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def thinned(points: FloatArray, tolerance: float) -> FloatArray:
    """Return those points of a line from which no other lies further away than ``tolerance``; the ends always stay.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 2)
        In the unit of ``tolerance``, along both axes.

    Notes
    -----
    Douglas and Peucker 1973, without recursion: a hand may draw thousands of points.
    """
    if len(points) < 3:
        return points
    kept = np.zeros(len(points), dtype=np.bool_)
    kept[[0, -1]] = True
    open_parts = [(0, len(points) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        away = _away(points[first + 1 : last], points[first], points[last])
        furthest = int(np.argmax(away))
        if away[furthest] > tolerance:
            middle = first + 1 + furthest
            kept[middle] = True
            open_parts += [(first, middle), (middle, last)]
    return np.asarray(points[kept])


def _away(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    """Return the distances of points from the piece between two others."""
    way = end - start
    length_squared = float(way @ way)
    if length_squared == 0.0:
        return np.asarray(np.linalg.norm(points - start, axis=1))
    part = np.clip((points - start) @ way / length_squared, 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - start - part[:, None] * way, axis=1))
