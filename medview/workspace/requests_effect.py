"""Long work on labels: an effect is worked out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.marks import Marks
from medview.core.segmentation import LabelArray, LabelLayer, Segment, Segmentation
from medview.core.volume import Volume
from medview.edit.effects.carry_out import Worked, carry_out
from medview.edit.effects.effect import Effect, Given
from medview.edit.effects.settings import Values
from medview.edit.rules import EditRules
from medview.workspace.jobs import Lane

_PIECE_BYTES = 1 << 23
"""Copied in one go: two milliseconds."""

_POLL_S = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class LabelsPiece:
    """Part: please fill these arrays with the labels of a box.

    The worker asks and the owner of the labels copies, a few megabytes at a time, since nobody else may read them.
    Memory that was never touched would make each copy ten times slower, so the worker touches it first.
    """

    box: Box
    into: Mapping[int, LabelArray]
    filled: threading.Event

    def fill(self, labels: Segmentation) -> None:
        """Copy; called where the labels live."""
        for layer_id, array in self.into.items():
            known = labels.layers.get(layer_id)
            if known is not None:
                array[...] = known.voxels[self.box.slices]
        self.filled.set()


@dataclass(frozen=True, slots=True, eq=False)
class RunEffect:
    """Request: what an effect comes to. Parts: LabelsPiece, each to be filled; value: Worked.

    Attributes
    ----------
    region : Box
        What the effect asked for.
    layer_ids : tuple of int
        Layers that hold anything.
    segments : tuple of Segment
        As they are now.
    place_kji : tuple of int
        The voxel under the crosshair, in the grid of the series.
    totals : mapping
        Voxels by segment id.
    """

    effect: Effect
    values: Values
    rules: EditRules
    region: Box
    layer_ids: tuple[int, ...]
    segments: tuple[Segment, ...]
    segment_id: str
    volume: Volume
    place_kji: tuple[int, int, int]
    case_key: str
    totals: Mapping[str, int] = field(default_factory=dict)
    marks: Marks = Marks()
    lane: Lane = Lane.EDIT

    @property
    def title(self) -> str:
        """What the person reads."""
        return self.effect.title

    def run(self, context: JobContext) -> Worked:
        """Work in a worker; its libraries are imported there."""
        began = time.monotonic()
        region = self.region
        layers = self._copied(context)
        grid = self.volume.geometry.cropped(region)
        labels = Segmentation(grid, layers, list(self.segments))
        k, j, i = (at - low for at, low in zip(self.place_kji, region.min_kji, strict=True))
        inside = all(0 <= at < n for at, n in zip((k, j, i), region.shape_kji, strict=True))
        given = Given(
            labels,
            replace(self.volume, voxels=self.volume.voxels[region.slices], geometry=grid),
            labels.find(self.segment_id),
            region,
            self.volume.geometry,
            (k, j, i) if inside else None,
            self.totals,
            self.marks,
        )
        worked = carry_out(self.effect, given, self.values, self.rules, context, self.case_key)
        return replace(worked, seconds=time.monotonic() - began)

    def _copied(self, context: JobContext) -> dict[int, LabelLayer]:
        arrays = {}
        for layer_id in self.layer_ids:
            context.raise_if_cancelled()
            arrays[layer_id] = np.empty(self.region.shape_kji, dtype=np.uint8)
            arrays[layer_id].fill(0)
        asked = []
        for part in _slabs(self.region):
            into = {n: array[part.within(self.region).slices] for n, array in arrays.items()}
            asked.append(threading.Event())
            context.partial(LabelsPiece(part, into, asked[-1]))
        for event in asked:
            while not event.wait(_POLL_S):
                context.raise_if_cancelled()
        return {n: LabelLayer(n, array) for n, array in arrays.items()}


def _slabs(region: Box) -> Iterator[Box]:
    (k0, j0, i0), (k1, j1, i1) = region.min_kji, region.max_kji
    step = max(1, _PIECE_BYTES // max(1, (j1 - j0) * (i1 - i0)))
    for k in range(k0, k1, step):
        yield Box((k, j0, i0), (min(k + step, k1), j1, i1))
