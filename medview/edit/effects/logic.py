"""Logic: what one segment holds is worked out from another one."""

from __future__ import annotations

import numpy as np

from medview.core.box import Box
from medview.core.errors import LabelError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.segmentation import Segment, Segmentation
from medview.edit.effects.effect import Effect, Given, Result
from medview.edit.effects.settings import Choice, Option, OtherSegment, Values, When

_WITH_OTHER = ("copy", "add", "subtract", "intersect")


def region(labels: Segmentation, segment: Segment | None, values: Values) -> Box:
    """Ask for the boxes of both segments; inverting needs everything."""
    if values["way"] == "invert":
        return Box.whole(labels.geometry.shape_kji)
    other = labels.find(str(values["other"])) if values["way"] in _WITH_OTHER else None
    boxes = [box for one in (segment, other) if one is not None and (box := labels.box(one)) is not None]
    found = Box.union_of(boxes)
    if found is None:
        raise LabelError("Neither segment holds any voxels, so there is nothing to work out.")
    return found


def work(given: Given, values: Values, _context: JobContext) -> Result:
    """Return what the active segment holds then."""
    mask, way = given.mask(), values["way"]
    if way in _WITH_OTHER:
        other = given.labels.mask(given.other(values, "other"))
        mask = {
            "copy": lambda: other,
            "add": lambda: mask | other,
            "subtract": lambda: mask & ~other,
            "intersect": lambda: mask & other,
        }[str(way)]()
    else:
        mask = ~mask if way == "invert" else np.zeros_like(mask)
    return Result({given.active.segment_id: mask})


EFFECT = Effect(
    "logic",
    "Logic",
    _("Logic"),
    _("Copies, adds, subtracts, intersects, inverts or clears segments"),
    "mdi6.set-center",
    (
        Choice(
            "way",
            _("Way"),
            _("What the active segment becomes; the other one changes only where the rules say that it gives way"),
            (
                Option("copy", _("Copy of the other"), _("It holds what the other one holds")),
                Option("add", _("Add the other"), _("It holds what either of them holds")),
                Option("subtract", _("Subtract the other"), _("It loses what the other one holds")),
                Option("intersect", _("Keep what both hold"), _("It loses what the other one does not hold")),
                Option("invert", _("Invert"), _("It holds what it did not hold")),
                Option("clear", _("Clear"), _("It holds nothing")),
            ),
        ),
        OtherSegment("other", _("Other"), _("The other segment"), When("way", _WITH_OTHER)),
    ),
    region,
    work,
    needs_voxels=False,
    needs_mm=False,
)
