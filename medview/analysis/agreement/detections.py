"""Boxes with scores beside the true ones: which are hits, and average precision as COCO counts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True, eq=False)
class ImageBoxes:
    """One class in one image: the true boxes and those that were found."""

    truth: Boxes
    found: Boxes


@dataclass(frozen=True, slots=True, eq=False)
class ImageHits:
    """What the found boxes of one image are worth.

    Attributes
    ----------
    scores : ndarray of float64, shape (n,)
        The best first.
    hits : ndarray of bool, shape (n,)
        Which found a true box that no better one had found; a second box on one thing is no hit.
    truths : int
        How many there were to find.
    """

    scores: FloatArray
    hits: BoolArray
    truths: int


@dataclass(frozen=True, slots=True)
class ClassDetections:
    """Figures of one class over all images.

    Attributes
    ----------
    truths : int
        True boxes in all images. Without any there are neither average precisions nor a recall.
    average_precisions : tuple of float or None
        By the IoU thresholds of the figures.
    ap50 : float or None
        Average precision at an IoU of 0.5.
    recall, precision : float or None
        Of the boxes with at least the asked score, at an IoU of 0.5; no precision without such boxes.
    """

    name: str
    truths: int
    average_precisions: tuple[float | None, ...]
    ap50: float | None
    recall: float | None
    precision: float | None


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """Figures of all classes.

    Attributes
    ----------
    ious : tuple of float
        Thresholds of ``mean_ap``.
    mean_ap : float or None
        Mean of the average precisions over thresholds and classes that have true boxes (COCO mAP).
    map50 : float or None
        The same at an IoU of 0.5.
    """

    ious: tuple[float, ...]
    classes: tuple[ClassDetections, ...]
    mean_ap: float | None
    map50: float | None


def image_hits(image: ImageBoxes, iou: float, most: int = MOST_BOXES) -> ImageHits:
    """Give each found box, the best score first, the free true box it shares most with, from an IoU of ``iou`` on."""
    order = np.argsort(-image.found.scores, kind="stable")[:most]
    found = image.found[order]
    overlaps = box_iou(found, image.truth)
    hits = np.zeros(len(found), dtype=bool)
    free = np.ones(len(image.truth), dtype=bool)
    least = min(iou, 1.0 - 1e-10)
    for n, row in enumerate(overlaps):
        allowed = np.flatnonzero(free & (row >= least))
        if allowed.size:
            # Of equals the last: as COCO's own program has it.
            best = allowed[row[allowed] == row[allowed].max()][-1]
            hits[n], free[best] = True, False
    return ImageHits(found.scores, hits, len(image.truth))


def average_precision(images: Sequence[ImageHits]) -> float | None:
    """Return the mean of the precision at the recalls 0, 0.01 ... 1, each the best from there on; None without true boxes.

    This is COCO's average of 101 points (Lin et al. 2014).
    """
    truths = sum(image.truths for image in images)
    if not truths:
        return None
    scores = np.concatenate([image.scores for image in images])
    hits = np.concatenate([image.hits for image in images])[np.argsort(-scores, kind="stable")]
    if not hits.size:
        return 0.0
    right = np.cumsum(hits)
    precision = right / np.arange(1, hits.size + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / truths, _RECALLS, side="left")
    reached = at < hits.size
    return float(best_from_here[at[reached]].sum() / _RECALLS.size)


def at_score(images: Sequence[ImageHits], score: float) -> tuple[float | None, float | None]:
    """Return recall and precision of the boxes with at least a score; None where there is nothing to divide by."""
    truths = sum(image.truths for image in images)
    kept = sum(int(np.count_nonzero(image.scores >= score)) for image in images)
    right = sum(int(np.count_nonzero(image.hits[image.scores >= score])) for image in images)
    return (right / truths if truths else None), (right / kept if kept else None)


def detection_figures(
    classes: Mapping[str, Sequence[ImageBoxes]],
    score: float,
    ious: Sequence[float] = COCO_IOUS,
    most: int = MOST_BOXES,
) -> DetectionFigures:
    """Return the figures of all classes.

    Parameters
    ----------
    classes : mapping
        By name, of every image the true and the found boxes of that class; an image with neither counts as well.
    score : float
        From which on a box counts for recall and precision.
    """
    rows: list[ClassDetections] = []
    for name, images in classes.items():
        by_iou = tuple(average_precision([image_hits(image, iou, most) for image in images]) for iou in ious)
        halves = [image_hits(image, 0.5, most) for image in images]
        truths = sum(image.truths for image in halves)
        rows.append(ClassDetections(name, truths, by_iou, average_precision(halves), *at_score(halves, score)))
    every = [ap for row in rows for ap in row.average_precisions]
    return DetectionFigures(tuple(ious), tuple(rows), _mean(every), _mean([row.ap50 for row in rows]))


def _mean(numbers: Sequence[float | None]) -> float | None:
    counted = [number for number in numbers if number is not None]
    return float(np.mean(counted)) if counted else None
