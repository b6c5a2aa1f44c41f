"""Fill between slices: what lies between the slices that were drawn."""

from __future__ import annotations

import numpy as np

from medview.core.box import Box
from medview.core.errors import LabelError
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.language import _, plural
from medview.core.plane import Plane, SlicePlane
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.edit.between_slices import between_slices
from medview.edit.drawn_slices import Drawn
from medview.edit.effects.effect import Effect, Given, Mask, Result
from medview.edit.effects.lazy_masks import LazyMasks
from medview.edit.effects.settings import Choice, Option, Values

MOST_SEGMENTS = 255


def work(given: Given, values: Values, context: JobContext) -> Result:
    """Return the segments with what lies between their drawn slices; nobody else's voxels are among it."""
    context.raise_if_cancelled()
    segments = _chosen(given.labels, given.segment, values)
    drawn = [Drawn(given.labels.layer(one.layer_id).voxels, one.value) for one in segments]
    axis = _axis(drawn, given, str(values["plane"]))
    known = tuple(index - given.region.min_kji[axis] for index in given.marks.done(axis))
    taken = taken_by_others(given.labels, segments)
    taken |= given.marks.known(given.grid.shape_kji)[given.region.slices]
    context.raise_if_cancelled()
    filled = between_slices(drawn, axis, given.geometry.spacing_kji_mm, taken, known, context)
    found = np.unique(filled)
    numbers = {one.segment_id: n for n, one in enumerate(segments, start=1) if n in found}
    if not numbers:
        raise LabelError(
            "There is no empty slice between two drawn ones that could be filled; draw every few slices first."
        )
    count = int(np.count_nonzero(filled.any(axis=tuple(a for a in range(3) if a != axis))))
    held = LazyMasks(tuple(numbers), lambda key: (filled == numbers[key]) | given.labels.mask(given.labels.segment(key)))
    return Result(held, across=axis, note=plural("{n} slice is filled", "{n} slices are filled", count).format(n=count))


def taken_by_others(labels: Segmentation, but: list[Segment]) -> Mask:
    """Return the voxels that other segments hold; what lies over the others (unsure) is no reason to stay away."""
    found = np.zeros(labels.geometry.shape_kji, dtype=np.bool_)
    ids = {segment.segment_id for segment in but}
    for layer_id, layer in labels.layers.items():
        values = [
            s.value
            for s in labels.segments
            if s.layer_id == layer_id and s.segment_id not in ids and s.role is not SegmentRole.IGNORE
        ]
        if values:
            table = np.zeros(256, dtype=np.bool_)
            table[values] = True
            found |= table[layer.voxels]
    return found


def changeable(segment: Segment) -> bool:
    """Whether a segment takes part where all visible ones do."""
    return segment.visible and not segment.locked and not segment.absent


def _chosen(labels: Segmentation, active: Segment | None, values: Values) -> list[Segment]:
    if values["which"] == "active":
        return [] if active is None else [active]
    return [segment for segment in labels.segments if changeable(segment)][:MOST_SEGMENTS]


def _axis(drawn: list[Drawn], given: Given, plane: str) -> int:
    if plane == "drawn":
        empty = [sum(gap.high - gap.low - 1 for one in drawn for gap in one.gaps(axis)) for axis in range(3)]
        return int(np.argmax(empty))
    return _axis_of(Plane(plane), given.grid)


def _axis_of(plane: Plane, geometry: Geometry) -> int:
    return SlicePlane.of(plane, geometry).normal_axis


def _region(labels: Segmentation, active: Segment | None, values: Values) -> Box:
    boxes = (labels.box(segment) for segment in _chosen(labels, active, values))
    region = Box.union_of(box for box in boxes if box is not None)
    if region is None:
        raise LabelError("There is nothing drawn yet; draw every few slices first.")
    return region


EFFECT = Effect(
    "between_slices",
    "Fill between slices",
    _("Fill between slices"),
    _(
        "Draw every few slices; the empty ones between are filled with the shapes in between.\n"
        "Drawn slices stay as they are."
    ),
    "mdi6.layers-plus",
    (
        Choice(
            "which",
            _("Segments"),
            _("Which segments are filled; none of them takes a voxel of another"),
            (
                Option("active", _("Active segment")),
                Option("visible", _("All visible"), _("All that are visible and not locked")),
            ),
        ),
        Choice(
            "plane",
            _("Slices"),
            _("The slices that were drawn on"),
            (
                Option("drawn", _("As drawn"), _("In the direction in which slices were left out")),
                *(Option(plane.value, plane.title) for plane in Plane),
            ),
        ),
    ),
    _region,
    work,
    needs_segment=False,
    needs_mm=False,
    reads_marks=True,
    short=_("Fill slices"),
)
