"""Boxes of one label in one image, how far they overlap, and which are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.pairing import best_pairs
from medview.core.box_annotation import BoxAnnotation
from medview.core.geometry import Geometry

OVERLAP = 0.1
"""Boxes of two readers are of the same thing where their IoU is above this, unless another part is asked for."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Half-open boxes along the axes of one grid, in voxels of it or in millimetres: of 2 or 3 numbers per corner.

    Attributes
    ----------
    low, high : ndarray of float64, shape (n, 2) or (n, 3)
        Corners; ``high`` is not inside. A box that is not above ``low`` along an axis holds nothing and overlaps nothing.
    scores : ndarray of float64, shape (n,)
        What a model gave; 1 for boxes drawn by hand.
    """

    low: FloatArray
    high: FloatArray
    scores: FloatArray

    @classmethod
    def of(cls, low: npt.ArrayLike, high: npt.ArrayLike, scores: npt.ArrayLike | None = None) -> Boxes:
        """Return boxes of lists of corners. Raises ValueError when they do not fit together."""
        lows, highs = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        given = np.ones(len(lows)) if scores is None else np.asarray(scores, dtype=np.float64)
        if lows.shape != highs.shape or lows.ndim != 2 or given.shape != lows.shape[:1]:
            raise ValueError(f"corners of shapes {lows.shape} and {highs.shape} and {given.shape} scores are no boxes")
        return cls(lows, highs, given)

    @classmethod
    def on_grid(cls, annotations: Iterable[BoxAnnotation], geometry: Geometry) -> Boxes:
        """Return annotations as boxes of 3 numbers in voxels of a grid; of one at an angle to it the box around it."""
        drawn = list(annotations)
        bounds = np.array([box.bounds_kji(geometry) for box in drawn]).reshape(len(drawn), 2, 3)
        scores = np.array([1.0 if box.score is None else box.score for box in drawn])
        return cls(bounds[:, 0], bounds[:, 1], scores)

    def __len__(self) -> int:
        """How many."""
        return len(self.low)

    def __getitem__(self, which: npt.NDArray[np.generic]) -> Boxes:
        """Return some of them, in the given order."""
        return Boxes(self.low[which], self.high[which], self.scores[which])

    @property
    def middles(self) -> FloatArray:
        """The voxel in the middle of each, of an even number of them the later one, shape (n, 2) or (n, 3)."""
        return np.asarray(np.floor((self.low + self.high) / 2.0))

    @property
    def sizes(self) -> FloatArray:
        """Area or volume of each."""
        return np.asarray(np.prod(np.clip(self.high - self.low, 0.0, None), axis=1))


def box_iou(first: Boxes, second: Boxes) -> FloatArray:
    """Return the common part of every pair over what either covers, 0 to 1, shape (first, second)."""
    low = np.maximum(first.low[:, np.newaxis], second.low[np.newaxis])
    high = np.minimum(first.high[:, np.newaxis], second.high[np.newaxis])
    common = np.prod(np.clip(high - low, 0.0, None), axis=2)
    union = first.sizes[:, np.newaxis] + second.sizes[np.newaxis] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))


@dataclass(frozen=True, slots=True, eq=False)
class BoxAgreement:
    """Boxes of two readers. Where one is the truth or the reference, it is the first.

    Attributes
    ----------
    overlap : float
        IoU above which two are of the same thing.
    pairs : ndarray of int64, shape (n, 2)
        Positions of those that both drew, one to one.
    ious : ndarray of float64, shape (n,)
        Of the pairs.
    first_count, second_count : int
        How many each drew that count.
    left_out : int
        Of both, those that do not count.
    """

    overlap: float
    pairs: IntArray
    ious: FloatArray
    first_count: int
    second_count: int
    left_out: int = 0

    @property
    def sensitivity(self) -> float | None:
        """Part of the first's boxes that the second drew too; None where the first has none."""
        return len(self.pairs) / self.first_count if self.first_count else None

    @property
    def precision(self) -> float | None:
        """Part of the second's boxes that the first drew too; None where the second has none."""
        return len(self.pairs) / self.second_count if self.second_count else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; 0 where one side has none, None where neither has any."""
        both = self.first_count + self.second_count
        return 2 * len(self.pairs) / both if both else None

    @property
    def mean_iou(self) -> float | None:
        """Mean over the pairs; None without any."""
        return float(self.ious.mean()) if len(self.ious) else None


def box_agreement(
    first: Boxes, second: Boxes, overlap: float = OVERLAP, known: tuple[BoolArray, BoolArray] | None = None
) -> BoxAgreement:
    """Pair the boxes of two readers one to one, so that the IoU of the pairs adds up to the most.

    Parameters
    ----------
    known : tuple of ndarray of bool, shapes (first,) and (second,), optional
        Which of them lie where both readers know what is there. Others count only where their pair does: an edge of what is
        known may run between the two.
    """
    iou = box_iou(first, second)
    rows, columns = np.nonzero(iou > overlap)
    chosen = best_pairs(rows, columns, iou[rows, columns])
    rows, columns = rows[chosen], columns[chosen]
    counts = np.ones(len(first), dtype=np.bool_), np.ones(len(second), dtype=np.bool_)
    if known is not None:
        kept = known[0][rows] | known[1][columns]
        rows, columns = rows[kept], columns[kept]
        counts = known[0].copy(), known[1].copy()
        counts[0][rows] = counts[1][columns] = True
    here = int(np.count_nonzero(counts[0])), int(np.count_nonzero(counts[1]))
    left_out = len(first) + len(second) - sum(here)
    return BoxAgreement(overlap, np.column_stack((rows, columns)), iou[rows, columns], *here, left_out)
