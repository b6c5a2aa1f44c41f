"""Which slices of a case are proposed."""

from __future__ import annotations

from collections import Counter

import numpy as np

from medview.ml.next_cases.slices import LEAST_SLICES, MOST_RANGES, PART_OF_CASE, ranges_of
from medview.ml.next_cases.strategy import Strategy
from tests.ml.next_cases.made import made_scores


def bump(middle: float, width: float, slices: int = 60) -> np.ndarray:
    return np.asarray(np.exp(-0.5 * ((np.arange(slices) - middle) / width) ** 2))


def test_the_first_range_lies_where_the_model_is_most_unsure_and_names_the_class() -> None:
    scores = made_scores([0.4, 0.4], [0.01 + bump(40, 3), 0.2 * np.ones(60)])
    first = ranges_of(scores)[0]
    assert first.first <= 40 <= first.last
    assert first.best == 40
    assert first.by_class == 0
    assert first.share > 0.2


def test_a_small_class_has_its_say_beside_one_with_a_thousand_times_the_voxels() -> None:
    scores = made_scores([0.5, 0.5], [1000.0 * (1 + bump(10, 8)), bump(50, 1)])
    assert any(one.by_class == 1 and one.first <= 50 <= one.last for one in ranges_of(scores))


def test_the_class_a_case_was_chosen_for_leads_however_little_it_is_unsure_of() -> None:
    scores = made_scores([0.9, 0.1], [bump(10, 2), bump(45, 2)])
    assert ranges_of(scores)[0].first < 20
    first, *others = ranges_of(scores, by_class=1)
    assert first.first <= 45 <= first.last
    assert first.by_class == 1
    assert [one.by_class for one in others] == [0]


def test_ranges_are_few_do_not_meet_and_leave_most_of_the_case_alone() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        scores = made_scores([0.5, 0.3, 0.1], rng.random((3, 60)) ** 4)
        found = ranges_of(scores)
        assert 1 <= len(found) <= MOST_RANGES
        covered = [k for one in found for k in range(one.first, one.last + 1)]
        assert len(covered) == len(set(covered)) <= round(PART_OF_CASE * 60)
        assert all(one.first <= one.best <= one.last for one in found)
        assert max(covered) < 60


def test_a_short_case_is_given_as_many_slices_as_it_has_and_a_single_picture_none() -> None:
    (only,) = ranges_of(made_scores([0.5], [[1.0, 2.0]]))
    assert (only.first, only.last) == (0, 1)
    assert ranges_of(made_scores([0.5], [[3.0]])) == ()
    assert ranges_of(made_scores([0.5], np.zeros((1, 20)))) == ()


def test_a_peak_at_the_end_of_a_case_gives_a_whole_range() -> None:
    (only,) = ranges_of(made_scores([0.5], [np.eye(40)[39]]))
    assert only.last == 39
    assert only.last - only.first + 1 >= LEAST_SLICES


def test_by_chance_slices_follow_what_is_found_or_nothing() -> None:
    scores = made_scores([0.5], np.ones((1, 60)), foreground=[bump(20, 2) > 0.2])
    middles = [ranges_of(scores, Strategy.FOREGROUND_RANDOM, seed)[0].best for seed in range(40)]
    assert 15 < min(middles) <= max(middles) < 25
    anywhere = Counter(ranges_of(scores, Strategy.RANDOM, seed)[0].best // 20 for seed in range(120))
    assert all(anywhere[third] > 20 for third in range(3))
    assert ranges_of(scores, Strategy.RANDOM, 3) == ranges_of(scores, Strategy.RANDOM, 3)
