"""What a gesture may change. Every label write of a tool is made here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segment, Segmentation


def write_mask(
    segmentation: Segmentation, segment: Segment, box: Box, mask: npt.NDArray[np.bool_], *, erase: bool = False
) -> LabelPatch | None:
    """Return the patch that adds a mask to a segment, or takes it away, within the rules; None when nothing may change.

    A locked segment never changes. Adding overwrites the other segments of the same layer unless they are locked. Erasing
    touches the segment itself only.

    Parameters
    ----------
    box : Box
        Inside the grid.
    mask : ndarray of bool, shape ``box.shape_kji``
    """
    if segment.locked or box.empty:
        return None
    layer = segmentation.layer(segment.layer_id)
    now = layer.voxels[box.slices]
    if erase:
        after = np.where(mask & (now == segment.value), np.uint8(0), now)
    else:
        allowed = mask & (now != segment.value)
        locked = segmentation.locked_values(segment.layer_id, but=segment.segment_id)
        if locked.size:
            allowed &= ~np.isin(now, locked)
        after = np.where(allowed, np.uint8(segment.value), now)
    return LabelPatch.between(layer, box, after)
