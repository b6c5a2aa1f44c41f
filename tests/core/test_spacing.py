from __future__ import annotations

import pytest

from medview.core.geometry import Calibration, Geometry
from medview.core.spacing import PixelScale, SpacingSource, UltrasoundRegion
from medview.core.volume import pixel_scale

LEFT = UltrasoundRegion((10, 0), (99, 49), (0.2, 0.3))
RIGHT = UltrasoundRegion((10, 50), (99, 99), (0.5, 0.5))
DOPPLER = UltrasoundRegion((100, 0), (199, 99), None)
US = PixelScale(SpacingSource.ULTRASOUND_REGION, None, (LEFT, RIGHT, DOPPLER))


@pytest.mark.parametrize(
    ("source", "unit"),
    [
        (SpacingSource.PATIENT, "mm"),
        (SpacingSource.CALIBRATED, "mm calibrated"),
        (SpacingSource.DETECTOR, "mm at detector"),
        (SpacingSource.ESTIMATED, "mm estimated"),
        (SpacingSource.FILM, "mm on film"),
        (SpacingSource.FILE, "mm"),
    ],
)
def test_a_length_says_what_its_millimetres_are_true_of(source: SpacingSource, unit: str) -> None:
    scale = PixelScale(source, (0.2, 0.3)).along([(0, 0), (5, 5)])
    assert (scale.spacing_ji_mm, scale.unit, scale.reason) == ((0.2, 0.3), unit, "")


def test_without_a_pixel_size_a_length_is_in_pixels_and_says_why() -> None:
    scale = PixelScale(SpacingSource.NONE, (1.5, 1.0)).along([(0, 0), (5, 5)])
    assert (scale.unit, scale.reason) == ("px", "the images state no pixel size")


@pytest.mark.parametrize(
    ("points", "spacing"),
    [
        ([(10, 0), (99, 49)], (0.2, 0.3)),
        ([(20, 60), (90, 99)], (0.5, 0.5)),
        ([(20, 40), (20, 60)], None),
        ([(5, 5), (20, 5)], None),
        ([(120, 10), (150, 20)], None),
        ([(20, 10), (30, 20), (20, 70)], None),
    ],
)
def test_a_line_in_an_ultrasound_picture_has_the_scale_of_the_region_under_all_of_it(
    points: list[tuple[float, float]], spacing: tuple[float, float] | None
) -> None:
    scale = US.along(points)
    assert scale.spacing_ji_mm == spacing
    assert bool(scale.reason) is (spacing is None)


def test_regions_one_over_the_other_with_different_scales_give_none() -> None:
    over = UltrasoundRegion((20, 10), (40, 30), (0.9, 0.9))
    assert PixelScale(SpacingSource.ULTRASOUND_REGION, None, (LEFT, over)).along([(25, 15), (30, 20)]).unit == "px"


def test_a_grid_that_counts_pixels_has_no_scale_whatever_its_affine_holds() -> None:
    grid = Geometry.from_spacing((1, 5, 5), (1, 2, 3), calibration=Calibration.PIXELS)
    assert pixel_scale(grid, SpacingSource.PATIENT).spacing_ji_mm is None
    flat = Geometry.from_spacing((1, 5, 5), (1, 2, 3), calibration=Calibration.IN_PLANE)
    assert pixel_scale(flat, SpacingSource.PATIENT).spacing_ji_mm == (2.0, 3.0)
