"""What the process draws, looked at with the eyes of someone who knows where things are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from medview.core.job import Inline
from medview.scene.camera import Orbit
from medview.scene.grid import Grid, SurfaceStyle
from medview.scene.messages import SetSurfaces, UsePreset
from medview.scene.prepare import small_volume
from medview.scene.presets import Blend, Preset, presets
from tests.scene.drawing import (
    ABOVE,
    BACK,
    BALL_MM,
    BELOW,
    FRONT,
    LEFT,
    RIGHT,
    SIZE_PX,
    Drawing,
    ball_centre,
    ball_volume,
    blob_px,
    expected_px,
    show_ball,
    turned_affine,
)

VIEWS = {"front": FRONT, "left": LEFT, "back": BACK, "right": RIGHT, "above": ABOVE, "below": BELOW}
SKEW = Orbit(37.0, 21.0, 1.3, (3.0, -5.0))
GEOMETRIES = {
    "oblique": turned_affine((2.5, 0.9, 0.7)),
    "sheared": turned_affine((2.5, 0.9, 0.7), 0.35),
    "left-handed": turned_affine((2.5, 0.9, 0.7), left_handed=True),
}


@pytest.fixture(scope="module")
def drawing(shared_drawing: Drawing) -> Iterator[Drawing]:
    return shared_drawing


@pytest.fixture(params=list(GEOMETRIES))
def ball(request: pytest.FixtureRequest, drawing: Drawing) -> tuple[Grid, np.ndarray]:
    geometry = GEOMETRIES[request.param]
    grid = small_volume(ball_volume(geometry), Inline())
    show_ball(drawing, grid)
    return grid, ball_centre(geometry)


def test_a_ball_is_seen_where_it_is_from_all_sides(drawing: Drawing, ball: tuple[Grid, np.ndarray]) -> None:
    grid, centre = ball
    for name, orbit in {**VIEWS, "skew": SKEW}.items():
        picture = drawing.look(orbit)
        assert blob_px(picture) == pytest.approx(expected_px(grid.stage, orbit, centre), abs=1.5), name


def test_left_front_and_head_are_on_the_sides_a_radiologist_expects(drawing: Drawing) -> None:
    show_ball(drawing, small_volume(ball_volume(GEOMETRIES["oblique"]), Inline()))
    width, height = SIZE_PX
    x, y = blob_px(drawing.look(FRONT))
    assert x > width / 2 + 5, "the patient's left is on the right of the picture"
    assert y < height / 2 - 5, "the head is up"
    x, _ = blob_px(drawing.look(LEFT))
    assert x < width / 2 - 5, "seen from the left the front is on the left"
    x, y = blob_px(drawing.look(ABOVE))
    assert x > width / 2 + 5
    assert y > height / 2 + 3, "seen from above the front is below"


def test_a_ball_is_as_large_as_it_is(drawing: Drawing, ball: tuple[Grid, np.ndarray]) -> None:
    grid, _ = ball
    for orbit in (FRONT, SKEW):
        area_px = np.count_nonzero(drawing.look(orbit).max(axis=2) > 30)
        mm_per_px = 2 * grid.stage.reach_mm / orbit.zoom / min(SIZE_PX)
        assert np.sqrt(area_px / np.pi) * mm_per_px == pytest.approx(BALL_MM, abs=0.7)


def test_pointing_at_the_ball_finds_its_near_surface(drawing: Drawing, ball: tuple[Grid, np.ndarray]) -> None:
    grid, centre = ball
    for orbit in (*VIEWS.values(), SKEW):
        x, y = expected_px(grid.stage, orbit, centre)
        picked = drawing.pick(orbit, x, y)
        expected = centre + BALL_MM * orbit.axes_lps[2]
        assert picked.point_lps_mm is not None
        # In voxels of the grid, so that thick slices may be as inexact as they are.
        off = np.linalg.inv(grid.affine_lps[:3, :3]) @ (np.asarray(picked.point_lps_mm) - expected)
        assert np.linalg.norm(off) < 1.5


def test_pointing_beside_the_ball_finds_nothing(drawing: Drawing, ball: tuple[Grid, np.ndarray]) -> None:
    assert drawing.pick(FRONT, 3.0, SIZE_PX[1] - 3.0).point_lps_mm is None


def test_presets_and_their_shift_change_the_picture(drawing: Drawing) -> None:
    show_ball(drawing, small_volume(ball_volume(GEOMETRIES["oblique"]), Inline()))
    seen = {}
    for preset in presets("CT", "HU"):
        drawing.show(UsePreset(preset))
        seen[preset.key] = drawing.look(FRONT).tobytes()
    assert len(set(seen.values())) == len(seen)
    assert not any(seen["nothing"])
    bone = presets("CT", "HU")[0]
    drawing.show(UsePreset(bone.shifted(3000.0)))
    assert not drawing.look(FRONT).any()


def test_a_rough_picture_comes_sooner_and_shows_the_same(drawing: Drawing) -> None:
    grid = small_volume(ball_volume(GEOMETRIES["oblique"]), Inline())
    show_ball(drawing, grid)
    fine = blob_px(drawing.look(SKEW))
    rough = blob_px(drawing.look(SKEW, (SIZE_PX[0] // 2, SIZE_PX[1] // 2)))
    assert (rough[0] * 2, rough[1] * 2) == pytest.approx(fine, abs=2.0)


@pytest.mark.parametrize("name", list(GEOMETRIES))
def test_a_segment_is_seen_and_found_where_its_voxels_are(drawing: Drawing, name: str) -> None:
    geometry = GEOMETRIES[name]
    volume = ball_volume(geometry)
    grid = small_volume(volume, Inline())
    labels = Grid((volume.voxels > 500).astype(np.uint8) * 7, geometry.affine_lps).right_handed()
    show_ball(drawing, grid)
    nothing = Preset("nothing", "", Blend.NOTHING)
    drawing.show(UsePreset(nothing), SetSurfaces((labels,), (SurfaceStyle("Ball", (0, 200, 40), 0, 7),)))
    for orbit in (FRONT, LEFT, ABOVE, SKEW):
        picture = drawing.look(orbit)
        at = expected_px(grid.stage, orbit, ball_centre(geometry))
        assert blob_px(picture) == pytest.approx(at, abs=1.5)
        red, green, blue = picture[round(at[1]), round(at[0])]
        assert green > 2 * max(red, blue)
        assert drawing.pick(orbit, *at).segment == "Ball"
    drawing.show(SetSurfaces())
    assert not drawing.look(FRONT).any()


def test_tissue_in_front_of_a_segment_hides_it(drawing: Drawing) -> None:
    voxels = np.full((48, 48, 48), -1000, np.int16)
    voxels[14:34, 8:14, 14:34] = 1500
    label = np.zeros((48, 48, 48), np.uint8)
    label[12:36, 24:36, 12:36] = 1
    affine = np.eye(4)[[2, 1, 0, 3]]
    show_ball(drawing, Grid(voxels, affine))
    drawing.show(SetSurfaces((Grid(label, affine),), (SurfaceStyle("Behind", (0, 0, 255), 0, 1),)))
    middle = (SIZE_PX[1] // 2, SIZE_PX[0] // 2)
    red, _, _ = drawing.look(FRONT)[middle]
    assert red > 100
    red, _, blue = drawing.look(BACK)[middle]
    assert blue > 100
    assert red < 50
    assert drawing.pick(FRONT, middle[1], middle[0]).segment == ""
    assert drawing.pick(BACK, middle[1], middle[0]).segment == "Behind"
