"""Readers' labels for tests of agreement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medview.analysis.agreement.readings import Reading
from medview.core.geometry import Geometry
from medview.core.marks import Marks
from medview.core.segmentation import Code, LabelLayer, Segment, Segmentation, SegmentRole, SegmentStatus
from tests.analysis.agreement.masks import Mask, grid

LIVER, KIDNEY = Code("10200004", "SCT", "Liver"), Code("64033007", "SCT", "Kidney")


def segment(name: str, code: Code | None = None, role: SegmentRole = SegmentRole.STRUCTURE) -> Segment:
    """Return a segment that still needs its place."""
    return Segment(name, name, (200, 60, 20), 0, 0, code, role=role)


def reading(
    reader: str,
    drawn: dict[str | Segment, Mask | None],
    geometry: Geometry | None = None,
    marks: Marks = Marks(),
    absent: tuple[str, ...] = (),
    to_do: tuple[str, ...] = (),
) -> Reading:
    """Return what a reader drew: by name or segment a mask, or None for nothing. Every segment has a layer of its own."""
    geometry = geometry or grid()
    found = Segmentation(geometry)
    for number, (thing, mask) in enumerate(drawn.items()):
        listed = segment(thing) if isinstance(thing, str) else thing
        status = SegmentStatus.TO_DO if listed.name in to_do else SegmentStatus.DONE
        found.segments.append(
            replace(listed, layer_id=number, value=number + 3, absent=listed.name in absent, status=status)
        )
        if mask is not None:
            found.layers[number] = LabelLayer.drawn(number, (mask * (number + 3)).astype(np.uint8))
    return Reading(reader, found, marks)
