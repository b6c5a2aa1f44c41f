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


class JobPart:
    """A part of a job that reports as if it were the whole.

    Parameters
    ----------
    first, last : float
        Fractions of the whole at the part's start and end.
    whole : bool
        What the part hands over on the way is of use to the one who started the whole.
    text : str
        Said of the part all along, whatever its steps say; empty is what they say.
    """

    def __init__(self, context: JobContext, first: float, last: float, *, whole: bool = False, text: str = "") -> None:
        self._context = context
        self._whole = whole
        self._text = text
        self._first = first
        self._last = last

    def progress(self, fraction: float, text: str) -> None:
        """Report the part's fraction as the whole's."""
        done = self._first + (self._last - self._first) * min(max(fraction, 0.0), 1.0)
        self._context.progress(done, self._text or text)

    def partial(self, value: object) -> None:
        """Hand over what is a part of the whole as well; drop the rest."""
        if self._whole:
            self._context.partial(value)

    def raise_if_cancelled(self) -> None:
        """Raise CancelledError once the person pressed Cancel."""
        self._context.raise_if_cancelled()
