"""Going through pictures at an angle to the grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from medview.core.axes import Axes
from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.workspace.focus import moved_to, reach, stepped
from tests.helpers.grids import turned_grid

GRIDS = {
    "turned": turned_grid((2, -1, 0.5), 14.0),
    "sheared": turned_grid((2, -1, 0.5), 9.0, shear=0.3),
    "left-handed": turned_grid((2, -1, 0.5), 14.0, axes=((0, 0, -1), (0, 1, 0), (1, 0, 0))),
}
TURNS = {"little": 0.05, "much": 0.6}
HERE = (4.2, 14.7, 11.1)


@pytest.fixture(params=GRIDS)
def geometry(request: pytest.FixtureRequest) -> Geometry:
    return GRIDS[request.param]


@pytest.fixture(params=TURNS)
def layout(request: pytest.FixtureRequest, geometry: Geometry) -> ObliquePlane:
    return ObliquePlane.of(Plane.AXIAL, Axes.of_grid(geometry).turned((0.3, -1.0, 0.4), TURNS[request.param]), geometry)


def across(geometry: Geometry, layout: ObliquePlane, place: np.ndarray) -> float:
    return layout.screen(geometry, place)[0]


def in_grid(geometry: Geometry, place: np.ndarray) -> bool:
    return bool((place >= 0).all() and (place <= np.asarray(geometry.shape_kji) - 1).all())


def test_steps_go_straight_across_the_pictures_and_come_back_to_the_same_place(
    geometry: Geometry, layout: ObliquePlane
) -> None:
    at = np.asarray(HERE)
    there = stepped(geometry, layout, at, 2)
    moved = np.subtract(layout.screen(geometry, there), layout.screen(geometry, at))
    np.testing.assert_allclose(moved, (2, 0, 0), atol=1e-9)
    np.testing.assert_allclose(stepped(geometry, layout, there, -2), at, atol=1e-9)


def test_the_wheel_reaches_the_last_picture_on_which_a_voxel_lies_and_goes_no_further(
    geometry: Geometry, layout: ObliquePlane
) -> None:
    low, high = reach(geometry, layout)
    start = across(geometry, layout, np.asarray(HERE))
    for sign, end in ((1, high), (-1, low)):
        at = np.asarray(HERE)
        for n in range(1, 200):
            before, at = at, stepped(geometry, layout, at, sign)
            assert in_grid(geometry, at)
            if np.array_equal(before, at):
                break
            # No drift: every picture is a whole number of steps away, along the border too.
            assert across(geometry, layout, at) == pytest.approx(start + sign * n, abs=1e-7)
        assert 0.0 <= sign * (end - across(geometry, layout, at)) < 1.0
        assert across(geometry, layout, stepped(geometry, layout, HERE, sign * 1_000_000)) == pytest.approx(
            across(geometry, layout, at), abs=1e-7
        )


def test_back_from_the_end_the_same_pictures_are_shown(geometry: Geometry, layout: ObliquePlane) -> None:
    at = np.asarray(HERE)
    start = across(geometry, layout, at)
    end = stepped(geometry, layout, at, 1000)
    steps = round(across(geometry, layout, end) - start)
    assert steps > 2
    assert across(geometry, layout, stepped(geometry, layout, end, -steps)) == pytest.approx(start, abs=1e-7)


def test_beyond_the_border_the_nearest_place_in_millimetres_is_looked_at(layout: ObliquePlane, geometry: Geometry) -> None:
    if geometry.sheared:
        pytest.skip("near, not nearest")
    last = np.asarray(geometry.shape_kji) - 1.0
    _, high = reach(geometry, layout)
    at = np.asarray((7.8, 1.0, 20.5))
    target_across = high - 0.4
    _, row, column = layout.screen(geometry, at)
    target = geometry.point_lps_mm(layout.index_kji(geometry, target_across, row, column))
    found = moved_to(geometry, layout, at, target_across)
    assert in_grid(geometry, found)
    assert across(geometry, layout, found) == pytest.approx(target_across, abs=1e-7)
    judge = minimize(
        lambda place: float(np.square(geometry.point_lps_mm(place) - target).sum()),
        np.clip(at, 0, last),
        bounds=[(0, n) for n in last],
        constraints={"type": "eq", "fun": lambda place: across(geometry, layout, place) - target_across},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    distance = float(np.linalg.norm(geometry.point_lps_mm(found) - target))
    assert distance == pytest.approx(float(np.sqrt(judge.fun)), abs=1e-3)


def test_no_step_goes_nowhere(geometry: Geometry, layout: ObliquePlane) -> None:
    np.testing.assert_array_equal(stepped(geometry, layout, HERE, 0), HERE)
