from __future__ import annotations

import numpy as np
import pytest

from medview.scene.camera import MAX_ZOOM, Orbit, Shot, Stage
from tests.scene.drawing import ABOVE, BACK, BELOW, FRONT, LEFT, RIGHT

STAGE = Stage((10.0, -20.0, 300.0), 100.0, 80.0)
L, P, H = np.eye(3)


@pytest.mark.parametrize(
    ("orbit", "right", "up"),
    [
        (FRONT, L, H),
        (LEFT, P, H),
        (BACK, -L, H),
        (RIGHT, -P, H),
        (ABOVE, L, P),
        (BELOW, L, -P),
    ],
    ids=["front", "left", "back", "right", "above", "below"],
)
def test_the_sides_of_the_patient_lie_where_they_lie_for_someone_standing_there(
    orbit: Orbit, right: np.ndarray, up: np.ndarray
) -> None:
    axes = orbit.axes_lps
    assert axes[0] == pytest.approx(right, abs=1e-12)
    assert axes[1] == pytest.approx(up, abs=1e-12)
    assert axes[2] == pytest.approx(np.cross(right, up), abs=1e-12)


def test_a_line_of_sight_goes_through_the_point_whose_pixel_it_starts_at() -> None:
    shot = Shot(Orbit(33.0, -21.0, 1.7, (4.0, -9.0)), STAGE, (300, 200))
    point = np.array([31.0, -48.0, 322.0])
    x, y, _ = shot.pixel(point)
    start, way = shot.ray_lps_mm(x, y)
    assert np.linalg.norm(way) == pytest.approx(1.0)
    assert np.linalg.norm(np.cross(point - start, way)) < 1e-9
    assert (point - start) @ way > 0


def test_panning_and_zooming_stay_within_the_patient_and_bounds() -> None:
    orbit = Orbit().panned(12.0, 5.0).zoomed(1000.0).turned(-30.0, 400.0)
    assert orbit == Orbit(330.0, 90.0, MAX_ZOOM, (12.0, 5.0))
    shot = Shot(Orbit(0.0, 0.0, 2.0, (12.0, 5.0)), STAGE, (300, 200))
    assert shot.pixel((22.0, -20.0, 305.0))[:2] == pytest.approx((150.0, 100.0))
    assert shot.mm_per_px == pytest.approx(2 * 80.0 / 2.0 / 200)


def test_all_of_a_long_volume_fits_into_the_picture() -> None:
    affine = np.diag([1.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]
    stage = Stage.of((900, 40, 40), affine)
    shot = Shot(FRONT, stage, (300, 300))
    assert 0 < shot.pixel((20, 20, -0.5))[1] <= 300
    assert 0 <= shot.pixel((20, 20, 899.5))[1] < 300
