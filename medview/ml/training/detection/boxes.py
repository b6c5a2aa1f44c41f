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
    first = np.asarray(prepared.crop.min_kji)
    if prepared.ratios_kji is None:
        scale = np.asarray(prepared.shape_kji) / np.asarray(prepared.crop.shape_kji)
        shift = np.zeros(3)
    else:
        # Voxels that lie over each other have the same middle, not the same edge.
        scale = np.asarray(prepared.ratios_kji)
        shift = (1 - scale) / 2
    return [*((low - first) * scale + shift).tolist(), *((high - first) * scale + shift).tolist()]
