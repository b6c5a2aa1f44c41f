"""Exact distances between voxels in the patient, and what lies within one of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.edit.effects.slabs import by_slabs, nothing

Mask = npt.NDArray[np.bool_]

_SLACK = 1e-5
"""A margin of one slice has to reach the next slice, whatever single precision makes of it."""
_QUERY = 1 << 16


def within(geometry: Geometry, mask: Mask, distance_mm: float, between: Callable[[], None] = nothing) -> Mask:
    """Return the voxels whose centre lies within a distance of the centre of a voxel of a mask, those of the mask too.

    Exact on every grid: by Maurer's distance map where the axes are at right angles (C. R. Maurer et al., IEEE Trans. PAMI
    25 (2003) 265-270, as SimpleITK has it), else by nearest neighbours in the patient.

    Parameters
    ----------
    mask : ndarray of bool, shape (k, j, i)
    between : callable
        Called now and then; what it raises ends the work.
    """
    if not mask.any() or distance_mm <= 0:
        return mask.copy()
    if geometry.sheared:
        return _within_sheared(geometry, mask, distance_mm, between)
    limit_mm2 = (distance_mm * (1 + _SLACK)) ** 2
    reach_k = int(distance_mm * (1 + _SLACK) / geometry.spacing_kji_mm[0])

    def near(part: Mask) -> Mask:
        return _squared_mm2(geometry, part) <= limit_mm2 if part.any() else part

    return by_slabs(mask, reach_k, near, between)


def grown(geometry: Geometry, mask: Mask, distance_mm: float, between: Callable[[], None] = nothing) -> Mask:
    """Return a mask with everything within a distance of it."""
    return within(geometry, mask, distance_mm, between)


def shrunk(geometry: Geometry, mask: Mask, distance_mm: float, between: Callable[[], None] = nothing) -> Mask:
    """Return a mask without what lies within a distance of the voxels beside it; the edge of the grid takes nothing."""
    return ~within(geometry, ~mask, distance_mm, between)


def _squared_mm2(geometry: Geometry, mask: Mask) -> npt.NDArray[np.float32]:
    """Return squared distances to a mask in mm^2 for a grid at right angles; nothing below zero inside."""
    import SimpleITK as sitk  # costs every start of the program a tenth of a second

    image = sitk.GetImageFromArray(np.ascontiguousarray(mask).view(np.uint8))
    dk, dj, di = geometry.spacing_kji_mm
    image.SetSpacing((di, dj, dk))
    found = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=True, useImageSpacing=True)
    return np.asarray(sitk.GetArrayFromImage(found), dtype=np.float32)


def _within_sheared(geometry: Geometry, mask: Mask, distance_mm: float, between: Callable[[], None]) -> Mask:
    from scipy import ndimage, spatial

    every = np.ones((3, 3, 3), dtype=np.bool_)
    edge = mask & ~ndimage.binary_erosion(mask, every)
    tree = spatial.cKDTree(geometry.point_lps_mm(np.argwhere(edge)))
    limit = distance_mm * (1 + _SLACK)
    found = mask.copy()
    asked = np.argwhere(_reachable(geometry, mask, distance_mm) & ~mask)
    for start in range(0, len(asked), _QUERY):
        between()
        some = asked[start : start + _QUERY]
        away, _ = tree.query(geometry.point_lps_mm(some), distance_upper_bound=limit)
        found[tuple(some[away <= limit].T)] = True
    return found


def _reachable(geometry: Geometry, mask: Mask, distance_mm: float) -> Mask:
    """Return the voxels in the box of those that a ball around any voxel of the mask reaches, axis by axis."""
    from scipy import ndimage

    columns = geometry.affine_lps[:3, :3]
    extent = np.floor(distance_mm * (1 + _SLACK) * np.sqrt(np.diagonal(np.linalg.inv(columns.T @ columns)))).astype(int)
    found = mask.view(np.uint8)
    for axis, reach in enumerate(extent):
        if reach:
            found = ndimage.maximum_filter1d(found, 2 * int(reach) + 1, axis=axis, mode="constant")
    return np.asarray(found > 0)
