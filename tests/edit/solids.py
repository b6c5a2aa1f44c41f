"""Solids whose every voxel is known, on a grid with three different spacings, and what a person draws of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

SHAPE_KJI = (61, 90, 80)
SPACING_KJI_MM = (2.5, 0.7, 1.1)
_MIDDLE_MM = (75.0, 31.5, 44.0)


def _places() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    z, y, x = (
        n * mm - middle
        for n, mm, middle in zip(
            np.ogrid[: SHAPE_KJI[0], : SHAPE_KJI[1], : SHAPE_KJI[2]], SPACING_KJI_MM, _MIDDLE_MM, strict=True
        )
    )
    return z, y, x


def sphere() -> Mask:
    z, y, x = _places()
    return z**2 + y**2 + x**2 < 22**2


def ellipsoid() -> Mask:
    z, y, x = _places()
    return (z / 45) ** 2 + (y / 20) ** 2 + (x / 30) ** 2 < 1


def cone() -> Mask:
    z, y, x = _places()
    height = (z + 60) / 120
    return (np.hypot(y, x) < 25 * height) & (height < 1)


def tilted(radius_mm: float = 5.0) -> Mask:
    """Return a cylinder that leans by 28 degrees."""
    z, y, x = _places()
    return (np.hypot(y - z * 0.35, x + z * 0.4) < radius_mm) & (abs(z) < 50)


def vessel() -> Mask:
    """Return a leaning cylinder so thin that neighbouring drawn slices of it do not overlap."""
    return tilted(2.2)


def torus() -> Mask:
    """Return a ring that stands up: axial slices through it fall into two, join and part again."""
    z, y, x = _places()
    return np.hypot(np.hypot(z, x) - 25, y) < 8


def lying_torus() -> Mask:
    """Return a ring that lies in axial slices, which have a hole."""
    z, y, x = _places()
    return np.hypot(np.hypot(y, x) - 20, z) < 9


def fork() -> Mask:
    """Return a vessel that branches in two."""
    z, y, x = _places()
    apart = np.clip(z, 0, None) * 0.25
    return ((np.hypot(y, x - apart) < 7) | (np.hypot(y, x + apart) < 7)) & (abs(z) < 60)


SOLIDS: dict[str, Callable[[], Mask]] = {
    solid.__name__: solid for solid in (sphere, ellipsoid, cone, tilted, vessel, torus, lying_torus, fork)
}


def drawn(solid: Mask, axis: int, step: int) -> Mask:
    """Return every ``step``-th slice of a solid along an axis, and its last one."""
    filled = np.flatnonzero(solid.any(axis=tuple(a for a in range(3) if a != axis)))
    only = np.zeros(solid.shape[axis], dtype=bool)
    only[[*filled[::step], filled[-1]]] = True
    return solid & np.expand_dims(only, tuple(a for a in range(3) if a != axis))


def dice(a: Mask, b: Mask) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))
