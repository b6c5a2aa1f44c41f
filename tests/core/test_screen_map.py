"""The affine map behind the places of a plane."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.core.plane import Plane, SlicePlane
from medview.core.screen_map import ScreenMap
from tests.helpers.grids import turned_grid

GEOMETRY = turned_grid((2, -1, 0.5), 14.0, shear=0.2)
AXES = Axes().turned((0.3, -1.0, 0.4), 0.6)
LAYOUTS = {
    **{f"{plane.value} slices": SlicePlane.of(plane, GEOMETRY).rotated() for plane in Plane},
    **{f"{plane.value} oblique": ObliquePlane.of(plane, AXES, GEOMETRY).mirrored() for plane in Plane},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_many_points_lie_where_the_plane_puts_each_of_them(layout: PlaneLayout) -> None:
    points = np.random.default_rng(3).uniform(-4, 40, (50, 3))
    seen = ScreenMap.of(layout, GEOMETRY)
    np.testing.assert_allclose(seen.screen(points), [layout.screen(GEOMETRY, point) for point in points], atol=1e-9)
    np.testing.assert_allclose(seen.index_kji(seen.screen(points)), points, atol=1e-9)


def test_a_slice_of_the_grid_cuts_its_own_voxels_and_a_slanting_picture_those_of_neighbours_too() -> None:
    assert ScreenMap.of(LAYOUTS["axial slices"], GEOMETRY).half_thickness == 0.5
    slanting = LAYOUTS["axial oblique"]
    seen = ScreenMap.of(slanting, GEOMETRY)
    # The corner of a voxel that reaches furthest across the pictures, found by trying all eight.
    corners = [np.array((a, b, c)) - 0.5 for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    away = [seen.screen(corner)[0] - seen.screen((0, 0, 0))[0] for corner in corners]
    assert seen.half_thickness == pytest.approx(max(away))
    assert seen.half_thickness > 0.5
