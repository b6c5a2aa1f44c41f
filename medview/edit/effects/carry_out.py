"""From what an effect returns to what is shown and what is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.changes import Change, SegmentChange
from medview.core.job import JobContext
from medview.core.label_patch import LabelPatch
from medview.core.language import _
from medview.core.prediction import PredictedMask, PredictedSegment
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.edit.effects.effect import Effect, Given, NewSegment, Result
from medview.edit.effects.settings import Values
from medview.edit.hindrance import Hindrance, hindrances
from medview.edit.rules import EditRules, LabelWriter, Overlap
from medview.edit.segments import new_segment

_SLAB_VOXELS = 1 << 22
"""Brought within the rules in one go: little memory, and Cancel comes between."""

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
    slices : tuple of int
        Where ``across`` is one: the slices that change, in order.
    """

    title: str
    case_key: str
    mask: PredictedMask
    amounts: tuple[Amount, ...]
    across: int | None = None
    slices: tuple[int, ...] = ()


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
    # A segment that moves to another layer does so once, with all it will hold.
    moves = rules.overlap is Overlap.ALLOW or any(s.role is SegmentRole.IGNORE for s in labels.segments)
    # Where none may take from another, what one gives up has to be free before another gets it.
    in_turn = rules.overlap is Overlap.KEEP and len(result.masks) > 1
    writes = (_give_up, LabelWriter.add) if in_turn else (LabelWriter.put,)
    for part in (whole,) if moves else slabs(whole):
        writer.cover(part)
        for write in writes:
            for segment_id, mask in result.masks.items():
                context.raise_if_cancelled()
                write(writer, before[segment_id], mask[part.slices])
    for segment, new in added:
        context.raise_if_cancelled()
        writer.cover(new.box or whole)
        writer.add(segment, new.mask)
    context.progress(0.8, _("Preparing what is shown"))
    involved = [(before[key], whole) for key in result.masks]
    involved += [(segment, new.box or whole) for segment, new in added]
    candidate = _candidate(effect.title, case_key, given, writer, involved, context)
    changes = [_placed(change, given.region) for change in writer.changes()]
    # A segment that stays empty is not made.
    filled = [one for one, amount in zip(added, candidate.amounts[len(result.masks) :], strict=True) if amount.after]
    made = [SegmentChange(None, segment, len(before) + n) for n, (segment, _new) in enumerate(filled)]
    changes = [*made, *changes] if any(isinstance(c, LabelPatch) for c in changes) else []
    held_back = () if changes else _held_back(given, result, rules, whole)
    if result.across is not None:
        candidate = replace(candidate, across=result.across, slices=_changed_slices(changes, result.across))
    return Worked(candidate, tuple(changes), result.found, result.note, held_back)


def _give_up(writer: LabelWriter, segment: Segment, mask: npt.NDArray[np.bool_]) -> None:
    writer.erase(segment, ~mask)


def slabs(box: Box) -> Iterator[Box]:
    """Yield a box some slices at a time."""
    (k0, j0, i0), (k1, j1, i1) = box.min_kji, box.max_kji
    step = max(1, _SLAB_VOXELS // max(1, (j1 - j0) * (i1 - i0)))
    for k in range(k0, k1, step):
        yield Box((k, j0, i0), (min(k + step, k1), j1, i1))


def _held_back(given: Given, result: Result, rules: EditRules, whole: Box) -> tuple[Hindrance, ...]:
    found: list[Hindrance] = []
    for segment_id, mask in result.masks.items():
        segment, wished = given.labels.segment(segment_id), mask[whole.slices]
        own = given.labels.mask(segment)
        for wanted, erase in ((wished & ~own, False), (own & ~wished, True)):
            if wanted.any():
                found += hindrances(given.labels, segment, whole, wanted, rules, given.volume, erase=erase)
    return tuple(dict.fromkeys(found))


def _add_new(labels: Segmentation, result: Result) -> list[tuple[Segment, NewSegment]]:
    added: list[tuple[Segment, NewSegment]] = []
    for new in result.new:
        like = new.like
        segment = new_segment(labels, new.name, colour=new.colour, code=None if like is None else like.code)
        if like is not None:
            # What nobody is sure of stays unsure in every piece.
            segment = replace(segment, group=like.group, role=like.role)
        added.append((segment, new))
        labels.segments.append(segment)
    return added


def _candidate(
    title: str,
    case_key: str,
    given: Given,
    writer: LabelWriter,
    involved: list[tuple[Segment, Box]],
    context: JobContext,
) -> Candidate:
    """Return what is shown of segments that change, each inside a box of the region."""
    whole = Box.whole(given.geometry.shape_kji)
    shown: npt.NDArray[np.uint8] = np.zeros(whole.shape_kji, dtype=np.uint8)
    more = np.zeros(len(involved), dtype=np.int64)
    used: list[Box] = []
    gives_up = False
    for slab in slabs(whole):
        context.raise_if_cancelled()
        for n, (segment, box) in enumerate(involved):
            part = box.intersection(slab)
            if part.empty:
                continue
            writer.cover(part)
            was = given.labels.layer(segment.layer_id).voxels[part.slices] == segment.value
            becomes = writer.will_hold(segment)
            more[n] += np.count_nonzero(becomes) - np.count_nonzero(was)
            there = shown[part.slices]
            there[was & ~becomes & (there == 0)] = LOST
            if n + 1 < LOST:
                there[becomes] = n + 1
        gives_up = gives_up or bool(np.any(shown[slab.slices] == LOST))
        around = Box.around(shown[slab.slices] != 0)
        if around is not None:
            used.append(around.shifted(slab.min_kji))
    parts = [PredictedSegment(n, s.name, s.colour) for n, (s, _box) in enumerate(involved[: LOST - 1], start=1)]
    parts += [PredictedSegment(LOST, _("Given up"), LOST_COLOUR)] if gives_up else []
    amounts = [
        Amount(segment.name, segment.colour, total, total + int(change))
        for (segment, _box), change in zip(involved, more, strict=True)
        for total in (given.totals.get(segment.segment_id, 0),)
    ]
    box = Box.union_of(used) or Box((0, 0, 0), (0, 0, 0))
    kept = shown[box.slices]
    # A small part must not keep the memory of the whole region.
    kept = kept.copy() if box.size < whole.size // 2 else kept
    placed = box if box.empty else box.shifted(given.region.min_kji)
    return Candidate(title, case_key, PredictedMask(placed, kept, tuple(parts)), tuple(amounts))


def _placed(change: Change, region: Box) -> Change:
    """Return a change that was computed on a region, on the grid of the series."""
    return replace(change, box=change.box.shifted(region.min_kji)) if isinstance(change, LabelPatch) else change


def _changed_slices(changes: Iterable[Change], axis: int) -> tuple[int, ...]:
    """Return the slices across an array axis on which changes alter any voxel, in order."""
    found: set[int] = set()
    others = tuple(n for n in range(3) if n != axis)
    for change in changes:
        if isinstance(change, LabelPatch):
            altered = (change.before_voxels() != change.after_voxels()).any(axis=others)
            found.update(int(n) + change.box.min_kji[axis] for n in np.flatnonzero(altered))
    return tuple(sorted(found))
