"""What a box or a lasso was drawn around."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.prompt import Prompt
from medview.core.prompt_shape import flat_box, goes_around, voxels_of
from medview.core.volume import Volume
from medview.edit.depths import depth_mm
from medview.edit.hang_together import hanging_together
from medview.edit.prompted_values import block_means, coarser, on_finer, repeated, smoothed, steps_of
from medview.edit.value_range import ValueRange

Mask = npt.NDArray[np.bool_]
Points = npt.NDArray[np.float64]
Taken = Callable[[Box], Mask | None]
"""Which voxels of a box are held by others and may not be taken; None where none are."""

_DEEPER = 0.8
"""How deep what a flat prompt encloses may be across its picture, as a part of its diagonal; half of it to each side."""
_CORE = 0.5
"""At least this part as deep as the deepest place: what of the enclosed is surely meant."""
_RIM = 0.25
"""How far around is looked at for what is not meant, as a part of the longest side."""
_NOISES = 3.0
_FURTHER = 4.0
"""Values on the far side of the middle may lie so many times as far from it as the edge does."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a prompt means.

    Attributes
    ----------
    box : Box
        Of the region it was looked for in.
    mask, seeds : ndarray of bool, shape ``box.shape_kji``
        What was found, and what of it was pointed at.
    goes_on : bool
        It would be larger in a larger region.
    leak : float
        How many times thicker it is elsewhere than where it was pointed at: something else, perhaps.
    """

    box: Box
    mask: Mask
    seeds: Mask
    goes_on: bool
    leak: float = 1.0


def flat_part(volume: Volume, prompt: Prompt, fences: Sequence[Prompt], taken: Taken, context: JobContext) -> Part | None:
    """Return what a positive box or lasso means: what differs from what lies around it on its picture.

    Before and behind its picture, too, as deep as it may be; None where all that it encloses is taken by others.

    Parameters
    ----------
    fences : sequence of Prompt
        Other positive boxes and lassos: what lies inside one of them does not grow out of it.
    """
    geometry = volume.geometry
    seeds, enclosed = voxels_of(prompt, geometry)
    others = None if seeds.empty else taken(seeds)
    if others is not None:
        enclosed = enclosed & ~others
    if not enclosed.any():
        return None
    core, meant = _on_its_picture(volume, prompt, seeds, enclosed)
    context.raise_if_cancelled()
    if meant is None:
        return Part(seeds, enclosed, enclosed, goes_on=False)
    region = Box.union_of((flat_box(prompt, geometry, _depth_of(prompt)), seeds)) or seeds
    held = taken(region)
    around = [prompt, *(fence for fence in fences if _meets(fence, geometry, seeds, enclosed))]
    core_there = np.zeros(region.shape_kji, dtype=np.bool_)
    core_there[seeds.within(region).slices] = core
    found = _inside(volume, region, core_there, meant, around, held)
    of_seeds = np.zeros_like(found)
    of_seeds[seeds.within(region).slices] = enclosed
    return Part(region, found, found & of_seeds, goes_on=False)


def prism_of(prompt: Prompt, geometry: Geometry, region: Box) -> Mask | None:
    """Return what lies before and behind what a flat prompt encloses, of the region's shape; None where nothing does."""
    box, mask = voxels_of(replace(prompt, thickness_mm=_depth_of(prompt)), geometry)
    common = box.intersection(region)
    if common.empty:
        return None
    found = np.zeros(region.shape_kji, dtype=np.bool_)
    found[common.within(region).slices] = mask[common.within(box).slices]
    return found


def _depth_of(prompt: Prompt) -> float:
    diagonal_mm = float(np.linalg.norm(np.ptp(np.asarray(prompt.points_lps_mm), axis=0)))
    return max(prompt.thickness_mm, _DEEPER * diagonal_mm)


def _meets(fence: Prompt, geometry: Geometry, seeds: Box, enclosed: Mask) -> bool:
    prism = prism_of(fence, geometry, seeds)
    return prism is not None and bool(np.any(prism & enclosed))


def _on_its_picture(volume: Volume, prompt: Prompt, seeds: Box, enclosed: Mask) -> tuple[Mask, ValueRange | None]:
    """Return what is surely meant of the enclosed, and the values of what is meant; None where they are those around it."""
    from scipy import ndimage

    spacing = volume.geometry.spacing_kji_mm
    inner = Box.around(enclosed)
    assert inner is not None
    reach = max(2, round(_RIM * max(inner.shape_kji)))
    # As far as the rim reaches on the picture, and two more voxels, so that smoothing sees what lies beside it too.
    across = np.asarray(prompt.normal_lps) @ volume.geometry.directions_kji.T
    k, j, i = (2 + int(np.ceil(reach * n)) for n in np.sqrt(np.maximum(0.0, 1.0 - across**2)))
    near = seeds.padded((k, j, i)).clipped(volume.geometry.shape_kji)
    values = smoothed(volume, near)
    inside = np.zeros(near.shape_kji, dtype=np.bool_)
    inside[seeds.within(near).slices] = enclosed
    inside &= np.isfinite(values)
    if not inside.any():
        return enclosed, None
    picture = _picture_of(prompt, volume.geometry, near)
    depth = depth_mm(inside | ~picture, spacing)
    depth[~inside] = 0.0
    core = inside & (depth >= _CORE * depth.max())
    rim = ndimage.binary_dilation(inside, iterations=reach, mask=picture | inside) & ~inside & np.isfinite(values)
    middle = float(np.median(values[core]))
    outer = float(np.median(values[rim])) if rim.any() else middle
    noise = float(np.median(np.abs(values[core] - middle)))
    if abs(middle - outer) <= _NOISES * noise:
        return enclosed, None
    edge = (middle + outer) / 2
    far = middle + _FURTHER * (middle - edge)
    meant = ValueRange(min(edge, far), max(edge, far))
    alike = core & (values >= meant.low) & (values <= meant.high)
    return (alike[seeds.within(near).slices], meant) if alike.any() else (enclosed, None)


