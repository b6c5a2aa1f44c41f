"""From a proposed mask to segments, within the rules and without touching what is already drawn."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.changes import Change, SegmentChange
from medview.core.label_patch import PIECE_KJI, LabelPatch
from medview.core.prediction import PredictedMask, PredictedSegment
from medview.core.segmentation import VALUES_PER_LAYER, LabelLayer, Segment, Segmentation, SegmentRole, SegmentStatus
from medview.core.source import Source
from medview.core.volume import Volume
from medview.edit.rules import Area, EditRules, LabelWriter, Overlap
from medview.edit.segments import new_segment

Mask = npt.NDArray[np.bool_]


def accept_segments(
    segmentation: Segmentation,
    mask: PredictedMask,
    wanted: Sequence[PredictedSegment],
    source: Source,
    rules: EditRules = EditRules(),
    volume: Volume | None = None,
    waiting: Mapping[int, Segment] = MappingProxyType({}),
) -> Iterator[Change | None]:
    """Yield the changes that add proposed segments to a segmentation; each has to be applied before the next is asked for.

    All segments go to the first layer in which their voxels are free, so nothing drawn before is overwritten. Where
    the rules keep what is drawn whole, the proposed segments give way instead.

    Parameters
    ----------
    wanted : sequence of PredictedSegment
        Those of ``mask.segments`` to add, in this order.
    volume : Volume, optional
        On the same grid; needed where the rules speak of values.
    waiting : mapping of int to Segment
        By value of the mask: segments without voxels that become what is proposed, in place of new ones.

    Yields
    ------
    Change or None
        None where time passed and nothing is to be written.
    """
    if not wanted:
        return
    cut = _Cut(segmentation, mask, wanted, rules, volume)
    layer = yield from _free_layer(segmentation, cut, len(wanted))
    lookup = np.zeros(256, dtype=np.uint8)
    for predicted in wanted:
        name, colour, code = predicted.name, predicted.colour, predicted.code
        before = waiting.get(predicted.value)
        if before is None:
            segment = new_segment(segmentation, name, colour=colour, code=code, source=source, layer_id=layer.layer_id)
            position = len(segmentation.segments)
        else:
            segment = _filled(segmentation, before, layer.layer_id, source)
            position = next(n for n, one in enumerate(segmentation.segments) if one.segment_id == before.segment_id)
        lookup[predicted.value] = segment.value
        yield SegmentChange(before, segment, position)
    for box in mask.box.pieces(PIECE_KJI):
        chosen = cut.chosen(box)
        patch = None
        if chosen is not None:
            now = layer.voxels[box.slices]
            patch = LabelPatch.between(layer, box, np.where(chosen, np.take(lookup, cut.proposed(box)), now))
        yield patch


def _filled(segmentation: Segmentation, empty: Segment, layer_id: int, source: Source) -> Segment:
    """Return a segment without voxels as it is once a proposed class is in it: its name, colour and place stay."""
    value = empty.value
    if empty.layer_id != layer_id:
        layer_id, value = segmentation.free_slot(layer_id)
    status = SegmentStatus.IN_WORK if empty.status is SegmentStatus.TO_DO else empty.status
    return replace(empty, layer_id=layer_id, value=value, source=source, status=status)


def let_in(
    segmentation: Segmentation,
    mask: PredictedMask,
    wanted: Sequence[PredictedSegment],
    rules: EditRules = EditRules(),
    volume: Volume | None = None,
) -> Generator[None, None, frozenset[int]]:
    """Return the values of proposed segments of which the rules let something in, and of those that propose nothing.

    Yields
    ------
    None
        Where time passed.
    """
    values = frozenset(predicted.value for predicted in wanted)
    # A range of values holds for what is grey, an area and what stays for everything.
    if rules.area is Area.EVERYWHERE and rules.value_range is None and rules.overlap is not Overlap.KEEP:
        return values
    cut = _Cut(segmentation, mask, wanted, rules, volume)
    proposed = np.zeros(256, dtype=np.int64)
    allowed = np.zeros(256, dtype=np.int64)
    for box in mask.box.pieces(PIECE_KJI):
        inside = cut.proposed(box)
        proposed += np.bincount(inside.ravel(), minlength=256)
        chosen = cut.chosen(box)
        if chosen is not None:
            allowed += np.bincount(inside[chosen], minlength=256)
        yield None
        if all(allowed[value] for value in values):
            return values
    return frozenset(value for value in values if allowed[value] or not proposed[value])


class _Cut:
    """Which voxels of a proposed mask are taken over, piece by piece."""

    def __init__(
        self,
        segmentation: Segmentation,
        mask: PredictedMask,
        wanted: Sequence[PredictedSegment],
        rules: EditRules,
        volume: Volume | None,
    ) -> None:
        self._mask = mask
        self._wanted = np.zeros(256, dtype=np.bool_)
        self._wanted[[predicted.value for predicted in wanted]] = True
        # As it was before anything was taken over: the rules speak of what is drawn, not of what is being accepted.
        self._drawn = replace(segmentation, segments=list(segmentation.segments))
        self._rules = rules
        self._volume = volume

    @property
    def box(self) -> Box:
        return self._mask.box

    def proposed(self, box: Box) -> npt.NDArray[np.uint8]:
        """Values of the mask in a box."""
        return self._mask.voxels[box.within(self._mask.box).slices]

    def chosen(self, box: Box) -> Mask | None:
        """Return the voxels of a box that are taken over, or None when there are none."""
        proposed = self.proposed(box)
        if not proposed.any():
            return None
        chosen = np.take(self._wanted, proposed)
        if not chosen.any():
            return None
        allowed = LabelWriter(self._drawn, box, self._rules, self._volume).allowed()
        if allowed is not None:
            chosen &= allowed
        if self._rules.overlap is Overlap.KEEP:
            for layer_id, layer in self._drawn.layers.items():
                chosen &= ~np.isin(layer.voxels[box.slices], self._structures(layer_id))
        return chosen if chosen.any() else None

    def _structures(self, layer_id: int) -> npt.NDArray[np.uint8]:
        values = [s.value for s in self._drawn.segments if s.layer_id == layer_id and s.role is not SegmentRole.IGNORE]
        return np.asarray(values, dtype=np.uint8)


def _free_layer(segmentation: Segmentation, cut: _Cut, new_segments: int) -> Generator[None, None, LabelLayer]:
    """Return the first layer with values left for the new segments in which what is taken over is background."""
    layer_id = 0
    while True:
        used = sum(s.layer_id == layer_id for s in segmentation.segments)
        layer = segmentation.layer(layer_id)
        if used + new_segments <= VALUES_PER_LAYER and (yield from _is_free(layer, cut)):
            return layer
        layer_id += 1


def _is_free(layer: LabelLayer, cut: _Cut) -> Generator[None, None, bool]:
    # Where nothing of the layer can be is known without a look.
    occupied = layer.index.occupied
    if occupied is None:
        return True
    for box in occupied.intersection(cut.box).pieces(PIECE_KJI):
        now = layer.voxels[box.slices]
        if now.any():
            chosen = cut.chosen(box)
            if chosen is not None and bool(np.any(chosen & (now != 0))):
                return False
        yield None
    return True
