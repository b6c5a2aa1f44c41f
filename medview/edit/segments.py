"""Segments as a whole: a new one without collisions, and all voxels of one taken away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import numpy as np

from medview.core.changes import Change
from medview.core.label_patch import PIECE_KJI, LabelPatch
from medview.core.segmentation import Code, Segment, Segmentation
from medview.core.source import Source
from medview.edit.rules import LabelWriter


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


def clear_segment(segmentation: Segmentation, segment: Segment) -> Iterator[Change]:
    """Yield the changes that empty a segment, piece by piece; none when it holds no voxel or is locked."""
    box = segmentation.box(segment)
    if box is None:
        return
    for piece in box.pieces(PIECE_KJI):
        writer = LabelWriter(segmentation, piece)
        writer.erase(segment, np.ones(piece.shape_kji, dtype=np.bool_))
        # That it is no longer as a model made it says nothing of a segment without voxels.
        yield from (change for change in writer.changes() if isinstance(change, LabelPatch))
