"""What scores come to by a pack's rule."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.scores import Said, ScoreRule, SliceScores

P, A, U = Said.PRESENT, Said.ABSENT, Said.UNSURE


@pytest.mark.parametrize(("score", "said"), [(0.1, A), (0.4, A), (0.41, U), (0.69, U), (0.7, P), (0.9, P)])
def test_scores_inside_the_band_are_not_sure_and_its_ends_are(score: float, said: Said) -> None:
    rule = ScoreRule(threshold=0.6, abstain=(0.4, 0.7))
    assert rule.says({"Nodule": score}) == {"Nodule": said}


def test_without_a_band_the_threshold_itself_is_present() -> None:
    assert ScoreRule(threshold=0.6).says({"A": 0.6, "B": 0.59}) == {"A": P, "B": A}


def test_of_two_that_exclude_each_other_the_last_decides_by_its_own_score() -> None:
    rule = ScoreRule(threshold=0.3, abstain=(0.2, 0.35), exclusive=True)
    assert rule.says({"Benign": 0.6, "Malignant": 0.4}) == {"Benign": A, "Malignant": P}
    assert rule.says({"Benign": 0.75, "Malignant": 0.25}) == {"Benign": U, "Malignant": U}
    assert rule.says({"Benign": 0.9, "Malignant": 0.1}) == {"Benign": P, "Malignant": A}


def test_of_several_the_likeliest_is_present_unless_the_last_reaches_the_threshold() -> None:
    rule = ScoreRule(threshold=0.3, exclusive=True)
    assert rule.says({"A": 0.5, "B": 0.25, "C": 0.25}) == {"A": P, "B": A, "C": A}
    assert rule.says({"A": 0.5, "B": 0.15, "C": 0.35}) == {"A": A, "B": A, "C": P}


def test_of_several_the_likeliest_is_present_where_nobody_set_a_threshold() -> None:
    rule = ScoreRule(exclusive=True)
    assert rule.says({"A": 0.3, "B": 0.25, "C": 0.45}) == {"A": A, "B": A, "C": P}
    assert rule.says({"A": 0.4, "B": 0.35, "C": 0.25}) == {"A": P, "B": A, "C": A}
    assert not any(rule.marks(name, "ABC") for name in "ABC")
    assert [ScoreRule(threshold=0.3, exclusive=True).marks(name, "ABC") for name in "ABC"] == [False, False, True]
    assert [rule.marks(name, "AB") for name in "AB"] == [False, True]


def test_scores_of_a_slice_are_asked_for_by_its_number() -> None:
    slices = SliceScores(1, {"A": np.array([0.25, 0.5], np.float32), "B": np.array([0.75, 0.125], np.float32)})
    assert slices.at(1) == {"A": 0.5, "B": 0.125}
