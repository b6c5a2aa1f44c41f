"""What an outline holds: judged point by point in the patient, on every plane and at any angle."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.core.plane import Plane, SlicePlane
from medview.core.screen_map import ScreenMap
from medview.edit.outline import Prism, inside_grid
from tests.edit.grids import KINDS, grid
from tests.helpers.timing import allowed_s, typical_of

AXES = Axes().turned((0.3, -1.0, 0.4), 0.6)
HAND = np.array([(0.7, 1.2), (1.4, 9.6), (5.3, 5.1), (9.6, 9.8), (10.2, 0.8)])
"""Corners between voxel centres, one of them pointing inwards."""


def turns(corners: npt.NDArray[np.float64], points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether each point lies inside: the angles under which it sees the sides then add up to a full turn."""
    away = corners[:, None, :] - points.reshape(1, -1, 2)
    seen = np.arctan2(away[..., 0], away[..., 1])
    steps = (np.roll(seen, -1, axis=0) - seen + np.pi) % (2 * np.pi) - np.pi
    return (np.abs(steps.sum(axis=0)) > np.pi).reshape(points.shape[:-1])


def layouts(geometry: Geometry) -> dict[str, PlaneLayout]:
    found: dict[str, PlaneLayout] = {}
    for plane in Plane:
        found[f"{plane.value} slice"] = SlicePlane.of(plane, geometry)
        found[f"{plane.value} oblique"] = ObliquePlane.of(plane, AXES, geometry).rotated()
    return found


LAYOUT_NAMES = tuple(layouts(grid("axial")))


def outline_in(layout: PlaneLayout, geometry: Geometry) -> npt.NDArray[np.float64]:
    """A figure over the middle of the picture, two thirds as large."""
    rows, columns = layout.screen_shape(geometry)
    return (HAND / (11, 11) * 0.66 + 0.171) * (rows, columns)


def centres_lps_mm(geometry: Geometry) -> npt.NDArray[np.float64]:
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    return geometry.point_lps_mm(index)


def test_points_of_a_grid_are_inside_when_the_sides_go_round_them() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
        radii = rng.uniform(4, 18, 9)
        corners = np.stack([14.3 + radii * np.sin(angles), 19.1 + radii * np.cos(angles)], axis=1)
        points = np.stack(np.mgrid[0:30, 0:41], axis=-1).astype(float)
        assert (inside_grid(corners, (30, 41)) == turns(corners, points)).all()


def test_where_an_outline_crosses_itself_the_middle_is_outside_by_the_even_odd_rule() -> None:
    star = [(20 + 18 * np.cos(a), 20 + 18 * np.sin(a)) for a in np.arange(5) * 4 * np.pi / 5 + 0.1]
    found = inside_grid(np.array(star), (41, 41))
    assert not found[20, 20]
    # A tip belongs to one turn only.
    assert found[round(20 + 14 * np.cos(0.1)), round(20 + 14 * np.sin(0.1))]


def test_two_outlines_with_a_common_side_share_no_voxel_and_miss_none() -> None:
    whole = np.array([(2.0, 3.0), (2.0, 12.0), (9.0, 12.0), (9.0, 3.0)])
    left, right = whole.copy(), whole.copy()
    left[[1, 2], 1] = right[[0, 3], 1] = 7.0
    a, b = inside_grid(left, (12, 15)), inside_grid(right, (12, 15))
    assert not (a & b).any()
    assert ((a | b) == inside_grid(whole, (12, 15))).all()
    assert a.any()
    assert b.any()


def test_an_outline_that_reaches_beyond_the_grid_holds_what_is_on_it() -> None:
    corners = np.array([(-50.0, -40.0), (-50.0, 70.2), (3.5, 70.2), (3.5, -40.0)])
    found = inside_grid(corners, (9, 11))
    assert found[:4].all()
    assert not found[4:].any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LAYOUT_NAMES)
def test_a_picture_gives_the_voxels_it_cuts_whose_centres_lie_inside(kind: str, name: str) -> None:
    geometry = grid(kind)
    layout = layouts(geometry)[name]
    at = 3 if isinstance(layout, SlicePlane) else 1.37
    corners = outline_in(layout, geometry)
    prism = Prism.on_picture(corners, ScreenMap.of(layout, geometry), at)
    box = prism.box(Box.whole(geometry.shape_kji))
    found = np.zeros(geometry.shape_kji, dtype=bool)
    found[box.slices] = prism.mask(box)
    if isinstance(layout, SlicePlane):
        expected = np.zeros(geometry.shape_kji, dtype=bool)
        rows, columns = layout.screen_shape(geometry)
        points = np.stack(np.mgrid[0:rows, 0:columns], axis=-1).astype(float)
        layout.extract(expected, at)[...] = turns(corners, points)
    else:
        # In the patient: from the picture's corner along its directions, and as far across as a voxel reaches.
        picture = layout.grid(geometry, at)
        away = centres_lps_mm(geometry) - np.asarray(picture.corner_lps_mm)
        seen = (
            np.stack([away @ np.asarray(layout.down_lps), away @ np.asarray(layout.right_lps)], axis=-1) / layout.pixel_mm
        )
        normal = np.asarray(layout.normal_lps)
        reach = np.abs(normal @ geometry.affine_lps[:3, :3]).sum() / 2
        expected = turns(corners, seen) & (np.abs(away @ normal) < reach)
    assert expected.sum() > 60
    assert (found == expected).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [name for name in LAYOUT_NAMES if "oblique" in name])
