"""From what an effect returns to what is shown and what is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.changes import Change, SegmentChange
from medview.core.job import JobContext
from medview.core.label_patch import LabelPatch
from medview.core.language import _
from medview.core.prediction import PredictedMask, PredictedSegment
from medview.core.segmentation import Segment, Segmentation
from medview.edit.effects.effect import Effect, Given, NewSegment, Result
from medview.edit.effects.settings import Values
from medview.edit.hindrance import Hindrance, hindrances
from medview.edit.rules import EditRules, LabelWriter
from medview.edit.segments import new_segment

LOST = 255
"""Value in a candidate of voxels that a segment loses to nothing."""
LOST_COLOUR = (229, 99, 106)


@dataclass(frozen=True, slots=True)
class Amount:
    """Voxels of a segment before and after an effect, in the whole grid."""

    name: str
    colour: tuple[int, int, int]
    before: int
    after: int


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """What an effect would write, to be looked at.

    Attributes
    ----------
    mask : PredictedMask
        On the grid of the series: what the segments that change hold then, and ``LOST``.
    amounts : tuple of Amount
        Of the segments that change.
    across : int or None
        See Result.
    """

    title: str
    case_key: str
    mask: PredictedMask
    amounts: tuple[Amount, ...]
    across: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Worked:
    """Value of the job of an effect.

    Attributes
    ----------
    changes : tuple of Change
        What Apply writes, computed on the labels as they were copied.
    found, note
        See Result.
    held_back : tuple of Hindrance
        Where nothing changes: what kept the effect from changing anything; empty where there was nothing to change.
    seconds : float
        How long it took.
    """

    candidate: Candidate
    changes: tuple[Change, ...]
    found: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    held_back: tuple[Hindrance, ...] = ()
    seconds: float = 0.0


def carry_out(
    effect: Effect, given: Given, values: Values, rules: EditRules, context: JobContext, case_key: str = ""
) -> Worked:
    """Run an effect and bring what it returns within the rules.

    Raises
    ------
    LabelError
        When the effect has nothing to work on; the sentence says why.
    """
    context.progress(0.0, effect.title)
    result = effect.work(given, values, context)
    context.raise_if_cancelled()
    context.progress(0.6, _("Bringing it within the rules"))
    labels, whole = given.labels, Box.whole(given.geometry.shape_kji)
    before = {s.segment_id: s for s in labels.segments}
    added = _add_new(labels, result)
    writer = LabelWriter(labels, whole, rules, given.volume)
    for segment_id, mask in result.masks.items():
        context.raise_if_cancelled()
        writer.put(before[segment_id], mask)
    for segment, new in added:
        context.raise_if_cancelled()
        writer.cover(new.box or whole)
        writer.add(segment, new.mask)
    writer.cover(whole)
    context.raise_if_cancelled()
    context.progress(0.8, _("Preparing what is shown"))
    involved = [(before[key], whole) for key in result.masks]
    involved += [(segment, new.box or whole) for segment, new in added]
    candidate = _candidate(effect.title, case_key, given, writer, involved)
    candidate = replace(candidate, across=result.across)
    context.raise_if_cancelled()
    changes = [_placed(change, given.region) for change in writer.changes()]
    # A segment that stays empty is not made.
    made = [SegmentChange(None, segment, len(before) + n) for n, (segment, _new) in enumerate(added)]
    changes = [*made, *changes] if any(isinstance(c, LabelPatch) for c in changes) else []
    held_back = () if changes else _held_back(given, result, rules)
    return Worked(candidate, tuple(changes), result.found, result.note, held_back)


def _held_back(given: Given, result: Result, rules: EditRules) -> tuple[Hindrance, ...]:
    found: list[Hindrance] = []
    whole = Box.whole(given.geometry.shape_kji)
    for segment_id, mask in result.masks.items():
        segment = given.labels.segment(segment_id)
        own = given.labels.mask(segment)
        for wanted, erase in ((mask & ~own, False), (own & ~mask, True)):
            if wanted.any():
                found += hindrances(given.labels, segment, whole, wanted, rules, given.volume, erase=erase)
    return tuple(dict.fromkeys(found))


def _add_new(labels: Segmentation, result: Result) -> list[tuple[Segment, NewSegment]]:
    added: list[tuple[Segment, NewSegment]] = []
    for new in result.new:
        code, group = (new.like.code, new.like.group) if new.like is not None else (None, "")
        segment = replace(new_segment(labels, new.name, colour=new.colour, code=code), group=group)
        added.append((segment, new))
        labels.segments.append(segment)
    return added


def _candidate(
    title: str, case_key: str, given: Given, writer: LabelWriter, involved: list[tuple[Segment, Box]]
) -> Candidate:
    """Return what is shown of segments that change, each inside a box of the region."""
    shown: npt.NDArray[np.uint8] = np.zeros(given.geometry.shape_kji, dtype=np.uint8)
    lost = np.zeros(given.geometry.shape_kji, dtype=np.bool_)
    parts: list[PredictedSegment] = []
    amounts: list[Amount] = []
    for n, (segment, box) in enumerate(involved[: LOST - 1], start=1):
        writer.cover(box)
        was, becomes = given.labels.layer(segment.layer_id).voxels[box.slices] == segment.value, writer.will_hold(segment)
        shown[box.slices][becomes] = n
        lost[box.slices] |= was & ~becomes
        parts.append(PredictedSegment(n, segment.name, segment.colour))
        total = given.totals.get(segment.segment_id, 0)
        after = total + int(np.count_nonzero(becomes)) - int(np.count_nonzero(was))
        amounts.append(Amount(segment.name, segment.colour, total, after))
    writer.cover(Box.whole(given.geometry.shape_kji))
    lost &= shown == 0
    if lost.any():
        shown[lost] = LOST
        parts.append(PredictedSegment(LOST, _("Given up"), LOST_COLOUR))
    mask = PredictedMask.trimmed(shown, tuple(parts))
    placed = mask.box if mask.box.empty else mask.box.shifted(given.region.min_kji)
    return Candidate(title, case_key, PredictedMask(placed, mask.voxels, mask.segments), tuple(amounts))


def _placed(change: Change, region: Box) -> Change:
    """Return a change that was computed on a region, on the grid of the series."""
    return replace(change, box=change.box.shifted(region.min_kji)) if isinstance(change, LabelPatch) else change
