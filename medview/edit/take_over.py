"""Taking over a part of what a model proposes, within the rules: a stroke of it, a piece of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.changes import Change, EffortChange, SegmentChange
from medview.core.effort import Effort
from medview.core.label_patch import PIECE_KJI
from medview.core.prediction import PredictedMask, PredictedSegment
from medview.core.segmentation import Segment, Segmentation
from medview.core.source import Source, SourceKind
from medview.core.volume import Volume
from medview.edit.rules import EditRules, LabelWriter
from medview.edit.segments import new_segment

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Taken:
    """A class of a proposed mask and the segment it goes to."""

    predicted: PredictedSegment
    segment: Segment


def begin(segmentation: Segmentation, predicted: PredictedSegment, source: Source) -> tuple[Segment, list[Change]]:
    """Return a new, empty segment for a class, and the changes that add it and record which model it comes from."""
    segment = new_segment(segmentation, predicted.name, colour=predicted.colour, code=predicted.code, source=source)
    changes: list[Change] = [SegmentChange(None, segment, len(segmentation.segments))]
    return segment, changes + filled_by(None, segment, predicted, source)


def filled_by(known: Effort | None, segment: Segment, predicted: PredictedSegment, source: Source) -> list[Change]:
    """Return the change that records which class of which model fills a segment; none for what no model proposed."""
    if source.kind is not SourceKind.MODEL:
        return []
    return [EffortChange(known, Effort(segment.segment_id, source, predicted.value, predicted.name))]


def first_taken(
    segmentation: Segmentation,
    efforts: Mapping[str, Effort],
    predicted: PredictedSegment,
    segment: Segment,
    source: Source,
) -> list[Change]:
    """Return the change that records which model fills a segment that waited for it, as those of a label set do."""
    known = efforts.get(segment.segment_id)
    if segmentation.count(segment):
        return []
    if known is not None and known.value == predicted.value and known.source.same_run(source):
        return []
    return filled_by(known, segment, predicted, source)


def would_take(writer: LabelWriter, segment: Segment, mask: Mask) -> bool:
    """Whether the rules let anything of a mask into a segment, which need not be there yet; the writer is used up."""
    writer.add(segment, mask)
    return bool(writer.changes())


def proposed_in(mask: PredictedMask, box: Box) -> npt.NDArray[np.uint8]:
    """Return the values of a proposed mask in any box of its grid, shape ``box.shape_kji``."""
    found = np.zeros(box.shape_kji, dtype=np.uint8)
    common = box.intersection(mask.box)
    if not common.empty:
        found[common.within(box).slices] = mask.voxels[common.within(mask.box).slices]
    return found


def take_over(
    writer: LabelWriter, mask: PredictedMask, stroke: Mask, taken: Sequence[Taken], source: Source, *, exactly: bool = False
) -> list[Change]:
    """Return what makes segments hold what is proposed for them inside a stroke.

    Parameters
    ----------
    stroke : ndarray of bool
        Inside the writer's box, of its shape.
    exactly : bool
        Inside the stroke the segments lose what is not proposed for them.
    """
    proposed = proposed_in(mask, writer.box)
    for one in taken:
        hits = stroke & (proposed == one.predicted.value)
        if exactly:
            writer.erase(one.segment, stroke & ~hits)
        writer.add(one.segment, hits)
    return writer.changes(source)


def give_back(writer: LabelWriter, mask: PredictedMask, stroke: Mask, taken: Sequence[Taken]) -> list[Change]:
    """Return what takes away from segments what is proposed for them inside a stroke."""
    proposed = proposed_in(mask, writer.box)
    for one in taken:
        writer.erase(one.segment, stroke & (proposed == one.predicted.value))
    return writer.changes()


def in_pieces(box: Box, mask: Mask) -> Iterator[tuple[Box, Mask]]:
    """Cut a mask of a box up, so that none of it takes long to write."""
    for piece in box.pieces(PIECE_KJI):
        yield piece, mask[piece.within(box).slices]


def fill(
    segmentation: Segmentation,
    segment_id: str,
    pieces: Iterable[tuple[Box, Mask]],
    source: Source,
    rules: EditRules = EditRules(),
    volume: Volume | None = None,
) -> Iterator[Change | None]:
    """Yield the changes that add masks to a segment; each has to be applied before the next is asked for.

    Yields
    ------
    Change or None
        None where time passed and nothing is to be written.
    """
    for box, mask in pieces:
        segment = segmentation.find(segment_id)
        if segment is not None and mask.any():
            writer = LabelWriter(segmentation, box, rules, volume)
            writer.add(segment, mask)
            yield from writer.changes(source)
        yield None


def empty_out(
    segmentation: Segmentation,
    segment_id: str,
    pieces: Iterable[tuple[Box, Mask]],
    rules: EditRules = EditRules(),
    volume: Volume | None = None,
) -> Iterator[Change | None]:
    """Yield the changes that take masks away from a segment; as ``fill`` otherwise."""
    for box, mask in pieces:
        segment = segmentation.find(segment_id)
        if segment is not None and mask.any():
            writer = LabelWriter(segmentation, box, rules, volume)
            writer.erase(segment, mask)
            yield from writer.changes()
        yield None
