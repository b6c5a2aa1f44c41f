"""Brush strokes: a disc on a plane or a sphere, swept along the way of the hand, measured in the patient."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.oblique import PlaneLayout
from medview.edit.tip import FloatArray, Tip

_PIECE_VOXELS = 24
"""Shorter pieces of a stroke than this cost more in calls than they save in voxels."""

_STRAIGHT_VOXELS = 0.05
"""A point this near to the straight way between its neighbours adds nothing that could be seen."""


def capsule_mask(
    geometry: Geometry, start_kji: npt.ArrayLike, end_kji: npt.ArrayLike, radius_mm: float, plane: PlaneLayout | None = None
) -> tuple[Box, npt.NDArray[np.bool_]] | None:
    """Return the voxels within ``radius_mm`` of the way from start to end as (box, mask), or None outside the grid."""
    return stroke_mask(geometry, [np.asarray(start_kji), np.asarray(end_kji)], radius_mm, plane)


def stroke_mask(
    geometry: Geometry, way_kji: npt.ArrayLike, radius_mm: float, plane: PlaneLayout | None = None
) -> tuple[Box, npt.NDArray[np.bool_]] | None:
    """Return the voxels within ``radius_mm`` of a way as (box, mask), or None outside the grid.

    Distances are taken in the patient through the affine, so they are right on anisotropic, oblique and sheared grids.
    The voxels under its points, but for the first where there are more, are among them, however small the brush.

    Parameters
    ----------
    way_kji : array_like (n, 3)
        Fractional voxel indices, n at least 1.
    plane : PlaneLayout, optional
        The disc stays on it, through the last point: on one slice of the grid, or on the voxels that a plane at an angle
        cuts. Without one the brush is a ball.
    """
    tip = Tip.of(geometry, radius_mm, plane)
    points = tip.levelled(np.asarray(way_kji, dtype=np.float64))
    way = _straightened(points)
    box = tip.reach(way).clipped(geometry.shape_kji)
    if box.empty:
        return None
    mask = np.zeros(box.shape_kji, dtype=np.bool_)
    for start, end in pairwise(way if len(way) > 1 else np.vstack([way, way])):
        for piece in pairwise(_pieces(geometry, tip, start, end)):
            part = tip.reach(np.stack(piece)).clipped(geometry.shape_kji)
            if not part.empty:
                mask[part.within(box).slices] |= tip.covers(part, *piece)
    under = np.rint(points[min(1, len(points) - 1) :]).astype(int) - np.asarray(box.min_kji)
    inside = ((under >= 0) & (under < np.asarray(box.shape_kji))).all(axis=1)
    mask[tuple(under[inside].T)] = True
    return box, mask


def _pieces(geometry: Geometry, tip: Tip, start: FloatArray, end: FloatArray) -> FloatArray:
    """Cut a long way into short ones: the box around a slanting way is many times larger than the stroke."""
    piece_mm = max(2 * tip.radius_mm, _PIECE_VOXELS * max(geometry.spacing_kji_mm))
    count = max(1, int(np.ceil(tip.length_mm(np.stack([start, end])) / piece_mm)))
    return np.linspace(start, end, count + 1)


def _straightened(way: FloatArray) -> FloatArray:
    """Leave out the points that lie on the straight way between those that stay (Ramer, Douglas and Peucker)."""
    if len(way) < 3:
        return way
    line = way[-1] - way[0]
    t = np.clip((way - way[0]) @ line / max(float(line @ line), 1e-12), 0.0, 1.0)
    off = np.linalg.norm(way - (way[0] + t[:, np.newaxis] * line), axis=1)
    farthest = int(np.argmax(off))
    if off[farthest] <= _STRAIGHT_VOXELS:
        return way[[0, -1]]
    return np.concatenate([_straightened(way[: farthest + 1])[:-1], _straightened(way[farthest:])])
