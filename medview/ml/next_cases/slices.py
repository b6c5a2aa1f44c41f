"""Which slices of a case to look at: ranges of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.ml.next_cases.case_scores import CaseScores
from medview.ml.next_cases.ranking import Doubles
from medview.ml.next_cases.strategy import Strategy

MOST_RANGES = 3

PART_OF_CASE = 0.2
"""Ranges together are about this part of the slices that hold anything."""

LEAST_SLICES = 3
"""Of a range, where the case has as many."""

STILL_PART_OF_IT = 0.5
"""A range goes on while slices have this part of its best one."""


@dataclass(frozen=True, slots=True)
class SliceRange:
    """Slices from ``first`` to ``last``, both included, counted from 0 along k.

    Attributes
    ----------
    best : int
        The slice of most.
    by_class : int or None
        The class that gave the most of it; None where chance chose.
    share : float
        Which part of what is said of the whole case is in it, 0 to 1.
    """

    first: int
    last: int
    best: int
    by_class: int | None = None
    share: float = 0.0


def ranges_of(
    scores: CaseScores, strategy: Strategy = Strategy.UNCERTAINTY, seed: int = 0, by_class: int | None = None
) -> tuple[SliceRange, ...]:
    """Return the slices of a case to look at, the most important range first; none where nothing is known of slices.

    With ``Strategy.UNCERTAINTY`` those the model is most unsure of: a class counts by how unsure it is of it, whatever its
    size. Else one range is drawn: around a slice by how much the model finds there (classes counting alike), or any.

    Parameters
    ----------
    by_class : int, optional
        The class the case was chosen for: the first range is the best one for it, the others for all.
    """
    if scores.slices < 2:
        return ()
    if strategy is Strategy.UNCERTAINTY:
        of_classes = shares(scores.unsure_slices) * np.asarray(scores.unsure, dtype=np.float64)[:, None]
        return _best_ranges(of_classes, by_class)
    rng = np.random.default_rng(seed)
    found = shares(scores.foreground_slices).sum(axis=0)
    if strategy is Strategy.RANDOM or found.sum() <= 0:
        found = np.ones(scores.slices)
    middle = int(rng.choice(scores.slices, p=found / found.sum()))
    long = _length(int(np.count_nonzero(found)), scores.slices)
    first = min(max(0, middle - long // 2), scores.slices - long)
    inside = found[first : first + long].sum() / found.sum()
    return (SliceRange(first, first + long - 1, middle, None, float(inside)),)


def shares(by_slice: npt.ArrayLike) -> Doubles:
    """Return rows (classes, slices) as parts of their sums; rows of nothing stay 0."""
    numbers = np.asarray(by_slice, dtype=np.float64)
    sums = numbers.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(numbers, sums, out=np.zeros_like(numbers), where=sums > 0))


def _best_ranges(of_classes: Doubles, by_class: int | None) -> tuple[SliceRange, ...]:
    curve = of_classes.sum(axis=0)
    total = float(curve.sum())
    if total <= 0:
        return ()
    smooth = _smooth(curve)
    room = _length(int(np.count_nonzero(curve > curve.max() * 0.01)), len(curve))
    # Of one range never all of it: what is unsure elsewhere is to be seen too.
    longest = max(LEAST_SLICES, round(room / 2))
    free = np.ones(len(curve), dtype=np.bool_)
    found: list[SliceRange] = []
    while room > 0 and len(found) < MOST_RANGES:
        wanted = smooth
        if not found and by_class is not None and of_classes[by_class].any():
            wanted = _smooth(of_classes[by_class])
        left = np.where(free, wanted, 0.0)
        best = int(left.argmax())
        if left[best] <= 0 or (found and smooth[best] < STILL_PART_OF_IT * smooth.max()):
            break
        first, last = _grown(left, best, min(room, longest))
        first, last = _at_least(first, last, min(LEAST_SLICES, room), free)
        part = of_classes[:, first : last + 1].sum(axis=1)
        most = by_class if not found and by_class is not None else int(part.argmax())
        found.append(SliceRange(first, last, best, most, float(part.sum() / total)))
        room -= last - first + 1
        # A neighbour of a range belongs to it: the next one begins elsewhere.
        free[max(0, first - 1) : last + 2] = False
    return tuple(found)


def _smooth(curve: Doubles) -> Doubles:
    return np.asarray(np.convolve(np.pad(curve, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid"))


def _grown(curve: Doubles, best: int, most: int) -> tuple[int, int]:
    """Grow a range from its best slice to whichever side has more, while that is enough and there is room."""
    first = last = best
    enough = STILL_PART_OF_IT * curve[best]
    while last - first + 1 < most:
        below = curve[first - 1] if first > 0 else -1.0
        above = curve[last + 1] if last + 1 < len(curve) else -1.0
        if max(below, above) < enough:
            break
        first, last = (first - 1, last) if below >= above else (first, last + 1)
    return first, last


def _at_least(first: int, last: int, least: int, free: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Widen a range to both sides, not into what belongs to another one."""
    while last - first + 1 < least:
        below, above = first > 0 and bool(free[first - 1]), last + 1 < len(free) and bool(free[last + 1])
        if not below and not above:
            break
        first -= below
        if above and (last - first + 1 < least or not below):
            last += 1
    return first, last


def _length(held: int, slices: int) -> int:
    return min(slices, max(LEAST_SLICES, round(PART_OF_CASE * held)))
