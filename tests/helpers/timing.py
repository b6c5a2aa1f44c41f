"""Time limits on a computer that does other things too."""

from __future__ import annotations

import statistics
from collections.abc import Callable

RUNS = 3


def typical_of(measure: Callable[[], float]) -> float:
    """Return the median of three measurements: one moment in which another program ran does not decide."""
    return statistics.median(measure() for _ in range(RUNS))
