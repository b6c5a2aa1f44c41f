"""What one positive prompt means on its own, in a region around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.prompt import Prompt
from medview.core.volume import Volume
from medview.edit.depths import Depth, climb, depth_mm
from medview.edit.hang_together import hanging_together
from medview.edit.prompted_flat import Part, prism_of
from medview.edit.prompted_values import FINE_VOXELS, on_finer, smoothed, steps_of
from medview.edit.value_range import ValueRange

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float32]

NECK = 0.5
"""What hangs on by less than this part of the thickness at the prompt is something else."""
_THICK = 0.6
"""Where the object is at least this part as thick at the edge of the region as at the prompt, it goes on outside."""
_LOOKED_AT = 9
"""Places along a scribble that tell what lies under it."""
_BAND_MM = 2.5
"""How far an edge may be moved to where the values lie half way between inside and outside."""
_AROUND_MM = 7.0
"""How far around an edge is looked at for what lies inside and outside."""


def grown_part(
    volume: Volume,
    prompt: Prompt,
    region: Box,
    seeds: Mask,
    fences: Sequence[Prompt],
    against: Sequence[tuple[Box, Mask]],
    taken: Mask | None,
    limit_mm: float | None = None,
    neck: float = NECK,
    *,
    last: bool = False,
) -> Part | None:
    """Return what a point or a scribble means within a region; None where all of it is taken by others.

    Parameters
    ----------
    seeds : ndarray of bool, shape ``region.shape_kji``
        The prompt's own voxels.
    fences : sequence of Prompt
        Other positive boxes and lassos: what lies inside one of them does not grow out of it.
    against : sequence of (Box, mask)
        Voxels of negative prompts.
    taken : ndarray of bool, or None
        Voxels that are others'.
    limit_mm : float, optional
        How far from the seeds the object may reach.
    neck : float
        What hangs on by less than this part of the thickness at the seeds is something else.
    last : bool
        There will be no larger region: what is found here counts even where it goes on.
    """
    if region.size > FINE_VOXELS:
        return _grown_on_coarser(volume, region, seeds, fences, against, taken, limit_mm, neck, last=last)
    values = smoothed(volume, region)
    open_ = np.isfinite(values)
    if taken is not None:
        open_ &= ~taken
    seeds = seeds & open_
    if not seeds.any():
        return None
    if limit_mm is not None:
        open_ &= depth_mm(~seeds, volume.geometry.spacing_kji_mm) <= limit_mm
    for fence in fences:
        prism = prism_of(fence, volume.geometry, region)
        if prism is not None and np.any(prism & seeds):
            open_ &= prism
    alike = np.zeros_like(open_)
    for values_range in _ranges(volume, region, seeds, values, against):
        alike |= (values >= values_range.low) & (values <= values_range.high)
    alike &= open_
    alike |= seeds
    found = hanging_together(alike, seeds)
    spacing = volume.geometry.spacing_kji_mm
    found, thickness_mm, deepest_mm = _without_necks(found, seeds, spacing, neck)
    goes_on = limit_mm is None and _thick_at_edge(found, region, volume.geometry.shape_kji, thickness_mm, spacing)
    if not goes_on:
        found = _with_fair_edge(found, values, open_, spacing)
        found = hanging_together(found | seeds, seeds)
    return Part(region, found, seeds, goes_on, deepest_mm / max(thickness_mm, 1e-6))


def _ranges(
    volume: Volume, region: Box, seeds: Mask, values: Values, against: Sequence[tuple[Box, Mask]]
) -> list[ValueRange]:
    """Return the ranges of the tissues under the seeds, narrowed to what negative prompts leave of them."""
    places = np.argwhere(seeds)
    some = places[np.unique(np.linspace(0, len(places) - 1, _LOOKED_AT).round().astype(int))]
    if len(places) > 1:
        # Under a line lies one tissue with its noise; the ends of a line may have slipped.
        low, middle, high = (float(n) for n in np.quantile(values[seeds], (0.1, 0.5, 0.9)))
        at = some[np.argsort(np.abs(values[tuple(some.T)] - middle))[:1]]
        found = [_with_reach(_around(volume, region, at[0]), low, high)]
    else:
        found = [_around(volume, region, one) for one in some]
    unwanted = [_value_of(volume, box, mask) for box, mask in against]
    return [_narrowed(one, unwanted) for one in found]


def _around(volume: Volume, region: Box, place: npt.NDArray[np.intp]) -> ValueRange:
    k, j, i = (int(n) for n in place + region.min_kji)
    return ValueRange.around(volume, (k, j, i))


def _with_reach(values: ValueRange, low: float, high: float) -> ValueRange:
    return ValueRange(min(values.low, low), max(values.high, high))


def _value_of(volume: Volume, box: Box, mask: Mask) -> float:
    near = box.padded((0, 1, 1)).clipped(volume.geometry.shape_kji) if box.size == 1 else box
    values = volume.values(near.slices)
    return float(np.median(values if near is not box else values[mask]))


def _narrowed(values: ValueRange, unwanted: Sequence[float]) -> ValueRange:
    """Leave out values like those of negative prompts, where these lie clearly beside the middle of the range."""
    middle, half = (values.low + values.high) / 2, (values.high - values.low) / 2
    low, high = values.low, values.high
    for value in unwanted:
        if half * 0.4 < abs(value - middle) <= 1.5 * half:
            edge = middle + (value - middle) * 0.5
            low, high = (max(low, edge), high) if value < middle else (low, min(high, edge))
    return ValueRange(low, high)


def _without_necks(
    found: Mask, seeds: Mask, spacing_kji_mm: tuple[float, float, float], neck: float
) -> tuple[Mask, float, float]:
    """Cut off what hangs on thinly; return the rest, and how deep the object is at the seeds and at most, in mm."""
    depth = depth_mm(found, spacing_kji_mm)
    at_seeds = _climbed(depth, seeds)
    least = neck * at_seeds
    if least <= min(spacing_kji_mm):
        return found, at_seeds, float(depth.max())
    core = depth > least
    # From the seeds up to the core, should they lie at the edge.
    core = hanging_together(core | (seeds & found), _near_core(core, seeds, found))
    if not core.any():
        return found, at_seeds, float(depth.max())
    away = depth_mm(~core, spacing_kji_mm)
    return found & (away <= least + max(spacing_kji_mm) * 0.5) | (seeds & found), at_seeds, float(depth[core].max())


def _near_core(core: Mask, seeds: Mask, found: Mask) -> Mask:
    """Return the seeds, and the part of the core that is nearest to them where they lie outside of it."""
    inside = core & seeds
    if inside.any():
        return inside
    from scipy import ndimage

    grown = seeds & found
    for _unused in range(64):
        wider = ndimage.binary_dilation(grown, mask=found)
        if np.any(wider & core):
            return np.asarray(wider & core)
        if np.array_equal(wider, grown):
            break
        grown = wider
    return np.zeros_like(core)


def _climbed(depth: Depth, seeds: Mask) -> float:
    """Return how deep the object is where one gets from the seeds going deeper all the time."""
    places = np.argwhere(seeds)
    return max(float(depth[climb(depth, start)]) for start in places[:: max(1, len(places) // _LOOKED_AT)])


def _grown_on_coarser(
    volume: Volume,
    region: Box,
    seeds: Mask,
    fences: Sequence[Prompt],
    against: Sequence[tuple[Box, Mask]],
    taken: Mask | None,
    limit_mm: float | None,
    neck: float,
    *,
    last: bool,
) -> Part | None:
    """Do what ``grown_part`` does in a large region: every second voxel or so tells how far it reaches."""
    spacing = volume.geometry.spacing_kji_mm
    steps = steps_of(region.shape_kji, spacing)
    k, j, i = (slice(None, None, step) for step in steps)
    stored = volume.voxels[region.slices]
    if taken is not None:
        seeds = seeds & ~taken
    if not seeds.any():
        return None
    near = _around_mask(region, seeds)
    local = seeds[near.within(region).slices]
    ranges = _ranges(volume, near, local, smoothed(volume, near), against)
    some = stored[k, j, i]
    alike = np.zeros(some.shape, dtype=np.bool_)
    for one in ranges:
        alike |= one.holds(volume, some)
    if taken is not None:
        alike &= ~taken[k, j, i]
    within = None if limit_mm is None else depth_mm(~seeds, spacing) <= limit_mm
    for fence in fences:
        prism = prism_of(fence, volume.geometry, region)
        if prism is not None and np.any(prism & seeds):
            within = prism if within is None else within & prism
    if within is not None:
        alike &= within[k, j, i]
    coarse_seeds = np.zeros(some.shape, dtype=np.bool_)
    places = np.argwhere(seeds) // steps
    coarse_seeds[tuple(np.minimum(places, np.subtract(some.shape, 1)).T)] = True
    alike |= coarse_seeds
    coarse_mm = (spacing[0] * steps[0], spacing[1] * steps[1], spacing[2] * steps[2])
    found = hanging_together(alike, coarse_seeds)
    found, thickness_mm, deepest_mm = _without_necks(found, coarse_seeds, coarse_mm, neck)
    if not last and limit_mm is None and _thick_at_edge(found, region, volume.geometry.shape_kji, thickness_mm, coarse_mm):
        return Part(region, seeds, seeds, goes_on=True, leak=deepest_mm / max(thickness_mm, 1e-6))
    found = hanging_together(found, coarse_seeds)
    mask = hanging_together(on_finer(volume, stored, found, steps, ranges, taken, within) | seeds, seeds)
    return Part(region, mask, seeds, goes_on=False, leak=deepest_mm / max(thickness_mm, 1e-6))


def _around_mask(region: Box, seeds: Mask) -> Box:
    inner = Box.around(seeds)
    assert inner is not None
    return inner.shifted(region.min_kji).padded((2, 4, 4)).intersection(region)


def _thick_at_edge(
    found: Mask,
    region: Box,
    shape_kji: tuple[int, int, int],
    thickness_mm: float,
    spacing_kji_mm: tuple[float, float, float],
) -> bool:
    """Whether the object itself, and not a thin branch, reaches a side of the region that is no side of the grid."""
    for axis in range(3):
        ends = ((0, region.min_kji[axis] > 0), (-1, region.max_kji[axis] < shape_kji[axis]))
        for end, open_ in ends:
            side = found.take([end], axis=axis)
            # The side is a slice of its own here: what it is cut from goes on before and behind it.
            if open_ and side.any() and float(depth_mm(side, spacing_kji_mm).max()) >= _THICK * thickness_mm:
                return True
    return False


def _with_fair_edge(found: Mask, values: Values, open_: Mask, spacing_kji_mm: tuple[float, float, float]) -> Mask:
    """Move the edge to where values lie half way between what is inside and what is outside around it."""
    from scipy import ndimage

    inner = Box.around(found)
    if inner is None:
        return found
    k, j, i = (int(np.ceil(_AROUND_MM / mm)) for mm in spacing_kji_mm)
    part = inner.padded((k, j, i)).clipped(found.shape)
    mask, there, free = found[part.slices], np.nan_to_num(values[part.slices]), open_[part.slices]
    inside_mm, outside_mm = depth_mm(mask, spacing_kji_mm), depth_mm(~mask, spacing_kji_mm)
    step = max(min(spacing_kji_mm), _BAND_MM / 2)
    surely, away = mask & (inside_mm > step), ~mask & (outside_mm > step) & (outside_mm <= _AROUND_MM)
    if not surely.any() or not away.any():
        return found
    size = [max(3, 2 * round(_AROUND_MM / mm) + 1) for mm in spacing_kji_mm]
    means = []
    for one in (surely, away):
        weight = ndimage.uniform_filter(one.astype(np.float32), size, mode="constant")
        total = ndimage.uniform_filter(np.where(one, there, np.float32(0)), size, mode="constant")
        means.append(np.where(weight > 1e-4, total / np.maximum(weight, 1e-6), np.nan))
    within, without = means
    known = np.isfinite(within) & np.isfinite(without)
    nearer = np.abs(there - np.nan_to_num(within)) < np.abs(there - np.nan_to_num(without))
    band = known & free & ((mask & (inside_mm <= step)) | (~mask & (outside_mm <= _BAND_MM)))
    edge = np.where(band, nearer, mask)
    result = found.copy()
    result[part.slices] = ndimage.binary_fill_holes(edge) & free
    return result
