"""Cuts and regions too large for a moment, as effects, so that a job works them out."""

from __future__ import annotations

from collections.abc import Mapping

from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.segmentation import Segment, Segmentation
from medview.edit.effects.effect import Effect, Given, NewSegment, Result, segment_box
from medview.edit.outline import Prism
from medview.edit.region_growth import RegionGrowth

_CHECKED_EVERY = 8


def cut(prism: Prism, *, outside: bool) -> Effect:
    """Return the effect that takes away from the active segment what lies inside a prism, or outside of it."""

    def work(given: Given, _values: Mapping[str, object], context: JobContext) -> Result:
        mask = given.mask()
        region = given.region if outside else prism.box(given.region)
        for n, (part, away) in enumerate(prism.slices(region, outside=outside)):
            if n % _CHECKED_EVERY == 0:
                context.raise_if_cancelled()
            mask[part.within(given.region).slices] &= ~away
        return Result({given.active.segment_id: mask})

    return Effect(
        "scissors", "Cut", _("Scissors"), _("Cuts the active segment"), "mdi6.content-cut", (), segment_box, work,
        needs_mm=False,
    )  # fmt: skip


def added(growth: RegionGrowth, *, erase: bool) -> Effect:
    """Return the effect that adds a grown region to the active segment, or takes it away."""
    box = growth.box

    def region(_labels: Segmentation, _segment: Segment | None, _values: Mapping[str, object]) -> Box:
        assert box is not None
        return box

    def work(given: Given, _values: Mapping[str, object], context: JobContext) -> Result:
        context.raise_if_cancelled()
        found = growth.mask(given.region)
        if given.segment is None:
            return Result(new=(NewSegment("Segment 1", found),))
        own = given.mask()
        return Result({given.segment.segment_id: own & ~found if erase else own | found})

    name, tip = "Erase" if erase else "Grow", _("Adds a region of like values")
    return Effect(
        "grow", name, _("Grow a region"), tip, "mdi6.auto-fix", (), region, work,
        needs_segment=False, needs_mm=False, needs_values=True,
    )  # fmt: skip
