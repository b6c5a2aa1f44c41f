"""How well a figure is known: intervals from cases drawn again, patient by patient.

Cases of one patient resemble each other, so whole patients are drawn, with replacement, as many as there are (cluster
bootstrap, Davison and Hinkley 1997, chapter 3.8), and the interval lies between percentiles of the figures of these draws
(Efron 1979). The same seed gives the same interval.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
LEVEL = 0.95
SEED = 0

_AT_ONCE = 1 << 22
"""Counts of patients held at once."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FigureOfSums = Callable[[FloatArray], FloatArray]
"""Figures of sums, shape (draws, parts) to (draws,)."""

WeightedStatistic = Callable[[IntArray], float | None]
"""A figure of all items, of which each counts as often as its number, shape (items,), says."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and how well it is known.

    Attributes
    ----------
    value : float or None
        Of all items as they are; None where it is not defined.
    low, high : float or None
        None with fewer than two patients, or where most draws have no figure.
    level : float
        Part of the draws that lies between.
    items, patients : int
        What the figure was worked out from.
    undefined : int
        Draws that have no figure, for example since no lesion is in them; the interval leaves them out.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    items: int
    patients: int
    resamples: int
    undefined: int = 0

    def columns(self, name: str) -> dict[str, int | float | None]:
        """Return columns of a table: the figure, both ends of its interval, and from how many items."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high, f"{name}_items": self.items}


def mean_interval(
    values: Sequence[float | None] | FloatArray,
    patients: Sequence[Hashable],
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return the mean of one value per item; items whose value is None or NaN do not count, nor do their patients."""
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    there = np.isfinite(numbers)
    held = [patient for patient, has in zip(patients, there, strict=True) if has]
    return ratio_interval(numbers[there], np.ones(int(there.sum())), held, level, resamples, seed)


def difference_interval(
    first: Sequence[float | None] | FloatArray,
    second: Sequence[float | None] | FloatArray,
    patients: Sequence[Hashable],
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return the mean of second less first over the items that have both: two models or readers on the same cases.

    An interval without 0 says that they differ, at one minus the level.
    """
    sides = [np.array([np.nan if n is None else n for n in side], dtype=np.float64) for side in (first, second)]
    return mean_interval(sides[1] - sides[0], patients, level, resamples, seed)


def ratio_interval(
    numerators: npt.ArrayLike,
    denominators: npt.ArrayLike,
    patients: Sequence[Hashable],
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return the sum of numerators over the sum of denominators, both shape (items,).

    Found lesions over all lesions is one, pooled over cases; a mean is the one with denominators of 1.
    """
    tops, bottoms = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if tops.shape != bottoms.shape or tops.ndim != 1:
        raise ValueError("every item has a numerator and a denominator")
    return sums_interval(np.column_stack((tops, bottoms)), _ratio, patients, level, resamples, seed)


def sums_interval(
    parts: FloatArray,
    figure: FigureOfSums,
    patients: Sequence[Hashable],
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return a figure that depends on sums over the items only: all draws are worked out at once.

    Parameters
    ----------
    parts : ndarray of float64, shape (items, parts)
        What each item adds to the sums: hits and lesions, say, or a cell of a confusion matrix.
    figure : callable
        From sums, shape (draws, parts), to figures, shape (draws,); NaN where there is none.
    """
    number, count = _numbers(patients)
    if parts.shape[:1] != number.shape:
        raise ValueError("every item has a patient")
    of_patient = np.zeros((count, parts.shape[1]))
    np.add.at(of_patient, number, parts)
    whole = float(figure(parts.sum(axis=0, keepdims=True))[0]) if number.size else np.nan
    found = [figure(drawn @ of_patient) for drawn in _draws(count, resamples, seed)]
    figures = np.concatenate(found) if found else np.zeros(0)
    value = whole if np.isfinite(whole) else None
    return _interval(value, figures, level, number.size, count, resamples)


def weighted_interval(
    statistic: WeightedStatistic,
    patients: Sequence[Hashable],
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Return a figure that can be worked out from how often each item was drawn: a curve is sorted once for all draws."""
    number, count = _numbers(patients)
    value = statistic(np.ones(number.size, dtype=np.int64)) if number.size else None
    found = [statistic(times[number]) for drawn in _draws(count, resamples, seed) for times in drawn]
    figures = np.array([np.nan if figure is None else figure for figure in found], dtype=np.float64)
    return _interval(value, figures, level, number.size, count, resamples)


def weighted_intervals(
    figures: Callable[[IntArray], FloatArray],
    patients: Sequence[Hashable],
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[Interval, ...]:
    """Return several figures of the same items, worked out together for many draws at once.

    Parameters
    ----------
    figures : callable
        From how often each item counts, shape (draws, items), to figures, shape (draws, figures); NaN where there is none.
    """
    number, count = _numbers(patients)
    whole = figures(np.ones((1, number.size), dtype=np.int64))[0]
    step = max(1, _AT_ONCE // max(1, number.size))
    found = [
        figures(drawn[start : start + step][:, number])
        for drawn in _draws(count, resamples, seed)
        for start in range(0, len(drawn), step)
    ]
    drawn_figures = np.concatenate(found) if found else np.zeros((0, whole.size))
    return tuple(
        _interval(float(value) if np.isfinite(value) else None, column, level, number.size, count, resamples)
        for value, column in zip(whole, drawn_figures.T, strict=True)
    )


def _ratio(sums: FloatArray) -> FloatArray:
    above, below = sums.T
    return np.asarray(np.divide(above, below, out=np.full(len(sums), np.nan), where=below > 0))


def _numbers(patients: Sequence[Hashable]) -> tuple[IntArray, int]:
    """Number the patients in the order they come in."""
    known: dict[Hashable, int] = {}
    number = np.array([known.setdefault(patient, len(known)) for patient in patients], dtype=np.int64)
    return number, len(known)


def _draws(count: int, resamples: int, seed: int) -> Iterator[IntArray]:
    """Yield how often each patient is drawn, shape (some draws, patients); nothing with fewer than two patients."""
    if count < 2:
        return
    rng = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // count)
    for start in range(0, resamples, step):
        yield rng.multinomial(count, np.full(count, 1.0 / count), size=min(step, resamples - start))


def _interval(
    value: float | None, figures: FloatArray, level: float, items: int, patients: int, resamples: int
) -> Interval:
    defined = figures[np.isfinite(figures)]
    undefined = figures.size - defined.size
    if value is None or defined.size * 2 <= figures.size or not defined.size:
        return Interval(value, None, None, level, items, patients, resamples, undefined)
    low, high = np.quantile(defined, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(value, float(low), float(high), level, items, patients, resamples, undefined)
