"""How unsure a model is of boxes and answers: by how near their scores are to where it would say something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from medview.core.annotations import BoxAnnotation
from medview.core.geometry import Geometry
from medview.core.scores import SliceScores
from medview.ml.next_cases.case_scores import CaseScores, FloatArray

MOST_BOXES = 10
"""Of a class, those nearest to the threshold speak; a model may find hundreds in noise."""

ONE_BOX = 0.5
"""How unsure of a case one box at the threshold makes."""


def scores_of_boxes(
    boxes: Iterable[BoxAnnotation],
    classes: Sequence[str],
    threshold: float,
    geometry: Geometry,
    features: FloatArray,
) -> CaseScores:
    """Return the scores of boxes on a case.

    Parameters
    ----------
    boxes : iterable of BoxAnnotation
        With scores, those well below the threshold too.
    threshold : float
        The score from which a box counts.
    """
    slices = geometry.shape_kji[0]
    unsure_slices, foreground_slices = np.zeros((len(classes), slices)), np.zeros((len(classes), slices))
    doubts: list[list[float]] = [[] for _ in classes]
    found, errors = np.zeros(len(classes)), np.zeros(len(classes))
    number = {name: n for n, name in enumerate(classes)}
    for box in boxes:
        n = number.get(box.label)
        if n is None or box.score is None:
            continue
        near = nearness(box.score, threshold)
        low, high = box.bounds_kji(geometry)
        first = min(max(0, int(np.floor(low[0] + 1e-6))), slices - 1)
        last = min(max(first + 1, int(np.ceil(high[0] - 1e-6))), slices)
        doubts[n].append(near)
        unsure_slices[n, first:last] += near
        errors[n] += near / 2.0
        if box.score >= threshold:
            found[n] += 1.0
            foreground_slices[n, first:last] += 1.0
    unsure = [1.0 - np.prod([1.0 - ONE_BOX * one for one in sorted(of, reverse=True)[:MOST_BOXES]]) for of in doubts]
    return CaseScores(
        tuple(classes),
        "boxes",
        _floats(unsure),
        _floats(found),
        _floats(errors),
        _floats(unsure_slices),
        _floats(foreground_slices),
        _floats(np.concatenate([features, np.log1p(found)])),
    )


def nearness(score: float, threshold: float) -> float:
    """Return how near a score is to a threshold: 1 there, 0 at the ends of what scores may be."""
    room = 1.0 - threshold if score >= threshold else threshold
    return max(0.0, 1.0 - abs(score - threshold) / room) ** 2 if room > 0 else 0.0


def scores_of_answers(
    scores: Mapping[str, float], of_slices: SliceScores | None, slices: int, features: FloatArray
) -> CaseScores:
    """Return the scores of answers about a case.

    Parameters
    ----------
    scores : mapping of str to float
        Probability of each class.
    of_slices : SliceScores or None
        Those of slices; of no use where they lie along another axis than the case's own.
    slices : int
        Of the case.
    """
    classes = tuple(scores)
    shares = np.asarray([scores[name] for name in classes], dtype=np.float64)
    by_slice = np.zeros((len(classes), slices))
    if of_slices is not None and of_slices.axis == 0:
        by_slice = np.stack([np.asarray(of_slices.by_class[name], dtype=np.float64) for name in classes])
    return CaseScores(
        classes,
        "answers",
        _floats(entropy_bits(shares)),
        _floats(shares),
        _floats(np.minimum(shares, 1.0 - shares)),
        _floats(entropy_bits(by_slice)),
        _floats(by_slice),
        _floats(np.concatenate([features, shares])),
    )


def entropy_bits(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the entropy of yes and no for probabilities, 0 to 1 bit."""
    p = np.clip(shares, 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = -(p * np.log2(p) + (1.0 - p) * np.log2(1.0 - p))
    return np.asarray(np.nan_to_num(bits))


def _floats(numbers: npt.ArrayLike) -> FloatArray:
    return np.ascontiguousarray(np.nan_to_num(np.asarray(numbers, dtype=np.float64)), dtype=np.float32)
