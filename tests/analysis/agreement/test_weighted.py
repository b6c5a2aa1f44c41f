"""Curves that are sorted once for all draws come to what working them out anew comes to."""

from __future__ import annotations

import numpy as np
import pytest

from medview.analysis.agreement.bootstrap import weighted_interval
from medview.analysis.agreement.detections import AveragePrecisions, ImageHits, average_precision
from medview.analysis.agreement.score_curves import RocAreas, roc_curve
from tests.analysis.agreement.drawn_anew import interval_of


def test_a_figure_of_weights_has_the_interval_of_one_worked_out_anew_for_every_draw() -> None:
    rng = np.random.default_rng(6)
    patients = [f"p{n}" for n in rng.integers(0, 12, 60)]
    truth = rng.random(60) < 0.4
    scores = np.round(rng.random(60) + 0.4 * truth, 1)
    areas = RocAreas(scores, truth)

    def anew(which: np.ndarray) -> float | None:
        curve = roc_curve(scores[which], truth[which])
        return None if curve is None else curve.area

    slow, fast = interval_of(anew, patients, resamples=300), weighted_interval(areas.area, patients, resamples=300)
    for name in ("value", "low", "high", "items", "patients", "undefined"):
        assert getattr(fast, name) == pytest.approx(getattr(slow, name), abs=1e-12)


def test_average_precision_of_weights_is_that_of_images_that_come_so_often() -> None:
    rng = np.random.default_rng(7)
    images = []
    for _ in range(9):
        found = int(rng.integers(0, 7))
        scores = np.sort(rng.random(found))[::-1]
        images.append(ImageHits(scores, rng.random(found) < 0.6, found + int(rng.integers(0, 3))))
    curve = AveragePrecisions(images)
    for _ in range(20):
        weights = rng.integers(0, 4, len(images))
        repeated = [image for image, times in zip(images, weights, strict=True) for _ in range(times)]
        assert curve.precision(weights) == pytest.approx(average_precision(repeated), abs=1e-12)
    assert curve.precision(np.zeros(9, dtype=np.int64)) is None
