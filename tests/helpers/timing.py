"""Time limits on a computer that does other things too, and may be slower than the one they were set on."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

RUNS = 3

_YARDSTICK_S = 0.013
"""What ``_yardstick`` takes on the computer the limits were set on."""


def typical_of(measure: Callable[[], float]) -> float:
    """Return the median of three measurements: one moment in which another program ran does not decide."""
    return statistics.median(measure() for _ in range(RUNS))


def allowed_s(seconds: float) -> float:
    """Return a time limit for this computer as busy as it is now: longer where it is slower, never shorter."""
    pace = statistics.median(_yardstick() for _ in range(9)) / _YARDSTICK_S
    return seconds * max(1.0, pace)


def _yardstick() -> float:
    """Time a fixed piece of work, half in the interpreter and half in numpy."""
    began = time.perf_counter()
    total = 0
    for n in range(20_000):
        total += n * n % 7
    np.sort(np.sin(np.arange(200_000.0)))
    return time.perf_counter() - began
