"""What goes from the model's grid back to the input's: logits, probabilities, or labels of the nearest voxel.

Logits interpolate best; packs converted from programs that interpolate something else say so, and get the same answer here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.job import JobContext
from medview.ml.runners.finish import GridLabels
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.preprocess import Prepared
from medview.ml.runners.tiling import LogitSlab
from medview.ml.spec import Carried, SegmentationOutput, Shape3


def label_grid(
    output: SegmentationOutput, shape_kji: Shape3, prepared: Prepared, context: JobContext, seen: Box | None = None
) -> GridLabels | NearestLabels:
    """Return what collects slabs into labels on the input's grid, shape ``shape_kji``.

    ``seen`` is the part of the model's grid that slabs come of; all of it when not given.
    """
    if output.carried is Carried.LABELS:
        return NearestLabels(shape_kji, prepared, context, seen)
    return GridLabels(shape_kji, prepared.orientation, prepared.shape_kji, context, prepared.ratios_kji, seen)


def as_carried(slab: LogitSlab, output: SegmentationOutput) -> LogitSlab:
    """Return the slab as it is interpolated.

    Probabilities of ``sigmoid`` are moved so that a label is present above 0, as with logits.
    """
    if output.carried is not Carried.PROBABILITIES:
        return slab
    logits = slab.logits
    shares = logits.softmax(0) if output.activation == "softmax" else logits.sigmoid().sub_(0.5)
    return LogitSlab(slab.first_k, shares)


class NearestLabels:
    """Labels on the input's grid, each that of the nearest voxel of the model's.

    Attributes
    ----------
    labels : ndarray of uint8, shape ``shape_kji``
        Whole after the last slab.
    """

    def __init__(self, shape_kji: Shape3, prepared: Prepared, context: JobContext, seen: Box | None = None) -> None:
        self.labels: npt.NDArray[np.uint8] = np.zeros(shape_kji, dtype=np.uint8)
        self._turned = prepared.orientation.turned(self.labels)
        model = prepared.shape_kji
        self._model = GridLabels(model, Orientation(), model, context, seen=seen)
        ratios = (None, None, None) if prepared.ratios_kji is None else prepared.ratios_kji
        self._nearest = [_nearest(*axis) for axis in zip(self._turned.shape, model, ratios, strict=True)]

    def add(self, slab: LogitSlab) -> None:
        """Take in the next slab.

        Raises
        ------
        CancelledError
            Between chunks.
        """
        self._model.add(slab)
        if self._model.whole:
            k, j, i = self._nearest
            for n, below in enumerate(k):
                self._turned[n] = self._model.labels[below][np.ix_(j, i)]


def _nearest(length: int, model_length: int, ratio: float | None) -> npt.NDArray[np.intp]:
    voxels = np.arange(length)
    place = (voxels + 0.5) * (model_length / length) - 0.5 if ratio is None else voxels * ratio
    return np.asarray(np.rint(place).clip(0, model_length - 1), dtype=np.intp)
