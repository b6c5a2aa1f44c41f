"""Fill holes: what a segment encloses becomes part of it, in space or slice by slice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.job import JobContext
from medview.core.language import _, plural
from medview.core.plane import Plane, SlicePlane
from medview.edit.effects.effect import Effect, Given, Mask, Result, segment_box
from medview.edit.effects.settings import Choice, Number, Option, Values, When, number

_IN_SPACE = When("way", ("space",))
_RINGS = _("What a ring of the segment encloses on a slice, slice by slice")


def work(given: Given, values: Values, context: JobContext) -> Result:
    """Return the segment with its holes filled."""
    mask, way = given.mask(), str(values["way"])
    across = None if way == "space" else SlicePlane.of(Plane(way), given.geometry).normal_axis
    holes = enclosed(mask, across)
    context.raise_if_cancelled()
    sizes = np.bincount(holes.ravel(), minlength=1)
    fits = sizes > 0
    most_mm3 = number(values, "most_mm3")
    if across is None and most_mm3 > 0:
        given.millimetres()
        fits &= sizes * given.geometry.voxel_volume_mm3 <= most_mm3 * (1 + 1e-9)
    fits[0] = False
    count = int(np.count_nonzero(fits))
    note = plural("{n} hole", "{n} holes", count).format(n=count)
    return Result({given.active.segment_id: mask | fits[holes]}, note=note)


def enclosed(mask: Mask, across: int | None = None) -> npt.NDArray[np.int32]:
    """Return the holes of a mask, numbered; 0 elsewhere.

    Parameters
    ----------
    across : int, optional
        Array axis across the slices that are looked at one by one; None looks for holes that are closed on all sides. What
        lies open at the edge of the array is no hole. Ways out lead through faces of voxels only.
    """
    from scipy import ndimage

    free = np.pad(~mask, [(0, 0) if axis == across else (1, 1) for axis in range(3)], constant_values=True)
    way_out = ndimage.generate_binary_structure(3, 1)
    if across is not None:
        way_out[tuple(np.s_[::2] if axis == across else np.s_[:] for axis in range(3))] = False
    found, _count = ndimage.label(free, way_out)
    outside = np.zeros(int(found.max()) + 1, dtype=np.bool_)
    for axis in range(3):
        if axis != across:
            outside[np.unique(np.take(found, (0, -1), axis=axis))] = True
    inner = found[tuple(np.s_[:] if axis == across else np.s_[1:-1] for axis in range(3))]
    return np.asarray(np.where(outside[inner], 0, inner), dtype=np.int32)


EFFECT = Effect(
    "holes",
    "Fill holes",
    _("Fill holes"),
    _("What the active segment encloses becomes part of it"),
    "mdi6.format-color-fill",
    (
        Choice(
            "way",
            _("Closed"),
            _("Where a hole has to be closed"),
            (
                Option("space", _("On all sides"), _("Cavities inside the segment")),
                Option(Plane.AXIAL.value, _("In axial slices"), _RINGS),
                Option(Plane.CORONAL.value, _("In coronal slices"), _RINGS),
                Option(Plane.SAGITTAL.value, _("In sagittal slices"), _RINGS),
            ),
        ),
        Number("most_mm3", _("No larger than"), _("0 fills holes of any size"), 0, 0, 1e7, "mm³", 0, 100, _IN_SPACE),
    ),
    segment_box,
    work,
    needs_mm=False,
)
