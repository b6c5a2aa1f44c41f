"""Which segments of several readers are the same thing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from medview.core.segmentation import Code, Segment, SegmentRole


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing and the segment each reader drew of it.

    Attributes
    ----------
    name, code : str, Code or None
        Of the first reader who lists it; the code of the first who gives one.
    segments : tuple of Segment or None
        By reader; None where a reader does not list it.
    """

    name: str
    code: Code | None
    segments: tuple[Segment | None, ...]


@dataclass(slots=True)
class _Group:
    segments: dict[int, Segment] = field(default_factory=dict)

    def keys(self, key: Callable[[Segment], Hashable]) -> set[Hashable]:
        return {key(segment) for segment in self.segments.values()} - {None}


def folded(name: str) -> str:
    """Return a name without differences of case and of blanks."""
    return " ".join(name.split()).casefold()


def same_things(readers: Sequence[Sequence[Segment]]) -> tuple[Thing, ...]:
    """Bring the segments of readers together, in the order in which they are listed first.

    Two are the same thing when they share code and name; else when they share the name, but for case and blanks; else
    when they share the code and no other segment of either side that is left has that code (a left and a right kidney may
    share one). Segments of role IGNORE are no things.
    """
    groups: list[_Group] = []
    for number, segments in enumerate(readers):
        rest = [segment for segment in segments if segment.role is not SegmentRole.IGNORE]
        for key, alone in ((_code_and_name, False), (_name, False), (_code, True)):
            rest = _joined(number, rest, groups, key, alone)
        groups += [_Group({number: segment}) for segment in rest]
    found: list[Thing] = []
    for group in groups:
        listed = [group.segments.get(number) for number in range(len(readers))]
        codes = [segment.code for segment in listed if segment is not None and segment.code is not None]
        name = next(segment.name for segment in listed if segment is not None)
        found.append(Thing(name, codes[0] if codes else None, tuple(listed)))
    return tuple(found)


def _joined(
    number: int, segments: list[Segment], groups: list[_Group], key: Callable[[Segment], Hashable], alone: bool
) -> list[Segment]:
    """Put the segments of a reader into groups they share a key with; return those that found none."""
    rest: list[Segment] = []
    for segment in segments:
        wanted = key(segment)
        fits = [group for group in groups if number not in group.segments and wanted in group.keys(key)]
        rivals = sum(key(other) == wanted for other in segments)
        if wanted is None or not fits or (alone and (len(fits) > 1 or rivals > 1)):
            rest.append(segment)
        else:
            fits[0].segments[number] = segment
    return rest


def _name(segment: Segment) -> Hashable:
    return folded(segment.name) or None


def _code(segment: Segment) -> Hashable:
    return None if segment.code is None else (segment.code.scheme, segment.code.value)


def _code_and_name(segment: Segment) -> Hashable:
    code = _code(segment)
    return None if code is None else (code, _name(segment))
