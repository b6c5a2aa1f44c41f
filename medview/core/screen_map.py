"""From voxel indices to places on the pictures of a plane, for many points at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.oblique import PlaneLayout

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScreenMap:
    """What ``PlaneLayout.screen`` does to one point, as the affine map it is.

    Attributes
    ----------
    matrix : ndarray of float64, shape (3, 3)
        Rows give the position across the pictures, the screen row and the screen column; columns belong to k, j, i.
    offset : ndarray of float64, shape (3,)
        Where voxel (0, 0, 0) lies.
    """

    matrix: FloatArray
    offset: FloatArray

    @classmethod
    def of(cls, layout: PlaneLayout, geometry: Geometry) -> ScreenMap:
        """Return the map of a plane through a grid."""
        return _map(layout, geometry)

    @property
    def half_thickness(self) -> float:
        """How far a voxel reaches from its centre across the pictures, in steps: what is nearer is cut by the picture."""
        return float(np.abs(self.matrix[0]).sum()) / 2

    def screen(self, index_kji: npt.ArrayLike) -> FloatArray:
        """Map fractional voxel indices, shape (..., 3), to (position across, row, column), same shape."""
        return np.asarray(np.asarray(index_kji, dtype=np.float64) @ self.matrix.T + self.offset)

    def index_kji(self, screen: npt.ArrayLike) -> FloatArray:
        """Map (position across, row, column), shape (..., 3), to fractional voxel indices; inverse of ``screen``."""
        away = np.asarray(screen, dtype=np.float64) - self.offset
        return np.asarray(away @ np.linalg.inv(self.matrix).T)


@lru_cache(maxsize=64)
def _map(layout: PlaneLayout, geometry: Geometry) -> ScreenMap:
    # Asked at every move of a hand; a layout and a grid never change.
    offset = np.asarray(layout.screen(geometry, (0.0, 0.0, 0.0)))
    steps = [np.asarray(layout.screen(geometry, tuple(unit))) - offset for unit in np.eye(3)]
    matrix = np.stack(steps, axis=1)
    # Along the grid the steps are whole numbers; what subtracting left of a rounding must not move a voxel's centre.
    rounded = np.rint(matrix)
    if np.abs(matrix - rounded).max() < 1e-9:
        matrix, offset = rounded, np.rint(offset)
    matrix.setflags(write=False)
    offset.setflags(write=False)
    return ScreenMap(matrix, offset)
