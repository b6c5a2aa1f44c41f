"""Moving the place that is looked at across planes at an angle to the grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane

_NEAR_STEPS = 1e-3
"""A place this near to a picture lies on it."""
_TRIES = 40


def stepped(geometry: Geometry, layout: ObliquePlane, at_kji: npt.ArrayLike, steps: int) -> npt.NDArray[np.float64]:
    """Return the place ``steps`` pictures further, inside the grid; as far as the volume goes when there are fewer.

    It goes straight across the pictures as long as that stays inside the grid, then along its border.
    """
    here = np.asarray(at_kji, dtype=np.float64)
    across, row, column = layout.screen(geometry, here)
    limit = min(abs(steps), 2 * layout.half_steps + 2)
    sign = 1 if steps > 0 else -1

    def place(count: int) -> npt.NDArray[np.float64] | None:
        return _inside(
            geometry, layout, layout.index_kji(geometry, across + sign * count, row, column), across + sign * count
        )

    if (found := place(limit)) is not None:
        return found
    # Places inside the grid are an interval of steps.
    near, far = 0, limit
    best = here
    while far - near > 1:
        middle = (near + far) // 2
        found = place(middle)
        if found is None:
            far = middle
        else:
            near, best = middle, found
    return best


def _inside(
    geometry: Geometry, layout: ObliquePlane, target_kji: npt.NDArray[np.float64], across: float
) -> npt.NDArray[np.float64] | None:
    """Return the place of a picture that lies in the grid and nearest to one that may not, or None."""
    last = np.asarray(geometry.shape_kji) - 1.0
    at = target_kji
    for _ in range(_TRIES):
        clipped = np.clip(at, 0.0, last)
        off, row, column = layout.screen(geometry, clipped)
        if abs(off - across) <= _NEAR_STEPS:
            return clipped
        at = layout.index_kji(geometry, across, row, column)
    return None
