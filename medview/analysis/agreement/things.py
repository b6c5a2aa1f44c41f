"""Which segments of several readers are the same thing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from medview.core.segmentation import Code, Segment, SegmentRole

Segments = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing and the segments each reader drew of it.

    Attributes
    ----------
    name, code : str, Code or None
        Of the first reader who lists it; the code of the first who gives one.
    segments : tuple of tuple of Segment
        By reader: none where a reader does not list it, several where its instances are drawn apart.
    """

    name: str
    code: Code | None
    segments: tuple[Segments, ...]


@dataclass(frozen=True, slots=True)
class _Listed:
    """What one reader lists as one thing."""

    name: str
    code: Code | None
    segments: Segments


@dataclass(slots=True)
class _Group:
    """What several readers list as one thing, by number of the reader."""

    listed: dict[int, _Listed] = field(default_factory=dict)

    def keys(self, key: Callable[[_Listed], Hashable]) -> set[Hashable]:
        return {key(listed) for listed in self.listed.values()} - {None}


def folded(name: str) -> str:
    """Return a name without differences of case and of blanks."""
    return " ".join(name.split()).casefold()


def same_things(readers: Sequence[Sequence[Segment]]) -> tuple[Thing, ...]:
    """Bring the segments of readers together, in the order in which they are listed first.

    Two are the same thing when they share code and name; else when they share the name, but for case and blanks; else
    when they share the code and nothing else that is left on either side has that code (a left and a right kidney may
    share one). ``Nodule 2`` is another instance of ``Nodule`` where some reader lists a ``Nodule``: which is which of
    them differs from reader to reader, so they are one thing. Segments of role IGNORE are no things.
    """
    names = {folded(segment.name) for segments in readers for segment in segments}
    groups: list[_Group] = []
    for number, segments in enumerate(readers):
        rest = _listed([segment for segment in segments if segment.role is not SegmentRole.IGNORE], names)
        for key, alone in ((_code_and_name, False), (_name, False), (_code, True)):
            rest = _joined(number, rest, groups, key, alone)
        groups += [_Group({number: listed}) for listed in rest]
    found: list[Thing] = []
    for group in groups:
        first = group.listed[min(group.listed)]
        code = next((group.listed[n].code for n in sorted(group.listed) if group.listed[n].code is not None), None)
        drawn = tuple(group.listed[n].segments if n in group.listed else () for n in range(len(readers)))
        found.append(Thing(first.name, code, drawn))
    return tuple(found)


def _listed(segments: Sequence[Segment], names: set[str]) -> list[_Listed]:
    """Put the instances of one thing together; ``names`` are those that any reader lists."""
    found: dict[Hashable, _Listed] = {}
    for segment in segments:
        head, _, tail = segment.name.strip().rpartition(" ")
        instance = tail.isdecimal() and int(tail) >= 2 and folded(head) in names
        name = head.strip() if instance else segment.name
        key = folded(name), None if segment.code is None else _key(segment.code)
        before = found[key].segments if key in found else ()
        found[key] = _Listed(name, segment.code, (*before, segment))
    return list(found.values())


def _joined(
    number: int, listed: list[_Listed], groups: list[_Group], key: Callable[[_Listed], Hashable], alone: bool
) -> list[_Listed]:
    """Put what a reader lists into groups it shares a key with; return what found none."""
    rest: list[_Listed] = []
    for one in listed:
        wanted = key(one)
        fits = [group for group in groups if number not in group.listed and wanted in group.keys(key)]
        rivals = sum(key(other) == wanted for other in listed)
        if wanted is None or not fits or (alone and (len(fits) > 1 or rivals > 1)):
            rest.append(one)
        else:
            fits[0].listed[number] = one
    return rest


def _key(code: Code) -> tuple[str, str]:
    return code.scheme, code.value


def _name(listed: _Listed) -> Hashable:
    return folded(listed.name) or None


def _code(listed: _Listed) -> Hashable:
    return None if listed.code is None else _key(listed.code)


def _code_and_name(listed: _Listed) -> Hashable:
    return None if listed.code is None else (_key(listed.code), folded(listed.name))
