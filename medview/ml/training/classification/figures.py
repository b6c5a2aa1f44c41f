"""Quick figures of a classifier on validation examples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.scores import ScoreRule

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SURE = 1e-7


def area_under_roc(scores: Doubles, holds: Bools) -> float | None:
    """Return the chance that an item with the finding scores higher than one without, ties half; None without both."""
    yes, no = int(holds.sum()), int((~holds).sum())
    if not yes or not no:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    # Items of one score share the mean of their ranks.
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[places]
    return float((ranks[holds].sum() - yes * (yes + 1) / 2.0) / (yes * no))


def log_loss(probabilities: Doubles, truth: Doubles, *, exclusive: bool) -> float:
    """Return the mean cross-entropy of probabilities (n, classes) over what is known of ``truth``, NaN where nothing is."""
    p = np.clip(probabilities, SURE, 1.0 - SURE)
    if exclusive:
        return float(-(truth * np.log(p)).sum(axis=1).mean())
    known = ~np.isnan(truth)
    costs = -(truth * np.log(p) + (1.0 - truth) * np.log1p(-p))
    return float(costs[known].mean()) if known.any() else 0.0


def said(probabilities: Doubles, threshold: float, *, exclusive: bool) -> Bools:
    """Return which classes count as present, by the rule of ``medview.core.scores.ScoreRule``."""
    if not exclusive or probabilities.shape[1] == 1:
        return probabilities >= threshold
    classes = probabilities.shape[1]
    if ScoreRule(threshold=threshold, exclusive=True).draws_line(classes):
        others = probabilities[:, :-1].argmax(axis=1)
        winner = np.where(probabilities[:, -1] >= threshold, classes - 1, others)
    else:
        winner = probabilities.argmax(axis=1)
    return np.asarray(winner[:, None] == np.arange(classes))


def figures_of(probabilities: Doubles, truth: Doubles, threshold: float, *, exclusive: bool) -> dict[str, float]:
    """Return figures over the classes of which both kinds are there.

    Returns
    -------
    dict of str to float
        ``auc`` (mean over classes, each against the rest), ``accuracy``, ``balanced`` (mean of sensitivity and specificity,
        over classes), ``f1`` (mean over classes), ``log_loss``, and ``score``, the mean of ``auc`` and ``balanced``.
    """
    present = said(probabilities, threshold, exclusive=exclusive)
    areas: list[float] = []
    balanced: list[float] = []
    f1: list[float] = []
    for n in range(truth.shape[1]):
        known = ~np.isnan(truth[:, n])
        holds, answer, scores = truth[known, n] > 0.5, present[known, n], probabilities[known, n]
        area = area_under_roc(scores, holds)
        if area is None:
            continue
        areas.append(area)
        balanced.append((float(answer[holds].mean()) + float((~answer[~holds]).mean())) / 2.0)
        f1.append(2.0 * float((answer & holds).sum()) / float(answer.sum() + holds.sum()))
    known_all = ~np.isnan(truth)
    right = present == (truth > 0.5)
    accuracy = float(right.all(axis=1).mean()) if exclusive else float(right[known_all].mean()) if known_all.any() else 0.0
    figures = {
        "auc": _mean(areas, 0.5),
        "accuracy": accuracy,
        "balanced": _mean(balanced, accuracy),
        "f1": _mean(f1, 0.0),
        "log_loss": log_loss(probabilities, truth, exclusive=exclusive),
    }
    return {**figures, "score": (figures["auc"] + figures["balanced"]) / 2.0}


def _mean(numbers: list[float], none: float) -> float:
    return float(np.mean(numbers)) if numbers else none
