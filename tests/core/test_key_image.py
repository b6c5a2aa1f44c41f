from __future__ import annotations

import numpy as np
import pytest

from medview.core.case_labels import counts_as_revision
from medview.core.changes import AnnotationChange
from medview.core.geometry import Calibration, Geometry
from medview.core.key_image import KeyImage
from medview.core.plane import Plane, SlicePlane
from tests.core.test_geometry import geometry, rotation


@pytest.mark.parametrize("plane", list(Plane))
def test_a_marked_slice_is_found_again_on_its_plane_and_on_no_other(plane: Plane) -> None:
    grid = geometry(rotation(0.2, -0.1, 0.15))
    layout = SlicePlane.of(plane, grid)
    for index in (0, layout.count(grid) - 1):
        marked = KeyImage.of_slice("k", layout, grid, index)
        assert marked.slice_index(layout, grid) == index
        assert marked.slice_index(layout.rotated().mirrored(), grid) == index
        for other in Plane:
            if other is not plane:
                assert marked.slice_index(SlicePlane.of(other, grid), grid) is None


def test_it_lies_in_millimetres_so_a_finer_grid_of_the_same_place_has_it_too() -> None:
    coarse = Geometry.from_spacing((5, 8, 9), (4.0, 0.9, 0.6), (-3.0, 7.0, 100.0))
    fine = Geometry.from_spacing((20, 8, 9), (1.0, 0.9, 0.6), (-3.0, 7.0, 100.0))
    layout = SlicePlane.of(Plane.AXIAL, coarse)
    marked = KeyImage.of_slice("k", layout, coarse, 3)
    assert marked.point_lps_mm[2] == pytest.approx(112.0)
    assert marked.slice_index(SlicePlane.of(Plane.AXIAL, fine), fine) == 12


def test_a_slice_beyond_the_grid_or_at_an_angle_is_on_none() -> None:
    grid = Geometry.from_spacing((5, 8, 9), (4.0, 0.9, 0.6))
    layout = SlicePlane.of(Plane.AXIAL, grid)
    assert KeyImage("k", (0.0, 0.0, 20.0), (0.0, 0.0, 1.0)).slice_index(layout, grid) is None
    tilted = (0.0, float(np.sin(np.deg2rad(3.0))), float(np.cos(np.deg2rad(3.0))))
    assert KeyImage("k", (0.0, 0.0, 8.0), tilted).slice_index(layout, grid) is None
    assert KeyImage("k", (0.0, 0.0, 8.0), (0.0, 0.0, -1.0)).slice_index(layout, grid) == 2


def test_slices_of_a_tilted_gantry_and_of_a_stack_are_found_again() -> None:
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 0.6], [2.0, 0.9, 0], [4.0, 0, 0]]
    tilted = Geometry((6, 8, 9), affine)
    stack = Geometry((6, 8, 9), np.diag([1.0, 1.0, 1.0, 1.0]), calibration=Calibration.PIXELS)
    for grid in (tilted, stack):
        for plane in Plane:
            layout = SlicePlane.of(plane, grid)
            assert KeyImage.of_slice("k", layout, grid, 4).slice_index(layout, grid) == 4


def test_a_mark_is_nothing_a_model_looked_at() -> None:
    assert not counts_as_revision(AnnotationChange(None, KeyImage("k", (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))))
