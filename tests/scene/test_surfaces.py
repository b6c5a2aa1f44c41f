from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from vtkmodules.vtkFiltersCore import vtkMassProperties

from medview.scene.grid import Grid
from medview.scene.surfaces import surface
from tests.scene.drawing import turned_affine

RADIUS_MM = 14.0


def labelled_sphere(spacing_kji_mm: tuple[float, float, float], shear: float) -> tuple[Grid, np.ndarray]:
    geometry = turned_affine(spacing_kji_mm, shear)
    centre = geometry.point_lps_mm((np.asarray(geometry.shape_kji) - 1) / 2)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    inside = np.linalg.norm(geometry.point_lps_mm(index) - centre, axis=-1) < RADIUS_MM
    return Grid(inside.astype(np.uint8) * 5, geometry.affine_lps).right_handed(), centre


def volume_mm3(shape: Any) -> float:
    measure = vtkMassProperties()
    measure.SetInputData(shape)
    return float(measure.GetVolume())


@pytest.mark.parametrize("shear", [0.0, 0.3])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.5, 0.7, 0.6)])
def test_the_surface_of_a_sphere_holds_its_volume(spacing: tuple[float, float, float], shear: float) -> None:
    grid, centre = labelled_sphere(spacing, shear)
    shape = surface(grid, 5)
    assert volume_mm3(shape) == pytest.approx(4 / 3 * np.pi * RADIUS_MM**3, rel=0.03)
    assert shape.GetCenter() == pytest.approx(centre, abs=0.3)


def test_the_surface_of_a_sphere_is_smooth() -> None:
    grid, centre = labelled_sphere((1.0, 1.0, 1.0), 0.0)
    shape = surface(grid, 5)
    distances = [np.linalg.norm(np.asarray(shape.GetPoint(n)) - centre) for n in range(shape.GetNumberOfPoints())]
    # Steps of voxels would be half a diagonal, 0.87 mm.
    assert np.std(distances) < 0.2


def test_a_segment_at_the_edge_of_the_grid_is_closed_there() -> None:
    voxels = np.zeros((12, 10, 8), np.uint8)
    voxels[:, :5] = 1
    volume = volume_mm3(surface(Grid(voxels, np.eye(4)[[2, 1, 0, 3]]), 1))
    assert volume == pytest.approx(12 * 5 * 8, rel=0.12)


def test_a_segment_without_voxels_has_no_surface() -> None:
    assert surface(Grid(np.zeros((4, 4, 4), np.uint8), np.eye(4)), 1) is None
