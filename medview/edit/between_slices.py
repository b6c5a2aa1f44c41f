"""Fill between slices: what segments look like on the slices nobody drew, from the drawn ones beside them.

Shape-based interpolation (Raya and Udupa 1990, Herman et al. 1992): the depth of each pixel inside the shape, in mm, is
interpolated, not the shape. What moves from slice to slice is laid over itself first, so that a slanting vessel stays as
thick as it is; what branches is followed to each of its branches.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from medview.core.job import Inline, JobContext
from medview.core.language import _
from medview.edit.drawn_slices import Drawn, Mask
from medview.edit.passages import Passages

Labels = npt.NDArray[np.uint8]


def between_slices(
    masks: Sequence[Drawn],
    axis: int,
    spacing_kji_mm: tuple[float, float, float],
    taken: Mask | None = None,
    known: Collection[int] = (),
    context: JobContext | None = None,
) -> Labels:
    """Return what the masks hold between their drawn slices.

    Parameters
    ----------
    masks : sequence of Drawn
        What is drawn on grids of the same shape, at most 255 of them. Slices on which one holds anything stay as they are
        for it.
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
    result = np.zeros(masks[0].voxels.shape, dtype=np.uint8)
    across = tuple(a for a in range(3) if a != axis)
    spacing_mm = (spacing_kji_mm[across[0]], spacing_kji_mm[across[1]])
    shapes = [Passages(partial(mask.slice, axis), spacing_mm, spacing_kji_mm[axis]) for mask in masks]
    gaps = [gap for number, mask in enumerate(masks) for gap in mask.gaps(axis, number, known)]
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
        for mask in masks:
            filled[k][mask.slice(axis, k)] = 0
        if taken is not None:
            filled[k][np.moveaxis(taken, axis, 0)[k]] = 0
        for shape in shapes:
            shape.forget_before(k)
    return result
