"""Probabilities that are worth what they say, and where to draw the line, from validation examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medview.ml.training.classification.figures import log_loss

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEAST_EXAMPLES = 20
"""With fewer the logits are taken as they are."""

SMALLEST_SCALE, LARGEST_SCALE = 0.05, 20.0
LARGEST_SHIFT = 20.0

_DIGITS, _MOST_DIGITS = 4, 17
"""Of a threshold: as a rule, and where scores are so small or so close that it takes them."""


def probabilities_of(logits: Doubles, scale: float, shift: float, *, exclusive: bool) -> Doubles:
    """Return probabilities of logits (n, classes), as ``medview.ml.runners.classifier.probabilities`` does."""
    calibrated = logits * scale + shift
    if exclusive:
        powers = np.exp(calibrated - calibrated.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(calibrated, -500.0, 500.0))))


def calibration(
    logits: Doubles, truth: Doubles, *, exclusive: bool, slices: Sequence[int] | None = None
) -> tuple[float, float]:
    """Return scale and shift of the logits that make the log loss least (Guo 2017; the shift only for a single class).

    They are fitted to softened targets (Platt 1999), so that few examples do not make it overconfident.

    Parameters
    ----------
    logits : ndarray, shape (slices of all examples, classes)
    truth : ndarray, shape (examples, classes)
        0 or 1, NaN where nobody said.
    slices : sequence of int, optional
        Of each example; one of each unless given. What they say together is no more than one example says.
    """
    from scipy.optimize import minimize

    if (~np.isnan(truth)).any(axis=1).sum() < LEAST_EXAMPLES:
        return 1.0, 0.0
    shifted = not exclusive and truth.shape[1] == 1
    target = softened(truth, exclusive=exclusive)
    if slices is not None:
        target = np.repeat(target, slices, axis=0)

    def cost(x: Doubles) -> float:
        scale, shift = float(np.exp(x[0])), float(x[1]) if shifted else 0.0
        return log_loss(probabilities_of(logits, scale, shift, exclusive=exclusive), target, exclusive=exclusive)

    start = np.zeros(2 if shifted else 1)
    found = minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-7}).x
    scale = float(np.clip(np.exp(found[0]), SMALLEST_SCALE, LARGEST_SCALE))
    shift = float(np.clip(found[1], -LARGEST_SHIFT, LARGEST_SHIFT)) if shifted else 0.0
    return round(scale, 5), round(shift, 5)


def softened(truth: Doubles, *, exclusive: bool) -> Doubles:
    """Return what examples (n, classes) say is true, as if one of each kind had been wrong; NaN where nobody said."""
    yes, no = np.nansum(truth, axis=0), np.nansum(1.0 - truth, axis=0)
    if exclusive:
        # Of n examples of one class one more is taken to be of each.
        others = 1.0 / (truth @ yes + truth.shape[1])
        return np.asarray(truth * (truth @ yes * others)[:, None] + others[:, None])
    target = np.where(truth > 0.5, (yes + 1.0) / (yes + 2.0), 1.0 / (no + 2.0))
    return np.where(np.isnan(truth), np.nan, target)


def threshold_of(scores: Doubles, holds: Bools) -> float:
    """Return the score from which a class counts as present: the mean of sensitivity and specificity is largest there.

    Of thresholds that are as good within a quarter of the figure's standard error the one nearest to one half: what a few
    examples say is not worth more.
    """
    yes, no = int(holds.sum()), int((~holds).sum())
    if not yes or not no:
        return 0.5
    levels = np.unique(scores)
    # Between two scores that occur, so that rounding changes nothing.
    tried = np.unique(np.clip([0.5, *((levels[1:] + levels[:-1]) / 2.0)], 0.0, 1.0))
    hits = 1.0 - np.searchsorted(np.sort(scores[holds]), tried) / yes
    spared = np.searchsorted(np.sort(scores[~holds]), tried) / no
    balanced = (hits + spared) / 2.0
    best = int(balanced.argmax())
    error = 0.5 * np.sqrt(hits[best] * (1 - hits[best]) / yes + spared[best] * (1 - spared[best]) / no)
    good = tried[balanced >= balanced[best] - error / 4.0 - 1e-12]
    return _written(float(good[np.abs(good - 0.5).argmin()]), levels)


def _written(line: float, levels: Doubles) -> float:
    """Return a line with as few digits as leave it between the same two of the scores; four where they do."""
    below = np.searchsorted(levels, line)
    for digits in range(_DIGITS, _MOST_DIGITS):
        written = round(line, digits)
        sides = (np.searchsorted(levels, written, "left"), np.searchsorted(levels, written, "right"))
        if 0.0 < written < 1.0 and sides == (below, below):
            return written
    return line


def abstention(scores: Doubles, holds: Bools, threshold: float, least: float) -> tuple[float, float] | None:
    """Return the narrowest band around the threshold beside which at least ``least`` of the answers are right.

    None where they are right without one, and where no band helps.
    """
    right = (scores >= threshold) == holds
    if not right.size or right.mean() >= least:
        return None
    distance = np.where(scores >= threshold, (scores - threshold) / (1.0 - threshold), (threshold - scores) / threshold)
    for width in np.unique(distance)[:-1]:
        outside = distance > width
        if right[outside].mean() >= least:
            part = float(width) + 1e-4
            return round(threshold * (1.0 - part), 4), round(threshold + (1.0 - threshold) * part, 4)
    return None
