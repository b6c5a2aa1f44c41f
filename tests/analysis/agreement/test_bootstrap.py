"""Intervals by drawing patients again, judged by scipy, by theory and by how often they hold the truth."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats

from medview.analysis.agreement.bootstrap import difference_interval, mean_interval, ratio_interval
from medview.analysis.agreement.score_curves import roc_curve
from tests.analysis.agreement.drawn_anew import interval_of
from tests.helpers.timing import allowed_s


def test_an_interval_of_a_mean_is_that_of_scipy() -> None:
    values = np.random.default_rng(1).gamma(2.0, 2.0, 80)
    found = mean_interval(values, range(80), resamples=20_000)
    judge = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(3))
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(judge.confidence_interval.low, abs=0.03)
    assert found.high == pytest.approx(judge.confidence_interval.high, abs=0.03)


def test_several_cases_of_one_patient_do_not_make_it_surer() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, 25)
    once = mean_interval(values, range(25))
    repeated = mean_interval(np.repeat(values, 8), np.repeat(np.arange(25), 8).tolist())
    naive = mean_interval(np.repeat(values, 8), range(200))
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high))
    assert (repeated.items, repeated.patients) == (200, 25)
    assert (naive.high or 0) - (naive.low or 0) < 0.5 * ((once.high or 0) - (once.low or 0))


def test_about_95_of_100_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        effect = rng.normal(0, 1, 30)
        values = np.repeat(effect, 3) + rng.normal(0, 0.3, 90)
        found = mean_interval(values, np.repeat(np.arange(30), 3).tolist(), resamples=400)
        held += (found.low or 0) <= 0.0 <= (found.high or 0)
    assert 0.90 <= held / 300 <= 0.98


def test_the_same_seed_gives_the_same_and_the_general_way_is_the_quick_one() -> None:
    rng = np.random.default_rng(5)
    values, patients = rng.random(40), rng.integers(0, 12, 40).tolist()
    quick = mean_interval(values, patients)
    assert quick == mean_interval(values, patients)
    assert quick != mean_interval(values, patients, seed=1)
    general = interval_of(lambda drawn: float(values[drawn].mean()), patients)
    assert (general.value, general.low, general.high) == pytest.approx((quick.value, quick.low, quick.high))
    wide = mean_interval(values, patients, level=0.99)
    assert (wide.low or 0) < (quick.low or 0) < (quick.high or 0) < (wide.high or 0)


def test_a_paired_difference_is_surer_than_two_apart() -> None:
    rng = np.random.default_rng(6)
    hard = rng.normal(0.8, 0.1, 60)
    first = (hard + rng.normal(0, 0.01, 60)).tolist()
    second = [None if n == 0 else value + 0.02 for n, value in enumerate(hard + rng.normal(0, 0.01, 60))]
    found = difference_interval(first, second, range(60))
    assert found.items == 59
    assert 0.01 < (found.low or 0) < (found.value or 0) < (found.high or 0) < 0.03
    alone = mean_interval(first, range(60))
    assert (alone.high or 0) - (alone.low or 0) > 3 * ((found.high or 0) - (found.low or 0))


def test_pooled_parts_leave_out_draws_without_any_and_say_how_many() -> None:
    found = ratio_interval([3, 0, 0, 0], [4, 0, 0, 0], ["a", "b", "c", "d"])
    assert found.value == 0.75
    # A draw without the only patient who has lesions: (3/4) ** 4 of them.
    assert found.undefined / found.resamples == pytest.approx(0.75**4, abs=0.03)
    assert (found.low, found.high) == (0.75, 0.75)
    nothing = ratio_interval([0, 0], [0, 0], ["a", "b"])
    assert (nothing.value, nothing.low) == (None, None)


def test_one_patient_or_none_has_no_interval() -> None:
    one = mean_interval([0.5, 0.7], ["a", "a"])
    assert (one.value, one.low, one.high, one.patients) == (pytest.approx(0.6), None, None, 1)
    none = mean_interval([None, float("nan")], ["a", "b"])
    assert (none.value, none.low, none.items, none.patients) == (None, None, 0, 0)
    assert interval_of(lambda drawn: 1.0, []).value is None


def test_an_area_under_the_curve_has_an_interval_too() -> None:
    rng = np.random.default_rng(7)
    truth = rng.random(60) < 0.4
    scores = rng.normal(truth * 1.0, 1.0)

    def area(drawn: np.ndarray) -> float | None:
        curve = roc_curve(scores[drawn], truth[drawn])
        return None if curve is None else curve.area

    found = interval_of(area, range(60), resamples=300)
    assert (found.low or 0) < (found.value or 0) < (found.high or 0)


def test_thousands_of_patients_take_no_time() -> None:
    values, patients = np.random.default_rng(8).random(20_000), np.repeat(np.arange(5_000), 4).tolist()
    began = time.perf_counter()
    mean_interval(values, patients)
    assert time.perf_counter() - began < allowed_s(3.0)
