"""Boxes with scores beside the true ones: which are hits, and average precision as COCO counts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.boxes import Boxes, box_iou

COCO_IOUS = tuple(round(0.5 + 0.05 * n, 2) for n in range(10))
"""The thresholds over which COCO's mAP is a mean."""

MOST_BOXES = 100
"""Of one class in one image, the best by score; COCO looks at no more."""

_RECALLS = np.linspace(0.0, 1.0, 101)

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ImageBoxes:
    """One class in one image: the true boxes and those that were found.

    Attributes
    ----------
    difficult : ndarray of bool, shape (true boxes,), or None
        True boxes that need not be found: neither missing nor finding them counts. None where there are none.
    """

    truth: Boxes
    found: Boxes
    difficult: BoolArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ImageHits:
    """What the found boxes of one image are worth.

    Attributes
    ----------
    scores : ndarray of float64, shape (n,)
        The best first; boxes that found only what is difficult are left out.
    hits : ndarray of bool, shape (n,)
        Which found a true box that no better one had found; a second box on one thing is no hit.
    truths : int
        How many there were to find.
    """

    scores: FloatArray
    hits: BoolArray
    truths: int


def image_hits(image: ImageBoxes, iou: float) -> ImageHits:
    """Give each found box, the best score first, the free true box it shares most with, from an IoU of ``iou`` on.

    A box that gets none, and shares as much with a difficult one, is left out, however many others do so (as in the Pascal
    VOC challenge, Everingham et al. 2010).
    """
    order = np.argsort(-image.found.scores, kind="stable")[:MOST_BOXES]
    found = image.found[order]
    overlaps = box_iou(found, image.truth)
    hits = np.zeros(len(found), dtype=bool)
    difficult = np.zeros(len(image.truth), dtype=bool) if image.difficult is None else image.difficult
    free, counted = ~difficult, np.ones(len(found), dtype=bool)
    least = min(iou, 1.0 - 1e-10)
    for n, row in enumerate(overlaps):
        allowed = np.flatnonzero(free & (row >= least))
        if allowed.size:
            # Of equals the last: as COCO's own program has it.
            best = allowed[row[allowed] == row[allowed].max()][-1]
            hits[n], free[best] = True, False
        elif (row[difficult] >= least).any():
            counted[n] = False
    return ImageHits(found.scores[counted], hits[counted], int(np.count_nonzero(~difficult)))


def average_precision(images: Sequence[ImageHits]) -> float | None:
    """Return the mean of the precision at the recalls 0, 0.01 ... 1, each the best from there on; None without true boxes.

    This is COCO's average of 101 points (Lin et al. 2014).
    """
    return AveragePrecisions(images).precision(np.ones(len(images), dtype=np.int64))


class AveragePrecisions:
    """Average precisions of the same images, each counted any number of times. Sorts once."""

    def __init__(self, images: Sequence[ImageHits]) -> None:
        self._truths = np.array([image.truths for image in images], dtype=np.int64)
        scores = np.concatenate([image.scores for image in images]) if images else np.zeros(0)
        order = np.argsort(-scores, kind="stable")
        hits = [image.hits for image in images]
        self._hits = (np.concatenate(hits) if images else np.zeros(0, dtype=bool))[order]
        self._image = np.repeat(np.arange(len(images)), [len(image.scores) for image in images])[order]

    def precision(self, weights: IntArray) -> float | None:
        """Return the figure where image n counts ``weights[n]`` times; None without true boxes."""
        truths = int((self._truths * weights).sum())
        if not truths:
            return None
        times = weights[self._image]
        right, every = np.cumsum(self._hits * times), np.cumsum(times)
        drawn = every > 0
        right, every = right[drawn], every[drawn]
        best_from_here = np.maximum.accumulate((right / every)[::-1])[::-1]
        at = np.searchsorted(right / truths, _RECALLS, side="left")
        return float(best_from_here[at[at < right.size]].sum() / _RECALLS.size)


def recall_precision(images: Sequence[ImageHits]) -> tuple[FloatArray, FloatArray]:
    """Return recall and precision of the boxes of at least every score that occurs, the highest first; nothing is smoothed.

    Empty without true boxes.
    """
    truths = sum(image.truths for image in images)
    if not truths:
        return np.zeros(0), np.zeros(0)
    scores = np.concatenate([image.scores for image in images])
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(np.concatenate([image.hits for image in images])[order])
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)) if scores.size else np.zeros(0, dtype=np.int64)
    return right[last] / truths, right[last] / (last + 1)


def mixed_up(classes: Sequence[ImageBoxes | None], score: float, iou: float = 0.5) -> IntArray:
    """Return how often boxes of one class in an image were found as another, shape (classes + 1, classes + 1).

    Rows are the true classes, the last is nothing; columns are the found ones, the last is missed. Boxes with at least a
    score, the best first, take the free true box of any class they share most with. A class that is None is not counted,
    nor are difficult boxes and what finds them.
    """
    table = np.zeros((len(classes) + 1, len(classes) + 1), dtype=np.int64)
    there = [(n, image) for n, image in enumerate(classes) if image is not None]
    if not there:
        return table
    true_class = np.repeat([n for n, _ in there], [len(image.truth) for _, image in there])
    said_class = np.repeat([n for n, _ in there], [len(image.found) for _, image in there])
    truth = _together([image.truth for _, image in there])
    found = _together([image.found for _, image in there])
    hard = [np.zeros(len(i.truth), dtype=bool) if i.difficult is None else i.difficult for _, i in there]
    difficult = np.concatenate(hard)
    order = np.argsort(-found.scores, kind="stable")
    order = order[found.scores[order] >= score]
    overlaps = box_iou(found[order], truth)
    free = ~difficult
    for row, said in zip(overlaps, said_class[order], strict=True):
        allowed = np.flatnonzero(free & (row >= iou))
        if allowed.size:
            best = allowed[row[allowed].argmax()]
            table[true_class[best], said] += 1
            free[best] = False
        elif not (row[difficult] >= iou).any():
            table[-1, said] += 1
    np.add.at(table, (true_class[free], -1), 1)
    return table


def _together(parts: Sequence[Boxes]) -> Boxes:
    return Boxes(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("low", "high", "scores")))
