"""The time, so that tests can hold it still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def utc(self) -> datetime:
        """Return the present moment with its time zone, UTC."""


class SystemClock:
    """The computer's clock."""

    def utc(self) -> datetime:
        """Return the present moment, UTC."""
        return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """Return a moment as ISO 8601 to the millisecond, e.g. ``2026-11-20T11:44:01.120+00:00``."""
    return moment.isoformat(timespec="milliseconds")
