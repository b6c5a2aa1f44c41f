"""Where one picture cuts another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.screen_grid import ScreenGrid

FloatArray = npt.NDArray[np.float64]
Position = tuple[float, float]

_PARALLEL = 1e-6
"""Sine of the angle under which two pictures do not cut one another in a line."""

_SHORTEST_PX = 1e-9
"""A line shorter than this only touches a corner."""


def reference_line(on: ScreenGrid, of: ScreenGrid) -> tuple[Position, Position] | None:
    """Return both ends of the line in which one picture cuts another, or None where it does not.

    Both pictures reach to the outer edges of their outermost pixels.

    Parameters
    ----------
    on : ScreenGrid
        The picture on which the line is drawn.
    of : ScreenGrid
        The picture whose place the line shows.

    Returns
    -------
    tuple of (row, column), or None
        Fractional rows and columns of ``on``; integers are centres of pixels. None where the pictures are parallel.
    """
    if np.linalg.norm(np.cross(on.normal_lps, of.normal_lps)) < _PARALLEL:
        return None
    # In rows and columns of ``of`` the plane of ``on`` is a line: height = constant + a * row + b * column = 0.
    across = on.normal_lps
    constant = float((np.asarray(of.corner_lps_mm) - np.asarray(on.corner_lps_mm)) @ across)
    slope = np.array([across @ of.row_step_lps_mm, across @ of.column_step_lps_mm])
    foot = -constant * slope / (slope @ slope)
    along = np.array([-slope[1], slope[0]]) / np.linalg.norm(slope)
    span = _within(foot, along, of.shape)
    if span is None:
        return None
    first, last = (_position(on, of.point_lps_mm(*(foot + along * t))) for t in span)
    part = _within(first, last - first, on.shape)
    if part is None:
        return None
    begin, end = max(part[0], 0.0), min(part[1], 1.0)
    if (end - begin) * float(np.linalg.norm(last - first)) < _SHORTEST_PX:
        return None
    (row, column), (to_row, to_column) = (first + (last - first) * t for t in (begin, end))
    return (float(row), float(column)), (float(to_row), float(to_column))


def _position(on: ScreenGrid, point_lps_mm: FloatArray) -> FloatArray:
    """Return the row and column of a point in the plane of a picture; its steps need not be at right angles."""
    steps = np.stack([on.row_step_lps_mm, on.column_step_lps_mm], axis=1)
    return np.asarray(np.linalg.lstsq(steps, point_lps_mm - np.asarray(on.corner_lps_mm), rcond=None)[0])


def _within(start: FloatArray, step: FloatArray, shape: tuple[int, int]) -> tuple[float, float] | None:
    """Return from where to where, in steps, a line runs inside the outer edges of a picture."""
    first, last = -np.inf, np.inf
    for at, by, count in zip(start, step, shape, strict=True):
        low, high = -0.5, count - 0.5
        if abs(by) < 1e-12:
            if not low <= at <= high:
                return None
            continue
        near, far = sorted(((low - at) / by, (high - at) / by))
        first, last = max(first, near), min(last, far)
    return (float(first), float(last)) if first < last else None
