"""What contours in RTSTRUCT have to do once they are read and written; each says how it will be judged."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.skip(reason="RTSTRUCT is not read or written yet")


def test_a_ring_keeps_its_hole() -> None:
    """A ring phantom on an oblique grid: its volume is right within 1 % both ways, keyhole or separate contours."""


def test_contours_run_through_voxel_centres() -> None:
    """A rectangle comes back voxel for voxel, a disc of 10 voxels radius with Dice 0.99: nothing shifts by half a voxel."""


def test_contours_on_images_that_are_not_square_are_all_there() -> None:
    """On 10 rows x 13 columns of 0.6 x 0.9 mm every contour fills its mask; an empty mask is never called a success."""


def test_contours_lie_where_the_voxels_of_a_label_map_lie() -> None:
    """48 orders of axes x 20 oblique positions: mask and contour have the same centre in the patient within 1e-4 mm."""


def test_contours_on_oblique_slices_go_by_the_normal_of_the_image() -> None:
    """No contour of an oblique series is lost because its z is not constant."""


def test_a_region_without_contours_or_with_single_points_is_skipped_with_a_sentence_and_the_rest_is_read() -> None:
    """A region without ContourSequence and one of type POINT beside a whole one: one region, two sentences."""


def test_long_contours_are_written_within_the_limits_of_their_numbers() -> None:
    """No number of ContourData is longer than 16 characters, and no contour longer than 64 kB in explicit VR."""
