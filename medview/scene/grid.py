"""Voxels small enough to be drawn from every side while a hand turns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.scene.camera import FloatArray, Stage


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """An array in the patient.

    Attributes
    ----------
    voxels : ndarray of int16 or uint8, shape (k, j, i), C order
        Numbers a transfer function takes, or label values.
    affine_lps : ndarray of float64, shape (4, 4)
        Maps (k, j, i, 1) at voxel centres to LPS millimetres; any angles between the axes.
    """

    voxels: npt.NDArray[Any]
    affine_lps: FloatArray

    @property
    def spacing_kji_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres."""
        dk, dj, di = (float(d) for d in np.linalg.norm(self.affine_lps[:3, :3], axis=0))
        return dk, dj, di

    @property
    def stage(self) -> Stage:
        """Where the grid is."""
        k, j, i = self.voxels.shape
        return Stage.of((k, j, i), self.affine_lps)

    def right_handed(self) -> Grid:
        """Return the same voxels at the same places with i turned round where the axes are left-handed."""
        # Columns are k, j, i: a right-handed i, j, k has a negative determinant in this order.
        if np.linalg.det(self.affine_lps[:3, :3]) < 0:
            return self
        affine = self.affine_lps.copy()
        affine[:3, 3] += affine[:3, 2] * (self.voxels.shape[2] - 1)
        affine[:3, 2] *= -1
        return Grid(np.ascontiguousarray(self.voxels[:, :, ::-1]), affine)


@dataclass(frozen=True, slots=True)
class SurfaceStyle:
    """A segment to draw as a surface.

    Attributes
    ----------
    layer : int
        Which of the label grids holds it.
    value : int
        Of its voxels there.
    colour : tuple of int
        RGB, 0-255.
    """

    name: str
    colour: tuple[int, int, int]
    layer: int
    value: int
