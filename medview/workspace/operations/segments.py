"""Segments as a list: what is asked of one or several of them becomes one command."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from medview.core.changes import Change, Command, SegmentChange
from medview.core.language import plural
from medview.core.segmentation import Code, Segment, SegmentRole, SegmentStatus
from medview.edit.segments import clear_segment, new_segment
from medview.workspace.open_case import OpenCase

_TOOL = "segments"
_MOST_NAMES = 3
"""In an entry of the history."""


def chosen(case: OpenCase) -> list[Segment]:
    """Return the segments that are chosen in the list, in its order; the active one when none is."""
    wanted = set(case.view.chosen_segment_ids)
    found = [s for s in case.labels.segmentation.segments if s.segment_id in wanted]
    active = case.active_segment
    return found or ([active] if active is not None else [])


def set_visible(case: OpenCase, ids: Collection[str], *, visible: bool) -> bool:
    """Show or hide segments on slices. As all of these: False when nothing changed or the case cannot be changed now."""
    if visible:
        return _alter(case, ids, f"Show {_named(case, ids)}", visible=True)
    return _alter(case, ids, f"Hide {_named(case, ids)}", visible=False)


def set_visible_3d(case: OpenCase, ids: Collection[str], *, visible: bool) -> bool:
    """Show or hide the surfaces of segments."""
    if visible:
        return _alter(case, ids, f"Show {_named(case, ids)} in 3-D", visible_3d=True)
    return _alter(case, ids, f"Hide {_named(case, ids)} in 3-D", visible_3d=False)


def set_locked(case: OpenCase, ids: Collection[str], *, locked: bool) -> bool:
    """Protect the voxels of segments from every gesture, or release them."""
    if locked:
        return _alter(case, ids, f"Lock {_named(case, ids)}", locked=True)
    return _alter(case, ids, f"Unlock {_named(case, ids)}", locked=False)


def set_status(case: OpenCase, ids: Collection[str], status: SegmentStatus) -> bool:
    """Say how far somebody is with segments."""
    return _alter(case, ids, f"Mark {_named(case, ids)} as {status.value}", status=status)


def set_unsure(case: OpenCase, ids: Collection[str], *, unsure: bool) -> bool:
    """Say that nobody is sure of what segments hold, so that training leaves it out, or that somebody is."""
    if unsure:
        return _alter(case, ids, f"Unsure of {_named(case, ids)}", role=SegmentRole.IGNORE)
    return _alter(case, ids, f"Sure of {_named(case, ids)}", role=SegmentRole.STRUCTURE)


def set_colour(case: OpenCase, ids: Collection[str], colour: tuple[int, int, int]) -> bool:
    """Give segments a colour."""
    return _alter(case, ids, f"Colour {_named(case, ids)}", colour=colour)


def set_opacity(case: OpenCase, ids: Collection[str], opacity: float) -> bool:
    """Make the fill of segments stronger or weaker, 0 to 1."""
    return _alter(case, ids, f"Opacity of {_named(case, ids)}", opacity=min(1.0, max(0.0, opacity)))


def opacity_changes(case: OpenCase, ids: Collection[str], opacity: float) -> list[Change]:
    """Return what gives segments an opacity, for a gesture that is going on."""
    return list(_changes(case, ids, opacity=min(1.0, max(0.0, opacity))))


def set_outline(case: OpenCase, ids: Collection[str], *, outline_only: bool) -> bool:
    """Draw segments without a fill, or with one."""
    if outline_only:
        return _alter(case, ids, f"Outline of {_named(case, ids)}", outline_only=True)
    return _alter(case, ids, f"Fill of {_named(case, ids)}", outline_only=False)


def set_group(case: OpenCase, ids: Collection[str], group: str) -> bool:
    """List segments under a heading; an empty one takes them out of theirs."""
    if wanted := group.strip():
        return _alter(case, ids, f"Group {_named(case, ids)} under {wanted}", group=wanted)
    return _alter(case, ids, f"Take {_named(case, ids)} out of the group", group="")


def set_code(case: OpenCase, segment_id: str, code: Code | None) -> bool:
    """Say by a code what a segment is, or no longer."""
    return _alter(case, [segment_id], f"Code of {_named(case, [segment_id])}", code=code)


def rename(case: OpenCase, segment_id: str, name: str, code: Code | None = None) -> bool:
    """Give a segment another name, and a code where one was picked with it; an empty name keeps the old one."""
    segment = case.labels.segmentation.segment(segment_id)
    wanted = name.strip() or segment.name
    free = wanted if wanted == segment.name else case.labels.segmentation.free_name(wanted)
    return _alter(case, [segment_id], f"Rename {segment.name} to {free}", name=free, code=code or segment.code)


def why_not_absent(case: OpenCase, segment: Segment) -> str:
    """Return why a segment cannot be confirmed absent, as a sentence, or nothing when it can."""
    count = case.labels.segmentation.count(segment)
    return (
        plural(
            "{name} holds {n} voxel, so it is not absent; erase it first.",
            "{name} holds {n} voxels, so it is not absent; erase them first.",
            count,
        ).format(name=segment.name, n=count)
        if count
        else ""
    )


def set_absent(case: OpenCase, ids: Collection[str], *, absent: bool) -> str:
    """Confirm that somebody looked for segments and found none, or take that back.

    Returns
    -------
    str
        Why it was refused, as a sentence, or nothing: one that holds voxels is not absent.
    """
    if not absent:
        _alter(case, ids, f"No longer confirmed absent: {_named(case, ids)}", absent=False)
        return ""
    for segment in _those(case, ids):
        if reason := why_not_absent(case, segment):
            return reason
    _alter(case, ids, f"Confirmed absent: {_named(case, ids)}", absent=True)
    return ""


def delete(case: OpenCase, ids: Collection[str]) -> list[Segment]:
    """Remove segments and their voxels; locked ones stay. Return those that go.

    What takes long goes on in the background; until it is over the case cannot be changed.
    """
    segmentation = case.labels.segmentation
    gone = [s for s in _those(case, ids) if not s.locked]
    if not gone:
        return []
    first = segmentation.segments.index(gone[0])

    def changes() -> Iterator[Change | None]:
        for segment in gone:
            yield from clear_segment(segmentation, segment)
            yield SegmentChange(segment, None, _place(case, segment))

    if not case.pour(f"Delete {_named(case, [s.segment_id for s in gone])}", _TOOL, changes()):
        return []
    rest = [s for s in segmentation.segments if s not in gone]
    view, left = case.view, {s.segment_id for s in rest}
    view.chosen_segment_ids = tuple(one for one in view.chosen_segment_ids if one in left)
    if view.active_segment_id not in left:
        view.active_segment_id = rest[min(first, len(rest) - 1)].segment_id if rest else ""
    return gone


def new_instance(case: OpenCase, segment_id: str) -> Segment | None:
    """Add another segment of the same thing: ``Nodule 2`` after ``Nodule``, in one group, and make it the active one."""
    segmentation = case.labels.segmentation
    like = segmentation.segment(segment_id)
    base = _without_number(like.name)
    group = like.group or base
    made = replace(
        new_segment(segmentation, segmentation.free_name(base), code=like.code),
        role=like.role,
        group=group,
        opacity=like.opacity,
        outline_only=like.outline_only,
    )
    # In the list it follows the last of its kind.
    kin = [n for n, s in enumerate(segmentation.segments) if s is like or s.group == group]
    changes: list[Change] = [SegmentChange(None, made, kin[-1] + 1)]
    if like.group != group:
        changes.insert(0, SegmentChange(like, replace(like, group=group), _place(case, like)))
    if not case.do(Command(f"Add {made.name}", tuple(changes), _TOOL)):
        return None
    case.view.chosen_segment_ids = (made.segment_id,)
    case.view.active_segment_id = made.segment_id
    return made


def move(case: OpenCase, ids: Collection[str], before_id: str, group: str) -> bool:
    """Put segments before another one, or at the end (``before_id`` empty), and under a heading, or none."""
    segments = case.labels.segmentation.segments
    moved = [s for s in _those(case, ids) if s.segment_id != before_id]
    rest = [s for s in segments if s not in moved]
    at = next((n for n, s in enumerate(rest) if s.segment_id == before_id), len(rest))
    wanted = [*rest[:at], *(replace(s, group=group) for s in moved), *rest[at:]]
    if not moved or wanted == segments:
        return False
    changes: list[Change] = [SegmentChange(s, None, segments.index(s)) for s in reversed(moved)]
    changes += [SegmentChange(None, replace(s, group=group), at + n) for n, s in enumerate(moved)]
    return case.do(Command(f"Move {_named(case, ids)}", tuple(changes), _TOOL))


def _alter(case: OpenCase, ids: Collection[str], called: str, /, **fields: Any) -> bool:
    return case.do(Command(called, tuple(_changes(case, ids, **fields)), _TOOL))


def _changes(case: OpenCase, ids: Collection[str], /, **fields: Any) -> list[SegmentChange]:
    return [
        SegmentChange(segment, altered, _place(case, segment))
        for segment in _those(case, ids)
        if (altered := replace(segment, **fields)) != segment
    ]


def _place(case: OpenCase, segment: Segment) -> int:
    return case.labels.segmentation.segments.index(segment)


def _those(case: OpenCase, ids: Collection[str]) -> list[Segment]:
    wanted = set(ids)
    return [s for s in case.labels.segmentation.segments if s.segment_id in wanted]


def _named(case: OpenCase, ids: Collection[str]) -> str:
    names = [segment.name for segment in _those(case, ids)]
    return ", ".join(names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 1], "\u2026"])


def _without_number(name: str) -> str:
    head, _, tail = name.rpartition(" ")
    return head if head and tail.isdigit() else name
