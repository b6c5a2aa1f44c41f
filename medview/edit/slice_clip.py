"""What a segment holds on one slice, to be put onto another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.segmentation import Segment, Segmentation

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SliceClip:
    """Voxels of one slice across an axis of a grid.

    Attributes
    ----------
    axis : int
        Across the slice: 0 is k, 1 is j, 2 is i.
    box : Box
        One voxel thick along the axis.
    mask : ndarray of bool, shape ``box.shape_kji``
        Read-only.
    name : str
        Of the segment it was copied from.
    """

    geometry: Geometry
    axis: int
    box: Box
    mask: Mask
    name: str

    @classmethod
    def of(cls, segmentation: Segmentation, segment: Segment, axis: int, index: int) -> SliceClip | None:
        """Return what a segment holds on a slice; None where it holds nothing there."""
        low, high = [0, 0, 0], list(segmentation.geometry.shape_kji)
        low[axis], high[axis] = index, index + 1
        whole = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        layer = segmentation.layers.get(segment.layer_id)
        if layer is None:
            return None
        held = layer.voxels[whole.slices] == segment.value
        around = Box.around(held)
        if around is None:
            return None
        mask = held[around.slices].copy()
        mask.setflags(write=False)
        return cls(segmentation.geometry, axis, around.shifted(whole.min_kji), mask, segment.name)

    @property
    def index(self) -> int:
        """The slice it lies on."""
        return self.box.min_kji[self.axis]

    def on(self, index: int) -> SliceClip:
        """Return the same voxels on another slice across the same axis."""
        by = [0, 0, 0]
        by[self.axis] = index - self.index
        return SliceClip(self.geometry, self.axis, self.box.shifted((by[0], by[1], by[2])), self.mask, self.name)
