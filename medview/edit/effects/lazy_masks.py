"""Masks of many segments that are worked out one at a time, so that no two of them are in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from medview.edit.effects.effect import Mask


class LazyMasks(Mapping[str, Mask]):
    """Masks by segment id.

    Parameters
    ----------
    make : callable
        Returns the mask of a segment; called each time it is asked for.
    """

    def __init__(self, segment_ids: Sequence[str], make: Callable[[str], Mask]) -> None:
        self._ids = tuple(segment_ids)
        self._make = make

    def __getitem__(self, segment_id: str) -> Mask:
        if segment_id not in self._ids:
            raise KeyError(segment_id)
        return self._make(segment_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
