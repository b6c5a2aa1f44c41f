"""Fewer corners, the same line."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from medview.edit.thinning import thinned


def distance_to_line(point: np.ndarray, line: np.ndarray) -> float:
    """The shortest way from a point to a line of many pieces, by trying a thousand places on each."""
    t = np.linspace(0, 1, 1001)[:, None]
    return min(float(np.linalg.norm(a + t * (b - a) - point, axis=1).min()) for a, b in pairwise(line))


def test_no_point_of_the_hand_lies_further_from_what_is_kept_than_allowed() -> None:
    angle = np.linspace(0, 5, 700)
    hand = np.stack([angle * 9 * np.cos(angle), angle * 7 * np.sin(angle)], axis=1)
    hand += np.random.default_rng(1).normal(0, 0.05, hand.shape)
    kept = thinned(hand, 0.4)
    assert len(kept) < 60
    assert max(distance_to_line(point, kept) for point in hand[::7]) <= 0.4 + 1e-3
    assert (kept[0] == hand[0]).all()
    assert (kept[-1] == hand[-1]).all()


def test_a_closed_line_keeps_its_far_side_and_a_straight_one_its_ends_only() -> None:
    square = np.array([(0, 0), (0, 5), (0, 10), (5, 10), (10, 10), (10, 5), (10, 0), (5, 0), (0, 0)], dtype=float)
    assert len(thinned(square, 0.5)) == 5
    straight = np.stack([np.arange(50.0), np.arange(50.0) * 2], axis=1)
    assert len(thinned(straight, 0.1)) == 2
    assert len(thinned(straight[:2], 0.1)) == 2


def test_ten_thousand_points_of_a_line_that_needs_them_all_are_no_recursion_too_deep() -> None:
    zigzag = np.stack([np.arange(10_000.0), np.arange(10_000) % 2 * 5.0], axis=1)
    assert len(thinned(zigzag, 0.5)) == 10_000
