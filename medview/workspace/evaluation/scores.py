"""Scores of all judged images beside what is true, as one table, and the figures that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.bootstrap import WeightedStatistic, sums_interval, weighted_interval
from medview.analysis.agreement.calibration import Calibration, calibration
from medview.analysis.agreement.score_curves import RocAreas, precision_recall_curve, roc_curve
from medview.workspace.evaluation.judging import Document, intervals_document, thinned

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """The figures of one class against the rest.

    Attributes
    ----------
    row, ci95 : dict
        Ready for JSON.
    curves : dict
        ``roc`` and ``pr``, where there are such.
    counts : list of list of int
        Not true and true in rows, not said and said in columns.
    """

    name: str
    row: Document
    ci95: Document
    curves: Document
    counts: list[list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """Items in rows, classes in columns.

    Attributes
    ----------
    exclusive : bool
        Exactly one class is true of an item, and one is said.
    scores, truth, said : ndarray of float64, shape (items, classes)
        Probabilities; 0 or 1, and NaN where nobody answered; 0 or 1.
    """

    names: tuple[str, ...]
    exclusive: bool
    scores: FloatArray
    truth: FloatArray
    said: FloatArray
    patients: tuple[str, ...]

    def of_class(self, n: int) -> ClassScores:
        """Return the figures of a class, of the items where somebody answered it."""
        held = np.isfinite(self.truth[:, n])
        patients = [patient for patient, has in zip(self.patients, held, strict=True) if has]
        own, true, said = self.scores[held, n], self.truth[held, n] > 0, self.said[held, n] > 0
        cells = _cells(true, said)
        found = {key: sums_interval(cells, figure, patients) for key, figure in _OF_CELLS.items()}
        found["auc"] = weighted_interval(RocAreas(own, true).area, patients)
        roc, pr = roc_curve(own, true), precision_recall_curve(own, true)
        curves: Document = {}
        if roc is not None:
            curves["roc"] = thinned(np.column_stack((roc.false_alarms, roc.sensitivity)).tolist())
        if pr is not None:
            curves["pr"] = thinned(np.column_stack((pr.recall, pr.precision)).tolist())
        row: Document = {
            "name": self.names[n],
            **{key: interval.value for key, interval in found.items()},
            "average_precision": None if pr is None else pr.average_precision,
            "items": int(held.sum()),
            "truths": int(true.sum()),
        }
        hit, alarm, missed, rest = (int(count) for count in cells.sum(axis=0))
        return ClassScores(self.names[n], row, intervals_document(found), curves, [[rest, alarm], [missed, hit]])

    def confusion(self, classes: Sequence[ClassScores]) -> Document:
        """Return one matrix of classes that exclude each other; of others one for each."""
        if not self.exclusive or not len(self.truth):
            return {"classes": [{"name": one.name, "counts": one.counts} for one in classes], "of": "images"}
        table = np.zeros((len(self.names), len(self.names)), dtype=np.int64)
        np.add.at(table, (self.truth.argmax(axis=1), self.said.argmax(axis=1)), 1)
        names = list(self.names)
        return {"rows": names, "columns": names, "counts": table.tolist(), "of": "images"}

    def accuracy(self) -> WeightedStatistic:
        """Return the part of the items, or of all answers to classes that do not exclude each other, that are right."""
        known = np.isfinite(self.truth)
        right, asked = ((self.truth == self.said) & known).sum(axis=1), known.sum(axis=1)
        if self.exclusive:
            right = self.truth.argmax(axis=1) == self.said.argmax(axis=1)
            asked = np.ones(len(self.truth), dtype=np.int64)

        def part(weights: npt.NDArray[np.int64]) -> float | None:
            every = int(weights @ asked)
            return float(weights @ right) / every if every else None

        return part

    def auc(self) -> WeightedStatistic:
        """Return the area of the last of two classes that exclude each other; of others the mean of all areas."""
        count = len(self.names)
        columns = [count - 1] if self.exclusive and count == 2 else range(count)
        areas = []
        for n in columns:
            held = np.flatnonzero(np.isfinite(self.truth[:, n]))
            areas.append((held, RocAreas(self.scores[held, n], self.truth[held, n] > 0)))

        def mean(weights: npt.NDArray[np.int64]) -> float | None:
            return mean_of([area.area(weights[held]) for held, area in areas])

        return mean

    def calibration_document(self) -> Document:
        """Return how far probabilities are off, ready for JSON.

        Two classes that exclude each other have one probability; of more, that of the class an item is put into counts.
        """
        found = self._calibration()
        bins = [{"low": b.low, "high": b.high, "items": b.items, "said": b.said, "true": b.true} for b in found.bins]
        return {"ece": found.ece, "largest_error": found.largest_error, "brier": found.brier, "bins": bins}

    def _calibration(self) -> Calibration:
        scores = np.clip(self.scores, 0.0, 1.0)
        if not self.exclusive:
            known = np.isfinite(self.truth)
            return calibration(scores[known], self.truth[known])
        if len(self.names) == 2:
            return calibration(scores[:, 1], self.truth[:, 1])
        which = self.said.argmax(axis=1)[:, None]
        chosen, right = (np.take_along_axis(table, which, axis=1)[:, 0] for table in (scores, self.truth))
        return calibration(chosen, right)


def mean_of(numbers: Sequence[float | None]) -> float | None:
    """Return the mean of those that are numbers; None without any."""
    held = [number for number in numbers if number is not None]
    return float(np.mean(held)) if held else None


def _cells(truth: npt.NDArray[np.bool_], said: npt.NDArray[np.bool_]) -> FloatArray:
    """Return hits, false alarms, misses and right rejections of every item, shape (items, 4)."""
    return np.column_stack((truth & said, ~truth & said, truth & ~said, ~truth & ~said)).astype(np.float64)


class _Ratio:
    """Sum of one column, times a factor, over the sum of others."""

    def __init__(self, above: int, *below: int, times: float = 1.0) -> None:
        self._above, self._below, self._times = above, list(below), times

    def __call__(self, sums: FloatArray) -> FloatArray:
        above, below = self._times * sums[:, self._above], sums[:, self._below].sum(axis=1)
        return np.asarray(np.divide(above, below, out=np.full(len(sums), np.nan), where=below > 0))


_OF_CELLS = {
    "precision": _Ratio(0, 0, 1),
    "recall": _Ratio(0, 0, 2),
    "f1": _Ratio(0, 0, 0, 1, 2, times=2.0),
    "specificity": _Ratio(3, 3, 1),
}
