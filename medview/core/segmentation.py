"""Label layers on one grid and the segments drawn in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.layer_index import LayerIndex
from medview.core.source import Source

LabelArray = npt.NDArray[np.uint8]

VALUES_PER_LAYER = 255
"""Segments one uint8 layer can hold; 0 is background."""

COLOUR_CYCLE: tuple[tuple[int, int, int], ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
    (148, 203, 236),
    (220, 205, 125),
    (93, 168, 153),
    (194, 106, 119),
    (159, 74, 150),
)
"""Colours for new segments, distinct on grey and for colour-blind eyes (Okabe and Ito 2008; Tol's muted set)."""


class SegmentRole(Enum):
    """What the voxels of a segment say."""

    STRUCTURE = "structure"
    """They are what the name says."""
    IGNORE = "ignore"
    """Nobody is sure: training and comparison leave them out."""


class SegmentStatus(Enum):
    """How far a person is with a segment."""

    TO_DO = "to do"
    IN_WORK = "in work"
    DONE = "done"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept, e.g. SNOMED CT ``39607008`` (scheme ``SCT``), meaning ``Lung``."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One named thing that is drawn. Its voxels hold ``value`` in layer ``layer_id``.

    Attributes
    ----------
    colour : tuple of int
        RGB, 0-255.
    locked : bool
        No gesture may change its voxels.
    absent : bool
        A person looked for it and confirms that there is none; it then holds no voxels.
    group : str
        What it is listed under, or empty; instances of one thing share their group.
    opacity : float
        Of its fill, 0 to 1, on top of that of all segments.
    outline_only : bool
        Drawn without a fill.
    visible_3d : bool
        Its surface is shown in the 3-D view.
    """

    segment_id: str
    name: str
    colour: tuple[int, int, int]
    layer_id: int
    value: int
    code: Code | None = None
    locked: bool = False
    visible: bool = True
    status: SegmentStatus = SegmentStatus.IN_WORK
    source: Source = Source()
    role: SegmentRole = SegmentRole.STRUCTURE
    absent: bool = False
    group: str = ""
    opacity: float = 1.0
    outline_only: bool = False
    visible_3d: bool = True


@dataclass(slots=True)
class LabelLayer:
    """One integer array that no two of its segments overlap in.

    Attributes
    ----------
    voxels : ndarray of uint8, shape (k, j, i)
        Zero is background. Written by LabelPatch only.
    version : int
        Grows with every patch; a patch computed on an older version is checked before it is applied.
    index : LayerIndex
        Counts and boxes of its values; of an empty layer when not given.
    """

    layer_id: int
    voxels: LabelArray
    version: int = 0
    index: LayerIndex = field(default_factory=LayerIndex)

    @classmethod
    def drawn(cls, layer_id: int, voxels: LabelArray, version: int = 0) -> LabelLayer:
        """Return a layer that is not empty; reads every voxel, so it belongs into a worker."""
        return cls(layer_id, voxels, version, LayerIndex.of(voxels))

    def copy(self) -> LabelLayer:
        """Return an independent copy, as a job may take one with it."""
        return LabelLayer(self.layer_id, self.voxels.copy(), self.version, self.index.copy())

    def box(self, value: int) -> Box | None:
        """Return the smallest box around the voxels that hold ``value``, or None when there are none."""
        return self.index.box(value)


@dataclass(slots=True)
class Segmentation:
    """All label layers and segments on one grid. Changed only through Changes (see ``medview.core.changes``)."""

    geometry: Geometry
    layers: dict[int, LabelLayer] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)

    def layer(self, layer_id: int) -> LabelLayer:
        """Return a layer; one that nobody has drawn in yet is empty."""
        if layer_id not in self.layers:
            self.layers[layer_id] = LabelLayer(layer_id, np.zeros(self.geometry.shape_kji, dtype=np.uint8))
        return self.layers[layer_id]

    def segment(self, segment_id: str) -> Segment:
        """Return a segment by id. Raises KeyError when there is none."""
        for segment in self.segments:
            if segment.segment_id == segment_id:
                return segment
        raise KeyError(segment_id)

    def find(self, segment_id: str) -> Segment | None:
        """Return a segment by id, or None."""
        return next((s for s in self.segments if s.segment_id == segment_id), None)

    def at(self, index_kji: tuple[int, int, int]) -> Iterator[Segment]:
        """Yield the segments that hold a voxel."""
        for segment in self.segments:
            layer = self.layers.get(segment.layer_id)
            if layer is not None and layer.voxels[index_kji] == segment.value:
                yield segment

    def count(self, segment: Segment) -> int:
        """Voxels of a segment."""
        layer = self.layers.get(segment.layer_id)
        return layer.index.count(segment.value) if layer is not None else 0

    def box(self, segment: Segment) -> Box | None:
        """Return the smallest box around the voxels of a segment, or None when it holds none."""
        layer = self.layers.get(segment.layer_id)
        return layer.box(segment.value) if layer is not None else None

    def counts_along(self, axis: int, segments: Iterable[Segment] | None = None) -> npt.NDArray[np.int64]:
        """Return how many voxels of segments, all unless given, lie in each slice across an array axis, shape (slices,)."""
        count = self.geometry.shape_kji[axis]
        found = np.zeros(count, dtype=np.int64)
        by_layer: dict[int, list[int]] = {}
        for segment in self.segments if segments is None else segments:
            by_layer.setdefault(segment.layer_id, []).append(segment.value)
        for layer_id, values in by_layer.items():
            if layer_id in self.layers:
                found += self.layers[layer_id].index.along(axis, values, count)
        return found

    def stamp(self, segment: Segment) -> tuple[int, int, int]:
        """Return what changes whenever the voxels of a segment do: layer, value, version of that value."""
        layer = self.layers.get(segment.layer_id)
        return segment.layer_id, segment.value, layer.index.version(segment.value) if layer is not None else 0

    def mask(self, segment: Segment) -> npt.NDArray[np.bool_]:
        """Return the voxels of a segment as a (k, j, i) mask."""
        return np.asarray(self.layer(segment.layer_id).voxels == segment.value)

    def locked_values(self, layer_id: int, but: str = "") -> npt.NDArray[np.uint8]:
        """Values in a layer whose segments are locked, leaving out the segment with id ``but``."""
        values = [s.value for s in self.segments if s.layer_id == layer_id and s.locked and s.segment_id != but]
        return np.asarray(values, dtype=np.uint8)

    def free_slot(self, layer_id: int = 0) -> tuple[int, int]:
        """Return (layer id, value) for a new segment: the first unused value in ``layer_id`` or a later layer."""
        while True:
            used = {s.value for s in self.segments if s.layer_id == layer_id}
            if len(used) < VALUES_PER_LAYER:
                return layer_id, next(v for v in range(1, VALUES_PER_LAYER + 1) if v not in used)
            layer_id += 1

    def free_colour(self) -> tuple[int, int, int]:
        """Return the colour of the cycle that is used least."""
        counts = {c: sum(s.colour == c for s in self.segments) for c in COLOUR_CYCLE}
        return min(COLOUR_CYCLE, key=lambda c: counts[c])

    def free_name(self, wanted: str) -> str:
        """Return ``wanted``, or ``wanted 2``, ``wanted 3`` ... when the name is taken."""
        taken = {s.name for s in self.segments}
        if wanted not in taken:
            return wanted
        return next(f"{wanted} {n}" for n in range(2, len(taken) + 3) if f"{wanted} {n}" not in taken)
