"""Calibration makes probabilities worth what they say; thresholds and bands follow from validation."""

import tracemalloc

import numpy as np
import pytest

from medview.ml.training.classification.calibrate import (
    LARGEST_SCALE,
    abstention,
    calibration,
    probabilities_of,
    softened,
    threshold_of,
)
from medview.ml.training.classification.figures import log_loss


def _overconfident(classes: int, factor: float, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are ``factor`` times as large as those the truth was drawn from."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (4000, classes))
    true = probabilities_of(logits, 1.0, 0.0, exclusive=True)
    drawn = (true.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    return logits * factor, np.eye(classes)[drawn]


@pytest.mark.parametrize("classes", [2, 4])
def test_overconfident_logits_are_made_smaller_by_as_much_as_they_were_too_large(classes: int) -> None:
    logits, truth = _overconfident(classes, 4.0)
    scale, shift = calibration(logits, truth, exclusive=True)
    assert scale == pytest.approx(1 / 4, rel=0.1)
    assert shift == 0.0
    before = log_loss(probabilities_of(logits, 1.0, 0.0, exclusive=True), truth, exclusive=True)
    after = log_loss(probabilities_of(logits, scale, shift, exclusive=True), truth, exclusive=True)
    assert after < 0.8 * before


def test_a_single_class_is_shifted_too() -> None:
    rng = np.random.default_rng(5)
    odds = rng.normal(0, 2, (4000, 1))
    truth = (rng.random((4000, 1)) < 1 / (1 + np.exp(-odds))).astype(float)
    scale, shift = calibration((odds - 1.0) * 3.0, truth, exclusive=False)
    assert scale == pytest.approx(1 / 3, rel=0.1)
    assert shift == pytest.approx(1.0, abs=0.15)


def test_a_handful_of_examples_changes_nothing() -> None:
    assert calibration(np.array([[5.0, -5.0]] * 6), np.array([[0.0, 1.0]] * 6), exclusive=True) == (1.0, 0.0)


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_two_dozen_examples_that_are_all_right_do_not_make_a_model_certain(classes: int) -> None:
    rng = np.random.default_rng(7)
    true = np.arange(24) % max(2, classes)
    truth = np.eye(3)[true][:, :classes] if classes > 1 else true[:, None].astype(float)
    logits = 2.0 * truth + rng.uniform(0, 0.5, truth.shape) - (1.0 if classes == 1 else 0.0)
    scale, shift = calibration(logits, truth, exclusive=classes > 1)
    assert scale < LARGEST_SCALE / 4
    near = np.zeros((1, classes))
    near[0, -1] = 0.3
    assert probabilities_of(near, scale, shift, exclusive=classes > 1)[0, -1] < 0.9


def test_softened_answers_are_those_of_one_more_example_of_each_kind() -> None:
    truth = np.eye(3)[[0, 0, 0, 1, 2]]
    soft = softened(truth, exclusive=True)
    assert soft.sum(axis=1) == pytest.approx(1.0)
    assert soft[0] == pytest.approx([4 / 6, 1 / 6, 1 / 6])
    assert soft[4] == pytest.approx([1 / 4, 1 / 4, 2 / 4])
    some = softened(np.array([[1.0, np.nan], [0.0, 1.0]]), exclusive=False)
    assert np.array_equal(some, [[2 / 3, np.nan], [1 / 3, 2 / 3]], equal_nan=True)


def test_slices_of_few_examples_are_no_more_than_the_examples() -> None:
    rng = np.random.default_rng(9)
    truth = np.eye(2)[np.arange(8) % 2]
    slices = [10] * 8
    logits = np.repeat(truth, slices, axis=0) * 3.0 + rng.normal(0, 0.1, (80, 2))
    assert calibration(logits, truth, exclusive=True, slices=slices) == (1.0, 0.0)
    # Five findings of six examples are not thirty examples.
    assert calibration(rng.normal(0, 1, (6, 5)), np.ones((6, 5)), exclusive=False) == (1.0, 0.0)


def test_missing_answers_take_no_part() -> None:
    rng = np.random.default_rng(6)
    logits = rng.normal(0, 4, (400, 2))
    truth = (rng.random((400, 2)) < 1 / (1 + np.exp(-logits / 2))).astype(float)
    without = truth.copy()
    without[:200, 0] = np.nan
    few = calibration(logits, without, exclusive=False)
    garbage = logits.copy()
    garbage[:200, 0] = 1e3
    assert calibration(garbage, without, exclusive=False) == few


def test_the_line_is_drawn_between_what_is_told_apart() -> None:
    scores = np.concatenate([np.linspace(0.05, 0.3, 50), np.linspace(0.4, 0.9, 50)])
    holds = np.arange(100) >= 50
    assert 0.3 < threshold_of(scores, holds) < 0.4


@pytest.mark.parametrize("near", [0.0, 0.3, 0.9999])
def test_the_line_is_between_two_scores_however_close_they_are(near: float) -> None:
    scores = near + np.concatenate([np.linspace(1e-5, 2e-5, 8), np.linspace(3e-5, 5e-5, 8)])
    holds = np.arange(16) >= 8
    for line in (threshold_of(scores, holds), 1.0 - threshold_of(1.0 - scores, ~holds)):
        assert near + 2e-5 < line < near + 3e-5
        assert line == pytest.approx(round(line, 6), abs=1e-12)


def test_the_line_has_four_digits_where_more_tell_nothing_more() -> None:
    scores, holds = np.array([0.1, 0.2, 0.30001, 0.4]), np.array([False, False, True, True])
    assert threshold_of(scores, holds) == 0.25


def test_one_half_stays_where_another_line_is_hardly_better() -> None:
    rng = np.random.default_rng(3)
    holds = rng.random(200) < 0.5
    scores = np.clip(0.5 + np.where(holds, 0.15, -0.15) + rng.normal(0, 0.15, 200), 0, 1)
    assert threshold_of(scores, holds) == pytest.approx(0.5, abs=0.05)
    assert threshold_of(scores, np.ones(200, dtype=bool)) == 0.5


def test_the_line_is_found_without_a_table_of_answers_by_scores() -> None:
    rng = np.random.default_rng(8)
    holds = rng.random(20_000) < 0.3
    scores = np.clip(rng.normal(0.3 + 0.3 * holds, 0.2), 0, 1)
    tracemalloc.start()
    try:
        found = threshold_of(scores, holds)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    balanced = [
        (scores[holds] >= line).mean() + (scores[~holds] < line).mean() for line in (found, *np.linspace(0, 1, 201))
    ]
    assert balanced[0] >= max(balanced) - 0.01


def test_beside_the_band_of_not_sure_answers_are_as_right_as_was_asked() -> None:
    rng = np.random.default_rng(4)
    holds = rng.random(1000) < 0.5
    scores = np.clip(0.5 + np.where(holds, 0.2, -0.2) + rng.normal(0, 0.2, 1000), 0, 1)
    band = abstention(scores, holds, 0.5, 0.95)
    assert band is not None
    sure = (scores <= band[0]) | (scores >= band[1])
    assert ((scores >= 0.5) == holds)[sure].mean() >= 0.95
    assert 0.3 < sure.mean() < 1.0
    assert abstention(scores, holds, 0.5, 0.5) is None
