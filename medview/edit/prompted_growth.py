"""One object from prompts without a model: it grows where the values are like those pointed at, as far as that is sensible.

What comes out depends on the picture, on what the segment held before, on what others hold and on the prompts in their
order, and on nothing else. The first finds the object; a later one that lies close beside what is there puts that right,
and reaches no further than is fit for that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prompt import Prompt
from medview.core.prompt_log import HeldVoxels
from medview.core.prompt_shape import voxels_of
from medview.core.volume import Volume
from medview.edit.depths import depth_mm
from medview.edit.prompted_flat import Part, Taken, flat_part
from medview.edit.prompted_part import NECK, grown_part
from medview.edit.prompted_split import without_negative

Mask = npt.NDArray[np.bool_]

REACH_MM = 24.0
"""How far from a prompt is looked at first."""
_LEAK, _FLOOD = 2.0, 4.0
"""So many times thicker than where it was pointed at is a leak, or surely one."""
_ACROSS = 0.85
_CLIPPED_MM = 0.75 * REACH_MM
_TIGHTER = ((0.65, REACH_MM), (0.85, REACH_MM), (0.85, 2 * REACH_MM))
"""By which parts of the thickness things hang together, and how far around; tried one after the other."""
_NEAR_MM = 10.0
"""A prompt so close to what is there puts it right."""
MOST_VOXELS = 64_000_000
"""A region that would be larger is not made larger."""


def grow_from_prompts(
    volume: Volume, prompts: Sequence[Prompt], base: HeldVoxels, taken: Taken, context: JobContext
) -> HeldVoxels:
    """Return the object that prompts mean.

    Parameters
    ----------
    volume : Volume
        Grey, with all its slices there.
    base : HeldVoxels
        What the segment holds before any of the prompts; what is not spoken of stays as it is.
    taken : callable
        See ``Taken``.

    Raises
    ------
    CancelledError
        When the person pressed Cancel.
    """
    positive = [prompt for prompt in prompts if prompt.positive]
    negative = [prompt for prompt in prompts if not prompt.positive]
    against = [found for prompt in negative if not (found := voxels_of(prompt, volume.geometry))[0].empty]
    whole, mask = base.box, base.mask(base.box)
    seeds = np.zeros_like(mask)
    for n, prompt in enumerate(positive):
        context.progress(0.8 * n / len(positive), _("Growing"))
        fences = [other for other in positive if other.kind.flat and other is not prompt]
        limit_mm = _limit_mm(volume, prompt, whole, mask)
        part = _as_far_as_sensible(volume, prompt, fences, against, taken, limit_mm, context)
        if part is None:
            continue
        wider = Box.union_of((whole, part.box)) or part.box
        mask, seeds = _laid(mask, whole, wider), _laid(seeds, whole, wider)
        whole = wider
        mask[part.box.within(whole).slices] |= part.mask
        seeds[part.box.within(whole).slices] |= part.seeds
    context.raise_if_cancelled()
    if whole.empty:
        return HeldVoxels()
    context.progress(0.85, _("Growing"))
    if against:
        mask = without_negative(volume, whole, mask, seeds, against, held=not base.empty)
    return HeldVoxels.of(whole, mask)


def _laid(mask: Mask, box: Box, wider: Box) -> Mask:
    """Return a mask of a box as one of a wider box."""
    if box == wider:
        return mask
    found = np.zeros(wider.shape_kji, dtype=np.bool_)
    if not box.empty:
        found[box.within(wider).slices] = mask
    return found


def _limit_mm(volume: Volume, prompt: Prompt, box: Box, mask: Mask) -> float | None:
    """Return how far from a prompt may be written that puts something right; None where it finds something new."""
    if box.empty or prompt.kind.flat or not mask.any():
        return None
    spacing = volume.geometry.spacing_kji_mm
    own, seeds = voxels_of(prompt, volume.geometry)
    k, j, i = (int(np.ceil(_NEAR_MM / mm)) for mm in spacing)
    around = own.padded((k, j, i)).clipped(volume.geometry.shape_kji)
    there = _laid(mask, box, Box.union_of((box, around)) or box)
    near = there[around.within(Box.union_of((box, around)) or box).slices]
    if not near.any():
        return None
    held = np.zeros_like(near)
    held[own.within(around).slices] = seeds
    # How far the prompt's furthest voxel lies from what is there.
    away = float(depth_mm(~near, spacing)[held].max())
    return 1.2 * away + 0.5 * sorted(spacing)[1]


def _as_far_as_sensible(
    volume: Volume,
    prompt: Prompt,
    fences: Sequence[Prompt],
    against: Sequence[tuple[Box, Mask]],
    taken: Taken,
    limit_mm: float | None,
    context: JobContext,
) -> Part | None:
    """Grow one prompt in its neighbourhood, and in a larger one as long as the object itself goes on at its edge."""
    shape = volume.geometry.shape_kji
    seeds, seed_mask = voxels_of(prompt, volume.geometry)
    if seeds.empty:
        return None
    if prompt.kind.flat:
        context.raise_if_cancelled()
        return flat_part(volume, prompt, fences, taken, context)

    def grown(region: Box, *, neck: float = NECK, limit_mm: float | None = None, last: bool = False) -> Part | None:
        context.raise_if_cancelled()
        held = np.zeros(region.shape_kji, dtype=np.bool_)
        held[seeds.within(region).slices] = seed_mask
        return grown_part(volume, prompt, region, held, fences, against, taken(region), limit_mm, neck, last=last)

    def around(reach_mm: float) -> Box:
        return seeds.padded(_reach_kji(volume, reach_mm)).clipped(shape)

    if limit_mm is not None:
        return grown(around(min(REACH_MM, limit_mm)), limit_mm=limit_mm, last=True)
    reach_mm, tried = REACH_MM, False
    while True:
        region = around(reach_mm)
        last = region == Box.whole(shape) or around(2 * reach_mm).size > MOST_VOXELS
        part = grown(region, last=last)
        if part is None or (reach_mm == REACH_MM and not part.goes_on):
            return part
        if part.leak >= _LEAK and not tried and reach_mm > REACH_MM:
            # It runs into something else. What is closed off in the neighbourhood is more likely meant.
            tried = True
            for neck, near_mm in _TIGHTER:
                tight = grown(around(near_mm), neck=neck)
                if tight is not None and not tight.goes_on and not _fills_picture(tight, shape):
                    return tight
        if last or not part.goes_on or (part.leak >= _FLOOD and reach_mm > REACH_MM):
            break
        reach_mm *= 2
    # Nothing closes it off: better too little than everything.
    flooded = part.leak >= _FLOOD or _fills_picture(part, shape)
    return grown(around(REACH_MM), limit_mm=_CLIPPED_MM, last=True) if flooded else part


def _fills_picture(part: Part, shape_kji: tuple[int, int, int]) -> bool:
    """Whether something reaches across most of the grid along two axes: a body, or what is around it."""
    inner = Box.around(part.mask)
    return inner is not None and sum(n > _ACROSS * m for n, m in zip(inner.shape_kji, shape_kji, strict=True)) >= 2


def _reach_kji(volume: Volume, reach_mm: float) -> tuple[int, int, int]:
    k, j, i = (int(np.ceil(reach_mm / mm)) for mm in volume.geometry.spacing_kji_mm)
    return k, j, i
