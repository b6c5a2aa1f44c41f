"""Lesions of two masks, matched one to one; judged by SimpleITK's components and by hand."""

from __future__ import annotations

import time
from itertools import permutations

import numpy as np
import pytest
import SimpleITK as sitk

from medview.analysis.agreement.lesions import lesion_agreement
from medview.analysis.agreement.pairing import best_pairs
from medview.core.geometry import Calibration, Geometry
from tests.analysis.agreement.masks import SHAPE_KJI, boxes, grid, image_of
from tests.helpers.timing import allowed_s

BIG, SMALL, FAR = ((2, 5), (5, 15), (5, 15)), ((2, 4), (30, 33), (30, 33)), ((10, 12), (2, 6), (40, 44))


def test_lesions_found_missed_and_invented_are_told_with_their_sizes() -> None:
    first = boxes(BIG, SMALL)
    second = boxes(((2, 5), (6, 15), (5, 15)), FAR)
    found = lesion_agreement(first, second, grid())
    assert [(m.first.voxels, m.second.voxels) for m in found.matched] == [(300, 270)]
    assert found.matched[0].iou == pytest.approx(0.9)
    assert [lesion.voxels for lesion in found.missed] == [18]
    assert [lesion.voxels for lesion in found.extra] == [32]
    assert found.missed[0].ml == pytest.approx(18 * 5.0 * 0.9 * 0.6 / 1000)
    assert first[found.missed[0].at_kji]
    assert second[found.extra[0].at_kji]
    assert (found.sensitivity, found.precision, found.f1) == (0.5, 0.5, 0.5)


def test_an_overlap_of_just_the_threshold_is_no_match() -> None:
    first, second = boxes(((2, 3), (5, 6), (0, 10))), boxes(((2, 3), (5, 6), (8, 18)))
    iou = 2 / 18
    assert lesion_agreement(first, second, grid(), overlap=iou).f1 == 0.0
    assert lesion_agreement(first, second, grid(), overlap=iou - 1e-9).f1 == 1.0
    touching = lesion_agreement(first, boxes(((2, 3), (5, 6), (9, 40))), grid(), overlap=0.0)
    assert len(touching.matched) == 1


def test_one_large_lesion_over_two_matches_only_one_of_them() -> None:
    first = boxes(((2, 5), (5, 15), (5, 14)), ((2, 5), (5, 15), (16, 20)))
    second = boxes(((2, 5), (5, 15), (5, 20)))
    found = lesion_agreement(first, second, grid())
    assert [m.first.voxels for m in found.matched] == [270]
    assert [lesion.voxels for lesion in found.missed] == [120]
    assert (found.sensitivity, found.precision) == (0.5, 1.0)
    assert found.f1 == pytest.approx(2 / 3)


def test_pairs_are_chosen_so_that_the_overlaps_add_up_to_the_most() -> None:
    # Taking the best pair first (0.6) would leave the others without a partner.
    chosen = best_pairs(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.6, 0.5, 0.5]))
    assert chosen.tolist() == [1, 2]
    assert best_pairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0)).size == 0
    rng = np.random.default_rng(3)
    for _ in range(30):
        a, b = rng.integers(2, 6, 2)
        table = rng.random((a, b)) * (rng.random((a, b)) < 0.6)
        row, column = np.nonzero(table)
        total = table[row, column][best_pairs(row, column, table[row, column])].sum()
        wide = np.zeros((max(a, b), max(a, b)))
        wide[:a, :b] = table
        best = max(wide[np.arange(len(wide)), list(order)].sum() for order in permutations(range(len(wide))))
        assert total == pytest.approx(best)


def test_pieces_are_those_of_simpleitk_corners_included() -> None:
    rng = np.random.default_rng(5)
    first, second = (rng.random(SHAPE_KJI) < 0.03 for _ in range(2))
    found = lesion_agreement(first, second, grid(), overlap=0.0)
    for mask, lesions in (
        (first, [m.first for m in found.matched] + list(found.missed)),
        (second, [m.second for m in found.matched] + list(found.extra)),
    ):
        pieces = sitk.GetArrayFromImage(sitk.ConnectedComponent(image_of(mask, grid()), True))
        assert sorted(lesion.voxels for lesion in lesions) == sorted(np.bincount(pieces.ravel())[1:].tolist())
        assert all(mask[lesion.at_kji] for lesion in lesions)
    assert len({m.first.at_kji for m in found.matched}) == len(found.matched) > 5


def test_thousands_of_pieces_are_paired_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    first, second = (rng.random(SHAPE_KJI) < 0.05 for _ in range(2))
    counted = lesion_agreement(first, second, grid(), overlap=0.0)
    monkeypatch.setattr("medview.analysis.agreement.lesions._COUNTED_PAIRS", 0)
    assert lesion_agreement(first, second, grid(), overlap=0.0) == counted


def test_sides_change_places_and_empty_masks_have_no_figures() -> None:
    first, second = boxes(BIG, SMALL), boxes(BIG)
    there, back = lesion_agreement(first, second, grid()), lesion_agreement(second, first, grid())
    assert (there.sensitivity, there.precision) == (back.precision, back.sensitivity) == (0.5, 1.0)
    assert there.f1 == back.f1
    none = lesion_agreement(boxes(), boxes(), grid())
    assert (none.sensitivity, none.precision, none.f1) == (None, None, None)
    extra = lesion_agreement(boxes(), first, grid())
    assert (extra.sensitivity, extra.precision, extra.f1) == (None, 0.0, 0.0)
    assert [lesion.voxels for lesion in extra.extra] == [300, 18]
    missed = lesion_agreement(first, boxes(), grid())
    assert (missed.sensitivity, missed.precision, missed.f1) == (0.0, None, 0.0)


def test_lesions_where_nothing_is_known_do_not_count_and_without_millimetres_have_no_volume() -> None:
    known = np.ones(SHAPE_KJI, dtype=bool)
    known[8:] = False
    found = lesion_agreement(boxes(BIG), boxes(BIG, FAR), grid(), known=known)
    assert (found.f1, found.extra) == (1.0, ())
    pixels = Geometry(SHAPE_KJI, grid().affine_lps, calibration=Calibration.PIXELS)
    assert lesion_agreement(boxes(BIG), boxes(), pixels).missed[0].ml is None


def test_large_groups_are_paired_as_small_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(10)
    row, column = np.nonzero(rng.random((40, 30)) < 0.2)
    overlap = rng.uniform(0.01, 1.0, row.size)
    small = best_pairs(row, column, overlap)
    monkeypatch.setattr("medview.analysis.agreement.pairing._SMALL", 0)
    assert best_pairs(row, column, overlap).tolist() == small.tolist()


def test_thousands_of_specks_that_hang_together_take_little_memory_and_time() -> None:
    n = np.arange(6_000)
    apart = 10_000 + np.arange(50_000)
    first, second = np.concatenate((n, n, apart)), np.concatenate((n, n + 1, apart))
    overlap = np.random.default_rng(9).uniform(0.1, 1.0, first.size)
    began = time.perf_counter()
    chosen = best_pairs(first, second, overlap)
    assert time.perf_counter() - began < allowed_s(3.0)
    assert len(set(first[chosen].tolist())) == len(set(second[chosen].tolist())) == chosen.size
    # A chain: of two pairs one after the other at most one is taken.
    before, best = 0.0, 0.0
    for of_pair in np.ravel((overlap[: n.size], overlap[n.size : 2 * n.size]), order="F"):
        before, best = best, max(best, before + of_pair)
    assert overlap[chosen].sum() == pytest.approx(best + overlap[2 * n.size :].sum())
