from __future__ import annotations

import numpy as np

from medview.core.annotations import BoxAnnotation
from tests.core.test_geometry import geometry, rotation


def test_an_index_box_keeps_its_edges_through_the_patient_on_an_oblique_grid() -> None:
    grid = geometry(rotation(0.3, -0.2, 0.5))
    box = BoxAnnotation.on_grid("b", "Nodule", grid, (1, 2, 3), (3, 5, 7))
    low, high = box.bounds_kji(grid)
    assert np.allclose(low, (1, 2, 3))
    assert np.allclose(high, (3, 5, 7))


def test_the_enclosing_box_of_one_voxel_reaches_half_a_voxel_around_its_centre() -> None:
    grid = geometry(np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]]))
    low, high = BoxAnnotation.on_grid("b", "Nodule", grid, (2, 3, 4), (3, 4, 5)).enclosing_lps_mm()
    centre = grid.point_lps_mm((2, 3, 4))
    assert np.allclose(low, centre - np.array([0.3, 0.45, 2.5]))
    assert np.allclose(high, centre + np.array([0.3, 0.45, 2.5]))
