"""Heat maps on slices: where they lie, how they look, through slabs and at any angle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import map_coordinates

from medview.core.axes import Axes
from medview.core.geometry import Geometry
from medview.core.heat import Heat
from medview.core.oblique import layout_of
from medview.core.plane import Plane, SlicePlane
from medview.core.slab import Slab, SlabMode
from medview.core.volume import Volume
from medview.workspace.colour_maps import palette
from medview.workspace.fusion_picture import refined, refinement, slab_grid
from medview.workspace.heat_picture import FULL_AT, heat_rgba, shown_heat
from medview.workspace.open_case import OpenCase
from tests.workspace.conftest import oblique_geometry
from tests.workspace.test_fusion import case_of, pet_geometry

AXES = [None, Axes().turned((1.0, 0.4, 0.2), 0.5)]
"""Along the grid, and at an angle to it in all planes."""


@pytest.fixture
def case() -> OpenCase:
    grid = oblique_geometry()
    return case_of(Volume(np.zeros(grid.shape_kji, np.int16), grid, "CT", "HU"), "1.2.3.4")


def noise(grid: Geometry, below: int = 256) -> Heat:
    levels = np.random.default_rng(7).integers(0, below, grid.shape_kji).astype(np.uint8)
    return Heat(levels, grid, "Nodule")


def coloured(levels: npt.NDArray[np.generic], opacity: float) -> npt.NDArray[np.uint8]:
    at = np.asarray(levels, dtype=np.uint8)
    alpha = opacity * np.minimum(at / 255 / FULL_AT, 1.0)
    colours = np.rint(palette("inferno")[at] * alpha[..., None])
    return np.concatenate([colours, np.rint(255 * alpha)[..., None]], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("plane", Plane)
def test_on_the_grid_of_the_series_every_voxel_has_its_own_colour_in_every_plane(case: OpenCase, plane: Plane) -> None:
    heat, layout = noise(case.volume.geometry), SlicePlane.of(plane, case.volume.geometry)
    index = layout.count(case.volume.geometry) // 3
    found = heat_rgba(heat, 0.6, case, layout, index, Slab())
    expected = coloured(layout.extract(heat.levels, index), 0.6)
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("plane", Plane)
def test_a_coarse_turned_grid_lies_where_scipy_interpolates_it(case: OpenCase, plane: Plane, axes: Axes | None) -> None:
    # Below the strength from which it is as opaque as it gets, the alpha tells the level.
    heat, geometry = noise(pet_geometry(), 100), case.volume.geometry
    layout = layout_of(plane, axes, geometry)
    index = layout.screen(geometry, (np.array(geometry.shape_kji) - 1) / 2)[0]
    index = int(index) if isinstance(layout, SlicePlane) else index
    found = heat_rgba(heat, 1.0, case, layout, index, Slab())
    grid = slab_grid(layout, geometry, index, Slab())
    fine = refined(grid, refinement(grid, min(heat.geometry.spacing_kji_mm)))
    corner, down, right = fine.on(heat.geometry)
    rows, columns = (np.arange(n) for n in fine.shape)
    at = corner + rows[:, None, None] * down + columns[None, :, None] * right
    inside = np.all((at > 0) & (at < np.array(heat.geometry.shape_kji) - 1), axis=-1)
    outside = np.any((at < -0.51) | (at > np.array(heat.geometry.shape_kji) - 0.49), axis=-1)
    expected = map_coordinates(heat.levels.astype(float), np.moveaxis(at, -1, 0), order=1)
    assert inside.sum() > 30
    assert np.abs(found[..., 3][inside] / (255 / (FULL_AT * 255)) - expected[inside]).max() <= 0.75
    assert not found[outside].any()


@pytest.mark.parametrize("mode", [SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN])
@pytest.mark.parametrize("plane", Plane)
def test_a_slab_shows_its_hottest_place_whatever_it_shows_of_the_picture(
    case: OpenCase, mode: SlabMode, plane: Plane
) -> None:
    grid = case.volume.geometry
    layout = SlicePlane.of(plane, grid)
    middle = [n // 2 for n in grid.shape_kji]
    index = middle[layout.normal_axis]
    middle[layout.normal_axis] += 1
    levels = np.zeros(grid.shape_kji, dtype=np.uint8)
    levels[tuple(middle)] = 255
    heat, slab = Heat(levels, grid, "x"), Slab(mode, 3 * layout.spacing_mm(grid))
    assert not heat_rgba(heat, 1.0, case, layout, index, Slab()).any()
    assert heat_rgba(heat, 1.0, case, layout, index, slab)[..., 3].max() == 255


def test_a_heat_map_of_one_time_is_shown_at_that_time_only_and_a_hidden_one_not(case: OpenCase) -> None:
    heat = replace(noise(case.volume.geometry), time_index=1)
    case.view.heat = heat
    assert shown_heat(case.view) is None
    case.view.heat = replace(heat, time_index=0)
    assert shown_heat(case.view) is case.view.heat
    case.view.heat_visible = False
    assert shown_heat(case.view) is None


def test_a_heat_map_much_coarser_than_the_picture_is_worked_out_no_finer_than_it_is(case: OpenCase) -> None:
    base = case.volume.geometry
    affine = np.array(base.affine_lps)
    affine[:3, :3] *= 6.0
    coarse = Geometry((2, 3, 5), affine, base.frame_of_reference_uid)
    levels = np.zeros(coarse.shape_kji, dtype=np.uint8)
    levels[1, 1, 3] = 255
    layout = SlicePlane.of(Plane.AXIAL, base)
    place = coarse.point_lps_mm((1, 1, 3))
    k, j, i = base.index_kji(place)
    index = round({0: k, 1: j, 2: i}[layout.normal_axis])
    found = heat_rgba(Heat(levels, coarse, "x"), 1.0, case, layout, index, Slab())
    rows, columns = layout.screen_shape(base)
    assert found.shape[0] * found.shape[1] <= rows * columns / 2
    at = np.argwhere(found[..., 3] == found[..., 3].max()).mean(axis=0)
    _, row, column = layout.screen(base, (k, j, i))
    there = (at + 0.5) * (rows / found.shape[0], columns / found.shape[1]) - 0.5
    assert np.abs(there - (row, column)).max() <= 3.0
