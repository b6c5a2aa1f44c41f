"""Readers who measured the same things, judged by published examples."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from medview.analysis.agreement.numbers import intraclass_correlation, limits_of_agreement

WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
"""Peak expiratory flow, L/min, of 17 people by two meters, first readings (Bland and Altman 1986, table 1)."""

SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
"""Six things, four judges (Shrout and Fleiss 1979, table 2)."""


def test_two_flow_meters_have_the_published_limits() -> None:
    found = limits_of_agreement(MINI, WRIGHT)
    assert found.things == 17
    assert found.mean_difference == pytest.approx(-2.1, abs=0.05)
    assert found.sd_difference == pytest.approx(38.8, abs=0.05)
    # The paper takes 2 standard deviations: -79.7 and 75.5.
    assert found.lower == pytest.approx(-2.118 - 1.96 * 38.765, abs=0.01)
    assert found.upper == pytest.approx(-2.118 + 1.96 * 38.765, abs=0.01)
    assert found.mean_ci95 == pytest.approx((-22.0, 17.8), abs=0.1)
    # As published with its limits of 2 standard deviations: the reach of the intervals is 34.5.
    assert found.lower_ci95 is not None
    assert found.upper_ci95 is not None
    assert (found.lower_ci95[1] - found.lower_ci95[0]) / 2 == pytest.approx(34.5, abs=0.1)
    assert (found.upper_ci95[1] - found.upper_ci95[0]) / 2 == pytest.approx(34.5, abs=0.1)


def test_a_reader_who_reads_two_more_is_found_out_and_gaps_are_left_out() -> None:
    first = [1.0, 2.0, np.nan, 4.0, 8.0]
    found = limits_of_agreement(first, [3.0, 4.0, 9.0, 6.0, np.nan])
    assert (found.things, found.left_out) == (3, 2)
    assert (found.mean_difference, found.sd_difference, found.lower, found.upper) == (2.0, 0.0, 2.0, 2.0)
    assert limits_of_agreement([1.0], [2.0]).sd_difference is None
    assert limits_of_agreement([np.nan], [2.0]).mean_difference is None
    with pytest.raises(ValueError, match="same things"):
        limits_of_agreement([1.0], [1.0, 2.0])


def test_four_judges_come_to_the_published_correlation() -> None:
    found = intraclass_correlation(SHROUT_FLEISS)
    assert (found.things, found.readers) == (6, 4)
    assert found.icc == pytest.approx(0.29, abs=5e-3)
    assert found.ci95 == pytest.approx((0.019, 0.761), abs=1e-3)


def test_readers_who_differ_by_a_constant_do_not_agree_fully() -> None:
    things = np.array([1.0, 4.0, 9.0, 20.0, 31.0])
    same = intraclass_correlation(np.column_stack([things, things]))
    assert (same.icc, same.ci95) == (1.0, (1.0, 1.0))
    apart = intraclass_correlation(np.column_stack([things, things + 10.0]))
    assert apart.icc is not None
    assert 0.5 < apart.icc < 0.9
    gaps = intraclass_correlation([[1.0, 2.0], [np.nan, 3.0], [5.0, 5.5]])
    assert (gaps.things, gaps.left_out) == (2, 1)
    assert intraclass_correlation([[1.0, 2.0]]).icc is None
    assert intraclass_correlation([[3.0, 3.0], [3.0, 3.0]]).icc is None


@pytest.mark.parametrize("table", [[[2, 4], [4, 2], [3, 3]], [[1, 3], [3, 1], [1, 3], [3, 1]]])
def test_readers_who_say_the_opposite_of_each_other_have_a_correlation_without_an_interval(table: list[list[int]]) -> None:
    found = intraclass_correlation(table)
    assert found.icc is not None
    assert found.icc < 0
    assert found.ci95 is None
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["ci95"] is None


def test_no_table_of_grades_leaves_a_number_that_is_none_in_a_report() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        found = intraclass_correlation(rng.integers(1, 4, (3, 2)))
        assert json.dumps(asdict(found), allow_nan=False)
        assert found.ci95 is None or found.ci95[0] <= found.ci95[1]
