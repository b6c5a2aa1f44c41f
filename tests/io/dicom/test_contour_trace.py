from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from medview.io.dicom.contour_fill import filled
from medview.io.dicom.contour_trace import FEWEST_POINTS, contours_of

MANY = 1 << 30

Mask = npt.NDArray[np.bool_]


def masks() -> list[Mask]:
    """Noise of every density, blobs, single voxels, and everything, on grids of many shapes."""
    rng = np.random.default_rng(7)
    found: list[Mask] = [np.ones((1, 1), bool), np.ones((4, 9), bool), np.zeros((5, 5), bool)]
    for number in range(120):
        shape = tuple(int(n) for n in rng.integers(1, 45, 2))
        noise = rng.random(shape)
        found.append(ndimage.gaussian_filter(noise, 1.5) > 0.5 if number % 3 == 0 else noise < rng.uniform(0.03, 0.97))
    return found


def united(contours: list[npt.NDArray[np.float64]], shape: tuple[int, int]) -> Mask:
    whole = np.zeros(shape, bool)
    for contour in contours:
        whole |= filled([contour], shape).mask
    return whole


def test_every_mask_comes_back_voxel_for_voxel_whether_readers_unite_contours_or_take_even_odd() -> None:
    for mask in masks():
        contours = contours_of(mask, MANY)
        shape = (mask.shape[0], mask.shape[1])
        np.testing.assert_array_equal(filled(contours, shape).mask, mask)
        np.testing.assert_array_equal(united(contours, shape), mask)


def test_every_piece_is_one_contour_with_its_holes_as_keyholes() -> None:
    for mask in masks():
        assert len(contours_of(mask, MANY)) == ndimage.label(mask)[1]


def test_no_contour_comes_near_a_centre_so_that_rounding_moves_none_across() -> None:
    rng = np.random.default_rng(8)
    for mask in masks():
        shape = (mask.shape[0], mask.shape[1])
        shaken = [contour + rng.uniform(-0.05, 0.05, contour.shape) for contour in contours_of(mask, MANY)]
        # A keyhole's two lines are one line: shaken apart, they would enclose a sliver, but no centre.
        np.testing.assert_array_equal(filled(shaken, shape).mask, mask)


def test_one_voxel_is_a_diamond_around_its_centre() -> None:
    mask = np.zeros((6, 8), bool)
    mask[2, 5] = True
    (contour,) = contours_of(mask, MANY)
    assert sorted(map(tuple, contour.tolist())) == [(1.5, 5.0), (2.0, 4.5), (2.0, 5.5), (2.5, 5.0)]


def test_a_contour_has_points_only_where_it_turns() -> None:
    mask = np.zeros((60, 80), bool)
    mask[10:50, 5:70] = True
    (contour,) = contours_of(mask, MANY)
    assert len(contour) == 8


def test_voxels_that_touch_by_a_corner_are_drawn_apart() -> None:
    assert len(contours_of(np.eye(4, dtype=bool), MANY)) == 4


@pytest.mark.parametrize("most", [FEWEST_POINTS, 200])
def test_contours_with_too_many_points_are_cut_into_several_that_hold_the_same(most: int) -> None:
    for mask in (m for m in masks() if min(m.shape) > 25):
        contours = contours_of(mask, most)
        shape = (mask.shape[0], mask.shape[1])
        assert max(map(len, contours), default=0) <= most
        np.testing.assert_array_equal(filled(contours, shape).mask, mask)
        np.testing.assert_array_equal(united(contours, shape), mask)
