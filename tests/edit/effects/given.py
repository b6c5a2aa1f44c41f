"""What effects are given in tests, and how they are run without a job."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.core.volume import Volume
from medview.edit.effects.carry_out import Worked, carry_out
from medview.edit.effects.effect import Effect, Given, Mask
from medview.edit.rules import EditRules
from tests.edit.grids import grid, segment

ONE = segment(1, name="One")
TWO = segment(2, name="Two")


def labels_of(kind: str, *masks: npt.NDArray[np.bool_], segments: tuple[Segment, ...] = (ONE, TWO)) -> Segmentation:
    """Return a segmentation whose segments hold these masks; later ones take from earlier ones of their layer."""
    made = Segmentation(grid(kind), segments=list(segments))
    layers: dict[int, npt.NDArray[np.uint8]] = {}
    for one, mask in zip(segments, masks, strict=False):
        layer = layers.setdefault(one.layer_id, np.zeros(made.geometry.shape_kji, dtype=np.uint8))
        layer[mask] = one.value
    made.layers = {n: LabelLayer.drawn(n, voxels) for n, voxels in layers.items()}
    return made


def volume_of(geometry: Geometry, voxels: npt.NDArray[np.generic] | None = None) -> Volume:
    """Return a volume of zeros, or of these stored numbers."""
    return Volume(np.zeros(geometry.shape_kji, np.int16) if voxels is None else voxels, geometry, "CT", "HU")


def work(
    effect: Effect,
    labels: Segmentation,
    active: Segment | None = ONE,
    *,
    volume: Volume | None = None,
    place_kji: tuple[int, int, int] | None = None,
    rules: EditRules = EditRules(),
    **changed: object,
) -> Worked:
    """Run an effect on the region it asks for, as its job does."""
    values = effect.defaults() | changed
    region = effect.region(labels, active, values)
    copied = cropped(labels, region)
    whole = volume or volume_of(labels.geometry)
    part = Volume(whole.voxels[region.slices], copied.geometry, "CT", "HU", rescale=whole.rescale, padding=whole.padding)
    place = None
    if place_kji is not None:
        k, j, i = (at - low for at, low in zip(place_kji, region.min_kji, strict=True))
        place = (k, j, i)
    totals = {s.segment_id: labels.count(s) for s in labels.segments}
    given = Given(copied, part, active, region, labels.geometry, place, totals)
    return carry_out(effect, given, values, rules, Inline())


def cropped(labels: Segmentation, region: Box) -> Segmentation:
    layers = {n: LabelLayer(n, layer.voxels[region.slices].copy()) for n, layer in labels.layers.items()}
    return Segmentation(labels.geometry.cropped(region), layers, list(labels.segments))


def held(labels: Segmentation, worked: Worked, which: Segment = ONE) -> Mask:
    """Return what a segment holds once the effect is applied to a copy of the labels, on the whole grid."""
    from medview.core.case_labels import CaseLabels

    copy = Segmentation(labels.geometry, {n: layer.copy() for n, layer in labels.layers.items()}, list(labels.segments))
    CaseLabels(copy).apply(worked.changes)
    return copy.mask(copy.segment(which.segment_id))
