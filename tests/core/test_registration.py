"""A rigid way between two frames of reference."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.errors import GeometryError
from medview.core.geometry import Geometry
from medview.core.registration import Registration


def turned(degrees: float, shift_mm: tuple[float, float, float]) -> np.ndarray:
    a = np.deg2rad(degrees)
    matrix = np.eye(4)
    matrix[:3, :3] = [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    matrix[:3, 3] = shift_mm
    return matrix


def a_registration() -> Registration:
    return Registration("fixed", "moving", turned(30.0, (10.0, -4.0, 7.0)), 0.8, 0.9, 2.0, "good")


def test_a_point_goes_where_the_matrix_sends_it_and_back() -> None:
    one = a_registration()
    there = one.point_lps_mm((2.0, 0.0, 1.0))
    np.testing.assert_allclose(there, [2 * np.cos(np.pi / 6) + 10, 2 * 0.5 - 4, 8.0])
    np.testing.assert_allclose(one.inverse().point_lps_mm(there), [2.0, 0.0, 1.0], atol=1e-12)
    assert (one.inverse().fixed_frame, one.inverse().moving_frame) == ("moving", "fixed")
    assert one.angle_deg == pytest.approx(30.0)
    assert one.shift_mm((0.0, 0.0, 0.0)) == pytest.approx(np.sqrt(165.0))


def test_a_grid_is_placed_so_that_its_voxels_go_where_its_points_go() -> None:
    one = a_registration()
    grid = Geometry.from_spacing((3, 4, 5), (5.0, 0.9, 0.6), (1.0, 2.0, 3.0), "moving")
    placed = one.place(grid)
    np.testing.assert_allclose(placed.corners_lps_mm(), one.point_lps_mm(grid.corners_lps_mm()))
    assert placed.frame_of_reference_uid == "fixed"
    assert placed.spacing_kji_mm == pytest.approx(grid.spacing_kji_mm)
    with pytest.raises(GeometryError, match="another frame"):
        one.place(placed)


def test_two_registrations_one_after_the_other_are_one_with_the_poorer_quality() -> None:
    second = Registration("third", "fixed", turned(-30.0, (0.0, 0.0, 1.0)), 0.3, 0.95)
    both = a_registration().then(second)
    np.testing.assert_allclose(both.point_lps_mm((1, 2, 3)), second.point_lps_mm(a_registration().point_lps_mm((1, 2, 3))))
    assert (both.moving_frame, both.fixed_frame, both.metric, both.overlap) == ("moving", "third", 0.3, 0.9)
    with pytest.raises(GeometryError):
        second.then(a_registration().inverse().then(a_registration()))


@pytest.mark.parametrize(
    "wrong", [np.diag([1.1, 1, 1, 1]), np.diag([-1, 1, 1, 1]), np.zeros((3, 3)), np.full((4, 4), np.nan)]
)
def test_what_stretches_or_mirrors_is_no_rigid_registration(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="matrix_lps"):
        Registration("a", "b", wrong)
