"""True boxes on the model's grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.ml.examples import TrueBox
from medview.ml.runners.preprocess import Prepared
from medview.ml.spec import Shape3

Doubles = npt.NDArray[np.float64]


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


def as_arrays(boxes: Sequence[Sequence[float]]) -> Doubles:
    """Return stored boxes, shape (n, 8): class from 0, six corners, 1 where difficult."""
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 8)
