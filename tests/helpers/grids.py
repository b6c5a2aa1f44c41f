"""Grids at any angle for tests of planes."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Calibration, Geometry

SHAPE_KJI = (9, 31, 22)
SPACING_KJI_MM = (3.0, 0.6, 0.9)
"""Anisotropic, and no two numbers alike."""


def turn(axis: npt.ArrayLike, degrees: float) -> npt.NDArray[np.float64]:
    """Return the matrix of a right-handed turn about a direction."""
    x, y, z = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def turned_grid(
    axis: npt.ArrayLike = (1, 2, 3),
    degrees: float = 0.0,
    *,
    shear: float = 0.0,
    axes: npt.ArrayLike = ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    shape_kji: tuple[int, int, int] = SHAPE_KJI,
    spacing_kji_mm: tuple[float, float, float] = SPACING_KJI_MM,
    calibration: Calibration = Calibration.VOLUME,
) -> Geometry:
    """Return a grid with the directions ``axes`` (rows are k, j, i), turned about a direction.

    ``shear`` leans k towards j, as a tilted gantry does.
    """
    k, j, i = np.asarray(axes, dtype=float)
    k = k + shear * j
    directions = turn(axis, degrees) @ np.stack([k / np.linalg.norm(k), j, i], axis=1)
    affine = np.eye(4)
    affine[:3, :3] = directions * np.asarray(spacing_kji_mm)
    affine[:3, 3] = (-17.0, 23.0, -101.0)
    return Geometry(shape_kji, affine, "1.2.3", calibration)


def _every_order() -> dict[str, npt.NDArray[np.float64]]:
    found = {}
    for order, signs in product(permutations(range(3)), product((1.0, -1.0), repeat=3)):
        letters = ["xyz"[axis].upper() if sign < 0 else "xyz"[axis] for axis, sign in zip(order, signs, strict=True)]
        found["".join(letters)] = np.eye(3)[list(order)] * np.asarray(signs)[:, np.newaxis]
    return found


EVERY_ORDER = _every_order()
"""The 48 ways in which k, j and i can lie along the patient's x, y and z (capitals: against them); half are left-handed."""
