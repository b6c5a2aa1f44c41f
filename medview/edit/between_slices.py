"""Fill between slices: what segments look like on the slices nobody drew, from the drawn ones beside them.

Shape-based interpolation (Raya and Udupa 1990, Herman et al. 1992): the depth of each pixel inside the shape, in mm, is
interpolated, not the shape. What moves from slice to slice is laid over itself first, so that a slanting vessel stays as
thick as it is; what branches is followed to each of its branches.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from medview.core.job import Inline, JobContext
from medview.core.language import _
from medview.edit.passages import Passages

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Gap:
    """Slices between two drawn ones of one segment.

    Attributes
    ----------
    number : int
        Which of the masks.
    low, high : int
        The drawn slices on both sides, along the axis; at least one slice lies between.
    """

    number: int
    low: int
    high: int


def gaps_of(mask: Mask, axis: int, number: int = 0, known: Collection[int] = ()) -> list[Gap]:
    """Return the gaps between the drawn slices of a mask along an array axis.

    Parameters
    ----------
    known : collection of int
        Slices known to be drawn completely: where the segment is not on them, it is not there.
    """
    drawn = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
    if drawn.size < 2:
        return []
    inside = {k for k in known if drawn[0] < k < drawn[-1]}
    stops = sorted({int(k) for k in drawn} | inside)
    return [Gap(number, a, b) for a, b in pairwise(stops) if b - a > 1]


def between_slices(
    masks: Sequence[Mask],
    axis: int,
    spacing_kji_mm: tuple[float, float, float],
    taken: Mask | None = None,
    known: Collection[int] = (),
    context: JobContext | None = None,
) -> Labels:
    """Return what the masks hold between their drawn slices.

    Parameters
    ----------
    masks : sequence of ndarray of bool, shape (k, j, i)
        What is drawn, at most 255 of them. Slices on which a mask holds anything are never added to for it.
    axis : int
        The array axis the slices were drawn across.
    taken : ndarray of bool, shape (k, j, i), optional
        Voxels that stay as they are, e.g. those of other segments.
    known : collection of int
        Slices along the axis that are drawn completely: nothing is filled there, and what is not on them ends before.

    Returns
    -------
    ndarray of uint8, shape (k, j, i)
        Which mask, counted from 1, gets each voxel; 0 is none. A voxel that two lie over goes to the one it is deeper in;
        one of any of the masks goes to none.

    Raises
    ------
    CancelledError
        When the person pressed Cancel; asked for before every slice.
    """
    context = context or Inline()
    result = np.zeros(masks[0].shape, dtype=np.uint8)
    across = tuple(a for a in range(3) if a != axis)
    spacing_mm = (spacing_kji_mm[across[0]], spacing_kji_mm[across[1]])
    shapes = [Passages(np.moveaxis(mask, axis, 0), spacing_mm, spacing_kji_mm[axis]) for mask in masks]
    gaps = [gap for number, mask in enumerate(masks) for gap in gaps_of(mask, axis, number, known)]
    slices = sorted({k for gap in gaps for k in range(gap.low + 1, gap.high)})
    filled = np.moveaxis(result, axis, 0)
    for done, k in enumerate(slices):
        context.raise_if_cancelled()
        context.progress(done / len(slices), _("Filling between slices"))
        best = np.zeros(filled.shape[1:], dtype=np.float32)
        for gap in gaps:
            if gap.low < k < gap.high:
                # Above zero is inside; the deeper one has a voxel that two lie over.
                depth = shapes[gap.number].depth_between(gap.low, gap.high, k)
                deeper = depth > best
                filled[k][deeper] = gap.number + 1
                best[deeper] = depth[deeper]
        for other in (*masks, *(() if taken is None else (taken,))):
            filled[k][np.moveaxis(other, axis, 0)[k]] = 0
        for shape in shapes:
            shape.forget_before(k)
    return result
