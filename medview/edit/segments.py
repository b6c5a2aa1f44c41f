"""Segments as a whole: a new one without collisions, and all voxels of one taken away."""

from __future__ import annotations

import uuid

import numpy as np

from medview.core.box import Box
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Code, Segment, Segmentation
from medview.core.source import Source
from medview.edit.rules import write_mask

_SLAB = 16


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
    """Return the patch that empties a segment; None when it holds no voxel or is locked."""
    box = segment_box(segmentation, segment)
    if box is None:
        return None
    return write_mask(segmentation, segment, box, np.ones(box.shape_kji, dtype=np.bool_), erase=True)


def segment_box(segmentation: Segmentation, segment: Segment) -> Box | None:
    """Return the smallest box around the voxels of a segment, or None when it holds none."""
    voxels = segmentation.layer(segment.layer_id).voxels
    boxes: list[Box] = []
    # In slabs, because a mask of the whole grid would be as large as the layer itself.
    for k in range(0, voxels.shape[0], _SLAB):
        box = Box.around(voxels[k : k + _SLAB] == segment.value)
        if box is not None:
            boxes.append(box.shifted((k, 0, 0)))
    return Box.union_of(boxes)
