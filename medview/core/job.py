"""What long work sees of the one who started it."""

from __future__ import annotations

from typing import Protocol

from medview.core.errors import CancelledError


class JobContext(Protocol):
    """Progress out, cancellation in. Safe to call from any thread."""

    def progress(self, fraction: float, text: str) -> None:
        """Report that ``fraction`` (0 to 1) is done; ``text`` says what is being done."""

    def partial(self, value: object) -> None:
        """Hand over a part of the result while the work goes on, e.g. slices that are ready to show."""

    def raise_if_cancelled(self) -> None:
        """Raise CancelledError once the person pressed Cancel."""


class Inline:
    """A context for work done in the calling thread: silent, and cancelled only by ``cancel``."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        """Make the next ``raise_if_cancelled`` raise."""
        self.cancelled = True

    def progress(self, fraction: float, text: str) -> None:
        """Report nothing."""

    def partial(self, value: object) -> None:
        """Drop the part; the whole result comes at the end."""

    def raise_if_cancelled(self) -> None:
        """Raise CancelledError after ``cancel``."""
        if self.cancelled:
            raise CancelledError
