"""Moving the place that is looked at across planes at an angle to the grid."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane

FloatArray = npt.NDArray[np.float64]

_ROUNDING_STEPS = 1e-6
"""A place this far beyond the last picture that meets the grid still lies on it."""


def stepped(geometry: Geometry, layout: ObliquePlane, at_kji: npt.ArrayLike, steps: int) -> FloatArray:
    """Return the place ``steps`` pictures further, inside the grid; of fewer, as many whole steps as there are.

    It goes straight across the pictures as long as that stays inside the grid, then along its border.
    """
    across = layout.screen(geometry, at_kji)[0]
    low, high = reach(geometry, layout)
    if steps > 0:
        steps = min(steps, max(0, math.floor(high - across + _ROUNDING_STEPS)))
    else:
        steps = max(steps, -max(0, math.floor(across - low + _ROUNDING_STEPS)))
    return moved_to(geometry, layout, at_kji, across + steps) if steps else np.asarray(at_kji, dtype=np.float64)


def moved_to(geometry: Geometry, layout: ObliquePlane, at_kji: npt.ArrayLike, across: float) -> FloatArray:
    """Return the place on a picture straight across from another one; where that is outside the grid, the nearest inside.

    Parameters
    ----------
    across : float
        Position of the picture, see ``ObliquePlane``; at most as far as the outermost voxel centres.
    """
    _, row, column = layout.screen(geometry, at_kji)
    target = layout.index_kji(geometry, across, row, column)
    last = np.asarray(geometry.shape_kji) - 1.0
    if bool(np.all((target >= 0.0) & (target <= last))):
        return target
    slope, start = _slope(geometry, layout)
    nearest, furthest = _ends(slope, start, last)
    wanted = min(max(across, nearest), furthest) - start
    # Nearest in millimetres under one linear condition: every axis moves by one and the same multiple of this and stops at
    # its border. (Of a sheared grid it is near, not nearest.)
    way = slope / np.square(geometry.spacing_kji_mm)

    def off(multiple: float) -> float:
        return float(np.clip(target + multiple * way, 0.0, last) @ slope) - wanted

    moving = way != 0.0
    bends = np.concatenate([(edge - target)[moving] / way[moving] for edge in (np.zeros(3), last)])
    bends.sort()
    errors = [off(bend) for bend in bends]
    after = next((n for n, error in enumerate(errors) if error >= 0.0), len(bends) - 1)
    if after == 0:
        return np.asarray(np.clip(target + bends[0] * way, 0.0, last))
    low, high = errors[after - 1], errors[after]
    part = 0.0 if high == low else min(1.0, max(0.0, -low / (high - low)))
    multiple = bends[after - 1] + part * (bends[after] - bends[after - 1])
    return np.asarray(np.clip(target + multiple * way, 0.0, last))


def reach(geometry: Geometry, layout: ObliquePlane) -> tuple[float, float]:
    """Return the first and the last position across the pictures at which a voxel centre lies."""
    return _ends(*_slope(geometry, layout), np.asarray(geometry.shape_kji) - 1.0)


def _slope(geometry: Geometry, layout: ObliquePlane) -> tuple[FloatArray, float]:
    """Return how the position across the pictures grows along k, j and i, and what it is at voxel (0, 0, 0)."""
    start = layout.screen(geometry, (0.0, 0.0, 0.0))[0]
    return np.asarray([layout.screen(geometry, one)[0] - start for one in np.eye(3)]), start


def _ends(slope: FloatArray, start: float, last: FloatArray) -> tuple[float, float]:
    along = slope * last
    return start + float(np.minimum(along, 0.0).sum()), start + float(np.maximum(along, 0.0).sum())
