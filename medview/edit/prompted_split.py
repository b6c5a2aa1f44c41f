"""What negative prompts take away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.volume import Volume
from medview.edit.depths import Depth, climb, depth_mm

Mask = npt.NDArray[np.bool_]

_BALLS = 12
"""Places from which such balls are looked for."""
_OF_BALL = 0.8
_EDGE_WEIGHT = 0.6
"""How much an edge of the picture counts beside a neck of the mask."""


def without_negative(
    volume: Volume, box: Box, mask: Mask, seeds: Mask, against: Sequence[tuple[Box, Mask]], *, held: bool
) -> Mask:
    """Return a mask without what negative prompts mean: up to the neck or the edge between them and what was meant.

    Parameters
    ----------
    mask, seeds : ndarray of bool, shape ``box.shape_kji``
        The object so far, and what of it was pointed at.
    against : sequence of (Box, mask)
        Voxels of negative prompts.
    held : bool
        The segment held something before: what lies away from the negative prompts was meant too.
    """
    from scipy import ndimage

    unwanted = np.zeros_like(mask)
    for there, voxels in against:
        common = there.intersection(box)
        if not common.empty:
            unwanted[common.within(box).slices] |= voxels[common.within(there).slices]
    touched = unwanted & mask
    if not touched.any():
        return mask
    parts, _count = ndimage.label(mask, np.ones((3, 3, 3)))
    result = mask & ~unwanted
    inner = Box.around(np.isin(parts, np.unique(parts[touched])))
    assert inner is not None
    window = inner.slices
    part = np.isin(parts[window], np.unique(parts[touched]))
    spacing = volume.geometry.spacing_kji_mm
    depth = depth_mm(part, spacing, open_sides=False)
    wanted = seeds[window] & part & ~unwanted[window]
    bad = touched[window]
    if held or not wanted.any():
        # What was there before stays, but for as much around the prompts as the object is thick there.
        away = depth_mm(~bad, spacing)
        thick = float(depth[bad].max())
        wanted |= part & (away > 2.0 * thick + max(spacing))
    if not wanted.any():
        result[window] &= ~part
        return result
    markers = np.zeros(part.shape, dtype=np.uint8)
    markers[_with_balls(wanted, depth, spacing) & ~bad] = 1
    markers[bad] = 2
    values = volume.values(box.shifted((0, 0, 0)).slices)[window].astype(np.float32)
    slope = np.nan_to_num(ndimage.gaussian_gradient_magnitude(np.nan_to_num(values), 1.0))
    top = float(np.quantile(slope[part], 0.95)) or 1.0
    land = _EDGE_WEIGHT * np.minimum(slope / top, 1.0) - depth / max(float(depth.max()), 1e-6)
    result[window] &= ~(part & (_flooded(land, markers, part) == 2))
    return _with_seeds(result, seeds & mask & ~unwanted, part, window)


def _with_balls(wanted: Mask, depth: Depth, spacing_kji_mm: tuple[float, float, float]) -> Mask:
    """Return what was pointed at with the largest balls around it that fit into the object."""
    found = wanted.copy()
    places = np.argwhere(wanted)
    tops = {climb(depth, place) for place in places[:: max(1, len(places) // _BALLS)]}
    for top in sorted(tops):
        k, j, i = (
            (((np.arange(n) - at) * mm) ** 2).reshape([-1 if a == axis else 1 for a in range(3)])
            for axis, (n, at, mm) in enumerate(zip(wanted.shape, top, spacing_kji_mm, strict=True))
        )
        found |= k + j + i <= (_OF_BALL * float(depth[top])) ** 2
    return found & (depth > 0)


def _flooded(land: npt.NDArray[np.float32], markers: npt.NDArray[np.uint8], part: Mask) -> npt.NDArray[np.uint8]:
    """Return which marker's water comes first to each voxel of a part (Beucher and Meyer 1993, as SimpleITK has it)."""
    import SimpleITK as sitk

    dry = np.where(part, markers, np.uint8(3))
    height = np.where(part, land, np.float32(1e3)).astype(np.float32)
    flooded = sitk.MorphologicalWatershedFromMarkers(
        sitk.GetImageFromArray(height), sitk.GetImageFromArray(dry), markWatershedLine=False, fullyConnected=False
    )
    return np.asarray(sitk.GetArrayFromImage(flooded), dtype=np.uint8)


def _with_seeds(result: Mask, seeds: Mask, part: Mask, window: tuple[slice, slice, slice]) -> Mask:
    """Drop crumbs of the split part that hang together with nothing that was meant; keep what was pointed at."""
    from scipy import ndimage

    rest = result[window] & part
    pieces, count = ndimage.label(rest)
    if count > 1:
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)
        keep = np.zeros(count + 1, dtype=np.bool_)
        keep[pieces[seeds[window]]] = True
        keep |= sizes >= 0.05 * sizes[1:].max()
        keep[0] = False
        result[window] &= ~part | keep[pieces]
    return result | seeds
