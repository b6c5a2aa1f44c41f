"""The values of a region as prompts look at them: without noise, or on coarser voxels where it is large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.edit.value_range import ValueRange

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float32]
Steps = tuple[int, int, int]
"""How many voxels along k, j, i one coarse voxel stands for."""

FINE_VOXELS = 700_000
"""A larger region is looked at on coarser voxels."""
_WIDTH_VOXELS = 0.6
"""Of the Gaussian against noise, in voxels of the finest direction."""


def smoothed(volume: Volume, region: Box) -> Values:
    """Return the values of a region, a little smoothed; NaN where nothing was measured."""
    from scipy import ndimage

    values = measured(volume, region)
    missing = np.isnan(values)
    spoiled = bool(missing.any())
    if spoiled:
        values[missing] = values[~missing].min() if not missing.all() else 0.0
    finest = min(volume.geometry.spacing_kji_mm)
    for axis, mm in enumerate(volume.geometry.spacing_kji_mm):
        width = _WIDTH_VOXELS * finest / mm
        if width > 0.3 and values.shape[axis] > 1:
            values = ndimage.gaussian_filter1d(values, width, axis, mode="nearest", truncate=2.5)
    if spoiled:
        values[missing] = np.nan
    return np.asarray(values, dtype=np.float32)


def block_means(volume: Volume, region: Box, steps: Steps) -> Values:
    """Return the mean values of the blocks of voxels that coarse voxels stand for; NaN where some were not measured."""
    shape = tuple(-(-n // step) for n, step in zip(region.shape_kji, steps, strict=True))
    found = np.empty(shape, dtype=np.float32)
    for n in range(shape[0]):
        start = region.min_kji[0] + n * steps[0]
        slab = Box((start, *region.min_kji[1:]), (min(start + steps[0], region.max_kji[0]), *region.max_kji[1:]))
        values = measured(volume, slab).mean(axis=0)
        for axis, step in enumerate(steps[1:]):
            at = np.arange(0, values.shape[axis], step)
            counts = np.diff(np.append(at, values.shape[axis]))
            values = np.add.reduceat(values, at, axis=axis) / counts.reshape([-1, 1] if axis == 0 else [1, -1])
        found[n] = values
    return found


def measured(volume: Volume, region: Box) -> Values:
    """Return the values of a region; NaN where nothing was measured."""
    values = volume.values(region.slices).astype(np.float32)
    if volume.padding is not None:
        values[volume.is_padding(volume.voxels[region.slices])] = np.nan
    values[~np.isfinite(values)] = np.nan
    return values


def steps_of(shape_kji: tuple[int, int, int], spacing_kji_mm: tuple[float, float, float]) -> Steps:
    """Return how many voxels one coarse voxel stands for along k, j, i, so that there are not too many of them."""
    steps = [1, 1, 1]
    while np.prod([-(-n // step) for n, step in zip(shape_kji, steps, strict=True)]) > FINE_VOXELS:
        finest = int(np.argmin(np.multiply(spacing_kji_mm, steps)))
        steps[finest] += 1
    return steps[0], steps[1], steps[2]


def coarser(geometry: Geometry, region: Box, steps: Steps) -> Geometry:
    """Return the grid of the coarse voxels of a region."""
    affine = geometry.affine_lps.copy()
    affine[:3, :3] *= steps
    affine[:3, 3] = geometry.point_lps_mm(np.asarray(region.min_kji) + (np.asarray(steps) - 1) / 2)
    k, j, i = (-(-n // step) for n, step in zip(region.shape_kji, steps, strict=True))
    return replace(geometry, shape_kji=(k, j, i), affine_lps=affine)


def repeated(mask: Mask, steps: Steps, shape: tuple[int, ...]) -> Mask:
    """Return a mask of coarse voxels on the fine ones they stand for, which make up this shape."""
    for axis, step in enumerate(steps):
        if step > 1:
            mask = mask.repeat(step, axis=axis).take(range(shape[axis]), axis=axis)
    return mask


def on_finer(
    volume: Volume,
    stored: npt.NDArray[np.generic],
    found: Mask,
    steps: Steps,
    ranges: Sequence[ValueRange],
    taken: Mask | None,
    within: Mask | None,
) -> Mask:
    """Return a mask of coarse voxels on the fine ones: what lies deep inside it whole, at its edge what is alike."""
    from scipy import ndimage

    inner, outer = ndimage.binary_erosion(found), ndimage.binary_dilation(found)
    inner, outer = repeated(inner, steps, stored.shape), repeated(outer, steps, stored.shape)
    band = outer & ~inner
    alike = np.zeros(stored.shape, dtype=np.bool_)
    edge = stored[band]
    held = np.zeros(edge.shape, dtype=np.bool_)
    for one in ranges:
        held |= one.holds(volume, edge)
    alike[band] = held
    result = inner | alike
    for allowed in (None if taken is None else ~taken, within):
        if allowed is not None:
            result &= allowed
    return result
