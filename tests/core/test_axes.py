"""What the three planes look along, turned and standing upright."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from medview.core.axes import Axes
from medview.core.plane import Plane, screen_directions
from tests.helpers.grids import EVERY_ORDER, turn, turned_grid

TILT = ((2.0, -1.0, 0.5), 14.0)


def handed(right: npt.ArrayLike, down: npt.ArrayLike, across: npt.ArrayLike) -> float:
    return float(np.linalg.det([right, down, across]))


@pytest.mark.parametrize("directions", list(EVERY_ORDER.values()), ids=list(EVERY_ORDER))
def test_the_axes_of_a_grid_in_any_order_are_right_handed_and_nearest_to_the_patients(
    directions: npt.NDArray[np.float64],
) -> None:
    axes = Axes.of_grid(turned_grid(*TILT, axes=directions))
    np.testing.assert_allclose(axes.matrix, turn(*TILT), atol=1e-12)
    assert axes.upright == (axes.left, axes.back, axes.head)


@pytest.mark.parametrize("degrees", [30.0, 44.0, 46.0, 61.0, 90.0, 137.0])
@pytest.mark.parametrize("axis", [(1, 1, 1), (1, -1, 0.9), (0.2, 1, 0.4), (1, 0.1, -1)], ids=str)
def test_a_grid_far_from_the_patients_directions_has_right_handed_axes_too(axis: tuple[float, ...], degrees: float) -> None:
    matrix = Axes.of_grid(turned_grid(axis, degrees)).matrix
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)
    assert (np.diag(matrix) >= 0).all()


def test_the_axes_of_a_tilted_gantry_keep_the_slices_and_put_the_third_across_them() -> None:
    geometry = turned_grid(*TILT, shear=0.3)
    axes = Axes.of_grid(geometry)
    _, j, i = geometry.directions_kji
    np.testing.assert_allclose(axes.left, i, atol=1e-12)
    np.testing.assert_allclose(axes.back, j, atol=1e-12)
    np.testing.assert_allclose(axes.head, np.cross(i, j), atol=1e-12)


def test_the_patients_own_axes_lay_every_plane_out_the_way_it_is_looked_at() -> None:
    for plane in Plane:
        np.testing.assert_array_equal(Axes().screen(plane), screen_directions(plane))


def test_a_turn_follows_the_right_hand_and_keeps_what_lies_along_it() -> None:
    turned = Axes().turned((0, 0, 5), np.radians(30))
    np.testing.assert_allclose(turned.matrix, turn((0, 0, 1), 30.0), atol=1e-12)
    assert turned.left[1] == pytest.approx(0.5)
    np.testing.assert_allclose(turned.head, (0, 0, 1), atol=1e-12)


def test_many_small_turns_leave_right_angles() -> None:
    axes = Axes()
    for n in range(5000):
        axes = axes.turned((np.sin(n), np.cos(n), 0.3), 0.01)
    np.testing.assert_allclose(axes.matrix.T @ axes.matrix, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes.matrix) == pytest.approx(1.0)


@pytest.mark.parametrize("plane", list(Plane))
def test_turning_the_others_about_the_normal_of_a_plane_does_not_turn_or_roll_it(plane: Plane) -> None:
    for start in (Axes(), Axes.of_grid(turned_grid(*TILT))):
        before = start.screen(plane)
        for degrees in (3.0, 40.0, 90.0, 155.0, -120.0):
            after = start.turned(before[2], np.radians(degrees)).screen(plane)
            np.testing.assert_allclose(after, before, atol=1e-12)


@pytest.mark.parametrize("plane", list(Plane))
def test_no_turn_makes_a_mirror_image(plane: Plane) -> None:
    wanted = handed(*screen_directions(plane))
    rng = np.random.default_rng(3)
    for _ in range(300):
        start = Axes.of_grid(turned_grid(rng.normal(size=3), rng.uniform(-180, 180)))
        right, down, across = start.turned(rng.normal(size=3), rng.uniform(-np.pi, np.pi)).screen(plane)
        assert handed(right, down, across) == pytest.approx(wanted)
        for one, other in ((right, down), (down, across), (across, right)):
            assert float(one @ other) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("side", [0, 1])
def test_a_plane_tipped_by_a_quarter_turn_and_a_little_more_goes_on_smoothly(plane: Plane, side: int) -> None:
    about = screen_directions(plane)[side]
    before = Axes().screen(plane)
    for degrees in range(1, 105):
        after = Axes().turned(about, np.radians(degrees)).screen(plane)
        # What lies along the axis of the turn stays; everything else goes as far as the hand.
        np.testing.assert_allclose(after[side], before[side], atol=1e-9)
        assert np.degrees(np.arccos(after[1 - side] @ before[1 - side])) == pytest.approx(1.0, abs=1e-6)
        before = after


def test_a_plane_stays_upright_when_the_others_turn_it() -> None:
    # The coronal plane turned about the head still has the head on top, whatever was turned before.
    axes = Axes().turned((0, 0, 1), 0.5).turned((0.1, 1, 0), 0.3)
    for plane in (Plane.CORONAL, Plane.SAGITTAL):
        _, down, across = axes.screen(plane)
        flat = np.cross(across, (0, 0, 1))
        assert abs(float(down @ flat)) < 0.35 * float(np.linalg.norm(flat))


def steepest(found: list[npt.NDArray[np.float64]]) -> float:
    """Largest angle in degrees between directions that follow one another."""
    vectors = np.asarray(found)
    return float(np.degrees(np.arccos(np.clip((vectors[1:] * vectors[:-1]).sum(axis=1), -1.0, 1.0))).max())


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (0.3, -1, 0.2), (1, 0.1, -0.8), (-1, 2, 3)])
@pytest.mark.parametrize("plane", list(Plane))
def test_no_picture_jumps_while_the_hand_goes_all_the_way_round(plane: Plane, axis: tuple[float, ...]) -> None:
    for start in (Axes(), Axes.of_grid(turned_grid(*TILT)).turned((0.2, 0.7, -0.4), 0.9)):
        path = [start]
        for _ in range(360):
            path.append(path[-1].turned(axis, np.radians(1.0)))
        assert steepest([axes.screen(plane)[0] for axes in path]) < 3.0
        assert steepest([axes.screen(plane)[1] for axes in path]) < 3.0
        # A large turn ends as many small ones do.
        np.testing.assert_allclose(
            start.turned(axis, np.radians(100)).screen(plane)[0], path[100].screen(plane)[0], atol=0.1
        )


def test_after_many_turns_a_picture_less_than_45_degrees_off_is_as_upright_as_if_it_had_been_turned_there_at_once() -> None:
    rng = np.random.default_rng(4)
    axes, seen = Axes(), 0
    for _ in range(400):
        axes = axes.turned(rng.normal(size=3), np.radians(rng.uniform(2, 8)))
        if max(float(np.degrees(np.arccos(axes.screen(plane)[2] @ Axes().screen(plane)[2]))) for plane in Plane) > 40:
            axes = Axes()
            continue
        for plane in Plane:
            right, _, across = axes.screen(plane)
            level = np.asarray(screen_directions(plane)[0], dtype=float)
            flat = level - (level @ across) * across
            np.testing.assert_allclose(right, flat / np.linalg.norm(flat), atol=1e-6)
            seen += 1
    assert seen > 500
