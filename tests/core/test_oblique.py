"""Pictures at an angle to the grid: where they lie, how large they are, and what their edges are called."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.geometry import Calibration, Geometry
from medview.core.oblique import ObliquePlane, layout_of
from medview.core.plane import Plane, SlicePlane
from tests.helpers.grids import EVERY_ORDER, turned_grid

GRIDS = {
    "straight": turned_grid(),
    "turned": turned_grid((2, -1, 0.5), 14.0),
    "far": turned_grid((1, 1, 1), 50.0),
    "sheared": turned_grid((2, -1, 0.5), 9.0, shear=0.3),
    "left-handed": turned_grid((2, -1, 0.5), 14.0, axes=((0, 0, -1), (0, 1, 0), (1, 0, 0))),
}
TURNED = Axes().turned((0.3, -1.0, 0.4), 0.6)


@pytest.fixture(params=GRIDS)
def geometry(request: pytest.FixtureRequest) -> Geometry:
    return GRIDS[request.param]


def variants(plane: ObliquePlane) -> list[ObliquePlane]:
    return [plane, plane.rotated(), plane.mirrored(), plane.mirrored().rotated().rotated().rotated()]


@pytest.mark.parametrize("plane", list(Plane))
def test_a_place_on_the_screen_and_a_place_in_the_grid_are_told_from_one_another_both_ways(
    plane: Plane, geometry: Geometry
) -> None:
    for layout in variants(ObliquePlane.of(plane, TURNED, geometry)):
        for on_screen in ((0.0, 0.0, 0.0), (3.4, 7.1, 2.6), (-5.25, -3.0, 40.0)):
            index = layout.index_kji(geometry, *on_screen)
            assert layout.screen(geometry, index) == pytest.approx(on_screen)
            place = layout.grid(geometry, on_screen[0]).point_lps_mm(*on_screen[1:])
            np.testing.assert_allclose(geometry.point_lps_mm(index), place, atol=1e-9)


@pytest.mark.parametrize("plane", list(Plane))
def test_pixels_are_square_and_pictures_one_step_apart(plane: Plane, geometry: Geometry) -> None:
    layout = ObliquePlane.of(plane, TURNED, geometry)
    here, below, beside, behind = (
        geometry.point_lps_mm(layout.index_kji(geometry, *at)) for at in ((1, 5, 7), (1, 6, 7), (1, 5, 8), (2, 5, 7))
    )
    assert np.linalg.norm(below - here) == pytest.approx(layout.pixel_mm)
    assert np.linalg.norm(beside - here) == pytest.approx(layout.pixel_mm)
    np.testing.assert_allclose(behind - here, np.asarray(layout.normal_lps) * layout.step_mm, atol=1e-9)
    assert layout.pixel_mm == pytest.approx(min(geometry.spacing_kji_mm))


@pytest.mark.parametrize("plane", list(Plane))
def test_the_pictures_hold_the_whole_volume_and_no_more(plane: Plane, geometry: Geometry) -> None:
    layout = ObliquePlane.of(plane, TURNED, geometry)
    ends = [(-0.5, n - 0.5) for n in geometry.shape_kji]
    edges = np.asarray([layout.screen(geometry, (k, j, i)) for k in ends[0] for j in ends[1] for i in ends[2]])
    rows, columns = layout.screen_shape(geometry)
    for along, count in ((1, rows), (2, columns)):
        # A pixel of the picture is rounded away at the most, half of it on either side.
        assert edges[:, along].min() == pytest.approx(-0.5, abs=0.26)
        assert edges[:, along].max() == pytest.approx(count - 0.5, abs=0.26)
    centres = [layout.screen(geometry, geometry.index_kji(c))[0] for c in geometry.corners_lps_mm()]
    assert layout.half_steps <= max(centres) + 1e-6 < layout.half_steps + 1
    assert layout.count(geometry) == 2 * layout.half_steps + 1


def test_a_long_volume_gets_no_finer_pixels_than_a_screen_shows() -> None:
    long = turned_grid(shape_kji=(40, 30, 3000), spacing_kji_mm=(1.0, 1.0, 0.2))
    layout = ObliquePlane.of(Plane.AXIAL, TURNED, long)
    assert max(layout.rows, layout.columns) <= 1024
    assert layout.pixel_mm > 0.4


@pytest.mark.parametrize("directions", list(EVERY_ORDER.values()), ids=list(EVERY_ORDER))
def test_planes_of_the_patient_have_the_patients_own_letters_on_any_oblique_grid(directions: np.ndarray) -> None:
    grid = turned_grid((2, -1, 0.5), 14.0, axes=directions)
    letters = {plane: layout_of(plane, Axes(), grid).edge_letters(grid) for plane in Plane}
    assert letters == {
        Plane.AXIAL: ("R", "L", "A", "P"),
        Plane.CORONAL: ("R", "L", "H", "F"),
        Plane.SAGITTAL: ("A", "P", "H", "F"),
    }


def test_letters_follow_the_turn_of_the_plane_and_of_the_pane() -> None:
    grid = GRIDS["turned"]
    # 30 degrees about the head: the right edge goes from left towards back.
    layout = layout_of(Plane.CORONAL, Axes().turned((0, 0, 1), np.radians(30)), grid)
    assert isinstance(layout, ObliquePlane)
    assert layout.edge_letters(grid) == ("RA", "LP", "H", "F")
    assert layout.mirrored().edge_letters(grid) == ("LP", "RA", "H", "F")
    # A quarter turn clockwise: what was on the right is below.
    assert layout.rotated().edge_letters(grid) == ("F", "H", "RA", "LP")


@pytest.mark.parametrize("plane", list(Plane))
def test_four_quarter_turns_or_two_mirrors_are_none(plane: Plane, geometry: Geometry) -> None:
    layout = ObliquePlane.of(plane, TURNED, geometry)
    assert layout.rotated().rotated().rotated().rotated() == layout
    assert layout.mirrored().mirrored() == layout
    assert layout.rotated().screen_shape(geometry) == layout.screen_shape(geometry)[::-1]


@pytest.mark.parametrize("plane", list(Plane))
def test_a_turned_pane_shows_the_same_places_a_quarter_turn_further(plane: Plane, geometry: Geometry) -> None:
    layout = ObliquePlane.of(plane, TURNED, geometry)
    across, row, column = layout.screen(geometry, (4, 11, 5))
    last_row, last_column = layout.rows - 1, layout.columns - 1
    assert layout.rotated().screen(geometry, (4, 11, 5)) == pytest.approx((across, column, last_row - row))
    assert layout.mirrored().screen(geometry, (4, 11, 5)) == pytest.approx((across, row, last_column - column))


@pytest.mark.parametrize("directions", list(EVERY_ORDER.values()), ids=list(EVERY_ORDER))
@pytest.mark.parametrize("plane", list(Plane))
def test_axes_along_the_grid_give_its_own_slices(plane: Plane, directions: np.ndarray) -> None:
    grid = turned_grid((2, -1, 0.5), 14.0, axes=directions)
    axes = Axes.of_grid(grid)
    assert layout_of(plane, None, grid) == layout_of(plane, axes, grid) == SlicePlane.of(plane, grid)
    # There and back by the hand, with its rounding.
    back = axes.turned((1, 2, 3), 0.7).turned((1, 2, 3), -0.7)
    assert layout_of(plane, back, grid) == SlicePlane.of(plane, grid)


def test_turning_about_a_planes_normal_leaves_its_slices_and_turns_the_other_two() -> None:
    grid = GRIDS["turned"]
    axes = Axes.of_grid(grid)
    for plane in Plane:
        across = axes.screen(plane)[2]
        turned = axes.turned(across, np.radians(20))
        kinds = {other: type(layout_of(other, turned, grid)) for other in Plane}
        assert kinds == {other: SlicePlane if other is plane else ObliquePlane for other in Plane}


def test_across_a_tilted_gantry_axial_slices_stay_and_the_rest_is_put_at_right_angles() -> None:
    grid = GRIDS["sheared"]
    axes = Axes.of_grid(grid)
    assert layout_of(Plane.AXIAL, axes, grid) == SlicePlane.of(Plane.AXIAL, grid)
    sagittal = layout_of(Plane.SAGITTAL, axes, grid)
    assert isinstance(sagittal, ObliquePlane)
    assert float(np.asarray(sagittal.right_lps) @ np.asarray(sagittal.down_lps)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("calibration", [Calibration.IN_PLANE, Calibration.PIXELS])
@pytest.mark.parametrize("plane", list(Plane))
def test_without_millimetres_in_all_directions_there_are_no_other_planes(plane: Plane, calibration: Calibration) -> None:
    stack = turned_grid((2, -1, 0.5), 14.0, calibration=calibration)
    assert layout_of(plane, TURNED, stack) == SlicePlane.of(plane, stack)


def test_a_hundredth_of_a_degree_is_an_angle_and_rounding_of_direction_cosines_is_none() -> None:
    grid = turned_grid()
    turned = Axes().turned((1, 0, 0), np.radians(0.01))
    assert isinstance(layout_of(Plane.AXIAL, turned, grid), ObliquePlane)
    rounded = turned_grid((1, 0, 0), np.degrees(2e-5))
    assert isinstance(layout_of(Plane.AXIAL, Axes(), rounded), SlicePlane)
