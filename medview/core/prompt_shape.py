"""Which voxels of a grid a prompt speaks of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.prompt import Prompt

Mask = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

_STEP_VOXELS = 0.5
"""Between the places of a line that are looked at."""


def voxels_of(prompt: Prompt, geometry: Geometry, radius_voxels: float = 0.0) -> tuple[Box, Mask]:
    """Return the voxels of a grid that a prompt speaks of, as a mask of the box around them; what is outside is left out.

    A point is a ball and a scribble a tube, both measured in voxels of this grid; a box or a lasso is what it encloses, as
    thick as the slice it was drawn on and never thinner than the grid.

    Parameters
    ----------
    radius_voxels : float
        Of balls and tubes; 0 is the nearest voxels only.
    """
    if prompt.kind.flat:
        return _enclosed(prompt, geometry)
    return _tube(prompt.points_kji(geometry), geometry.shape_kji, radius_voxels)


def inside(outline: FloatArray, rows: FloatArray, columns: FloatArray) -> Mask:
    """Return which places a closed outline, shape (points, 2), goes around an odd number of times.

    Parameters
    ----------
    rows, columns : ndarray of float
        Of the places, in arrays of one shape.
    """
    found = np.zeros(rows.shape, dtype=np.bool_)
    for (row0, column0), (row1, column1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if row0 == row1:
            continue
        between = (rows >= min(row0, row1)) & (rows < max(row0, row1))
        found ^= between & (columns < column0 + (rows - row0) * ((column1 - column0) / (row1 - row0)))
    return found


def _tube(points_kji: FloatArray, shape_kji: tuple[int, int, int], radius_voxels: float) -> tuple[Box, Mask]:
    line = _along(points_kji)
    reach = int(np.ceil(radius_voxels))
    sides = np.arange(-reach, reach + 1)
    offsets = np.stack(np.meshgrid(sides, sides, sides, indexing="ij"), axis=-1).reshape(-1, 3)
    centres = np.unique(np.rint(line).astype(np.intp), axis=0)
    if reach == 0:
        voxels = centres
    elif len(line) == 1:
        near = centres[0] + offsets
        voxels = near[((near - line[0]) ** 2).sum(axis=1) <= max(radius_voxels, 0.87) ** 2 + 1e-6]
    else:
        offsets = offsets[(offsets**2).sum(axis=1) <= radius_voxels**2 + 1e-9]
        voxels = np.unique((centres[:, None] + offsets).reshape(-1, 3), axis=0)
    voxels = voxels[((voxels >= 0) & (voxels < shape_kji)).all(axis=1)]
    if not len(voxels):
        return Box((0, 0, 0), (0, 0, 0)), np.zeros((0, 0, 0), dtype=np.bool_)
    (k0, j0, i0), (k1, j1, i1) = voxels.min(axis=0).tolist(), (voxels.max(axis=0) + 1).tolist()
    box = Box((k0, j0, i0), (k1, j1, i1))
    mask = np.zeros(box.shape_kji, dtype=np.bool_)
    mask[tuple((voxels - box.min_kji).T)] = True
    return box, mask


def _along(points: FloatArray) -> FloatArray:
    """Return places along a line, not further apart than half a voxel; shape (places, 3)."""
    if len(points) == 1:
        return points
    steps = np.abs(np.diff(points, axis=0)).max(axis=1)
    parts = [
        np.linspace(a, b, max(1, int(np.ceil(step / _STEP_VOXELS))), endpoint=False)
        for a, b, step in zip(points[:-1], points[1:], steps, strict=True)
    ]
    return np.vstack([*parts, points[-1:]])


def flat_box(prompt: Prompt, geometry: Geometry, thickness_mm: float | None = None) -> Box:
    """Return the voxels around what a box or a lasso encloses, as thick as asked for, else as its slice."""
    points = np.asarray(prompt.points_lps_mm, dtype=np.float64)
    beside = _half_mm(prompt, geometry, thickness_mm) * np.asarray(prompt.normal_lps)
    around = geometry.index_kji(np.vstack([points - beside, points + beside]))
    low, high = np.floor(around.min(axis=0)).astype(int), np.ceil(around.max(axis=0)).astype(int) + 1
    box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).clipped(geometry.shape_kji)
    return Box((0, 0, 0), (0, 0, 0)) if box.empty else box


def goes_around(prompt: Prompt, points_lps_mm: npt.ArrayLike) -> Mask:
    """Return which places, shape (n, 3), a box or a lasso goes around, however far before or behind its picture."""
    axes = _picture_axes(np.asarray(prompt.normal_lps, dtype=np.float64))
    origin = np.asarray(prompt.points_lps_mm[0], dtype=np.float64)
    down, right = axes @ (np.asarray(points_lps_mm, dtype=np.float64) - origin).T
    return inside((np.asarray(prompt.points_lps_mm) - origin) @ axes.T, down, right)


def _half_mm(prompt: Prompt, geometry: Geometry, thickness_mm: float | None = None) -> float:
    # A voxel reaches this far across the picture: thinner, and a picture between two slices would enclose nothing.
    least_mm = float(np.abs(np.asarray(prompt.normal_lps) @ geometry.affine_lps[:3, :3]).sum())
    return max(prompt.thickness_mm if thickness_mm is None else thickness_mm, least_mm) / 2 * (1 - 1e-6)


def _enclosed(prompt: Prompt, geometry: Geometry) -> tuple[Box, Mask]:
    points = np.asarray(prompt.points_lps_mm, dtype=np.float64)
    normal = np.asarray(prompt.normal_lps, dtype=np.float64)
    box = flat_box(prompt, geometry)
    if box.empty:
        return box, np.zeros((0, 0, 0), dtype=np.bool_)
    across, down, right = _on_picture(box, geometry, points[0], normal)
    mask = np.abs(across) <= _half_mm(prompt, geometry)
    axes = _picture_axes(normal)
    outline = (points - points[0]) @ axes.T
    mask[mask] = inside(outline, down[mask], right[mask])
    return box, mask


def _on_picture(
    box: Box, geometry: Geometry, origin_lps_mm: FloatArray, normal_lps: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where the voxels of a box lie: millimetres across a picture, and along two of its directions."""
    index = np.stack(
        np.meshgrid(*(np.arange(a, b) for a, b in zip(box.min_kji, box.max_kji, strict=True)), indexing="ij"), -1
    )
    away = geometry.point_lps_mm(index) - origin_lps_mm
    down, right = _picture_axes(normal_lps)
    return away @ normal_lps, away @ down, away @ right


def _picture_axes(normal_lps: FloatArray) -> FloatArray:
    """Return two unit vectors at right angles to a normal and to each other, shape (2, 3)."""
    helper = np.eye(3)[int(np.argmin(np.abs(normal_lps)))]
    first = np.cross(normal_lps, helper)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(normal_lps, first)])
