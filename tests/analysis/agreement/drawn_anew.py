"""The plain way to an interval, which the quick ones of the package have to come to: every draw is worked out anew."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.bootstrap import LEVEL, RESAMPLES, SEED, Interval, _draws, _interval, _numbers

Statistic = Callable[[npt.NDArray[np.int64]], float | None]


def interval_of(
    statistic: Statistic,
    patients: Sequence[Hashable],
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return a figure of the items with these positions, some of them several times, worked out anew for every draw."""
    number, count = _numbers(patients)
    items = np.argsort(number, kind="stable")
    parts = np.split(items, np.cumsum(np.bincount(number, minlength=count))[:-1]) if count else []
    value = statistic(np.arange(number.size)) if number.size else None
    found: list[float] = []
    for drawn in _draws(count, resamples, seed):
        for times in drawn:
            which = [np.tile(parts[n], times[n]) for n in np.flatnonzero(times)]
            figure = statistic(np.concatenate(which))
            found.append(np.nan if figure is None else figure)
    return _interval(value, np.asarray(found, dtype=np.float64), level, number.size, count, resamples)
