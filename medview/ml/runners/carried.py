"""What goes from the model's grid back to the input's: logits, probabilities, or labels of the nearest voxel.

Logits interpolate best; packs converted from programs that interpolate something else say so, and get the same answer here.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from medview.core.box import Box
from medview.core.job import JobContext
from medview.ml.outputs import Carried, SegmentationOutput
from medview.ml.runners.finish import Decision, GridLabels
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.preprocess import Prepared
from medview.ml.runners.tiling import LogitSlab
from medview.ml.spec import Shape3

Labels = npt.NDArray[np.uint8]

BITS = 8
"""Labels that share a map of bits."""


class LabelGrid(Protocol):
    """Collects slabs of logits into labels on the input's grid."""

    def add(self, slab: LogitSlab) -> object:
        """Take in the next slab."""

    def maps(self) -> list[Labels]:
        """Return label maps (k, j, i) on the input's grid once all slabs are in; several where labels share voxels."""


def label_grid(
    output: SegmentationOutput, shape_kji: Shape3, prepared: Prepared, context: JobContext, seen: Box | None = None
) -> LabelGrid:
    """Return what collects slabs into labels on the input's grid, shape ``shape_kji``.

    ``seen`` is the part of the model's grid that slabs come of; all of it when not given.
    """
    nearest, model = output.carried is Carried.LABELS, prepared.shape_kji

    def grid(decision: Decision) -> GridLabels:
        if nearest:
            return GridLabels(model, Orientation(), model, context, seen=seen, decision=decision)
        return _grid(shape_kji, prepared, context, seen, decision)

    found: LabelGrid
    if output.overlapping:
        found = OverlappingLabels([grid(Decision.BITS) for _ in range(0, len(output.labels), BITS)], len(output.labels))
    else:
        found = grid(Decision.PAINTED if output.activation == "sigmoid" else Decision.LARGEST)
    return NearestLabels(shape_kji, prepared, found) if nearest else found


def level_grid(shape_kji: Shape3, prepared: Prepared, context: JobContext, seen: Box | None = None) -> GridLabels:
    """Return what collects slabs of one channel of probabilities into levels on the input's grid, 255 for 1."""
    return _grid(shape_kji, prepared, context, seen, Decision.LEVELS)


def _grid(shape_kji: Shape3, prepared: Prepared, context: JobContext, seen: Box | None, decision: Decision) -> GridLabels:
    return GridLabels(
        shape_kji,
        prepared.orientation,
        prepared.shape_kji,
        context,
        prepared.ratios_kji,
        seen,
        decision,
        prepared.crop,
        prepared.coarse,
    )


def probability_of(slab: LogitSlab, output: SegmentationOutput, value: int) -> LogitSlab:
    """Return the probability of one label as the only channel, 0 where the network did not look.

    No more than a few channels are held beside the slab.
    """
    logits = slab.logits
    if output.activation != "softmax":
        share = logits[value - 1].sigmoid()
    else:
        largest = logits.amax(dim=0)
        total = torch.zeros_like(largest)
        for one in logits:
            total += (one - largest).exp_()
        share = (logits[value] - largest).exp_() / total
    if slab.unseen is not None:
        share.masked_fill_(slab.unseen, 0.0)
    return LogitSlab(slab.first_k, share[None])


def as_carried(slab: LogitSlab, output: SegmentationOutput) -> LogitSlab:
    """Return the slab as it is interpolated.

    Probabilities of ``sigmoid`` are moved so that a label is present above 0, as with logits.
    """
    if output.carried is not Carried.PROBABILITIES:
        return slab
    logits = slab.logits
    shares = logits.softmax(0) if output.activation == "softmax" else logits.sigmoid().sub_(0.5)
    return LogitSlab(slab.first_k, shares)


class OverlappingLabels:
    """Labels on the input's grid that may share voxels.

    Parameters
    ----------
    grids : list of GridLabels
        Each takes the bits of the next eight channels.
    """

    def __init__(self, grids: list[GridLabels], count: int) -> None:
        self._grids = grids
        self._count = count

    def add(self, slab: LogitSlab) -> None:
        """Take in the next slab.

        Raises
        ------
        CancelledError
            Between chunks.
        """
        for n, grid in enumerate(self._grids):
            grid.add(LogitSlab(slab.first_k, slab.logits[n * BITS : (n + 1) * BITS]))

    def maps(self) -> list[Labels]:
        """Return label maps (k, j, i), as few as hold every label whole."""
        maps: list[Labels] = []
        for n in range(self._count):
            bits = self._grids[n // BITS].labels
            box = Box.around((bits & (1 << n % BITS)) != 0)
            if box is None:
                continue
            there = (bits[box.slices] & (1 << n % BITS)) != 0
            free = next((one for one in maps if not one[box.slices][there].any()), None)
            if free is None:
                free = np.zeros_like(bits)
                maps.append(free)
            free[box.slices][there] = n + 1
        return maps or [np.zeros_like(self._grids[0].labels)]


class NearestLabels:
    """Labels on the input's grid, each that of the nearest voxel of the model's.

    Parameters
    ----------
    shape_kji : tuple of int
        Of the input.
    prepared : Prepared
    model : LabelGrid
        Collects slabs into labels on the model's grid.
    """

    def __init__(self, shape_kji: Shape3, prepared: Prepared, model: LabelGrid) -> None:
        self._shape_kji = shape_kji
        self._orientation, self._crop = prepared.orientation, prepared.crop
        self._model = model
        ratios = (None, None, None) if prepared.ratios_kji is None else prepared.ratios_kji
        self._nearest = [_nearest(*axis) for axis in zip(self._crop.shape_kji, prepared.shape_kji, ratios, strict=True)]

    def add(self, slab: LogitSlab) -> None:
        """Take in the next slab.

        Raises
        ------
        CancelledError
            Between chunks.
        """
        self._model.add(slab)

    def maps(self) -> list[Labels]:
        """Return label maps (k, j, i), as many as the model's grid has."""
        return [self._brought_back(labels) for labels in self._model.maps()]

    def _brought_back(self, labels: Labels) -> Labels:
        found = np.zeros(self._shape_kji, dtype=np.uint8)
        turned = self._orientation.turned(found)[self._crop.slices]
        k, j, i = self._nearest
        for n, below in enumerate(k):
            turned[n] = labels[below][np.ix_(j, i)]
        return found


def _nearest(length: int, model_length: int, ratio: float | None) -> npt.NDArray[np.intp]:
    voxels = np.arange(length)
    place = (voxels + 0.5) * (model_length / length) - 0.5 if ratio is None else voxels * ratio
    return np.asarray(np.rint(place).clip(0, model_length - 1), dtype=np.intp)
