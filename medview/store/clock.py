"""The time, so that tests can hold it still."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def utc(self) -> datetime:
        """Return the present moment with its time zone, UTC. For people: it may jump, and differs between computers."""

    def monotonic_s(self) -> float:
        """Return seconds that only go forward, from any beginning. For how long something took."""


class SystemClock:
    """The computer's clock."""

    def utc(self) -> datetime:
        """Return the present moment, UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds since some moment; setting the clock does not touch them."""
        return time.monotonic()


def iso(moment: datetime) -> str:
    """Return a moment as ISO 8601 to the millisecond, e.g. ``2026-11-20T11:44:01.120+00:00``."""
    return moment.isoformat(timespec="milliseconds")
