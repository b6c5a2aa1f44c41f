"""How far an image may lie from the even grid its series is taken for, and from the slice of the grid it stands for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry

ROUNDING_MM = 0.01
"""Deviation from an even grid that is rounding noise of the writer; silent."""
UNEVEN_FRACTION = 0.05
"""Up to this part of the spacing a series still counts as a volume, and of a pixel it may be shifted sideways."""
FITTED = 2.0
"""How many times as far an image may lie from its slice: grids are stored, and positions written again, rounded."""


def along_mm(spacing_mm: float) -> float:
    """Return how unevenly slices may follow each other, given their distance in millimetres."""
    return max(ROUNDING_MM, UNEVEN_FRACTION * spacing_mm)


def across_mm(pixel_mm: float) -> float:
    """Return how far slices may be shifted sideways, given the smaller side of a pixel in millimetres."""
    return max(ROUNDING_MM, UNEVEN_FRACTION * pixel_mm)


def on_voxel(geometry: Geometry, index_kji: npt.ArrayLike, position_lps_mm: npt.ArrayLike) -> bool:
    """Whether a position is that of a voxel of a grid, as far as the images of a volume may lie from it.

    Measured along the normal of the slices and across it, as the grid was fitted: along the axes of a sheared grid an
    uneven slice would lie sideways too.
    """
    off = np.asarray(position_lps_mm, dtype=np.float64) - geometry.point_lps_mm(index_kji)
    directions = geometry.directions_kji
    normal = np.cross(directions[2], directions[1])
    normal = normal / np.linalg.norm(normal)
    apart = abs(float(geometry.affine_lps[:3, 0] @ normal))
    along = float(off @ normal)
    across = float(np.linalg.norm(off - normal * along))
    return abs(along) <= FITTED * along_mm(apart) and across <= FITTED * across_mm(min(geometry.spacing_kji_mm[1:]))
