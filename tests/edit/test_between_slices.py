from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.edit.between_slices import between_slices
from medview.edit.drawn_regions import depth_mm
from medview.edit.drawn_slices import Drawn, Gap
from tests.edit.solids import SHAPE_KJI, SOLIDS, SPACING_KJI_MM, dice, drawn, fork, sphere, tilted, vessel
from tests.helpers.timing import allowed_s, typical_of

ITK: dict[tuple[str, int, int], float] = {
    ("sphere", 0, 3): 0.973, ("sphere", 1, 6): 0.972, ("sphere", 2, 6): 0.962,
    ("ellipsoid", 0, 3): 0.986, ("ellipsoid", 1, 6): 0.980, ("ellipsoid", 2, 6): 0.976,
    ("cone", 0, 6): 0.983, ("cone", 1, 6): 0.971, ("cone", 2, 6): 0.958,
    ("tilted", 0, 6): 0.930, ("tilted", 1, 6): 0.890, ("tilted", 2, 6): 0.847,
    ("vessel", 0, 6): 0.480, ("vessel", 1, 6): 0.621, ("vessel", 2, 6): 0.466,
    ("torus", 0, 3): 0.940, ("torus", 1, 6): 0.932, ("torus", 2, 6): 0.941,
    ("lying_torus", 0, 3): 0.942, ("lying_torus", 1, 6): 0.953, ("lying_torus", 2, 6): 0.943,
    ("fork", 0, 6): 0.978, ("fork", 1, 3): 0.946, ("fork", 2, 3): 0.946,
}  # fmt: skip
"""Dice of ``itk.MorphologicalContourInterpolator`` 5.4, which 3D Slicer fills with, by solid, axis and step."""


def _fill(mask: np.ndarray, axis: int, **more: object) -> np.ndarray:
    return between_slices([Drawn(mask)], axis, SPACING_KJI_MM, **more) > 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "axis", "step"), ITK)
def test_every_solid_comes_back_from_a_few_slices_closer_than_with_itk(name: str, axis: int, step: int) -> None:
    solid = SOLIDS[name]()
    only = drawn(solid, axis, step)
    filled = _fill(only, axis)
    assert not (filled & only).any()
    assert dice(filled | only, solid) > ITK[name, axis, step]


@pytest.mark.parametrize("axis", range(3))
def test_only_slices_on_which_nothing_was_drawn_are_filled(axis: int) -> None:
    only = drawn(sphere(), axis, 4)
    across = tuple(a for a in range(3) if a != axis)
    has, became = only.any(axis=across), _fill(only, axis).any(axis=across)
    first, last = np.flatnonzero(has)[[0, -1]]
    assert not became[has].any()
    assert became[first : last + 1][~has[first : last + 1]].all()
    assert not became[:first].any()
    assert not became[last + 1 :].any()


@pytest.mark.parametrize("axis", range(3))
def test_what_is_the_same_on_both_sides_is_the_same_between_with_its_holes(axis: int) -> None:
    slice_ = np.random.default_rng(4).random(tuple(n for a, n in enumerate(SHAPE_KJI) if a != axis)) < 0.3
    slice_ = ndimage.binary_opening(ndimage.binary_dilation(slice_), iterations=1)
    prism = np.broadcast_to(np.expand_dims(slice_, axis), SHAPE_KJI)
    only = drawn(np.array(prism), axis, 5)
    assert np.array_equal(_fill(only, axis) | only, prism)


def test_filling_does_not_know_which_side_is_first() -> None:
    only = drawn(fork(), 0, 6)
    there, back = _fill(only, 0), _fill(only[::-1], 0)[::-1]
    assert dice(there, back) > 0.99


def test_a_slanting_vessel_whose_slices_do_not_overlap_stays_one_and_as_thick() -> None:
    solid = vessel()
    only = drawn(solid, 0, 8)
    found = np.flatnonzero(only.any(axis=(1, 2)))
    assert not any((only[a] & only[b]).any() for a, b in pairwise(found))
    filled = _fill(only, 0) | only
    assert ndimage.label(filled, np.ones((3, 3, 3)))[1] == 1
    assert np.count_nonzero(filled) == pytest.approx(np.count_nonzero(solid), rel=0.08)


def test_what_branches_reaches_each_branch_and_stays_one() -> None:
    filled = _fill(drawn(fork(), 0, 8), 0) | drawn(fork(), 0, 8)
    assert ndimage.label(filled, np.ones((3, 3, 3)))[1] == 1
    for n in np.flatnonzero(filled.any(axis=(1, 2))):
        assert ndimage.label(filled[n], np.ones((3, 3)))[1] == (1 if n < 40 else 2) or 39 < n < 48, n