def _inside(
    volume: Volume, region: Box, core: Mask, meant: ValueRange, around: Sequence[Prompt], taken: Mask | None
) -> Mask:
    """Return what of a region hangs together with a core, holds the meant values and lies inside all of some prompts."""
    steps = steps_of(region.shape_kji, volume.geometry.spacing_kji_mm)
    k, j, i = (slice(None, None, step) for step in steps)
    grid = coarser(volume.geometry, region, steps)
    prism = np.ones(grid.shape_kji, dtype=np.bool_)
    for prompt in around:
        one = prism_of(prompt, grid, Box.whole(grid.shape_kji))
        prism &= False if one is None else one
    allowed = prism if taken is None else prism & ~taken[k, j, i]
    cells = np.zeros(grid.shape_kji, dtype=np.bool_)
    cells[tuple((np.argwhere(core) // steps).T)] = True
    fine = steps == (1, 1, 1)
    values = smoothed(volume, region) if fine else block_means(volume, region, steps)
    with np.errstate(invalid="ignore"):
        alike = allowed & (values >= meant.low) & (values <= meant.high)
    found = _filled(hanging_together(alike | cells, cells)) & allowed
    return found if fine else _on_fine(volume, region, found | cells, prism, core, meant, around, taken)


def _on_fine(
    volume: Volume,
    region: Box,
    found: Mask,
    prism: Mask,
    core: Mask,
    meant: ValueRange,
    around: Sequence[Prompt],
    taken: Mask | None,
) -> Mask:
    """Return what was found on coarse voxels on those of the region: its edge by values, that of prompts exactly."""
    from scipy import ndimage

    steps = steps_of(region.shape_kji, volume.geometry.spacing_kji_mm)
    inner = Box.around(found)
    assert inner is not None
    where = inner.padded((1, 1, 1)).clipped((found.shape[0], found.shape[1], found.shape[2]))
    k0, j0, i0 = (n * step for n, step in zip(where.min_kji, steps, strict=True))
    k1, j1, i1 = (min(n * step, end) for n, step, end in zip(where.max_kji, steps, region.shape_kji, strict=True))
    part = Box((k0, j0, i0), (k1, j1, i1))
    here = part.shifted(region.min_kji)
    others = None if taken is None else taken[part.slices]
    mask = on_finer(volume, volume.voxels[here.slices], found[where.slices], steps, [meant], others, None)
    # Coarse voxels at the edge of what the prompts enclose lie inside by a part only.
    at_edge = mask & repeated(~ndimage.binary_erosion(prism, np.ones((3, 3, 3)))[where.slices], steps, mask.shape)
    places = np.argwhere(at_edge)
    points_lps_mm = volume.geometry.point_lps_mm(places + here.min_kji)
    outside = ~np.all([_lies_inside(prompt, points_lps_mm) for prompt in around], axis=0)
    mask[tuple(places[outside].T)] = False
    sure = core[part.slices]
    mask = _filled(hanging_together(mask | sure, sure))
    if others is not None:
        mask &= ~others
    whole = np.zeros(region.shape_kji, dtype=np.bool_)
    whole[part.slices] = mask
    return whole


def _lies_inside(prompt: Prompt, points_lps_mm: Points) -> Mask:
    """Return which places, shape (n, 3), a flat prompt encloses or has before or behind it."""
    across = (points_lps_mm - np.asarray(prompt.points_lps_mm[0])) @ np.asarray(prompt.normal_lps)
    deep_enough: Mask = np.abs(across) <= _depth_of(prompt) / 2
    return goes_around(prompt, points_lps_mm) & deep_enough


def _filled(mask: Mask) -> Mask:
    """Return a mask without holes: places beside it from which no way leads out at faces."""
    sides = np.ones_like(mask)
    sides[1:-1, 1:-1, 1:-1] = False
    return np.asarray(~hanging_together(~mask, sides))


def _picture_of(prompt: Prompt, geometry: Geometry, region: Box) -> Mask:
    """Return the voxels of a region that the picture of a flat prompt cuts, as thick as what the prompt encloses."""
    normal = np.asarray(prompt.normal_lps)
    steps = normal @ geometry.affine_lps[:3, :3]
    half_mm = max(prompt.thickness_mm, float(np.abs(steps).sum())) / 2 * (1 - 1e-6)
    start = float(normal @ (geometry.point_lps_mm(region.min_kji) - np.asarray(prompt.points_lps_mm[0])))
    k, j, i = (np.arange(n) * step for n, step in zip(region.shape_kji, steps, strict=True))
    return np.asarray(np.abs(start + k[:, None, None] + j[:, None] + i) <= half_mm)
