"""Brush strokes: a disc on a slice or a sphere, swept along the way of the hand, measured in the patient."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.plane import SlicePlane

_PIECE_VOXELS = 24
"""Shorter pieces of a stroke than this cost more in calls than they save in voxels."""


def capsule_mask(
    geometry: Geometry, start_kji: npt.ArrayLike, end_kji: npt.ArrayLike, radius_mm: float, plane: SlicePlane | None = None
) -> tuple[Box, npt.NDArray[np.bool_]] | None:
    """Return the voxels within ``radius_mm`` of the way from start to end as (box, mask), or None outside the grid.

    Distances are taken in the patient through the affine, so they are right on anisotropic, oblique and sheared grids.
    """
    start, end = np.asarray(start_kji, dtype=np.float64), np.asarray(end_kji, dtype=np.float64)
    if plane is not None:
        level = np.rint(end[plane.normal_axis])
        start, end = start.copy(), end.copy()
        start[plane.normal_axis] = end[plane.normal_axis] = level
    columns = geometry.affine_lps[:3, :3]
    metric = columns.T @ columns
    box = _reach(metric, start, end, radius_mm, plane).clipped(geometry.shape_kji)
    if box.empty:
        return None
    mask = np.zeros(box.shape_kji, dtype=np.bool_)
    for piece_start, piece_end in pairwise(_pieces(geometry, metric, start, end, radius_mm)):
        piece = _reach(metric, piece_start, piece_end, radius_mm, plane).clipped(geometry.shape_kji)
        if not piece.empty:
            mask[piece.within(box).slices] |= _distance_squared(metric, piece, piece_start, piece_end) <= radius_mm**2
    under = np.rint(end).astype(int) - np.asarray(box.min_kji)
    if (under >= 0).all() and (under < np.asarray(box.shape_kji)).all():
        mask[tuple(under)] = True
    return box, mask


def _pieces(
    geometry: Geometry,
    metric: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    radius_mm: float,
) -> npt.NDArray[np.float64]:
    """Cut a long way into short ones: the box around a slanting way is many times larger than the stroke."""
    way = end - start
    length_mm = float(np.sqrt(way @ metric @ way))
    piece_mm = max(2 * radius_mm, _PIECE_VOXELS * max(geometry.spacing_kji_mm))
    return np.linspace(start, end, max(1, int(np.ceil(length_mm / piece_mm))) + 1)


def _reach(
    metric: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    radius_mm: float,
    plane: SlicePlane | None,
) -> Box:
    """Return the box that holds every voxel centre within the radius of the way."""
    free = [axis for axis in range(3) if plane is None or axis != plane.normal_axis]
    # Half the extent of the ellipsoid d.T @ metric @ d = r^2 along an index axis is r * sqrt(inverse metric's diagonal).
    inverse = np.linalg.inv(metric[np.ix_(free, free)])
    margin = np.zeros(3)
    margin[free] = radius_mm * np.sqrt(np.diagonal(inverse))
    low = np.ceil(np.minimum(start, end) - np.maximum(margin, 0.5))
    high = np.floor(np.maximum(start, end) + np.maximum(margin, 0.5)) + 1
    if plane is not None:
        low[plane.normal_axis] = np.rint(end[plane.normal_axis])
        high[plane.normal_axis] = low[plane.normal_axis] + 1
    k0, j0, i0 = (int(n) for n in low)
    k1, j1, i1 = (int(n) for n in high)
    return Box((k0, j0, i0), (k1, j1, i1))


def _distance_squared(
    metric: npt.NDArray[np.float64], box: Box, start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Squared distance in mm^2 of each voxel centre of a box to the way, from three 1-D ramps by broadcasting."""
    ramps = []
    for axis in range(3):
        ramp = np.arange(box.min_kji[axis], box.max_kji[axis], dtype=np.float32) - np.float32(start[axis])
        shape = [1, 1, 1]
        shape[axis] = ramp.size
        ramps.append(ramp.reshape(shape))
    m = metric.astype(np.float32)
    squared = sum(m[a, a] * ramps[a] ** 2 for a in range(3))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        if abs(m[a, b]) > 1e-6:
            squared = squared + 2 * m[a, b] * ramps[a] * ramps[b]
    way = end - start
    length_squared = float(way @ metric @ way)
    if length_squared < 1e-9:
        return np.asarray(squared, dtype=np.float32)
    slope = (metric @ way).astype(np.float32)
    along = slope[0] * ramps[0] + slope[1] * ramps[1] + slope[2] * ramps[2]
    t = np.clip(along / np.float32(length_squared), 0.0, 1.0)
    return np.asarray(squared - 2 * t * along + t * t * np.float32(length_squared), dtype=np.float32)