def test_a_region_without_a_partner_ends_half_way() -> None:
    mask = np.zeros((21, 60, 60), dtype=bool)
    mask[[0, 20], 20:40, 5:25] = True
    mask[0, 25:35, 45:55] = True
    filled = _fill(mask, 0)
    sizes = np.count_nonzero(filled[:, :, 40:], axis=(1, 2))
    assert sizes[1:10].all()
    assert not sizes[10:].any()
    assert (np.diff(sizes[1:10]) <= 0).all()


def test_nothing_is_filled_where_a_slice_is_known_to_be_drawn() -> None:
    mask = np.zeros((21, 40, 40), dtype=bool)
    mask[[0, 20], 10:30, 10:30] = True
    filled = _fill(mask, 0, known=(8,))
    assert not filled[4:15].any()
    assert filled[1:4].any(axis=(1, 2)).all()


def test_segments_never_take_each_others_voxels_nor_those_of_others() -> None:
    rng = np.random.default_rng(2)
    first, second = drawn(tilted(9), 0, 5), drawn(np.roll(tilted(9), 12, axis=1), 0, 7)
    second &= ~first
    taken = ndimage.binary_dilation(rng.random(SHAPE_KJI) < 0.002, iterations=2) & ~first & ~second
    both = between_slices([Drawn(first), Drawn(second)], 0, SPACING_KJI_MM, taken)
    assert not both[first | second | taken].any()
    alone = [between_slices([Drawn(mask)], 0, SPACING_KJI_MM) > 0 for mask in (first, second)]
    # Each is as it would be alone, but for voxels that both want: there the one that is deeper has them.
    free = ~(first | second | taken)
    meet = alone[0] & alone[1] & free
    assert meet.any()
    for number, mask in enumerate(alone, start=1):
        assert np.array_equal((both == number) & ~meet, mask & free & ~meet)
    assert set(np.unique(both[meet])) == {1, 2}


def test_gaps_lie_between_drawn_slices_and_known_ones() -> None:
    mask = np.zeros((12, 4, 5), dtype=bool)
    mask[[1, 2, 6, 9], 2, 2] = True
    assert Drawn(mask).gaps(0) == [Gap(0, 2, 6), Gap(0, 6, 9)]
    assert Drawn(mask).gaps(0, known=(0, 4, 8, 11)) == [Gap(0, 2, 4), Gap(0, 4, 6), Gap(0, 6, 8)]
    assert Drawn(mask).gaps(1) == []
    assert Drawn(np.zeros_like(mask)).gaps(0) == []


def test_cancel_is_asked_for_before_every_slice() -> None:
    asked = []

    class Counting(Inline):
        def raise_if_cancelled(self) -> None:
            asked.append(1)
            if len(asked) > 3:
                raise CancelledError

    with pytest.raises(CancelledError):
        between_slices([Drawn(drawn(sphere(), 1, 4))], 1, SPACING_KJI_MM, context=Counting())
    assert len(asked) == 4


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0), (0.7, 2.9)])
def test_depth_is_measured_to_the_edge_between_the_pixels(spacing_mm: tuple[float, float]) -> None:
    mask = np.zeros((40, 50), dtype=bool)
    mask[10:31, 8:43] = True
    depth = depth_mm(mask, spacing_mm)
    assert depth[10:, 20][:4] == pytest.approx([(n + 0.5) * spacing_mm[0] for n in range(4)], abs=1e-5)
    assert depth[20, 8::-1] == pytest.approx([(0.5 - n) * spacing_mm[1] for n in range(9)], abs=1e-5)
    judge = ndimage.distance_transform_edt(mask, sampling=spacing_mm) - ndimage.distance_transform_edt(
        ~mask, sampling=spacing_mm
    )
    assert np.abs(depth - judge).max() <= np.hypot(*spacing_mm) / 2 + 0.01


def test_forty_gaps_of_a_large_organ_take_less_than_a_second() -> None:
    y, x = np.ogrid[:512, :512]
    mask = np.zeros((81, 512, 512), dtype=bool)
    for n in range(0, 81, 2):
        mask[n] = ((y - 256 - n / 4) / (150 + n / 3)) ** 2 + ((x - 250) / (140 - n / 2)) ** 2 < 1

    def measure() -> float:
        began = time.perf_counter()
        between_slices([Drawn(mask)], 0, (2.5, 0.8, 0.8))
        return time.perf_counter() - began

    assert typical_of(measure) < allowed_s(1.0)
