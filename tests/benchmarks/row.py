"""One measured figure beside its budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of ``make bench``.

    Attributes
    ----------
    value, budget : float
        In ``unit``; smaller is better. ``budget`` is None for figures that are only reported.
    """

    name: str
    value: float
    unit: str
    budget: float | None = None
    note: str = ""

    @property
    def misses(self) -> bool:
        return self.budget is not None and self.value > self.budget

    def document(self) -> dict[str, object]:
        return {**asdict(self), "misses": self.misses}


def percentile(samples_s: list[float], percent: float) -> float:
    """Return a percentile of samples in seconds, in milliseconds."""
    return float(np.percentile(samples_s, percent) * 1000.0)


def timed(work: Callable[[], object], runs: int, warm_up: int = 1) -> list[float]:
    """Return the seconds each of ``runs`` calls took."""
    for _ in range(warm_up):
        work()
    samples = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        samples.append(time.perf_counter() - started)
    return samples
