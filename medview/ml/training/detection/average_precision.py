"""Average precision of boxes at an overlap of one half, for choosing weights and thresholds while training.

The same 101 points as ``medview.analysis.agreement.detections``, which reports are made with; this room may not import it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.ml.runners.candidates import Candidates, FloatArray, IntArray

IOU = 0.5
MOST_BOXES = 100
_RECALLS = np.linspace(0.0, 1.0, 101)

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class TrueBoxes:
    """The boxes of one example on the model's grid.

    Attributes
    ----------
    low_kji, high_kji : ndarray of float64, shape (n, 3)
    classes : ndarray of int64, shape (n,)
        From 0.
    ignored : ndarray of bool, shape (n,)
        Finding them is neither right nor wrong.
    """

    low_kji: FloatArray
    high_kji: FloatArray
    classes: IntArray
    ignored: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """What found boxes of one class are worth, over all examples.

    Attributes
    ----------
    scores : ndarray of float64, shape (n,)
        The best first, those left out that lie on something ignored.
    right : ndarray of bool, shape (n,)
    truths : int
    """

    scores: FloatArray
    right: BoolArray
    truths: int

    def average_precision(self) -> float | None:
        """Return the mean over 101 recalls of the best precision from there on; None where there was nothing to find."""
        if not self.truths:
            return None
        if not self.right.size:
            return 0.0
        found = np.cumsum(self.right)
        precision = found / np.arange(1, found.size + 1)
        from_here = np.maximum.accumulate(precision[::-1])[::-1]
        at = np.searchsorted(found / self.truths, _RECALLS, side="left")
        return float(from_here[at[at < found.size]].sum() / _RECALLS.size)

    def f1_at(self, thresholds: FloatArray) -> FloatArray:
        """Return F1 of the boxes with at least each score."""
        kept = (self.scores[:, None] >= thresholds).sum(axis=0)
        right = (self.scores[self.right][:, None] >= thresholds).sum(axis=0)
        return np.asarray(2.0 * right / np.maximum(kept + self.truths, 1))


def hits_of(found: Sequence[Candidates], truth: Sequence[TrueBoxes], number: int) -> Hits:
    """Compare the boxes of a class: each found one, the best first, takes the free true one it shares most with."""
    scores, right, truths = [], [], 0
    for boxes, true in zip(found, truth, strict=True):
        mine, wanted = boxes[np.flatnonzero(boxes.classes == number)], np.flatnonzero(true.classes == number)
        mine = mine[np.argsort(-mine.scores, kind="stable")[:MOST_BOXES]]
        ignored = true.ignored[wanted]
        truths += int((~ignored).sum())
        overlap = _iou(mine, true.low_kji[wanted], true.high_kji[wanted])
        free = ~ignored
        for score, row in zip(mine.scores, overlap, strict=True):
            allowed = np.flatnonzero(free & (row >= IOU))
            if allowed.size:
                free[allowed[row[allowed] == row[allowed].max()][-1]] = False
            elif (row[ignored] >= IOU).any():
                continue
            scores.append(score)
            right.append(bool(allowed.size))
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    return Hits(np.asarray(scores, dtype=np.float64)[order], np.asarray(right, dtype=bool)[order], truths)


def mean_average_precision(hits: Sequence[Hits]) -> float:
    """Return the mean over classes there was something to find of; 0 where there was nothing at all."""
    counted = [ap for one in hits if (ap := one.average_precision()) is not None]
    return float(np.mean(counted)) if counted else 0.0


def _iou(found: Candidates, low: FloatArray, high: FloatArray) -> FloatArray:
    common = np.minimum(found.high_kji[:, None], high) - np.maximum(found.low_kji[:, None], low)
    shared = np.clip(common, 0.0, None).prod(axis=2)
    sizes = (found.high_kji - found.low_kji).prod(axis=1)[:, None] + (high - low).prod(axis=1)
    return np.asarray(shared / np.maximum(sizes - shared, 1e-12))
