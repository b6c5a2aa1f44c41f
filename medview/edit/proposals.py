"""From a proposed mask to segments, without touching what is already drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.changes import Change, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.prediction import PredictedMask, PredictedSegment
from medview.core.segmentation import VALUES_PER_LAYER, LabelLayer, Segmentation
from medview.core.source import Source
from medview.edit.segments import new_segment


def accept_segments(
    segmentation: Segmentation, mask: PredictedMask, wanted: Sequence[PredictedSegment], source: Source
) -> list[Change]:
    """Return the changes that add proposed segments to a segmentation.

    All of them go to the first layer in which their voxels are free, so nothing drawn before is overwritten.

    Parameters
    ----------
    wanted : sequence of PredictedSegment
        Those of ``mask.segments`` to add, in this order.
    """
    if not wanted:
        return []
    chosen = np.zeros(256, dtype=np.bool_)
    chosen[[predicted.value for predicted in wanted]] = True
    layer = _free_layer(segmentation, mask.box, chosen[mask.voxels], len(wanted))
    lookup = np.zeros(256, dtype=np.uint8)
    changes: list[Change] = []
    # The segments are worked out on a stand-in, so that names, colours and values of the new ones differ too.
    stand_in = Segmentation(segmentation.geometry, segments=list(segmentation.segments))
    for predicted in wanted:
        segment = new_segment(
            stand_in, predicted.name, colour=predicted.colour, code=predicted.code, source=source, layer_id=layer.layer_id
        )
        changes.append(SegmentChange(None, segment, len(stand_in.segments)))
        stand_in.segments.append(segment)
        lookup[predicted.value] = segment.value
    after = lookup[mask.voxels]
    now = layer.voxels[mask.box.slices]
    # The chosen voxels are free there, so what is written and what stays never meet.
    np.maximum(after, now, out=after)
    patch = LabelPatch.between(layer, mask.box, after)
    if patch is not None:
        changes.append(patch)
    return changes


def _free_layer(segmentation: Segmentation, box: Box, chosen: npt.NDArray[np.bool_], new_segments: int) -> LabelLayer:
    """Return the first layer with values left for the new segments in which the chosen voxels of the box are background."""
    layer_id = 0
    while True:
        used = sum(s.layer_id == layer_id for s in segmentation.segments)
        layer = segmentation.layer(layer_id)
        now = layer.voxels[box.slices]
        if used + new_segments <= VALUES_PER_LAYER and not (now.any() and np.any(chosen & (now != 0))):
            return layer
        layer_id += 1
