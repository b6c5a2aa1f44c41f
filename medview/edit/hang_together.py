"""What hangs together with a place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


def hanging_together(mask: Mask, core: Mask) -> Mask:
    """Return the pieces of a (k, j, i) mask that reach into a core of the same shape.

    Voxels hang together at faces: a corner is where a thin wall leaks.
    """
    import cc3d  # late: the window stands before the first stroke

    inside = mask & core
    if not inside.any():
        return inside
    pieces = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=6)
    wanted = np.zeros(int(pieces.max()) + 1, dtype=np.bool_)
    wanted[pieces[inside]] = True
    wanted[0] = False
    return np.asarray(wanted[pieces])
