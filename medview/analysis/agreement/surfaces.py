"""Surfaces of masks and how far they lie apart."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline, JobContext

Mask = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

_CHUNK = 1 << 17
"""Places asked for between two looks at Cancel."""

_SEVERAL_THREADS = 20_000
"""From so many places on it pays to start threads."""


def surfaces_in_mm(geometry: Geometry) -> bool:
    """Whether distances of surfaces on a grid are known in millimetres: in volumes, and inside a single slice."""
    single = geometry.calibration is Calibration.IN_PLANE and geometry.shape_kji[0] == 1
    return geometry.calibration is Calibration.VOLUME or single


def surface_axes(geometry: Geometry) -> tuple[int, ...]:
    """Return the array axes along which the voxels of a whole grid have faces beside others.

    Along an axis of one voxel every voxel would be surface.
    """
    return tuple(axis for axis, count in enumerate(geometry.shape_kji) if count > 1) or (0, 1, 2)


def surface_of(mask: Mask, known: Mask | None = None, axes: Sequence[int] = (0, 1, 2)) -> Mask:
    """Return the surface of a mask: its voxels with a face beside background.

    What lies outside the array is background.

    Parameters
    ----------
    mask : ndarray of bool, shape (k, j, i)
    known : ndarray of bool, shape (k, j, i), optional
        Where something is known; a face beside what is unknown is no surface. Everywhere when not given.
    axes : sequence of int
        Array axes along which faces are looked at: a picture of one slice has an outline, and no surface across it.
    """
    solid = np.pad(mask if known is None else mask | ~known, 1)
    inside = np.ones_like(mask)
    for axis in axes:
        for start in (0, 2):
            beside: list[slice] = [slice(1, -1)] * 3
            beside[axis] = slice(start, start + mask.shape[axis])
            inside &= solid[tuple(beside)]
    return np.asarray(mask & ~inside)


def surface_distances_mm(
    first: Mask, second: Mask, geometry: Geometry, context: JobContext | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return how far each voxel of either surface lies from the nearest one of the other, between voxel centres.

    Exact on every grid, sheared ones too. Takes memory for the surfaces only, never for a map of distances.

    Parameters
    ----------
    first, second : ndarray of bool, shape (k, j, i)
        Surfaces, neither empty.
    geometry : Geometry
        Of the array they lie in.

    Returns
    -------
    tuple of ndarray of float64, shapes (voxels of first,), (voxels of second,)
        Millimetres, in C order of the voxels.
    """
    context = context or Inline()
    places = [_places_mm(surface, geometry) for surface in (first, second)]
    shared = [second[first], first[second]]
    sides: list[FloatArray] = []
    for one, other in ((0, 1), (1, 0)):
        found = np.zeros(len(places[one]))
        found[~shared[one]] = _nearest_mm(places[one][~shared[one]], places[other], context)
        sides.append(found)
        context.progress(0.5 * len(sides), "")
    return sides[0], sides[1]


def _places_mm(surface: Mask, geometry: Geometry) -> FloatArray:
    index = np.column_stack(np.unravel_index(np.flatnonzero(surface), surface.shape))
    return np.asarray(index @ geometry.affine_lps[:3, :3].T)


def _nearest_mm(places_mm: FloatArray, others_mm: FloatArray, context: JobContext) -> FloatArray:
    from scipy.spatial import cKDTree  # late: the window imports this module at start

    # Loose nodes cut at their middle: where many places are about as near, tight ones make it visit twenty times as many.
    tree = cKDTree(others_mm, leafsize=32, balanced_tree=False, compact_nodes=False)
    found = np.empty(len(places_mm))
    # One core is left to the hand that draws meanwhile.
    threads = max(1, (os.cpu_count() or 1) - 1)
    for start in range(0, len(places_mm), _CHUNK):
        context.raise_if_cancelled()
        part = places_mm[start : start + _CHUNK]
        found[start : start + _CHUNK] = tree.query(part, workers=threads if len(part) >= _SEVERAL_THREADS else 1)[0]
    return found
