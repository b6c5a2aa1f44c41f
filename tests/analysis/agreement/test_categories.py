"""Raters who put items into categories, judged by scikit-learn and by published examples."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from medview.analysis.agreement.categories import category_agreement, fleiss_kappa, kappa_interval
from tests.analysis.agreement.drawn_anew import interval_of

FLEISS = """0 0 0 6 0, 0 3 0 0 3, 0 1 4 0 1, 0 0 0 0 6, 0 3 0 3 0, 2 0 4 0 0, 0 0 4 0 2, 2 0 3 1 0, 2 0 0 4 0, 0 0 0 0 6,
1 0 0 5 0, 1 1 0 4 0, 0 3 3 0 0, 1 0 0 5 0, 0 2 0 3 1, 0 0 5 0 1, 3 0 0 1 2, 5 1 0 0 0, 0 2 0 4 0, 1 0 2 0 3,
0 0 0 0 6, 0 1 0 5 0, 0 2 0 1 3, 2 0 0 4 0, 1 0 0 4 1, 0 5 0 1 0, 4 0 0 0 2, 0 2 0 4 0, 1 0 5 0 0, 0 0 0 0 6"""
"""Six psychiatrists, 30 patients, five diagnoses (Fleiss 1971, table 1): how many gave which."""


@pytest.mark.parametrize("seed", range(5))
def test_kappas_and_confusion_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grades = ["none", "mild", "moderate", "severe"]
    first = rng.integers(0, 4, 60)
    second = np.clip(first + rng.integers(-1, 2, 60), 0, 3)
    a, b = ([grades[n] for n in numbers] for numbers in (first, second))
    found = category_agreement(a, b, grades)
    assert np.array(found.confusion).tolist() == confusion_matrix(a, b, labels=grades).tolist()
    for kappa, weights in ((found.kappa, None), (found.linear_kappa, "linear"), (found.quadratic_kappa, "quadratic")):
        assert kappa == pytest.approx(cohen_kappa_score(a, b, labels=grades, weights=weights))
    assert found.agreed == pytest.approx(np.mean(first == second))
    back = category_agreement(b, a, grades)
    assert (back.kappa, back.quadratic_kappa) == pytest.approx((found.kappa, found.quadratic_kappa))


def test_a_table_of_two_by_two_by_hand() -> None:
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = category_agreement(first, second, ["yes", "no"])
    assert found.confusion == ((20, 5), (10, 15))
    assert found.agreed == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.linear_kappa == pytest.approx(0.4)


def test_who_rated_nothing_is_left_out_and_one_category_alone_says_nothing() -> None:
    found = category_agreement(["a", None, "b", "a"], ["a", "b", None, "b"], ["a", "b"])
    assert found.items == 2
    always = category_agreement(["a", "a"], ["a", "a"], ["a", "b"])
    assert (always.agreed, always.kappa) == (1.0, None)
    none = category_agreement([], [], ["a", "b"])
    assert (none.items, none.agreed, none.kappa) == (0, None, None)
    with pytest.raises(ValueError, match="none of the categories"):
        category_agreement(["a"], ["c"], ["a", "b"])


def test_six_psychiatrists_come_to_the_published_kappa() -> None:
    table = np.array([[int(n) for n in row.split()] for row in FLEISS.replace("\n", " ").split(",")])
    assert table.sum(axis=1).tolist() == [6] * 30
    items = [np.repeat(np.arange(5), row) for row in table]
    found = fleiss_kappa(np.array(items).T.tolist(), range(5))
    assert (found.raters, found.items, found.left_out) == (6, 30, 0)
    assert found.agreed == pytest.approx(0.556, abs=5e-4)
    assert found.kappa == pytest.approx(0.430, abs=5e-4)
    # The paper, which goes on with rounded parts, has 0.248, 0.248, 0.517, 0.470 and 0.566; R's irr has these:
    assert found.by_category == pytest.approx((0.245, 0.245, 0.520, 0.471, 0.566), abs=5e-4)


def test_items_some_rater_did_not_rate_are_counted_and_left_out() -> None:
    found = fleiss_kappa([["a", "b", None], ["a", "b", "a"], ["a", "a", "a"]], ["a", "b"])
    assert (found.items, found.left_out) == (2, 1)
    assert found.agreed == pytest.approx((1 + 1 / 3) / 2)
    same = fleiss_kappa([["a", "b"], ["a", "b"], ["a", "b"]], ["a", "b"])
    assert same.kappa == 1.0
    assert fleiss_kappa([["a"], ["a"]], ["a", "b"]).kappa is None
    assert fleiss_kappa([[None], ["a"]], ["a", "b"]).agreed is None
    with pytest.raises(ValueError, match="two raters"):
        fleiss_kappa([["a"]], ["a"])


def test_the_interval_of_kappa_is_that_of_kappas_worked_out_draw_by_draw() -> None:
    rng = np.random.default_rng(11)
    first = rng.integers(0, 3, 80).tolist()
    second = [n if rng.random() < 0.7 else int(rng.integers(0, 3)) for n in first]
    patients = rng.integers(0, 25, 80).tolist()
    found = kappa_interval([*first, None], [*second, 1], range(3), [*patients, 99], resamples=400)

    def kappa(drawn: np.ndarray) -> float | None:
        return category_agreement([first[n] for n in drawn], [second[n] for n in drawn], range(3)).kappa

    slow = interval_of(kappa, patients, resamples=400)
    assert (found.value, found.low, found.high) == pytest.approx((slow.value, slow.low, slow.high))
    assert (found.items, found.patients) == (80, slow.patients)
    assert kappa_interval(["a"], ["a"], ["a", "b"], [1]).value is None
    assert kappa_interval([], [], ["a", "b"], []).value is None
