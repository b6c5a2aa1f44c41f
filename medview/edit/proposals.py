"""From a proposed mask to segments, without touching what is already drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

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
    lookup = np.zeros(256, dtype=np.uint8)
    layer = _free_layer(segmentation, mask, wanted)
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
    written = lookup[mask.voxels]
    after = np.where(written != 0, written, layer.voxels[mask.box.slices])
    patch = LabelPatch.between(layer, mask.box, after)
    if patch is not None:
        changes.append(patch)
    return changes


def _free_layer(segmentation: Segmentation, mask: PredictedMask, wanted: Sequence[PredictedSegment]) -> LabelLayer:
    selected: npt.NDArray[np.bool_] = np.isin(mask.voxels, [s.value for s in wanted])
    layer_id = 0
    while True:
        used = sum(s.layer_id == layer_id for s in segmentation.segments)
        layer = segmentation.layer(layer_id)
        room = used + len(wanted) <= VALUES_PER_LAYER
        if room and not layer.voxels[mask.box.slices][selected].any():
            return layer
        layer_id += 1