def test_what_was_drawn_at_an_angle_has_no_hole_on_the_picture_it_was_drawn_on(kind: str, name: str) -> None:
    geometry = grid(kind)
    layout = layouts(geometry)[name]
    corners = outline_in(layout, geometry)
    prism = Prism.on_picture(corners, ScreenMap.of(layout, geometry), 0.6)
    whole = prism.mask(Box.whole(geometry.shape_kji))
    rows, columns = layout.screen_shape(geometry)
    points = np.stack(np.mgrid[0:rows, 0:columns], axis=-1).astype(float)
    # Well inside: a pixel may show a voxel whose centre lies half a diagonal away.
    away = np.linalg.norm(np.asarray(geometry.spacing_kji_mm)) / 2 / layout.pixel_mm
    inside = turns(corners, points)
    for shift in ((away, 0), (-away, 0), (0, away), (0, -away), (away / 1.4, away / 1.4), (-away / 1.4, away / 1.4),
                  (away / 1.4, -away / 1.4), (-away / 1.4, -away / 1.4)):  # fmt: skip
        inside &= turns(corners, points + shift)
    picture = layout.grid(geometry, 0.6)
    for row, column in np.argwhere(inside):
        index = np.rint(geometry.index_kji(picture.point_lps_mm(row, column))).astype(int)
        if (index >= 0).all() and (index < geometry.shape_kji).all():
            assert whole[tuple(index)], (row, column)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LAYOUT_NAMES)
def test_through_the_volume_it_cuts_what_lies_behind_and_before_the_outline_within_its_depth(kind: str, name: str) -> None:
    geometry = grid(kind)
    layout = layouts(geometry)[name]
    corners = outline_in(layout, geometry)
    seen = ScreenMap.of(layout, geometry)
    whole = Box.whole(geometry.shape_kji)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    across, row, column = np.moveaxis(seen.screen(index), -1, 0)
    inside = turns(corners, np.stack([row, column], axis=-1))
    assert (Prism(corners, seen).mask(whole) == inside).all()
    assert (Prism(corners, seen).mask(whole, outside=True) == ~inside).all()
    low, high = np.quantile(across, (0.3, 0.6)) + 0.123
    deep = (across >= low) & (across < high)
    assert (inside & deep).any()
    limited = Prism(corners, seen, float(low), float(high))
    assert (limited.mask(whole) == (inside & deep)).all()
    assert (limited.mask(whole, outside=True) == (~inside & deep)).all()
    box = limited.box(whole)
    found = np.zeros(geometry.shape_kji, dtype=np.uint8)
    for part, mask in limited.pieces(box):
        found[part.slices] += mask
    assert (found == (inside & deep)).all()


def test_the_patient_agrees_with_the_voxels_about_a_round_hole_through_an_oblique_volume() -> None:
    geometry = grid("oblique")
    layout = ObliquePlane.of(Plane.CORONAL, AXES, geometry)
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    middle = np.array([layout.rows / 2 + 1.3, layout.columns / 2 - 2.2])
    radius_mm = 6.0
    circle = middle + radius_mm / layout.pixel_mm * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    found = Prism(circle, ScreenMap.of(layout, geometry)).mask(Box.whole(geometry.shape_kji))
    axis_at = layout.grid(geometry, 0).point_lps_mm(*middle)
    away = centres_lps_mm(geometry) - axis_at
    from_axis = np.linalg.norm(
        away - (away @ np.asarray(layout.normal_lps))[..., None] * np.asarray(layout.normal_lps), axis=-1
    )
    sure = np.abs(from_axis - radius_mm) > 1e-3
    assert (found[sure] == (from_axis < radius_mm)[sure]).all()
    assert found.sum() > 300


def test_a_large_slice_is_filled_within_a_frame() -> None:
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    corners = 256 + 240 * np.stack([np.sin(angles), np.cos(angles)], axis=1)

    def once() -> float:
        began = time.perf_counter()
        inside_grid(corners, (512, 512))
        return time.perf_counter() - began

    assert typical_of(once) < allowed_s(0.016)


def test_a_picture_through_a_large_scan_takes_the_time_of_what_it_cuts() -> None:
    geometry = Geometry.from_spacing((512, 512, 512), (1.0, 0.7, 0.7))
    layout = ObliquePlane.of(Plane.AXIAL, Axes().turned((0.2, 1.0, 0.1), 0.8), geometry)
    angles = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    middle = np.array([layout.rows / 2, layout.columns / 2])
    corners = middle + 200 * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    prism = Prism.on_picture(corners, ScreenMap.of(layout, geometry), 0.0)
    box = prism.box(Box.whole(geometry.shape_kji))
    voxels: list[int] = []

    def once() -> float:
        began = time.perf_counter()
        voxels[:] = [mask.size for _, mask in prism.pieces(box)]
        return time.perf_counter() - began

    assert typical_of(once) < allowed_s(0.3)
    # Less than a quarter of the box that a flat figure at an angle lies in.
    assert sum(voxels) < np.prod(box.shape_kji) / 4
