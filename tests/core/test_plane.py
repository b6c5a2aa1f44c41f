from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Geometry
from medview.core.plane import Plane, SlicePlane, letters
from tests.core.test_geometry import geometry, rotation, signed_permutations

UPRIGHT_LETTERS = {
    Plane.AXIAL: ("R", "L", "A", "P"),
    Plane.CORONAL: ("R", "L", "H", "F"),
    Plane.SAGITTAL: ("A", "P", "H", "F"),
}


@pytest.mark.parametrize("axes", signed_permutations())
@pytest.mark.parametrize("plane", list(Plane))
def test_every_stored_orientation_is_shown_by_the_radiological_convention(axes: np.ndarray, plane: Plane) -> None:
    grid = geometry(axes)
    assert SlicePlane.of(plane, grid).edge_letters(grid) == UPRIGHT_LETTERS[plane]


@pytest.mark.parametrize("axes", signed_permutations())
@pytest.mark.parametrize("plane", list(Plane))
def test_the_voxel_on_screen_is_the_voxel_in_the_patient(axes: np.ndarray, plane: Plane) -> None:
    grid = geometry(rotation(0.1, -0.08, 0.05) @ axes)
    layout = SlicePlane.of(plane, grid)
    array = np.arange(np.prod(grid.shape_kji)).reshape(grid.shape_kji)
    index = layout.count(grid) - 1
    shown = layout.extract(array, index)
    assert shown.shape == layout.screen_shape(grid)
    for row, column in ((0, 0), (shown.shape[0] - 1, 0), (1, shown.shape[1] - 1)):
        at = layout.index_kji(grid, index, row, column)
        assert shown[row, column] == array[tuple(at.astype(int))]
        assert layout.screen(grid, at) == (index, row, column)


def test_moving_right_on_an_axial_slice_moves_to_the_patients_left() -> None:
    grid = geometry(np.array([[0.0, 0, -1], [0, -1, 0], [1, 0, 0]]))
    layout = SlicePlane.of(Plane.AXIAL, grid)
    here = grid.point_lps_mm(layout.index_kji(grid, 0, 2, 2))
    there = grid.point_lps_mm(layout.index_kji(grid, 0, 2, 3))
    assert there[0] > here[0]
    below = grid.point_lps_mm(layout.index_kji(grid, 0, 3, 2))
    assert below[1] > here[1]


def test_screen_spacing_follows_the_axes_on_an_anisotropic_grid() -> None:
    grid = Geometry.from_spacing((4, 6, 9), (5.0, 0.9, 0.6))
    assert SlicePlane.of(Plane.AXIAL, grid).screen_spacing_mm(grid) == pytest.approx((0.9, 0.6))
    assert SlicePlane.of(Plane.CORONAL, grid).screen_spacing_mm(grid) == pytest.approx((5.0, 0.6))
    assert SlicePlane.of(Plane.SAGITTAL, grid).screen_spacing_mm(grid) == pytest.approx((5.0, 0.9))


def test_a_slice_of_a_colour_volume_keeps_its_components_last() -> None:
    grid = Geometry.from_spacing((4, 6, 9), (5.0, 0.9, 0.6))
    layout = SlicePlane.of(Plane.SAGITTAL, grid)
    assert layout.extract(np.zeros((4, 6, 9, 3), dtype=np.uint8), 2).shape == (4, 6, 3)


def test_extracting_a_slice_copies_nothing() -> None:
    grid = geometry(rotation(0.1, 0.0, 0.0))
    array = np.zeros(grid.shape_kji)
    assert np.shares_memory(SlicePlane.of(Plane.CORONAL, grid).extract(array, 1), array)


@pytest.mark.parametrize(
    ("direction", "named"),
    [((1, 0, 0), "L"), ((0, -1, 0), "A"), ((0.8, 0.6, 0), "LP"), ((0.1, 0.2, -0.97), "F"), ((-0.6, 0.5, 0.62), "HRP")],
)
def test_directions_are_named_strongest_first(direction: tuple[float, float, float], named: str) -> None:
    assert letters(direction) == named
