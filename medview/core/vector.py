"""Arithmetic of single vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def cross(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the cross product of two vectors, many times as fast as numpy, which is made for many at a time."""
    (ax, ay, az), (bx, by, bz) = np.asarray(a, dtype=np.float64).tolist(), np.asarray(b, dtype=np.float64).tolist()
    return np.array((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx))
