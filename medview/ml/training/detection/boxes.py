"""True boxes on the model's grid."""

from __future__ import annotations

import numpy as np

from medview.ml.examples import TrueBox
from medview.ml.runners.preprocess import Prepared
from medview.ml.spec import Shape3


def model_box(box: TrueBox, prepared: Prepared, shape_kji: Shape3) -> list[float]:
    """Return lowest and highest corner of a box on the model's grid, in voxels at voxel edges.

    Parameters
    ----------
    shape_kji : tuple of int
        Of the first volume, on whose grid the box lies.
    """
    low, high = np.empty(3), np.empty(3)
    for n, (axis, flipped) in enumerate(zip(prepared.orientation.axes, prepared.orientation.flipped, strict=True)):
        ends = box.min_kji[axis], box.max_kji[axis]
        low[n], high[n] = (shape_kji[axis] - ends[1], shape_kji[axis] - ends[0]) if flipped else ends
    scale = np.asarray(prepared.shape_kji) / np.asarray(prepared.turned_shape_kji)
    return [*(low * scale).tolist(), *(high * scale).tolist()]
