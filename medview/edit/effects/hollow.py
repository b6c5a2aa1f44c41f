"""Hollow: a segment becomes a shell along its surface."""

from __future__ import annotations

from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.segmentation import Segment, Segmentation
from medview.edit.effects.distance import grown, shrunk
from medview.edit.effects.effect import Effect, Given, Result, box_around
from medview.edit.effects.margin import too_thin
from medview.edit.effects.settings import Choice, Number, Option, Values, number

_OUTSIDE = {"inside": 0.0, "centred": 0.5, "outside": 1.0}
"""Part of the thickness that lies outside the surface."""


def region(labels: Segmentation, segment: Segment | None, values: Values) -> Box:
    """Ask for the box of the segment and the shell around it."""
    return box_around(labels, segment, number(values, "thickness_mm"))


def work(given: Given, values: Values, context: JobContext) -> Result:
    """Return the shell."""
    thickness_mm, outside = number(values, "thickness_mm"), _OUTSIDE[str(values["side"])]
    mask, between = given.mask(), context.raise_if_cancelled
    outer = grown(given.geometry, mask, thickness_mm * outside, between)
    context.progress(0.3, _("Measuring distances"))
    inner = shrunk(given.geometry, mask, thickness_mm * (1 - outside), between) if outside < 1 else mask
    part_mm = thickness_mm * (0.5 if values["side"] == "centred" else 1.0)
    return Result({given.active.segment_id: outer & ~inner}, note=too_thin(given.geometry, part_mm))


EFFECT = Effect(
    "hollow",
    "Hollow",
    _("Hollow"),
    _("The active segment becomes a shell along its surface: the wall of a vessel, a cortex"),
    "mdi6.circle-double",
    (
        Choice(
            "side",
            _("Shell"),
            _("On which side of the surface it lies"),
            (
                Option("inside", _("Inside"), _("The surface of the segment becomes the outer surface of the shell")),
                Option("centred", _("Centred"), _("Half of the shell lies on either side of the surface")),
                Option("outside", _("Outside"), _("The surface of the segment becomes the inner surface of the shell")),
            ),
        ),
        Number("thickness_mm", _("Thickness"), _("Of the shell, in the patient"), 3.0, 0.1, 50.0, "mm"),
    ),
    region,
    work,
)
