"""Values inside a region that was drawn on a plane at an angle to the grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.analysis.figures import inside, outline
from medview.analysis.reslice import sample
from medview.core.measurement import Measurement
from medview.core.screen_grid import ScreenGrid
from medview.core.vector import cross, triple
from medview.core.volume import Volume

FloatArray = npt.NDArray[np.float64]

NOTE = "values interpolated on an oblique plane"
"""What is said of such values wherever they are told."""

_PLANAR_MM = 1e-2
"""A figure whose points lie further from one plane than this lies on none."""

_MOST_PIXELS = 2048
"""Rows or columns; a region this large has pixels enough."""


def values_on_plane(volume: Volume, measurement: Measurement) -> FloatArray | None:
    """Return the values of square pixels, as fine as the finest voxels, whose centres a flat region holds.

    They are interpolated as they are on the screen, from stored numbers that are whole where the volume's are. Padding and
    places outside the volume are left out.

    Returns
    -------
    ndarray of float64, or None
        None when the points of the region lie on no plane, or when it encloses none.
    """
    corners = outline(np.asarray(measurement.points_lps_mm, dtype=np.float64), measurement.kind)
    directions = plane_of(corners)
    if directions is None:
        return None
    grid = _pixels(volume, corners, *directions)
    points = np.asarray(measurement.points_lps_mm) - np.asarray(grid.corner_lps_mm)
    pixel_mm = float(np.linalg.norm(grid.row_step_lps_mm))
    steps = np.stack([grid.row_step_lps_mm, grid.column_step_lps_mm], axis=1) / pixel_mm**2
    found = sample(volume, grid)
    seen = inside(measurement, points @ steps, grid.shape) & found.inside & ~volume.is_padding(found.stored)
    values = found.stored[seen].astype(np.float64) * volume.rescale.slope + volume.rescale.intercept
    return np.asarray(values[np.isfinite(values)])


def plane_of(points_lps_mm: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return two directions at right angles in the plane that points lie on; None where they lie on none or on a line."""
    centred = points_lps_mm - points_lps_mm.mean(axis=0)
    _, extents, directions = np.linalg.svd(centred, full_matrices=False)
    first, normal = directions[0], directions[2]
    if extents[1] <= _PLANAR_MM or float(np.abs(centred @ normal).max()) > _PLANAR_MM:
        return None
    return cross(normal, first), first


def _pixels(volume: Volume, corners_lps_mm: FloatArray, down: FloatArray, right: FloatArray) -> ScreenGrid:
    """Return a grid of square pixels around an outline."""
    along = np.stack([corners_lps_mm @ down, corners_lps_mm @ right], axis=1)
    low, size = along.min(axis=0), np.ptp(along, axis=0)
    pixel = max(min(volume.geometry.spacing_kji_mm), float(size.max()) / _MOST_PIXELS)
    # In the middle of the figure: no side of a rectangle comes nearer to a centre than a quarter of a pixel, and rounding
    # of its corners, as in files, changes nothing.
    rows, columns = (max(1, round(float(n))) for n in size / pixel)
    row, column = low + size / 2 - (np.asarray((rows, columns)) - 1) / 2 * pixel
    across = cross(right, down)
    corner = down * row + right * column + across * float(corners_lps_mm.mean(axis=0) @ across)
    return ScreenGrid(triple(corner), triple(down * pixel), triple(right * pixel), (rows, columns))
