"""Boxes before they are thinned out: suppression beside MONAI's, and cuts of slices put together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medview.ml.runners.candidates import Candidates, join_slices, suppress


def of(rows: list[tuple[float, ...]], scores: list[float], classes: list[int] | None = None) -> Candidates:
    """Boxes from rows of low k, j, i and high k, j, i."""
    both = np.asarray(rows, dtype=np.float64).reshape(-1, 6)
    return Candidates(both[:, :3], both[:, 3:], np.asarray(scores), np.asarray(classes or [0] * len(rows), dtype=np.int64))


@pytest.mark.parametrize("iou", [0.05, 0.3, 0.6])
def test_suppression_keeps_what_monai_keeps(iou: float) -> None:
    box_utils = pytest.importorskip("monai.data.box_utils")
    rng = np.random.default_rng(4)
    low = rng.uniform(0, 30, (120, 3))
    many = Candidates(low, low + rng.uniform(3, 14, (120, 3)), rng.random(120), np.zeros(120, dtype=np.int64))
    boxes = torch.from_numpy(np.concatenate([many.low_kji, many.high_kji], axis=1))
    theirs = box_utils.non_max_suppression(boxes, torch.from_numpy(many.scores), iou, 40, box_utils.box_iou)
    ours = suppress(many, iou, 40)
    assert ours.tolist() == [int(n) for n in theirs]
    assert len(ours) > 5


def test_suppression_never_lets_one_class_take_away_another() -> None:
    boxes = [(0, 0, 0, 4, 4, 4), (0, 0, 0, 4, 4, 4)]
    assert suppress(of(boxes, [0.5, 0.9], [0, 1]), 0.1, 9).tolist() == [1, 0]


def test_cuts_of_one_thing_become_one_box_even_where_a_slice_is_missing() -> None:
    cuts = [(k, 10 + k * 0.5, 20, k + 1, 18 + k * 0.5, 30) for k in (3, 4, 6, 7)]
    alone = (4, 40, 40, 5, 50, 50)
    later = (12, 12, 20, 13, 20, 30)
    joined = join_slices(of([*cuts, alone, later], [0.4, 0.9, 0.6, 0.5, 0.8, 0.3]))
    found = sorted(np.concatenate([joined.low_kji, joined.high_kji], axis=1).tolist())
    assert found == [[3, 11.5, 20, 8, 21.5, 30], [4, 40, 40, 5, 50, 50], [12, 12, 20, 13, 20, 30]]
    assert sorted(joined.scores.tolist()) == [0.3, 0.8, 0.9]


def test_two_things_side_by_side_and_two_classes_stay_apart() -> None:
    left = [(k, 0, 0, k + 1, 10, 10) for k in (0, 1)]
    right = [(k, 0, 8, k + 1, 10, 18) for k in (0, 1)]
    other = [(k, 0, 0, k + 1, 10, 10) for k in (0, 1)]
    joined = join_slices(of([*left, *right, *other], [0.5] * 6, [0, 0, 0, 0, 1, 1]))
    assert len(joined.scores) == 3
    assert sorted(joined.classes.tolist()) == [0, 0, 1]
    assert {float(n) for n in (joined.high_kji - joined.low_kji)[:, 0]} == {2.0}


def test_nothing_joined_is_nothing() -> None:
    assert len(join_slices(of([], [])).scores) == 0
    assert len(Candidates.joined([]).scores) == 0
