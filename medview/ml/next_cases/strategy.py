"""How the next cases may be chosen."""

from __future__ import annotations

from enum import StrEnum


class Strategy(StrEnum):
    """A rule; the two of chance are there to be compared with."""

    UNCERTAINTY = "uncertainty"
    """Cases a model is unsure of, class by class, and unlike one another."""
    FOREGROUND_RANDOM = "foreground-random"
    """Any cases; in them slices by how much the model finds there."""
    RANDOM = "random"
    """Any cases, any slices."""
