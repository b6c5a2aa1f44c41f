"""What may be changed, and where. Every label write of a tool, an effect or a model is made here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.changes import Change, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import LabelArray, Segment, Segmentation, SegmentRole
from medview.core.source import Source
from medview.core.volume import Volume

Mask = npt.NDArray[np.bool_]


class Area(Enum):
    """Where labels may be changed."""

    EVERYWHERE = "everywhere"
    INSIDE = "inside"
    """Only on voxels of a segment."""
    OUTSIDE = "outside"
    """Only beside the voxels of a segment."""


class Overlap(Enum):
    """What happens to other segments where one is drawn."""

    REPLACE = "replace"
    """They give way."""
    KEEP = "keep"
    """They stay, and what is drawn gives way."""
    ALLOW = "allow"
    """Both hold the voxel, each in a layer of its own."""


@dataclass(frozen=True, slots=True)
class EditRules:
    """What holds for every tool.

    Attributes
    ----------
    area_segment : str
        Name of the segment ``area`` speaks of; empty for all others than the one that is drawn.
    value_range : tuple of float, or None
        Lowest and highest value, in the unit of the volume, of voxels that may be changed.
    """

    area: Area = Area.EVERYWHERE
    area_segment: str = ""
    value_range: tuple[float, float] | None = None
    overlap: Overlap = Overlap.REPLACE


class LabelWriter:
    """Collects what is to be written into one box of a segmentation; ``changes`` says what it comes to within the rules.

    Nothing is written here. A locked segment never changes, nor does one that is confirmed absent. A segment of role
    IGNORE lies over the others: it takes nothing from them, and they take nothing from it.

    Parameters
    ----------
    box : Box
        Inside the grid; masks have its shape.
    volume : Volume, optional
        On the same grid; needed where the rules speak of values.
    """

    def __init__(
        self, segmentation: Segmentation, box: Box, rules: EditRules = EditRules(), volume: Volume | None = None
    ) -> None:
        self._segmentation = segmentation
        self._rules = rules
        self._volume = volume
        self.box = box
        self._outer = box
        """What the arrays cover: the box, and more once a segment had to move to another layer with all its voxels."""
        self._segments = {s.segment_id: s for s in segmentation.segments}
        self._after: dict[int, LabelArray] = {}
        self._in_range: tuple[Box, Mask] | None = None
        """Where the values may be changed, and in which box that was looked at."""

    def cover(self, box: Box) -> None:
        """Let the next masks cover another box, inside the one given at first."""
        self.box = box

    def add(self, segment: Segment, mask: Mask) -> None:
        """Add voxels to a segment."""
        self._write(segment, mask, np.zeros_like(mask))

    def erase(self, segment: Segment, mask: Mask) -> None:
        """Take voxels away from a segment."""
        self._write(segment, np.zeros_like(mask), mask)

    def put(self, segment: Segment, mask: Mask) -> None:
        """Make a segment hold exactly the mask inside the box; outside of it nothing changes."""
        self._write(segment, mask, ~mask)

    def allowed(self, segment: Segment | None = None) -> Mask | None:
        """Return where a segment, or a new one, may be changed by area and values, shape of the box; None is everywhere."""
        found = self._values_allow()
        if self._rules.area is not Area.EVERYWHERE:
            inside = np.zeros(self.box.shape_kji, dtype=np.bool_)
            for other in self._segmentation.segments:
                if other.name == self._rules.area_segment if self._rules.area_segment else other is not segment:
                    inside |= self._held(other)
            area = inside if self._rules.area is Area.INSIDE else ~inside
            found = area if found is None else found & area
        return found

    def _values_allow(self) -> Mask | None:
        wanted, volume = self._rules.value_range, self._volume
        if wanted is None or volume is None or volume.colour:
            return None
        if self._in_range is None or self._in_range[0] != self.box:
            values = volume.values(self.box.slices)
            self._in_range = (self.box, (values >= wanted[0]) & (values <= wanted[1]))
        return self._in_range[1]

    def will_hold(self, segment: Segment) -> Mask:
        """Return the voxels of the box that a segment holds once the changes are applied."""
        return self._held(segment)

    def changes(self, by: Source = Source()) -> list[Change]:
        """Return what has to be applied, in order; empty when nothing changes. No patch is larger than a piece.

        Parameters
        ----------
        by : Source
            Whose the masks are. What one run of a model brings does not correct the segments of that run.
        """
        altered: list[Change] = []
        corrected = self._corrected(by)
        for position, segment in enumerate(self._segmentation.segments):
            now = self._segments[segment.segment_id]
            if segment.segment_id in corrected:
                now = replace(now, source=now.source.by_hand())
            if now is not segment:
                altered.append(SegmentChange(segment, now, position))
        patches: list[LabelPatch] = []
        for layer_id, after in sorted(self._after.items()):
            patches += LabelPatch.pieces(self._segmentation.layer(layer_id), self._outer, after)
        return [*altered, *patches]

    def _corrected(self, by: Source) -> set[str]:
        """Return the ids of segments that are no longer as a model or a file brought them, once this is written."""
        foreign = [s for s in self._segmentation.segments if s.source != s.source.by_hand() and not s.source.same_run(by)]
        found: set[str] = set()
        for layer_id in {s.layer_id for s in foreign} & self._after.keys():
            was, becomes = self._segmentation.layer(layer_id).voxels[self._outer.slices], self._after[layer_id]
            changed = was != becomes
            touched = np.bincount(was[changed], minlength=256) + np.bincount(becomes[changed], minlength=256) > 0
            found.update(s.segment_id for s in foreign if s.layer_id == layer_id and touched[s.value])
        return found

    def _write(self, segment: Segment, add: Mask, remove: Mask) -> None:
        segment = self._segments.get(segment.segment_id, segment)
        if segment.locked or self.box.empty:
            return
        allowed = self.allowed(segment)
        own = self._held(segment)
        remove = remove & own
        add = add & ~own if not segment.absent else np.zeros_like(add)
        if allowed is not None:
            add, remove = add & allowed, remove & allowed
        if add.any():
            add, segment = self._make_room(segment, add)
        voxels = self._layer(segment.layer_id)[self._part]
        voxels[remove] = 0
        voxels[add] = segment.value

    def _make_room(self, segment: Segment, add: Mask) -> tuple[Mask, Segment]:
        """Return what may be added once the others gave way, and the segment, moved to another layer where it overlaps."""
        over = segment.role is SegmentRole.IGNORE or self._rules.overlap is Overlap.ALLOW
        taken = self._layer(segment.layer_id)[self._part]
        if over:
            if np.any(taken[add] != 0):
                return add, self._moved(segment, add)
            return add, segment
        # First all that stays narrows what is added, then the rest gives way to it.
        for layer_id in self._layers_of_others:
            stays = self._values(layer_id, segment, lambda s: s.locked or self._rules.overlap is Overlap.KEEP)
            if stays.size:
                add = add & ~np.isin(self._layer(layer_id)[self._part], stays)
        for layer_id in self._layers_of_others:
            if layer_id != segment.layer_id:
                voxels = self._layer(layer_id)[self._part]
                gives_way = self._values(layer_id, segment, lambda _s: True)
                voxels[add & np.isin(voxels, gives_way)] = 0
        above = [
            s.value
            for s in self._segments.values()
            if s.layer_id == segment.layer_id and s.role is SegmentRole.IGNORE and s is not segment
        ]
        if above and np.any(np.isin(taken[add], np.asarray(above, dtype=np.uint8))):
            # In its own layer the others give way by being overwritten: not where it goes to another one.
            gives_way = self._values(segment.layer_id, segment, lambda _s: True)
            taken[add & np.isin(taken, gives_way)] = 0
            segment = self._moved(segment, add)
        return add, segment

    @property
    def _layers_of_others(self) -> list[int]:
        """Layers that hold anything in the box."""
        return [n for n in sorted(self._segmentation.layers) if self._layer(n)[self._part].any()]

    def _values(self, layer_id: int, but: Segment, wanted: Callable[[Segment], bool]) -> LabelArray:
        """Return the values in a layer of the segments that are wanted; those that lie over the others are none of them."""
        values = [
            s.value
            for s in self._segments.values()
            if s.layer_id == layer_id and s.segment_id != but.segment_id and s.role is not SegmentRole.IGNORE and wanted(s)
        ]
        return np.asarray(values, dtype=np.uint8)

    def _moved(self, segment: Segment, add: Mask) -> Segment:
        """Give a segment a layer in which nothing is under what it holds and will hold."""
        whole = self._segmentation.box(segment)
        if whole is not None:
            self._widen(Box.union_of((whole, self._outer)) or whole)
        own = self._layer(segment.layer_id) == segment.value
        wanted = own.copy()
        wanted[self._part] |= add
        layer_id = -1
        while True:
            layer_id += 1
            used = {s.value for s in self._segments.values() if s.layer_id == layer_id}
            free = next((value for value in (segment.value, *range(1, 256)) if value not in used), None)
            if layer_id != segment.layer_id and free is not None and not np.any(self._layer(layer_id)[wanted]):
                break
        self._layer(segment.layer_id)[own] = 0
        self._layer(layer_id)[own] = free
        moved = replace(segment, layer_id=layer_id, value=free)
        self._segments[segment.segment_id] = moved
        return moved

    def _held(self, segment: Segment) -> Mask:
        now = self._segments.get(segment.segment_id, segment)
        return np.asarray(self._layer(now.layer_id)[self._part] == now.value)

    @property
    def _part(self) -> tuple[slice, slice, slice]:
        return self.box.within(self._outer).slices

    def _layer(self, layer_id: int) -> LabelArray:
        if layer_id not in self._after:
            known = self._segmentation.layers.get(layer_id)
            self._after[layer_id] = (
                np.zeros(self._outer.shape_kji, dtype=np.uint8)
                if known is None
                else known.voxels[self._outer.slices].copy()
            )
        return self._after[layer_id]

    def _widen(self, outer: Box) -> None:
        inner, self._outer = self._outer, outer
        narrow, self._after = self._after, {}
        for layer_id, voxels in narrow.items():
            self._layer(layer_id)[inner.within(outer).slices] = voxels
