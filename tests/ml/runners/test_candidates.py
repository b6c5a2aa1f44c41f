"""Boxes before they are thinned out: suppression beside MONAI's, and cuts of slices put together."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.ml.runners.candidates import Candidates, join_slices, suppress, suppress_in_slices
from tests.helpers.timing import allowed_s


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
    ours = suppress(many, iou, 40, Inline())
    assert ours.tolist() == [int(n) for n in theirs]
    assert len(ours) > 5


def test_suppression_never_lets_one_class_take_away_another() -> None:
    boxes = [(0, 0, 0, 4, 4, 4), (0, 0, 0, 4, 4, 4)]
    assert suppress(of(boxes, [0.5, 0.9], [0, 1]), 0.1, 9, Inline()).tolist() == [1, 0]


def test_cuts_of_one_thing_become_one_box_even_where_a_slice_is_missing() -> None:
    cuts = [(k, 10 + k * 0.5, 20, k + 1, 18 + k * 0.5, 30) for k in (3, 4, 6, 7)]
    alone = (4, 40, 40, 5, 50, 50)
    later = (12, 12, 20, 13, 20, 30)
    joined = join_slices(of([*cuts, alone, later], [0.4, 0.9, 0.6, 0.5, 0.8, 0.3]), Inline())
    found = sorted(np.concatenate([joined.low_kji, joined.high_kji], axis=1).tolist())
    assert found == [[3, 11.5, 20, 8, 21.5, 30], [4, 40, 40, 5, 50, 50], [12, 12, 20, 13, 20, 30]]
    assert sorted(joined.scores.tolist()) == [0.3, 0.8, 0.9]


def test_two_things_side_by_side_and_two_classes_stay_apart() -> None:
    left = [(k, 0, 0, k + 1, 10, 10) for k in (0, 1)]
    right = [(k, 0, 8, k + 1, 10, 18) for k in (0, 1)]
    other = [(k, 0, 0, k + 1, 10, 10) for k in (0, 1)]
    joined = join_slices(of([*left, *right, *other], [0.5] * 6, [0, 0, 0, 0, 1, 1]), Inline())
    assert len(joined.scores) == 3
    assert sorted(joined.classes.tolist()) == [0, 0, 1]
    assert {float(n) for n in (joined.high_kji - joined.low_kji)[:, 0]} == {2.0}


def test_nothing_joined_is_nothing() -> None:
    assert len(join_slices(of([], []), Inline()).scores) == 0
    assert len(Candidates.joined([]).scores) == 0


def scattered(count: int, slices: int = 0) -> Candidates:
    """Boxes of two classes with many ties of score, of one slice each where there are slices."""
    rng = np.random.default_rng(8)
    low = rng.uniform(0, 400, (count, 3))
    size = rng.uniform(4, 30, (count, 3))
    if slices:
        low[:, 0], size[:, 0] = rng.integers(0, slices, count), 1.0
    return Candidates(low, low + size, rng.integers(1, 60, count) / 64, rng.integers(0, 2, count))


def one_by_one(candidates: Candidates, iou: float, most: int) -> list[int]:
    """Suppression as it is defined, box by box."""
    kept: list[int] = []
    for n in np.argsort(-candidates.scores, kind="stable").tolist():
        for m in kept:
            low = np.maximum(candidates.low_kji[m], candidates.low_kji[n])
            high = np.minimum(candidates.high_kji[m], candidates.high_kji[n])
            common = np.prod(np.clip(high - low, 0, None))
            sizes = (np.prod(candidates.high_kji[x] - candidates.low_kji[x]) for x in (m, n))
            if candidates.classes[m] == candidates.classes[n] and common > iou * (sum(sizes) - common):
                break
        else:
            kept.append(n)
        if len(kept) == most:
            break
    return kept


@pytest.mark.parametrize(("iou", "most"), [(0.0, 400), (0.1, 400), (0.4, 20)])
def test_suppression_does_what_it_is_defined_as_with_classes_and_ties(iou: float, most: int) -> None:
    several = scattered(400)
    several = Candidates(several.low_kji / 5, several.high_kji / 5 + 6, several.scores, several.classes)
    assert suppress(several, iou, most, Inline()).tolist() == one_by_one(several, iou, most)


def test_slice_by_slice_the_same_boxes_stay() -> None:
    several = scattered(600, slices=20)
    several = Candidates(several.low_kji / [1, 5, 5], several.high_kji / [1, 3, 3], several.scores, several.classes)
    by_slice, at_once = suppress_in_slices(several, 0.2, Inline()), suppress(several, 0.2, 600, Inline())
    assert sorted(by_slice.tolist()) == sorted(at_once.tolist())
    assert len(at_once) < 580
    one, other = join_slices(several[by_slice], Inline()), join_slices(several[at_once], Inline())
    assert np.array_equal(one.low_kji, other.low_kji)
    assert np.array_equal(one.high_kji, other.high_kji)
    assert suppress_in_slices(scattered(0), 0.2, Inline()).tolist() == []


def test_what_a_broken_model_answers_is_thinned_out_in_seconds() -> None:
    began = time.perf_counter()
    flat = scattered(30_000, slices=300)
    joined = join_slices(flat[suppress_in_slices(flat, 0.2, Inline())], Inline())
    suppress(joined, 0.2, 200, Inline())
    suppress(scattered(30_000), 0.2, 200, Inline())
    assert time.perf_counter() - began < allowed_s(5.0)


def test_thinning_out_can_be_cancelled() -> None:
    context = Inline()
    context.cancel()
    several = scattered(50, slices=5)
    for work in (
        lambda: suppress(several, 0.2, 50, context),
        lambda: suppress_in_slices(several, 0.2, context),
        lambda: join_slices(several, context),
    ):
        with pytest.raises(CancelledError):
            work()
