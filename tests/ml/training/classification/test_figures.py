"""Figures on validation are those of scikit-learn and of the report."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from medview.analysis.agreement.score_curves import roc_curve
from medview.core.scores import ScoreRule
from medview.ml.training.classification.figures import area_under_roc, figures_of, said
from medview.ml.training.classification.truths import class_weights, truth_of


def test_the_area_is_that_of_the_curve_with_ties() -> None:
    rng = np.random.default_rng(1)
    holds = rng.random(300) < 0.3
    scores = np.round(rng.normal(holds * 0.6, 1.0), 1)
    curve = roc_curve(scores, holds)
    assert curve is not None
    assert area_under_roc(scores, holds) == pytest.approx(curve.area)
    assert area_under_roc(scores, holds) == pytest.approx(roc_auc_score(holds, scores))
    assert area_under_roc(scores, np.zeros(300, dtype=bool)) is None


def test_figures_are_those_of_a_foreign_judge() -> None:
    rng = np.random.default_rng(2)
    classes = rng.integers(0, 3, 200)
    logits = rng.normal(0, 1, (200, 3)) + 1.2 * np.eye(3)[classes]
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    figures = figures_of(found, np.eye(3)[classes], 1.1, exclusive=True)
    # The last class is never reached at this threshold: the larger of the other two answers.
    answer = found[:, :2].argmax(axis=1)
    assert figures["accuracy"] == pytest.approx(accuracy_score(classes, answer))
    assert figures["f1"] == pytest.approx(f1_score(classes, answer, average="macro"))
    assert figures["auc"] == pytest.approx(roc_auc_score(classes, found, multi_class="ovr"))
    assert figures["log_loss"] == pytest.approx(log_loss(classes, found))


@pytest.mark.parametrize("threshold", [0.4, 0.5])
@pytest.mark.parametrize("exclusive", [True, False])
def test_what_counts_as_present_is_what_the_window_says(exclusive: bool, threshold: float) -> None:
    rng = np.random.default_rng(3)
    found = rng.dirichlet(np.ones(3), 50)
    rule = ScoreRule(threshold=threshold, exclusive=exclusive)
    for row, present in zip(found, said(found, threshold, exclusive=exclusive), strict=True):
        told = rule.says(dict(zip("abc", row.tolist(), strict=True)))
        assert [told[name] == "present" for name in "abc"] == present.tolist()


def test_the_last_of_three_classes_wins_as_the_others_do_where_nobody_set_a_threshold() -> None:
    found = np.array([[0.30, 0.25, 0.45], [0.4, 0.35, 0.25]])
    assert said(found, 0.5, exclusive=True).argmax(axis=1).tolist() == [2, 0]
    assert said(found, 0.2, exclusive=True).argmax(axis=1).tolist() == [2, 2]
    assert said(np.array([[0.5, 0.5], [0.55, 0.45]]), 0.5, exclusive=True).argmax(axis=1).tolist() == [1, 0]


def test_what_is_known_of_classes_that_exclude_each_other() -> None:
    names = ("a", "b", "c")
    assert truth_of({"b": 1.0}, names, exclusive=True).tolist() == [0, 1, 0]  # type: ignore[union-attr]
    assert truth_of({"a": 0.0, "b": 0.0}, names, exclusive=True).tolist() == [0, 0, 1]  # type: ignore[union-attr]
    assert truth_of({"a": 0.0}, names, exclusive=True) is None
    assert truth_of({"a": 1.0, "b": 1.0}, names, exclusive=True) is None
    assert truth_of({}, names, exclusive=False) is None
    some = truth_of({"a": 1.0, "c": 0.0}, names, exclusive=False)
    assert some is not None
    assert np.array_equal(some, [1.0, np.nan, 0.0], equal_nan=True)


def test_rare_classes_weigh_as_much_as_common_ones() -> None:
    truths = [np.array([1, 0], dtype=np.float32)] * 30 + [np.array([0, 1], dtype=np.float32)] * 10
    weights = class_weights(truths, exclusive=True)
    assert weights[0] * 30 == pytest.approx(weights[1] * 10, rel=1e-3)
    assert class_weights(truths, exclusive=False) == pytest.approx([10 / 30, 3.0], rel=1e-3)
