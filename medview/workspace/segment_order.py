"""In which order segments are listed."""

from __future__ import annotations

from collections.abc import Iterable

from medview.core.segmentation import Segment


def in_groups(segments: Iterable[Segment]) -> list[tuple[str, list[Segment]]]:
    """Return groups with their members, and segments without a group each on its own under an empty name.

    Segments keep their order; a group stands where its first member does.
    """
    found: list[tuple[str, list[Segment]]] = []
    groups: dict[str, list[Segment]] = {}
    for segment in segments:
        if segment.group in groups:
            groups[segment.group].append(segment)
            continue
        found.append((segment.group, [segment]))
        if segment.group:
            groups[segment.group] = found[-1][1]
    return found


def as_listed(segments: Iterable[Segment]) -> list[Segment]:
    """Return segments from the top of the list to its bottom."""
    return [segment for _group, members in in_groups(segments) for segment in members]
