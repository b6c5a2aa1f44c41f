"""How deep inside a mask voxels lie, for masks of a region on grids at right angles or nearly so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.core.box import Box

Mask = npt.NDArray[np.bool_]
Depth = npt.NDArray[np.float32]

ENDLESS_MM = np.float32(1e6)
"""Depth where there is no outside to be near to."""


def depth_mm(mask: Mask, spacing_kji_mm: Sequence[float], *, open_sides: bool = True) -> Depth:
    """Return how far each voxel of a mask lies from the nearest voxel beside it, in mm, and 0 beside it; same shape.

    By Maurer's distance map (IEEE Trans. PAMI 25 (2003) 265-270, as SimpleITK has it).

    Parameters
    ----------
    open_sides : bool
        The sides of the array are no surface; else everything ends there.
    """
    import SimpleITK as sitk  # costs every start of the program a tenth of a second

    found = np.zeros(mask.shape, dtype=np.float32)
    around = Box.around(mask)
    if around is None:
        return found
    near = around.padded((1, 1, 1)).clipped(mask.shape)
    part = mask[near.slices]
    if not open_sides:
        part = np.pad(part, 1)
    if part.all():
        found[near.slices] = ENDLESS_MM
        return found
    image = sitk.GetImageFromArray(np.ascontiguousarray(~part).view(np.uint8))
    dk, dj, di = spacing_kji_mm
    image.SetSpacing((di, dj, dk))
    squared = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=True, useImageSpacing=True)
    depth = np.sqrt(np.maximum(sitk.GetArrayViewFromImage(squared), np.float32(0)))
    found[near.slices] = depth if open_sides else depth[1:-1, 1:-1, 1:-1]
    return found


def climb(depth: Depth, start_kji: npt.ArrayLike) -> tuple[int, int, int]:
    """Return the voxel one gets to from another, always going on to the deepest neighbour as long as that is deeper."""
    k, j, i = (int(n) for n in np.asarray(start_kji))
    while True:
        near = depth[max(0, k - 1) : k + 2, max(0, j - 1) : j + 2, max(0, i - 1) : i + 2]
        dk, dj, di = (int(n) for n in np.unravel_index(int(near.argmax()), near.shape))
        there = max(0, k - 1) + dk, max(0, j - 1) + dj, max(0, i - 1) + di
        if depth[there] <= depth[k, j, i]:
            return k, j, i
        k, j, i = there
