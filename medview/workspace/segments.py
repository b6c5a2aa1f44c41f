"""New segments with a free name, colour and slot."""

from __future__ import annotations

import uuid

from medview.core.segmentation import Code, Segment, Segmentation
from medview.core.source import Source


def new_segment(
    segmentation: Segmentation,
    name: str = "",
    *,
    colour: tuple[int, int, int] | None = None,
    code: Code | None = None,
    source: Source = Source(),
    layer_id: int = 0,
) -> Segment:
    """Return a segment that does not collide with those already there; it is not added yet."""
    layer, value = segmentation.free_slot(layer_id)
    wanted = name.strip() or f"Segment {len(segmentation.segments) + 1}"
    return Segment(
        segment_id=uuid.uuid4().hex,
        name=segmentation.free_name(wanted),
        colour=colour or segmentation.free_colour(),
        layer_id=layer,
        value=value,
        code=code,
        source=source,
    )
