"""Smoothing against SciPy and SimpleITK on anisotropic and oblique grids; neighbours stay neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from medview.edit.effects.smooth import EFFECT, kernel_voxels
from medview.edit.rules import EditRules, Overlap
from tests.edit.effects.given import ONE, TWO, held, labels_of, work
from tests.edit.grids import SHAPE_KJI, grid


def rough() -> np.ndarray:
    """Return a ball in millimetres with voxels flipped near and inside it."""
    geometry = grid("axial")
    index = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE_KJI), indexing="ij"), axis=-1)
    away = np.linalg.norm(geometry.point_lps_mm(index) - geometry.point_lps_mm((7, 16, 20)), axis=-1)
    random = np.random.default_rng(5)
    return np.asarray((away < 9) ^ ((random.random(SHAPE_KJI) < 0.12) & (away < 11)))


def image_of(mask: np.ndarray, kind: str) -> sitk.Image:
    image = sitk.GetImageFromArray(mask.astype(np.float32))
    image.SetSpacing(tuple(reversed(grid(kind).spacing_kji_mm)))
    return image


@pytest.mark.parametrize("kind", ["axial", "oblique", "sagittal"])
@pytest.mark.parametrize("kernel_mm", [2.0, 4.5, 10.0])
def test_the_median_is_that_of_scipy(kind: str, kernel_mm: float) -> None:
    mask = rough()
    labels = labels_of(kind, mask)
    smooth = held(labels, work(EFFECT, labels, way="median", kernel_mm=kernel_mm))
    size = kernel_voxels(grid(kind), kernel_mm)
    assert np.array_equal(smooth, ndimage.median_filter(mask.astype(np.uint8), size=size, mode="nearest") > 0)


def test_a_kernel_is_the_odd_number_of_voxels_nearest_to_its_millimetres() -> None:
    # 3.1 x 0.9 x 0.7 mm
    assert kernel_voxels(grid("axial"), 3.0) == (1, 3, 5)
    assert kernel_voxels(grid("axial"), 9.0) == (3, 9, 13)
    assert kernel_voxels(grid("axial"), 0.1) == (1, 1, 1)


@pytest.mark.parametrize("way", ["open", "close"])
@pytest.mark.parametrize("kind", ["axial", "oblique"])
def test_opening_and_closing_are_those_of_a_ball_in_millimetres(way: str, kind: str) -> None:
    mask = rough()
    labels = labels_of(kind, mask)
    smooth = held(labels, work(EFFECT, labels, way=way, kernel_mm=6.4))
    reach = [int(3.2 // spacing) for spacing in grid(kind).spacing_kji_mm]
    ramps = np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij")
    ball = sum((r * s) ** 2 for r, s in zip(ramps, grid(kind).spacing_kji_mm, strict=True)) <= 3.2**2
    judge = ndimage.binary_opening if way == "open" else ndimage.binary_closing
    padded = np.pad(mask, 8)
    assert np.array_equal(smooth, judge(padded, ball)[8:-8, 8:-8, 8:-8])
    assert not np.array_equal(smooth, mask)


def test_the_gaussian_is_that_of_simpleitk() -> None:
    mask = rough()
    labels = labels_of("oblique", mask)
    smooth = held(labels, work(EFFECT, labels, way="gaussian", sigma_mm=1.6))
    judge = sitk.GetArrayFromImage(sitk.DiscreteGaussian(image_of(mask, "oblique"), 1.6**2, 64, 1e-4, True))
    differ = smooth != (judge >= 0.5)
    assert np.count_nonzero(differ) <= 0.01 * np.count_nonzero(smooth)
    # Where they differ both are at the limit.
    assert np.abs(judge[differ] - 0.5).max(initial=0) < 0.05


def test_a_plane_stays_where_it_is_up_to_the_edge_of_the_grid() -> None:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[:, :17] = True
    labels = labels_of("axial", mask)
    for way in ("median", "gaussian"):
        assert work(EFFECT, labels, way=way).changes == ()


@pytest.mark.parametrize("overlap", [Overlap.REPLACE, Overlap.KEEP])
def test_neighbours_smoothed_together_leave_no_gap_and_do_not_overlap(overlap: Overlap) -> None:
    mask = rough()
    left = np.zeros_like(mask)
    left[..., :20] = True
    jagged = np.random.default_rng(1).random(SHAPE_KJI) < 0.3
    edge = left ^ (jagged & (np.abs(np.arange(SHAPE_KJI[2]) - 19.5) < 2))
    one, two = mask & edge, mask & ~edge
    labels = labels_of("oblique", one, two)
    worked = work(EFFECT, labels, rules=EditRules(overlap=overlap), way="joint", sigma_mm=1.2)
    first, second = held(labels, worked, ONE), held(labels, worked, TWO)
    assert not (first & second).any()
    # Together they are what both as one would become.
    both = labels_of("oblique", one | two)
    assert np.array_equal(first | second, held(both, work(EFFECT, both, way="gaussian", sigma_mm=1.2)))
    # The border between them is smoother: fewer faces from one to the other.
    assert _faces(first, second) < 0.75 * _faces(one, two)
    assert [amount.name for amount in worked.candidate.amounts] == ["One", "Two"]


def _faces(one: np.ndarray, two: np.ndarray) -> int:
    found = 0
    for axis in range(3):
        a, b = np.moveaxis(one, axis, 0), np.moveaxis(two, axis, 0)
        found += int(np.count_nonzero(a[1:] & b[:-1]) + np.count_nonzero(a[:-1] & b[1:]))
    return found


def test_a_locked_neighbour_is_not_smoothed() -> None:
    mask = rough()
    locked = replace(TWO, locked=True)
    labels = labels_of("axial", mask, np.roll(mask, 9, axis=2) & ~mask, segments=(ONE, locked))
    worked = work(EFFECT, labels, way="joint", sigma_mm=1.5)
    assert np.array_equal(held(labels, worked, locked), labels.mask(locked))
    assert not np.array_equal(held(labels, worked, ONE), labels.mask(ONE))


def test_where_a_gaussian_is_not_quite_round_it_is_said() -> None:
    for way in ("gaussian", "joint"):
        assert "tilted" in work(EFFECT, labels_of("tilted", rough()), way=way).note
        assert work(EFFECT, labels_of("oblique", rough()), way=way).note == ""
