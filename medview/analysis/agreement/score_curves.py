"""What a score is worth at every threshold: ROC and precision-recall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """Sensitivity against the part of false alarms, both for scores of at least the threshold.

    Attributes
    ----------
    false_alarms, sensitivity : ndarray of float64, shape (n,)
        From (0, 0), where no score counts, to (1, 1). One point per score that occurs, points on a straight line included.
    thresholds : ndarray of float64, shape (n,)
        The first is infinite.
    area : float
        Probability that an item with the finding has a higher score than one without, ties counting half.
    """

    false_alarms: FloatArray
    sensitivity: FloatArray
    thresholds: FloatArray
    area: float


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecallCurve:
    """Precision against recall, for scores of at least the threshold.

    Attributes
    ----------
    recall, precision, thresholds : ndarray of float64, shape (n,)
        One point per score that occurs, the highest score first.
    average_precision : float
        Precision weighted by the recall each threshold adds. Nothing is interpolated: a straight line between two points
        would promise too much (Davis and Goadrich 2006).
    """

    recall: FloatArray
    precision: FloatArray
    thresholds: FloatArray
    average_precision: float


def roc_curve(scores: npt.ArrayLike, truth: npt.ArrayLike) -> RocCurve | None:
    """Return the curve of scores, shape (items,), and of what is true of the items; None without both kinds."""
    thresholds, hits, wrong = _counts(scores, truth)
    if not hits.size or not hits[-1] or not wrong[-1]:
        return None
    sensitivity = np.append(0.0, hits / hits[-1])
    false_alarms = np.append(0.0, wrong / wrong[-1])
    area = float(np.trapezoid(sensitivity, false_alarms))
    return RocCurve(false_alarms, sensitivity, np.append(np.inf, thresholds), area)


def precision_recall_curve(scores: npt.ArrayLike, truth: npt.ArrayLike) -> PrecisionRecallCurve | None:
    """Return the curve of scores, shape (items,), and of what is true of the items; None where nothing is true."""
    thresholds, hits, wrong = _counts(scores, truth)
    if not hits.size or not hits[-1]:
        return None
    recall, precision = hits / hits[-1], hits / (hits + wrong)
    return PrecisionRecallCurve(recall, precision, thresholds, float((np.diff(recall, prepend=0.0) * precision).sum()))


class RocAreas:
    """Areas under ROC curves of the same scores, each item counted any number of times. Sorts once.

    Parameters
    ----------
    scores, truth : array_like, shape (items,)
    """

    def __init__(self, scores: npt.ArrayLike, truth: npt.ArrayLike) -> None:
        values, self._true = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=bool)
        self._order = np.argsort(values, kind="stable")
        ranked = values[self._order]
        # Items of one score form a run: a true one beats half of the untrue ones beside it.
        self._starts = np.flatnonzero(np.append(True, np.diff(ranked) != 0)) if ranked.size else np.zeros(0, dtype=np.int64)

    def area(self, weights: IntArray) -> float | None:
        """Return the area where item n counts ``weights[n]`` times; None without both kinds."""
        if not self._starts.size:
            return None
        counted, true = weights[self._order], self._true[self._order]
        hits = np.add.reduceat(np.where(true, counted, 0), self._starts)
        wrong = np.add.reduceat(np.where(true, 0, counted), self._starts)
        both = int(hits.sum()) * int(wrong.sum())
        below = np.cumsum(wrong) - wrong
        return float((hits * (below + 0.5 * wrong)).sum() / both) if both else None


def _counts(scores: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[FloatArray, IntArray, IntArray]:
    """Return every score that occurs, the highest first, and how many true and untrue items have at least that."""
    values, true = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=bool)
    if values.shape != true.shape or values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError("every item has one finite score and is true or not")
    order = np.argsort(-values, kind="stable")
    values, true = values[order], true[order]
    last = np.flatnonzero(np.append(np.diff(values) != 0, True)) if values.size else np.zeros(0, dtype=np.int64)
    return values[last], np.cumsum(true)[last], np.cumsum(~true)[last]
