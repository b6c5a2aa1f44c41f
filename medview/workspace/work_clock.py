"""How long somebody works, pauses left out."""

from __future__ import annotations

from medview.store.clock import Clock, SystemClock

PAUSE_S = 60.0
"""Who gives no sign of work for longer than this was away: the whole gap counts nothing."""


class WorkClock:
    """Adds up the time between signs of work."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._last_s: float | None = None

    def sign(self) -> float:
        """Take notice of a sign of work; return the seconds of work since the one before."""
        now = self._clock.monotonic_s()
        gap = 0.0 if self._last_s is None else now - self._last_s
        self._last_s = now
        return gap if 0.0 <= gap <= PAUSE_S else 0.0
