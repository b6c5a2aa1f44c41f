"""Which cases are chosen."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from medview.ml.next_cases.choice import Pool, choose
from medview.ml.next_cases.ranking import STEADY_FROM, Apart, drawn, power_after, ranks
from medview.ml.next_cases.strategy import Strategy
from tests.ml.next_cases.made import made_pool

LATE = 10 * STEADY_FROM


@pytest.mark.parametrize("strategy", Strategy)
def test_the_same_seed_gives_the_same_cases_and_no_patient_twice(strategy: Strategy) -> None:
    rng = np.random.default_rng(3)
    pool = made_pool(rng.random((40, 3)), "aabbccddeeffgghhiijjkkllmmnnooppqqrrsstt", rng.random((40, 5)))
    first = choose(pool, 8, strategy, 7)
    assert choose(pool, 8, strategy, 7) == first
    assert {choose(pool, 8, strategy, seed) for seed in range(4)} != {first}
    patients = [pool.patients[pick.number] for pick in first]
    assert len(set(patients)) == len(patients) == 8


def test_once_much_is_labelled_the_most_uncertain_cases_are_taken() -> None:
    pool = made_pool(np.linspace(0, 1, 30)[:, None], "abcdefghijklmnopqrstuvwxyzABCD")
    picked = [pick.number for seed in range(20) for pick in choose(pool, 3, seed=seed, labelled=LATE)]
    early = [pick.number for seed in range(20) for pick in choose(pool, 3, seed=seed, labelled=0)]
    # Random ones would have a mean of 14.5 of 29; the three most uncertain have 28.
    assert np.mean(picked) > 25
    assert 17 < np.mean(early) < np.mean(picked)


def test_every_class_has_its_turn_and_the_rarest_the_first_however_small_its_numbers_are() -> None:
    unsure = np.zeros((12, 2))
    unsure[:, 0] = np.linspace(0.6, 0.9, 12)
    # A class that three cases hold, of which the model is far less unsure in figures.
    unsure[:3, 1] = (0.02, 0.04, 0.03)
    pool = made_pool(unsure, "abcdefghijkl")
    pool = replace(pool, foreground=np.stack([np.ones(12), unsure[:, 1] > 0], axis=1))
    for seed in range(5):
        first, second, *_ = choose(pool, 4, seed=seed, labelled=LATE)
        assert first.by_class == 1
        assert second.by_class == 0
    chosen = Counter(choose(pool, 1, seed=seed, labelled=LATE)[0].number for seed in range(40))
    assert {number for number, _count in chosen.most_common(2)} == {1, 2}


def test_a_class_no_case_is_unsure_of_has_no_turn_and_without_any_chance_decides() -> None:
    unsure = np.zeros((6, 2))
    unsure[:, 1] = np.arange(6)
    assert {pick.by_class for pick in choose(made_pool(unsure, "abcdef"), 6)} == {1}
    assert {pick.by_class for pick in choose(made_pool(np.zeros((6, 2)), "abcdef"), 6)} == {None}


def test_of_cases_that_look_alike_one_is_chosen_before_the_other_kinds_are_through() -> None:
    # Twelve alike and very uncertain, four of other kinds and less so.
    features = np.zeros((16, 2))
    features[:12] = np.random.default_rng(0).normal(0, 0.01, (12, 2))
    features[12:] = ((5, 0), (0, 5), (-5, 0), (0, -5))
    unsure = np.concatenate([np.full(12, 0.9), np.full(4, 0.7)])[:, None]
    with_looks = made_pool(unsure, "abcdefghijklmnop", features)
    without = made_pool(unsure, "abcdefghijklmnop")

    def others(pool: Pool) -> float:
        return float(np.mean([sum(p.number >= 12 for p in choose(pool, 4, seed=s, labelled=LATE)) for s in range(20)]))

    assert others(with_looks) > 2 > 0.5 > others(without)


def test_chance_draws_patients_and_not_those_with_many_cases_more_often() -> None:
    pool = made_pool(np.zeros((22, 1)), "a" * 20 + "bc")
    drawn_first = Counter(pool.patients[choose(pool, 1, Strategy.RANDOM, seed)[0].number] for seed in range(300))
    assert all(70 < drawn_first[name] < 130 for name in "abc")
    assert [pool.patients[p.number] for p in choose(pool, 9, Strategy.RANDOM, busy="b")] in (["a", "c"], ["c", "a"])


def test_an_empty_pool_gives_nothing() -> None:
    assert choose(Pool.of([], []), 5) == ()


def test_ranks_share_what_is_equal_and_say_nothing_where_all_is() -> None:
    assert ranks([3.0, 1.0, 3.0, 7.0]).tolist() == [2.5 / 4, 1 / 4, 2.5 / 4, 1.0]
    assert ranks([0.2, 0.2]).tolist() == [1.0, 1.0]
    assert ranks([]).tolist() == []


def test_chance_follows_the_power_of_the_scores() -> None:
    scores, rng = np.asarray([1.0, 2.0]), np.random.default_rng(1)
    for power in (1.0, 3.0):
        second = np.mean([drawn(scores, power, rng).argmax() for _ in range(4000)])
        assert second == pytest.approx(2**power / (1 + 2**power), abs=0.03)
    assert power_after(0) == 1.0
    assert power_after(STEADY_FROM) == power_after(LATE) > 4 > power_after(STEADY_FROM // 2) > 1.0


def test_distances_are_in_means_and_know_no_units() -> None:
    def table(points: np.ndarray) -> np.ndarray:
        apart = Apart.of(points)
        return np.array([apart.from_case(n) for n in range(len(points))])

    points = np.random.default_rng(2).normal(size=(9, 3))
    away = table(points)
    assert np.mean(away[np.triu_indices(9, 1)]) == pytest.approx(1.0)
    assert np.allclose(away, away.T)
    assert np.allclose(away, table(points * (1000.0, 0.001, 5.0) + 3.0))
    assert not table(np.ones((4, 2))).any()
    assert table(np.zeros((3, 0))).shape == (3, 3)


def test_of_many_cases_no_table_is_made_of_all_pairs() -> None:
    points = np.random.default_rng(4).normal(size=(3000, 4))
    unsure = np.random.default_rng(5).random((3000, 1))
    pool = Pool(tuple(map(str, range(3000))), unsure, np.ones_like(unsure), points)
    tracemalloc.start()
    try:
        assert len(choose(pool, 5)) == 5
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    apart = Apart.of(points)
    mean = np.mean([apart.from_case(n).sum() / 2999 for n in range(0, 3000, 60)])
    assert mean == pytest.approx(1.0, abs=0.02)
