"""Sensitivity against false positives per image (free-response ROC)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medview.analysis.agreement.detections import ImageHits

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives per image at which sensitivities are told (LUNA16, Setio et al. 2017)."""


@dataclass(frozen=True, slots=True)
class FrocPoint:
    """What a model does when boxes with at least ``score`` count."""

    false_positives_per_image: float
    sensitivity: float
    score: float


@dataclass(frozen=True, slots=True)
class Froc:
    """The whole curve.

    Attributes
    ----------
    points : tuple of FrocPoint
        One per score that occurs, the highest first.
    at : tuple of (float, float)
        A rate of false positives per image, and the best sensitivity with no more than that.
    mean_sensitivity : float
        Mean over the rates of ``at``.
    """

    points: tuple[FrocPoint, ...]
    at: tuple[tuple[float, float], ...]
    mean_sensitivity: float


def froc(images: Sequence[ImageHits], rates: Sequence[float] = RATES) -> Froc | None:
    """Return the curve over all images; None without true boxes.

    Between two points nothing is interpolated: a sensitivity is told only where some score reaches it. Images without
    true boxes count for the false positives.
    """
    truths = sum(image.truths for image in images)
    if not truths:
        return None
    scores = np.concatenate([image.scores for image in images])
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    hits = np.concatenate([image.hits for image in images])[order]
    # Boxes with one score come together: no threshold takes one of them alone.
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True)) if scores.size else np.zeros(0, dtype=np.int64)
    sensitivity = np.cumsum(hits)[last] / truths
    wrong = np.cumsum(~hits)[last] / len(images)
    points = tuple(FrocPoint(*(float(n) for n in point)) for point in zip(wrong, sensitivity, scores[last], strict=True))
    at = tuple((float(rate), float(sensitivity[wrong <= rate].max(initial=0.0))) for rate in rates)
    return Froc(points, at, float(np.mean([found for _, found in at])) if at else 0.0)
