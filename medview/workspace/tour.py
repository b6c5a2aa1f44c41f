"""Going from one place of interest to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from psygnal import SignalInstance

Index = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Stop:
    """A place of interest.

    Attributes
    ----------
    text : str
        What it is, in a few words.
    """

    at_kji: Index
    text: str


_Placed = TypeVar("_Placed", bound=Stop)


def next_stop(stops: Sequence[_Placed], here_kji: Index, step: int) -> tuple[int, _Placed] | None:
    """Return the stop after, or before, a place in the order of the grid, with its number from 1; the ends meet.

    It depends on where one is alone: whoever looked elsewhere meanwhile goes on from there.
    """
    ordered = sorted(stops, key=lambda stop: stop.at_kji)
    if not ordered:
        return None
    if step > 0:
        number = next((n for n, stop in enumerate(ordered) if stop.at_kji > here_kji), 0)
    else:
        number = next((n for n, stop in reversed(list(enumerate(ordered))) if stop.at_kji < here_kji), len(ordered) - 1)
    return number + 1, ordered[number]


class Waiting:
    """One jump that waits for a segment to be measured; a newer one takes its place."""

    def __init__(self) -> None:
        self._segment_id = ""
        self._then: Callable[[], None] | None = None

    def wait(self, measured: SignalInstance, segment_id: str, then: Callable[[], None]) -> None:
        """Call ``then`` once ``measured`` tells this segment."""
        self._segment_id, self._then = segment_id, then
        measured.connect(self._on_measured, unique=True)

    def drop(self) -> None:
        """Wait no longer."""
        self._then = None

    def _on_measured(self, segment_id: str) -> None:
        then = self._then
        if then is not None and segment_id == self._segment_id:
            self._then = None
            then()
