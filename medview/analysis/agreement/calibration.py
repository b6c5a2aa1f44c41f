"""Whether probabilities mean what they say: of what gets 70 %, 70 % should be true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 10

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Items whose probability lies in a range.

    Attributes
    ----------
    low, high : float
        Of the range; ``high`` belongs to it, ``low`` does not, except in the first.
    said, true : float or None
        Mean probability, and the part that is true; None without items.
    """

    low: float
    high: float
    items: int
    said: float | None
    true: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities are off.

    Attributes
    ----------
    bins : tuple of ReliabilityBin
        Of equal width.
    ece : float or None
        Mean of what is said less what is true over the bins, without sign, by their items (expected calibration error,
        Naeini et al. 2015); None without items.
    largest_error : float or None
        The same of the worst bin.
    brier : float or None
        Mean square of the probability less what is true, 0 or 1 (Brier 1950, for two classes).
    """

    bins: tuple[ReliabilityBin, ...]
    ece: float | None
    largest_error: float | None
    brier: float | None


def calibration(probabilities: npt.ArrayLike, truth: npt.ArrayLike, bins: int = BINS) -> Calibration:
    """Compare probabilities, 0 to 1, shape (items,), with what is true of the items.

    Of classes that exclude each other give the probability of the class an item was put into, and whether it was right.
    """
    said, true = np.asarray(probabilities, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if said.shape != true.shape or said.ndim != 1 or not np.all((said >= 0) & (said <= 1)):
        raise ValueError("every item has one probability between 0 and 1 and is true or not")
    edges = np.linspace(0.0, 1.0, bins + 1)
    which = np.clip(np.searchsorted(edges, said, side="left") - 1, 0, bins - 1)
    items = np.bincount(which, minlength=bins)
    sums, trues = (np.bincount(which, weights=values, minlength=bins) for values in (said, true))
    rows = tuple(
        ReliabilityBin(float(low), float(high), int(n), float(s / n) if n else None, float(t / n) if n else None)
        for low, high, n, s, t in zip(edges[:-1], edges[1:], items, sums, trues, strict=True)
    )
    if not said.size:
        return Calibration(rows, None, None, None)
    off = np.abs(sums - trues)
    held = items > 0
    worst = float((off[held] / items[held]).max())
    return Calibration(rows, float(off.sum() / said.size), worst, float(((said - true) ** 2).mean()))
