"""Margin: a segment grows or shrinks by millimetres."""

from __future__ import annotations

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.segmentation import Segment, Segmentation
from medview.edit.effects.distance import grown, shrunk
from medview.edit.effects.effect import Effect, Given, Result, box_around
from medview.edit.effects.settings import Choice, Number, Option, Values, number


def region(labels: Segmentation, segment: Segment | None, values: Values) -> Box:
    """Ask for the box of the segment and the margin around it."""
    return box_around(labels, segment, number(values, "margin_mm"))


def work(given: Given, values: Values, context: JobContext) -> Result:
    """Return the segment with a margin added or taken away."""
    change = grown if values["way"] == "grow" else shrunk
    margin_mm = number(values, "margin_mm")
    mask = change(given.geometry, given.mask(), margin_mm, context.raise_if_cancelled)
    return Result({given.active.segment_id: mask}, note=too_thin(given.geometry, margin_mm))


def too_thin(geometry: Geometry, distance_mm: float) -> str:
    """Return a sentence where a distance is less than that from one voxel to the next, so that nothing changes that way."""
    widest = max(geometry.spacing_kji_mm)
    if distance_mm >= widest * (1 - 1e-5):
        return ""
    return _("Voxels are up to {mm:.3g} mm apart: that way {distance:g} mm reaches no further voxel.").format(
        mm=widest, distance=distance_mm
    )


EFFECT = Effect(
    "margin",
    "Margin",
    _("Margin"),
    _("The active segment grows or shrinks by millimetres, the same in all directions of the patient"),
    "mdi6.arrow-expand",
    (
        Choice(
            "way",
            _("Way"),
            _("Outwards or inwards"),
            (
                Option("grow", _("Grow"), _("Everything within the margin is added")),
                Option("shrink", _("Shrink"), _("Everything within the margin of what lies beside it is taken away")),
            ),
        ),
        Number("margin_mm", _("By"), _("From voxel centre to voxel centre, in the patient"), 2.0, 0.1, 100.0, "mm"),
    ),
    region,
    work,
)
