"""Answers of a classifier are judged as scikit-learn judges them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn import metrics

from medview.core.errors import ModelError
from medview.ml.examples import Truth
from medview.ml.outputs import ClassificationOutput
from medview.workspace.evaluation.answers import AnswerJudge
from medview.workspace.evaluation.judging import patient_of
from medview.workspace.evaluation.matching import JudgedClass
from tests.workspace.evaluation.made import answers, classes, example, picture_grid, volume

GRID = picture_grid()
IMAGE = volume(GRID)


def judged(
    names: Sequence[str],
    scores: np.ndarray,
    truth: np.ndarray,
    *,
    softmax: bool,
    threshold: float = 0.5,
    abstain: tuple[float, float] | None = None,
) -> AnswerJudge:
    output = ClassificationOutput(tuple(names), "softmax" if softmax else "sigmoid", threshold, abstain=abstain)
    judge = AnswerJudge(classes(*names), output)
    for n, (row, true) in enumerate(zip(scores, truth, strict=True)):
        said = {name: float(value) for name, value in zip(names, true, strict=True) if value == value}
        told = dict(zip(names, row.tolist(), strict=True))
        judge.add(example(f"c{n}", f"p{n // 3}", IMAGE, Truth()), IMAGE, Truth(answers=said), answers(GRID, told))
    return judge


def test_two_classes_that_exclude_each_other_are_split_by_the_packs_threshold() -> None:
    rng = np.random.default_rng(1)
    true = rng.integers(0, 2, 120)
    last = np.clip(0.5 * true + rng.normal(0.3, 0.25, 120), 0, 1)
    scores = np.stack((1 - last, last), axis=1)
    figures = judged(("normal", "pneumonia"), scores, np.eye(2)[true], softmax=True, threshold=0.62).figures()
    said = (last >= 0.62).astype(int)
    assert figures.more["accuracy"] == pytest.approx(metrics.accuracy_score(true, said))
    assert figures.more["auc"] == pytest.approx(metrics.roc_auc_score(true, last))
    assert figures.confusion["counts"] == metrics.confusion_matrix(true, said).tolist()
    for n, row in enumerate(figures.per_class):
        own, put = true == n, said == n
        assert row["precision"] == pytest.approx(metrics.precision_score(own, put))
        assert row["recall"] == pytest.approx(metrics.recall_score(own, put))
        assert row["f1"] == pytest.approx(metrics.f1_score(own, put))
        assert row["auc"] == pytest.approx(metrics.roc_auc_score(own, scores[:, n]))
        assert row["average_precision"] == pytest.approx(metrics.average_precision_score(own, scores[:, n]))
    assert figures.more["calibration"]["brier"] == pytest.approx(metrics.brier_score_loss(true, last))
    for name in ("accuracy", "auc"):
        low, high = figures.ci95[name]
        assert low < figures.more[name] < high


def test_of_several_classes_that_exclude_each_other_the_area_is_the_mean_of_one_against_the_rest() -> None:
    rng = np.random.default_rng(2)
    true = rng.integers(0, 4, 200)
    logits = rng.normal(0, 1, (200, 4)) + 2.0 * np.eye(4)[true]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    # No score of the last class reaches the threshold of 1, so the largest of the others wins: it is set out of the way.
    figures = judged(list("abcd"), scores, np.eye(4)[true], softmax=True, threshold=1.0).figures()
    assert figures.more["auc"] == pytest.approx(metrics.roc_auc_score(true, scores, multi_class="ovr"))
    said = scores[:, :3].argmax(axis=1)
    assert figures.more["accuracy"] == pytest.approx(metrics.accuracy_score(true, said))
    assert figures.confusion["counts"] == metrics.confusion_matrix(true, said, labels=range(4)).tolist()
    precision, recall, f1, truths = metrics.precision_recall_fscore_support(true, said, labels=range(4), zero_division=0)
    # The last is put into by nobody: it has no precision, and its F1 is 0.
    assert [row["precision"] for row in figures.per_class] == [*map(pytest.approx, precision[:3]), None]
    assert [row["recall"] for row in figures.per_class] == pytest.approx(recall.tolist())
    assert [row["f1"] for row in figures.per_class] == pytest.approx(f1.tolist())
    assert [row["truths"] for row in figures.per_class] == truths.tolist()
    assert figures.more["f1"] == pytest.approx(metrics.f1_score(true, said, average="macro"))


def test_a_class_nobody_has_or_gets_has_no_figures_and_is_in_no_mean() -> None:
    true, said = [0, 0, 1], [0, 1, 1]
    figures = judged(list("abcd"), 0.1 + 0.5 * np.eye(4)[said], np.eye(4)[true], softmax=True).figures()
    for row in figures.per_class[2:]:
        assert [row[key] for key in ("precision", "recall", "f1", "auc")] == [None] * 4
    assert [row["precision"] for row in figures.per_class[:2]] == [1.0, 0.5]
    assert figures.more["f1"] == pytest.approx(metrics.f1_score(true, said, average="macro"))
    assert figures.more["auc"] == pytest.approx(0.75)


def test_classes_that_do_not_exclude_each_other_are_judged_one_by_one_where_somebody_answered() -> None:
    rng = np.random.default_rng(3)
    true = rng.integers(0, 2, (150, 3)).astype(float)
    scores = np.clip(0.4 * true + rng.normal(0.3, 0.2, (150, 3)), 0, 1)
    true[:30, 1] = np.nan
    figures = judged(list("abc"), scores, true, softmax=False, threshold=0.45).figures()
    assert [row["items"] for row in figures.per_class] == [150, 120, 150]
    row = figures.per_class[1]
    held = slice(30, None)
    assert row["auc"] == pytest.approx(metrics.roc_auc_score(true[held, 1], scores[held, 1]))
    assert row["f1"] == pytest.approx(metrics.f1_score(true[held, 1], scores[held, 1] >= 0.45))
    known = np.isfinite(true)
    assert figures.more["accuracy"] == pytest.approx((true[known] == (scores[known] >= 0.45)).mean())
    assert figures.confusion["classes"][1]["counts"] == (
        metrics.confusion_matrix(true[held, 1], scores[held, 1] >= 0.45).tolist()
    )


def test_abstentions_are_counted_and_the_accuracy_of_the_others_is_told() -> None:
    last = np.array([0.1, 0.45, 0.55, 0.9])
    true = np.array([0, 1, 0, 1])
    scores = np.stack((1 - last, last), axis=1)
    more = judged(("no", "yes"), scores, np.eye(2)[true], softmax=True, abstain=(0.4, 0.6)).figures().more
    assert more["accuracy"] == 0.5
    assert more["abstention"] == {"between": [0.4, 0.6], "items": 2, "share": 0.5, "accuracy_of_the_others": 1.0}


def test_of_findings_that_do_not_exclude_each_other_the_answers_of_the_others_are_counted_as_accuracy_counts_them() -> None:
    scores = np.array([[0.9, 0.1], [0.9, 0.9], [0.1, 0.1], [0.5, 0.1]])
    true = np.array([[1, 0], [1, 0], [0, np.nan], [0, 0]])
    more = judged(("drusen", "edema"), scores, true, softmax=False, abstain=(0.4, 0.6)).figures().more
    # The last image is answered with "not sure"; of the first three one of five answers is wrong.
    assert more["accuracy"] == pytest.approx(5 / 7)
    assert more["abstention"]["items"] == 1
    assert more["abstention"]["accuracy_of_the_others"] == pytest.approx(4 / 5)
    sure = judged(("drusen", "edema"), scores[:3], true[:3], softmax=False, abstain=(0.4, 0.6)).figures().more
    assert sure["abstention"]["accuracy_of_the_others"] == sure["accuracy"]


def test_an_image_whose_true_class_the_model_does_not_know_is_left_out_and_counted() -> None:
    output = ClassificationOutput(("normal", "drusen"), "softmax", 0.5)
    judge = AnswerJudge((JudgedClass("normal", 0, 1, "normal"), JudgedClass("drusen", 1, 3, "drusen")), output)
    told = answers(GRID, {"normal": 0.3, "drusen": 0.7})
    for n, said in enumerate(({"drusen": 1.0}, {"edema": 1.0}, {"normal": 0.0}, {"normal": 0.0, "edema": 1.0}, {})):
        judge.add(example(f"c{n}", "", IMAGE, Truth()), IMAGE, Truth(answers=said), told)
    figures = judge.figures()
    assert figures.more["not_judged"] == 3
    assert figures.confusion["counts"] == [[0, 0], [0, 2]]


def test_an_answer_that_is_no_number_is_no_answer() -> None:
    judge = AnswerJudge(classes("no", "yes"), ClassificationOutput(("no", "yes"), "softmax", 0.5))
    truth = Truth(answers={"no": 1.0})
    with pytest.raises(ModelError, match="is no number"):
        judge.add(example("c", "", IMAGE, truth), IMAGE, truth, answers(GRID, {"no": np.nan, "yes": np.nan}))
    assert judge.figures().more["accuracy"] is None


def test_a_confident_mistake_is_the_worst_case() -> None:
    judge = AnswerJudge(classes("no", "yes"), ClassificationOutput(("no", "yes"), "softmax", 0.5))
    truth = Truth(answers={"no": 1.0})
    scores = [
        judge.add(example("c", "", IMAGE, truth), IMAGE, truth, answers(GRID, {"no": 1 - p, "yes": p})).score
        for p in (0.2, 0.6, 0.97)
    ]
    assert sorted(scores, reverse=True) == scores


def test_slices_of_a_case_nobody_knows_the_patient_of_are_drawn_together() -> None:
    keys = {"case_0001_k0003": "", "case_0001_k0010": "", "case_0002_k0003": "", "case_0003": "P3", "case_0004_k0001": "P3"}
    found = [patient_of(example(key, patient, IMAGE, Truth())) for key, patient in keys.items()]
    assert found[0] == found[1]
    assert len(set(found)) == 3
    assert found[3] == found[4] == "P3"
