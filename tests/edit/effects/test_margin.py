"""Margins and shells: exact millimetres in the patient on every grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist

from medview.edit.effects import hollow, margin
from medview.edit.effects.distance import grown, shrunk, within
from tests.edit.effects.given import held, labels_of, work
from tests.edit.grids import KINDS, SHAPE_KJI, grid


def blob() -> np.ndarray:
    """Return something asymmetric with a notch and an island, not at the edge."""
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[4:9, 9:22, 12:29] = True
    mask[6:9, 9:14, 12:17] = False
    mask[5, 25, 31] = True
    return mask


def distances_mm(kind: str, mask: np.ndarray) -> np.ndarray:
    """Return each voxel's distance to the nearest voxel of a mask, the long way: all pairs, in double precision."""
    geometry = grid(kind)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE_KJI), indexing="ij"), axis=-1).reshape(-1, 3)
    edge = mask & ~ndimage.binary_erosion(mask, np.ones((3, 3, 3)))
    every, some = geometry.point_lps_mm(index), geometry.point_lps_mm(np.argwhere(edge))
    nearest = [cdist(every[n : n + 500], some).min(axis=1) for n in range(0, len(every), 500)]
    return np.where(mask, 0.0, np.concatenate(nearest).reshape(SHAPE_KJI))


@pytest.mark.parametrize("kind", KINDS)
def test_growing_and_shrinking_are_exact_in_the_patient(kind: str) -> None:
    mask = blob()
    labels = labels_of(kind, mask)
    outside, inside = distances_mm(kind, mask), distances_mm(kind, ~mask)
    # 3.1 mm is the way from slice to slice: it has to reach exactly one of them.
    for margin_mm in (1.3, 3.1, 5.0):
        slack = margin_mm * (1 + 1e-6)
        bigger = held(labels, work(margin.EFFECT, labels, way="grow", margin_mm=margin_mm))
        assert np.array_equal(bigger, outside <= slack)
        smaller = held(labels, work(margin.EFFECT, labels, way="shrink", margin_mm=margin_mm))
        assert np.array_equal(smaller, inside > slack)


def test_scipy_measures_the_same_distances() -> None:
    mask, geometry = blob(), grid("oblique")
    away = ndimage.distance_transform_edt(~mask, sampling=geometry.spacing_kji_mm)
    for distance_mm in (0.7, 2.2, 6.5):
        assert np.array_equal(within(geometry, mask, distance_mm), away <= distance_mm * (1 + 1e-6))


@pytest.mark.parametrize("kind", ["oblique", "tilted"])
def test_a_shell_lies_where_it_is_said_to_lie(kind: str) -> None:
    mask = blob()
    labels = labels_of(kind, mask)
    outside, inside = distances_mm(kind, mask), distances_mm(kind, ~mask)
    shells = {side: held(labels, work(hollow.EFFECT, labels, side=side, thickness_mm=3.5)) for side in hollow._OUTSIDE}
    # Five columns are 3.5 mm; they count.
    whole, half = 3.5 * (1 + 1e-6), 1.75 * (1 + 1e-6)
    assert np.array_equal(shells["inside"], mask & (inside <= whole))
    assert np.array_equal(shells["outside"], ~mask & (outside <= whole))
    assert np.array_equal(shells["centred"], mask & (inside <= half) | ~mask & (outside <= half))
    assert all(shell.any() for shell in shells.values())


def test_the_edge_of_the_grid_takes_nothing_away() -> None:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[:, 5:25, :20] = True
    labels = labels_of("axial", mask)
    smaller = held(labels, work(margin.EFFECT, labels, way="shrink", margin_mm=2.0))
    expected = np.zeros_like(mask)
    expected[:, 7:23, :18] = True
    assert np.array_equal(smaller, expected)


def test_a_margin_thinner_than_the_slices_says_so() -> None:
    labels = labels_of("axial", blob())
    assert "3.1 mm apart" in work(margin.EFFECT, labels, margin_mm=2.0).note
    assert work(margin.EFFECT, labels, margin_mm=3.1).note == ""


@pytest.mark.parametrize("kind", ["axial", "tilted"])
def test_nothing_grows_out_of_nothing_and_everything_stays_everything(kind: str) -> None:
    empty = np.zeros(SHAPE_KJI, dtype=bool)
    assert not grown(grid(kind), empty, 9.0).any()
    assert shrunk(grid(kind), ~empty, 9.0).all()
