"""What would change if a segment became what a model proposes: how much, how far off, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.surfaces import surface_axes, surface_distances_mm, surface_of, surfaces_in_mm
from medview.analysis.segment_figures import centre_of
from medview.core.box import Box
from medview.core.effort import Agreement
from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext, JobPart
from medview.core.prediction import PredictedMask, PredictedSegment

ADDED, REMOVED = 1, 2
"""Values in ``MaskDifference.mask``."""

MOST_SPOTS = 50
"""The largest places are listed; nobody goes through more of them."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where both differ: voxels of one kind that touch at faces, edges or corners.

    Attributes
    ----------
    kind : int
        ADDED or REMOVED.
    at_kji : tuple of int
        A voxel of it near its middle.
    """

    kind: int
    voxels: int
    at_kji: tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class MaskDifference:
    """A proposed mask beside a drawn one. What the model has more is ADDED, what it has less is REMOVED.

    Attributes
    ----------
    agreement : Agreement
        With the proposed mask as the final one: that is what taking it over would come to.
    mean_mm, far_mm : float or None
        Of the distances from either surface to the other: their mean, and the 95th percentile of the worse side. None
        where one of them is empty or where there are no millimetres.
    mask : PredictedMask
        ADDED and REMOVED voxels.
    spots : tuple of Spot
        The largest first.
    """

    agreement: Agreement
    mean_mm: float | None
    far_mm: float | None
    mask: PredictedMask
    spots: tuple[Spot, ...]


def mask_difference(proposed: Mask, drawn: Mask, box: Box, geometry: Geometry, context: JobContext) -> MaskDifference:
    """Compare two masks of one box that holds all voxels of both. Belongs into a worker.

    Parameters
    ----------
    proposed, drawn : ndarray of bool, shape ``box.shape_kji``
    geometry : Geometry
        Of the whole grid.
    """
    whole = geometry.calibration is Calibration.VOLUME
    voxel_ml = geometry.voxel_volume_mm3 / 1000.0 if whole else 0.0
    counts = (int(np.count_nonzero(drawn)), int(np.count_nonzero(proposed)))
    agreement = Agreement.of(*counts, int(np.count_nonzero(drawn & proposed)), voxel_ml)
    differs = np.zeros(box.shape_kji, dtype=np.uint8)
    differs[proposed & ~drawn] = ADDED
    differs[drawn & ~proposed] = REMOVED
    context.raise_if_cancelled()
    context.progress(0.2, "")
    spots = _spots(differs, box, context)
    context.raise_if_cancelled()
    context.progress(0.5, "")
    mean_mm = far_mm = None
    if surfaces_in_mm(geometry) and all(counts):
        mean_mm, far_mm = _surface_mm(proposed, drawn, geometry, context)
    inner = Box.around(differs != 0)
    kept = Box((0, 0, 0), (0, 0, 0)) if inner is None else inner.shifted(box.min_kji)
    voxels = np.zeros((0, 0, 0), dtype=np.uint8) if inner is None else differs[inner.slices].copy()
    segments = (PredictedSegment(ADDED, "added", (0, 0, 0)), PredictedSegment(REMOVED, "removed", (0, 0, 0)))
    return MaskDifference(agreement, mean_mm, far_mm, PredictedMask(kept, voxels, segments), spots)


def _spots(differs: npt.NDArray[np.uint8], box: Box, context: JobContext) -> tuple[Spot, ...]:
    import cc3d  # late: the window imports this module at start

    if not differs.any():
        return ()
    labels = cc3d.connected_components(differs, connectivity=26)
    context.raise_if_cancelled()
    told = cc3d.statistics(labels)
    counts = np.asarray(told["voxel_counts"], dtype=np.int64)
    counts[0] = 0
    found: list[Spot] = []
    for n in np.argsort(-counts, kind="stable")[: min(MOST_SPOTS, len(counts) - 1)]:
        ks, js, ends = inner = told["bounding_boxes"][n]
        piece = labels[inner] == n
        place = Box((ks.start, js.start, ends.start), (ks.stop, js.stop, ends.stop)).shifted(box.min_kji)
        middle = np.asarray(told["centroids"][n]) - (ks.start, js.start, ends.start)
        kind = int(differs[inner][piece][0])
        found.append(Spot(kind, int(counts[n]), centre_of(piece, middle, place)))
    return tuple(found)


def _surface_mm(proposed: Mask, drawn: Mask, geometry: Geometry, context: JobContext) -> tuple[float, float]:
    """Return the mean of all distances between the surfaces, and the 95th percentile of the worse side."""
    axes = surface_axes(geometry)
    surfaces = surface_of(proposed, axes=axes), surface_of(drawn, axes=axes)
    context.raise_if_cancelled()
    context.progress(0.6, "")
    sides = surface_distances_mm(*surfaces, geometry, JobPart(context, 0.6, 1.0))
    return float(np.concatenate(sides).mean()), float(max(np.percentile(side, 95) for side in sides))
