"""Numbers of many cases made comparable: within a class by rank, with chance where little is known yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

PAIRS = 20_000
"""Pairs of cases whose distances speak for all, where there are more."""

STEADY_FROM = 40
"""Labelled cases from which on the most uncertain ones are taken nearly strictly."""

MOST_POWER = 8.0


def ranks(values: npt.ArrayLike) -> Doubles:
    """Return for each value, shape (n,), which part of the others it is not below: above 0, 1 for the largest.

    Equal ones share the mean of their ranks. Where all are equal nothing speaks for any: all are 1.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers) or bool((numbers == numbers[0]).all()):
        return np.ones(len(numbers))
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle = ends - (counts - 1) / 2.0
    return np.asarray(middle[inverse.ravel()] / len(numbers))


def power_after(labelled: int) -> float:
    """Return how strictly ranks are followed once so many cases are labelled.

    A model that has seen little is often sure of what is wrong: chance is large at first (1: cases are drawn in
    proportion to their rank) and falls until ``STEADY_FROM`` cases.
    """
    part = min(1.0, max(0, labelled) / STEADY_FROM)
    return float(MOST_POWER**part)


def drawn(scores: Doubles, power: float, rng: np.random.Generator) -> Doubles:
    """Return scores with chance: the largest of what is returned is score n with a probability as ``scores[n] ** power``.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Above 0.
    """
    floor = np.finfo(np.float64).tiny
    return np.asarray(power * np.log(np.maximum(scores, floor)) + rng.gumbel(size=len(scores)))


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """How far apart cases lie, 1 being the mean of pairs; worked out for one case at a time, since there may be many.

    Attributes
    ----------
    points : ndarray, shape (n, m)
    mean : float
        Of pairs; 0 where all lie at one place.
    """

    points: Doubles
    mean: float

    @classmethod
    def of(cls, features: npt.ArrayLike) -> Apart:
        """Measure cases.

        Parameters
        ----------
        features : ndarray, shape (n, m)
            Each of the m is brought to the same spread; those that are the same everywhere count for nothing.
        """
        points = np.asarray(features, dtype=np.float64)
        if points.ndim != 2 or not points.shape[1] or len(points) < 2:
            return cls(np.zeros((len(points), 0)), 0.0)
        spread = points.std(axis=0)
        kept = spread > 1e-9 * (1.0 + np.abs(points).max(axis=0))
        scaled = (points[:, kept] - points[:, kept].mean(axis=0)) / spread[kept]
        one, other = _pairs(len(scaled))
        # Not the median: where most cases are alike, that is what cases that are alike have.
        return cls(scaled, float(np.sqrt(((scaled[one] - scaled[other]) ** 2).sum(axis=1)).mean()))

    def from_case(self, number: int) -> Doubles:
        """Return how far each case lies from one of them, shape (n,)."""
        if self.mean == 0.0:
            return np.zeros(len(self.points))
        return np.asarray(np.sqrt(((self.points - self.points[number]) ** 2).sum(axis=1)) / self.mean)


def _pairs(count: int) -> tuple[Numbers, Numbers]:
    """Return all pairs of so many cases, or of many the same ones each time, drawn evenly."""
    if count * (count - 1) // 2 <= PAIRS:
        return np.triu_indices(count, 1)
    rng = np.random.default_rng(0)
    one = rng.integers(count, size=PAIRS)
    return one, (one + rng.integers(1, count, size=PAIRS)) % count
