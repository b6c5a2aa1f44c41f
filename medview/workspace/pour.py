"""Changes of a large part of the labels, carried out bit by bit so that the window goes on answering."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from medview.core.case_labels import CaseLabels
from medview.core.changes import Change
from medview.core.errors import LabelError

_STEP_S = 0.006
"""After so long a step ends with the change it is at."""


class Poured(Protocol):
    """Something that is carried out step by step on the thread the workspace lives on."""

    @property
    def title(self) -> str:
        """What the person reads."""

    @property
    def fraction(self) -> float:
        """How far it is, 0 to 1."""

    def step(self) -> bool:
        """Go on for a few milliseconds; whether it is over. Never raises."""

    def abort(self) -> None:
        """Take everything back."""


Pump = Callable[[Poured], None]
"""Calls ``step`` again and again until it is over, and lets the window breathe in between."""


def at_once(poured: Poured) -> None:
    """Carry all out before returning: for the command line and for tests."""
    while not poured.step():
        pass


class Pour:
    """Changes taken one by one from where they are made, each applied at once; all of them in the end, or none.

    Parameters
    ----------
    changes : iterable of Change or None
        Made while they are applied, so that no change is larger than a piece of the volume. None is a place to breathe.
    total : int
        How many changes and breaths there will be at most, for the progress; 0 when nobody knows.
    shown : callable
        Told what was applied in a step.
    ended : callable
        Given all changes once the last one is applied; or None and what went wrong once all were taken back.
    """

    def __init__(
        self,
        labels: CaseLabels,
        title: str,
        changes: Iterable[Change | None],
        *,
        total: int,
        shown: Callable[[Sequence[Change]], None],
        ended: Callable[[tuple[Change, ...] | None, LabelError | None], None],
    ) -> None:
        self.title = title
        self._labels = labels
        self._changes: Iterator[Change | None] = iter(changes)
        self._total = total
        self._shown = shown
        self._ended = ended
        self._applied: list[Change] = []
        self._taken = 0
        self._over = False

    @property
    def fraction(self) -> float:
        """How far it is, 0 to 1."""
        return min(1.0, self._taken / self._total) if self._total else 0.0

    def step(self) -> bool:
        """Go on for a few milliseconds; whether it is over."""
        if self._over:
            return True
        until = time.perf_counter() + _STEP_S
        fresh: list[Change] = []
        try:
            for change in self._changes:
                self._taken += 1
                if change is not None:
                    self._labels.apply((change,))
                    fresh.append(change)
                    self._applied.append(change)
                if time.perf_counter() >= until:
                    break
            else:
                self._over = True
        except LabelError as error:
            self._take_back(error)
            return True
        if fresh:
            self._shown(fresh)
        if self._over:
            self._ended(tuple(self._applied), None)
        return self._over

    def abort(self) -> None:
        """Take everything back."""
        if not self._over:
            self._take_back(None)

    def _take_back(self, error: LabelError | None) -> None:
        self._over = True
        back = [change.inverse() for change in reversed(self._applied)]
        self._labels.apply(back)
        self._shown(back)
        self._ended(None, error)
