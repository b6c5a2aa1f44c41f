"""Who belongs where: by patient, near the shares, and for good."""

from __future__ import annotations

from collections import Counter

import numpy as np

from medview.io.datasets.splits import SHARES, make_splits, splits_sha256, torn_patients


def cases(count: int, each: int = 3) -> dict[str, str]:
    return {f"c{n}": f"P{n // each:04d}" for n in range(count)}


def test_no_patient_stands_in_two_splits_and_shares_are_met() -> None:
    groups = cases(600)
    made = make_splits(groups, {})
    assert torn_patients(groups, made) == []
    counts = Counter(made.values())
    for split, share in SHARES.items():
        assert abs(counts[split] / 600 - share) < 0.01


def test_the_same_cases_in_any_order_are_split_alike() -> None:
    groups = cases(90)
    order = np.random.default_rng(0).permutation(list(groups))
    assert make_splits({str(c): groups[str(c)] for c in order}, {}) == make_splits(groups, {})


def test_who_has_a_split_keeps_it_and_draws_their_other_cases_there() -> None:
    given = {"c0": "test", "c3": "val"}
    made = make_splits(cases(30), given)
    assert not set(given) & set(made)
    assert (made["c1"], made["c2"], made["c4"]) == ("test", "test", "val")
    before = {**given, **made}
    later = make_splits(cases(60), before)
    assert torn_patients(cases(60), {**before, **later}) == []


def test_cases_nobody_knows_the_patient_of_go_alone() -> None:
    made = make_splits({f"c{n}": "" for n in range(100)}, {})
    assert set(Counter(made.values())) == set(SHARES)


def test_a_patient_in_two_splits_is_named_and_the_hash_tells_splits_apart() -> None:
    assert torn_patients({"a": "P1", "b": "P1", "c": "P2"}, {"a": "train", "b": "test", "c": "test"}) == ["P1"]
    assert splits_sha256({"a": "train", "b": "test"}) == splits_sha256({"b": "test", "a": "train"})
    assert splits_sha256({"a": "train"}) != splits_sha256({"a": "test"})
