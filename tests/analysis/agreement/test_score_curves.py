"""Curves and calibration of scores, judged by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as judge
from sklearn.calibration import calibration_curve

from medview.analysis.agreement.calibration import calibration
from medview.analysis.agreement.score_curves import precision_recall_curve, roc_curve


@pytest.mark.parametrize("seed", range(4))
def test_curves_with_ties_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(90) < 0.3
    scores = np.round(np.clip(rng.normal(0.4 + 0.3 * truth, 0.2), 0, 1), 1)
    roc = roc_curve(scores, truth)
    assert roc is not None
    false_alarms, sensitivity, thresholds = judge.roc_curve(truth, scores, drop_intermediate=False)
    assert roc.false_alarms == pytest.approx(false_alarms)
    assert roc.sensitivity == pytest.approx(sensitivity)
    assert roc.thresholds[1:] == pytest.approx(thresholds[1:])
    assert roc.area == pytest.approx(judge.roc_auc_score(truth, scores))
    curve = precision_recall_curve(scores, truth)
    assert curve is not None
    precision, recall, at = judge.precision_recall_curve(truth, scores)
    held = np.isin(curve.thresholds, at)
    assert curve.precision[held] == pytest.approx(precision[:-1][::-1])
    assert curve.recall[held] == pytest.approx(recall[:-1][::-1])
    assert curve.average_precision == pytest.approx(judge.average_precision_score(truth, scores))


def test_curves_need_both_kinds_and_finite_scores() -> None:
    assert roc_curve([0.1, 0.9], [True, True]) is None
    assert roc_curve([], []) is None
    assert precision_recall_curve([0.1, 0.9], [False, False]) is None
    same = precision_recall_curve([0.1, 0.9], [True, True])
    assert same is not None
    assert same.average_precision == 1.0
    assert getattr(roc_curve([0.5] * 4, [True, False, False, True]), "area", None) == 0.5
    with pytest.raises(ValueError, match="finite score"):
        roc_curve([np.nan, 0.2], [True, False])


@pytest.mark.parametrize("seed", range(3))
def test_calibration_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said = rng.random(300)
    truth = rng.random(300) < said**2
    found = calibration(said, truth)
    true, mean = calibration_curve(truth, said, n_bins=10)
    assert [row.true for row in found.bins] == pytest.approx(true.tolist())
    assert [row.said for row in found.bins] == pytest.approx(mean.tolist())
    assert found.brier == pytest.approx(judge.brier_score_loss(truth, said))
    items = np.histogram(said, bins=np.linspace(0, 1, 11))[0]
    assert found.ece == pytest.approx(float(np.average(np.abs(true - mean), weights=items)))
    assert found.largest_error == pytest.approx(np.abs(true - mean).max())


def test_edges_of_bins_and_empty_ones_by_hand() -> None:
    found = calibration([0.0, 0.1, 0.1, 1.0], [False, True, False, True], bins=10)
    assert [row.items for row in found.bins] == [3, *[0] * 8, 1]
    assert found.bins[1].said is None
    assert found.ece == pytest.approx((3 * abs(0.2 / 3 - 1 / 3)) / 4)
    assert (calibration([], []).ece, calibration([], []).brier) == (None, None)
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibration([1.2], [True])
