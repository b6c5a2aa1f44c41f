"""Pixels of a picture in the patient."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.plane import Plane, SlicePlane
from medview.core.screen_grid import ScreenGrid
from tests.helpers.grids import EVERY_ORDER, turned_grid


@pytest.mark.parametrize("directions", list(EVERY_ORDER.values()), ids=list(EVERY_ORDER))
@pytest.mark.parametrize("plane", list(Plane))
def test_the_pixels_of_a_slice_are_its_voxels(plane: Plane, directions: np.ndarray) -> None:
    geometry = turned_grid((2, -1, 0.5), 14.0, axes=directions, shear=0.2)
    layout = SlicePlane.of(plane, geometry)
    for turned in (layout, layout.rotated(), layout.mirrored()):
        grid = turned.grid(geometry, 2)
        assert grid.shape == turned.screen_shape(geometry)
        corner, down, right = grid.on(geometry)
        for row, column in ((0, 0), (3, 7), (5, 1)):
            index = turned.index_kji(geometry, 2, row, column)
            np.testing.assert_allclose(geometry.point_lps_mm(index), grid.point_lps_mm(row, column), atol=1e-9)
            np.testing.assert_allclose(corner + row * down + column * right, index, atol=1e-9)


def test_a_picture_that_is_moved_keeps_its_pixels() -> None:
    grid = ScreenGrid((1.0, 2.0, 3.0), (0.0, 0.5, 0.0), (0.7, 0.0, 0.0), (4, 6))
    moved = grid.moved((10.0, 0.0, -1.0))
    assert moved == ScreenGrid((11.0, 2.0, 2.0), (0.0, 0.5, 0.0), (0.7, 0.0, 0.0), (4, 6))
    np.testing.assert_allclose(moved.point_lps_mm(3, 5) - grid.point_lps_mm(3, 5), (10, 0, -1))


def test_the_normal_points_away_from_the_person_and_changes_sides_in_the_mirror() -> None:
    geometry = turned_grid()
    axial = SlicePlane.of(Plane.AXIAL, geometry)
    # Looking at an axial picture one looks from the feet to the head.
    np.testing.assert_allclose(axial.grid(geometry, 0).normal_lps, (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(axial.rotated().grid(geometry, 0).normal_lps, (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(axial.mirrored().grid(geometry, 0).normal_lps, (0, 0, -1), atol=1e-12)


def test_a_picture_with_fewer_pixels_lies_between_the_same_edges() -> None:
    grid = ScreenGrid((1.0, 2.0, 3.0), (0.0, 0.5, 0.1), (0.7, 0.0, 0.2), (40, 60))
    fewer = grid.resampled((25, 30))
    assert fewer.shape == (25, 30)
    for (a, b), (c, d) in (((-0.5, -0.5), (-0.5, -0.5)), ((39.5, -0.5), (24.5, -0.5)), ((39.5, 59.5), (24.5, 29.5))):
        np.testing.assert_allclose(fewer.point_lps_mm(c, d), grid.point_lps_mm(a, b), atol=1e-12)
