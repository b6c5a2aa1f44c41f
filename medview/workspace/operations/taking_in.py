"""The masks of a proposal on their way into the labels, class by class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from medview.core.changes import Change, SegmentChange
from medview.core.label_patch import PIECE_KJI
from medview.core.language import _
from medview.core.prediction import PredictedMask, PredictedSegment, Proposal
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.core.source import Source, SourceKind
from medview.edit.proposals import accept_segments, let_in
from medview.edit.rules import EditRules, Overlap
from medview.edit.take_over import fill, filled_by, proposed_in
from medview.workspace.accepted import Accepted, why_kept_out
from medview.workspace.open_case import OpenCase
from medview.workspace.review import begun, same_label
from medview.workspace.review_state import NEW_SEGMENT, Class


def taken_in(
    case: OpenCase,
    proposal: Proposal,
    mask: PredictedMask,
    wanted: Sequence[PredictedSegment],
    rules: EditRules,
    into: Mapping[Class, str],
    accepted: Accepted,
) -> Iterator[Change | None]:
    """Yield what adds proposed segments; what a part was taken over of before goes on in the segment it went to.

    Parameters
    ----------
    into : mapping
        Segments that a person chose.
    accepted : Accepted
        Filled with what it came to.

    Yields
    ------
    Change or None
        Each has to be applied before the next is asked for; None where time passed.
    """
    source, segmentation, volume = proposal.prediction.source, case.labels.segmentation, case.anchor.volume
    going_on = _going_on(case, proposal, mask, wanted, into)
    for one in wanted:
        there = going_on.get(one.value)
        if there is not None and (there.locked or there.absent):
            accepted.keep_out(one, _why_fixed(there))
    fresh = [one for one in wanted if one.value not in going_on]
    allowed = yield from let_in(segmentation, mask, fresh, rules, volume)
    for one in fresh:
        if one.value not in allowed:
            accepted.keep_out(one, why_kept_out(segmentation, mask, one, None, rules, volume))
    fresh = [one for one in fresh if one.value in allowed]
    accepted.taken += [one.name for one in fresh]
    made = iter(fresh)
    for change in accept_segments(
        segmentation, mask, fresh, source, rules, volume, _waiting(segmentation, mask, fresh, source)
    ):
        yield change
        if isinstance(change, SegmentChange) and change.after is not None:
            known = case.labels.efforts.get(change.after.segment_id)
            yield from filled_by(known, change.after, next(made), source)
    # As with all that is accepted whole: nothing a person drew gives way to it.
    rules = replace(rules, overlap=Overlap.ALLOW) if rules.overlap is Overlap.REPLACE else rules
    for one in wanted:
        there = going_on.get(one.value)
        if there is None or one.value in accepted.values:
            continue
        before, written = segmentation.count(there), False
        pieces = ((box, proposed_in(mask, box) == one.value) for box in mask.box.pieces(PIECE_KJI))
        for change in fill(segmentation, there.segment_id, pieces, source, rules, volume):
            written = written or change is not None
            yield change
        why = "" if written else why_kept_out(segmentation, mask, one, there, rules, volume)
        if why:
            accepted.keep_out(one, why)
            continue
        accepted.taken.append(one.name)
        if before and written and source.kind is SourceKind.READER:
            accepted.joined[one.name] = there.name
        yield from _from_reader(segmentation, there, source, was_empty=not before)


def _waiting(
    segmentation: Segmentation, mask: PredictedMask, fresh: Sequence[PredictedSegment], source: Source
) -> dict[int, Segment]:
    """Return the segments that hold nothing yet, as those of a label set, by the value of the class each is there for."""
    if source.kind is SourceKind.READER:
        return {}
    free = [
        one
        for one in segmentation.segments
        if not (one.locked or one.absent or one.role is SegmentRole.IGNORE or segmentation.count(one))
    ]
    found: dict[int, Segment] = {}
    for one in fresh:
        segment = same_label(free, one, mask.segments, source)
        if segment is not None:
            found[one.value] = segment
            free.remove(segment)
    return found


def _going_on(
    case: OpenCase,
    proposal: Proposal,
    mask: PredictedMask,
    wanted: Sequence[PredictedSegment],
    into: Mapping[Class, str],
) -> dict[int, Segment]:
    """Return the segments that classes go to, by value, of those that need no new one."""
    segmentation, source = case.labels.segmentation, proposal.prediction.source
    found: dict[int, Segment] = {}
    if source.kind is not SourceKind.READER:
        earlier = {one.value: segment for one in wanted if (segment := begun(case, proposal, one.value)) is not None}
        return {value: segment for value, segment in earlier.items() if not segment.locked}
    free = list(segmentation.segments)
    for one in wanted:
        chosen = into.get((proposal.proposal_id, one.value))
        if chosen == NEW_SEGMENT:
            continue
        segment = segmentation.find(chosen) if chosen is not None else None
        segment = segment or same_label(free, one, mask.segments, source)
        if segment is not None:
            found[one.value] = segment
            # Two of one name are two things of that reader.
            free = [other for other in free if other.segment_id != segment.segment_id]
    return found


def _from_reader(segmentation: Segmentation, before: Segment, source: Source, *, was_empty: bool) -> Iterator[Change]:
    """Yield what says from whom a segment was taken: an empty one is theirs now, one of another reader is of both."""
    now = segmentation.find(before.segment_id)
    if now is None or source.kind is not SourceKind.READER or not segmentation.count(now):
        return
    named = before.source
    if was_empty:
        named = source
    elif named.kind is SourceKind.READER and source.model_id not in named.model_id.split(", "):
        named = replace(named, model_id=f"{named.model_id}, {source.model_id}")
    if now.source != named:
        position = next(n for n, one in enumerate(segmentation.segments) if one.segment_id == now.segment_id)
        yield SegmentChange(now, replace(now, source=named), position)


def _why_fixed(segment: Segment) -> str:
    if segment.locked:
        return _("{name} is locked; unlock it in the segment list to change it.").format(name=segment.name)
    return _("{name} is confirmed absent; say otherwise in the segment list to take it over.").format(name=segment.name)
