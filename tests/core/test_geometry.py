from __future__ import annotations

import pickle
from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk

from medview.core.box import Box
from medview.core.geometry import Calibration, Geometry

SPACING_KJI_MM = (5.0, 0.9, 0.6)
SHAPE_KJI = (4, 6, 9)


def rotation(a: float, b: float, c: float) -> np.ndarray:
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return z @ y @ x


def signed_permutations() -> list[np.ndarray]:
    matrices = []
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        matrix = np.zeros((3, 3))
        for column, (row, sign) in enumerate(zip(order, signs, strict=True)):
            matrix[row, column] = sign
        matrices.append(matrix)
    return matrices


def geometry(axes: np.ndarray) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(SPACING_KJI_MM)
    affine[:3, 3] = (-120.5, 33.25, 710.0)
    return Geometry(SHAPE_KJI, affine, "1.2.3")


@pytest.mark.parametrize("axes", signed_permutations())
def test_indices_map_to_the_patient_and_back_for_every_axis_permutation(axes: np.ndarray) -> None:
    grid = geometry(rotation(0.21, -0.4, 1.1) @ axes)
    index = np.random.default_rng(3).uniform(-2, 10, (20, 3))
    assert np.allclose(grid.index_kji(grid.point_lps_mm(index)), index, atol=1e-9)


def test_positions_agree_with_simpleitk_on_an_oblique_grid() -> None:
    axes = rotation(0.21, -0.4, 0.3)
    grid = geometry(axes)
    image = sitk.Image([SHAPE_KJI[2], SHAPE_KJI[1], SHAPE_KJI[0]], sitk.sitkUInt8)
    image.SetSpacing((0.6, 0.9, 5.0))
    image.SetOrigin((-120.5, 33.25, 710.0))
    # SimpleITK's direction has the axes of i, j, k as columns.
    image.SetDirection(axes[:, ::-1].flatten().tolist())
    for k, j, i in ((0, 0, 0), (3, 5, 8), (1, 4, 2)):
        assert np.allclose(grid.point_lps_mm((k, j, i)), image.TransformIndexToPhysicalPoint((i, j, k)), atol=1e-9)


def test_the_voxel_volume_of_a_sheared_grid_is_the_parallelepiped() -> None:
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 0] = (0.0, 2.0, 5.0)  # k leans by 2 mm per slice of 5 mm
    affine[:3, 1] = (0.0, 0.9, 0.0)
    affine[:3, 2] = (0.6, 0.0, 0.0)
    grid = Geometry(SHAPE_KJI, affine)
    assert grid.sheared
    assert grid.voxel_volume_mm3 == pytest.approx(5.0 * 0.9 * 0.6)


def test_a_crop_keeps_every_voxel_where_it_was() -> None:
    grid = geometry(rotation(0.2, 0.1, -0.3))
    part = grid.cropped(Box((1, 2, 3), (4, 6, 8)))
    assert part.shape_kji == (3, 4, 5)
    assert np.allclose(part.point_lps_mm((0, 0, 0)), grid.point_lps_mm((1, 2, 3)))
    assert np.allclose(part.point_lps_mm((2, 3, 4)), grid.point_lps_mm((3, 5, 7)))


def test_grids_of_different_frames_of_reference_are_never_the_same() -> None:
    one = geometry(np.eye(3))
    other = Geometry(one.shape_kji, one.affine_lps, "1.2.4")
    unstated = Geometry(one.shape_kji, one.affine_lps, "")
    assert not one.same_grid(other)
    assert one.same_grid(unstated)


def test_a_grid_moved_by_more_than_the_tolerance_is_another_grid() -> None:
    one = geometry(np.eye(3))
    affine = one.affine_lps.copy()
    affine[0, 3] += 0.02
    assert not one.same_grid(Geometry(one.shape_kji, affine, "1.2.3"))
    affine[0, 3] -= 0.015
    assert one.same_grid(Geometry(one.shape_kji, affine, "1.2.3"))


def test_a_stack_is_not_the_same_grid_as_a_volume() -> None:
    one = geometry(np.eye(3))
    assert not one.same_grid(Geometry(one.shape_kji, one.affine_lps, "1.2.3", Calibration.IN_PLANE))


@pytest.mark.parametrize("broken", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.eye(3)])
def test_a_singular_or_misshapen_affine_is_refused(broken: np.ndarray) -> None:
    with pytest.raises(ValueError, match="affine_lps"):
        Geometry(SHAPE_KJI, broken)


def test_the_affine_cannot_be_written_and_survives_pickling() -> None:
    grid = geometry(rotation(0.2, 0.1, -0.3))
    with pytest.raises(ValueError, match="read-only"):
        grid.affine_lps[0, 0] = 1.0
    again = pickle.loads(pickle.dumps(grid))
    assert again.same_grid(grid, tolerance_mm=0.0)
    with pytest.raises(ValueError, match="read-only"):
        again.affine_lps[0, 0] = 1.0
