"""Segments as a whole: a new one without collisions, and all voxels of one taken away."""

from __future__ import annotations

import uuid

from medview.core.box import Box
from medview.core.label_patch import LabelPatch
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


def clear_segment(segmentation: Segmentation, segment: Segment) -> LabelPatch | None:
    """Return the patch that empties a segment; None when it holds no voxel."""
    layer = segmentation.layer(segment.layer_id)
    mask = layer.voxels == segment.value
    box = Box.around(mask)
    if box is None:
        return None
    after = layer.voxels[box.slices].copy()
    after[mask[box.slices]] = 0
    return LabelPatch.between(layer, box, after)
