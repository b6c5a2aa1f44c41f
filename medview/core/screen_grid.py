"""Where the pixels of a flat picture lie in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.vector import Triple, cross, triple


@dataclass(frozen=True, slots=True)
class ScreenGrid:
    """Pixels of a picture through the patient, at any angle. Rows go down the screen, columns to the right.

    Attributes
    ----------
    corner_lps_mm : tuple of float
        Centre of the pixel in row 0, column 0.
    row_step_lps_mm, column_step_lps_mm : tuple of float
        From one row to the next below it, and from one column to the next on its right.
    shape : tuple of int
        Rows and columns.
    """

    corner_lps_mm: Triple
    row_step_lps_mm: Triple
    column_step_lps_mm: Triple
    shape: tuple[int, int]

    @property
    def normal_lps(self) -> npt.NDArray[np.float64]:
        """Unit vector across the picture: columns' direction x rows' direction, away from the person who looks at it."""
        across = cross(self.column_step_lps_mm, self.row_step_lps_mm)
        return np.asarray(across / np.linalg.norm(across))

    def moved(self, by_lps_mm: npt.ArrayLike) -> ScreenGrid:
        """Return the same picture elsewhere in the patient."""
        corner = np.asarray(self.corner_lps_mm) + np.asarray(by_lps_mm, dtype=np.float64)
        return ScreenGrid(triple(corner), self.row_step_lps_mm, self.column_step_lps_mm, self.shape)

    def part(self, row0: int, row1: int, column0: int, column1: int) -> ScreenGrid:
        """Return half-open ranges of rows and columns as a picture of its own."""
        corner = triple(self.point_lps_mm(row0, column0))
        return ScreenGrid(corner, self.row_step_lps_mm, self.column_step_lps_mm, (row1 - row0, column1 - column0))

    def resampled(self, shape: tuple[int, int]) -> ScreenGrid:
        """Return the picture between the same outer edges with another number of rows and columns."""
        by_row, by_column = (before / after for before, after in zip(self.shape, shape, strict=True))
        x, y, z = (float(n) for n in self.point_lps_mm((by_row - 1) / 2, (by_column - 1) / 2))
        down, right = (
            (step[0] * by, step[1] * by, step[2] * by)
            for step, by in ((self.row_step_lps_mm, by_row), (self.column_step_lps_mm, by_column))
        )
        return ScreenGrid((x, y, z), down, right, shape)

    def point_lps_mm(self, row: float, column: float) -> npt.NDArray[np.float64]:
        """Return the place of a position on the picture; integers are centres of pixels."""
        corner, down, right = (np.asarray(v) for v in (self.corner_lps_mm, self.row_step_lps_mm, self.column_step_lps_mm))
        return np.asarray(corner + row * down + column * right)

    def on(self, geometry: Geometry) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return (corner, step of a row, step of a column) in fractional voxel indices (k, j, i) of a volume's grid."""
        corner = geometry.index_kji(self.corner_lps_mm)
        down = geometry.index_kji(self.point_lps_mm(1.0, 0.0)) - corner
        right = geometry.index_kji(self.point_lps_mm(0.0, 1.0)) - corner
        return corner, down, right
