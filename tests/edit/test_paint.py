from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.analysis.reslice import sample_voxels
from medview.core.axes import Axes
from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane, PlaneLayout, layout_of
from medview.core.plane import Plane, SlicePlane
from medview.edit.paint import _straightened, capsule_mask, stroke_mask
from tests.edit.grids import KINDS, SHAPE_KJI, distance_to_way_mm, grid, segment, segmentation
from tests.helpers.strokes import stroke_patch

ROUNDING_MM = 1e-3
"""Voxel centres this near to the radius may fall on either side."""

_POINTS = st.tuples(st.floats(-2, 15), st.floats(-3, 35), st.floats(-3, 43))


def _painted(kind: str, start: object, end: object, radius_mm: float, plane: PlaneLayout | None = None) -> np.ndarray:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    found = capsule_mask(grid(kind), start, end, radius_mm, plane)
    if found is not None:
        box, inside = found
        mask[box.slices] = inside
    return mask


@settings(max_examples=60)
@given(st.sampled_from(KINDS), _POINTS, _POINTS, st.floats(0.1, 12.0))
def test_a_sphere_paints_what_lies_within_its_radius_in_the_patient(
    kind: str, start: tuple[float, float, float], end: tuple[float, float, float], radius_mm: float
) -> None:
    distance = distance_to_way_mm(grid(kind), np.asarray(start), np.asarray(end))
    under = tuple(np.rint(end).astype(int))
    mask = _painted(kind, start, end, radius_mm)
    sure_in, sure_out = distance < radius_mm - ROUNDING_MM, distance > radius_mm + ROUNDING_MM
    if all(0 <= n < size for n, size in zip(under, SHAPE_KJI, strict=True)):
        assert mask[under]
        sure_out[under] = False
    assert mask[sure_in].all()
    assert not mask[sure_out].any()


@settings(max_examples=60)
@given(st.sampled_from(KINDS), st.sampled_from(list(Plane)), _POINTS, _POINTS, st.floats(0.1, 12.0))
def test_a_disc_stays_on_its_slice_and_is_measured_in_the_patient(
    kind: str, anatomical: Plane, start: tuple[float, float, float], end: tuple[float, float, float], radius_mm: float
) -> None:
    geometry = grid(kind)
    plane = SlicePlane.of(anatomical, geometry)
    level = np.rint(end[plane.normal_axis])
    flat_start, flat_end = np.array(start), np.array(end)
    flat_start[plane.normal_axis] = flat_end[plane.normal_axis] = level
    distance = distance_to_way_mm(geometry, flat_start, flat_end)
    index = np.arange(SHAPE_KJI[plane.normal_axis])
    on_slice = np.zeros(SHAPE_KJI, dtype=bool)
    on_slice[(slice(None),) * plane.normal_axis + (index == level,)] = True
    mask = _painted(kind, start, end, radius_mm, plane)
    assert not mask[~on_slice].any()
    assert mask[on_slice & (distance < radius_mm - ROUNDING_MM)].all()
    sure_out = on_slice & (distance > radius_mm + ROUNDING_MM)
    under = tuple(np.rint(flat_end).astype(int))
    if all(0 <= n < size for n, size in zip(under, SHAPE_KJI, strict=True)):
        sure_out[under] = False
    assert not mask[sure_out].any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fast_stroke_has_no_gaps(kind: str) -> None:
    mask = _painted(kind, (1, 2, 2), (12, 30, 38), 1.0)
    for t in np.linspace(0, 1, 200):
        nearest = np.rint(np.array([1, 2, 2]) + t * np.array([11, 28, 36])).astype(int)
        around = tuple(slice(max(0, n - 1), n + 2) for n in nearest)
        assert mask[around].any()
    assert np.array_equal(mask, mask & (distance_to_way_mm(grid(kind), np.array([1, 2, 2]), np.array([12, 30, 38])) < 3))


def test_a_stroke_in_pieces_paints_what_one_stroke_paints() -> None:
    whole = _painted("tilted", (2, 3, 4), (9, 27, 35), 2.5)
    halves = _painted("tilted", (2, 3, 4), (5.5, 15, 19.5), 2.5) | _painted("tilted", (5.5, 15, 19.5), (9, 27, 35), 2.5)
    assert np.array_equal(whole, halves)


def test_the_voxel_under_a_tiny_brush_is_painted() -> None:
    assert np.argwhere(_painted("oblique", (3.4, 5.4, 6.4), (3.4, 5.4, 6.4), 0.01)).tolist() == [[3, 5, 6]]


def test_a_brush_beside_the_image_paints_nothing() -> None:
    a = segment(1)
    labels = segmentation("oblique", a)
    assert stroke_patch(labels, a, (-40, 3, 3), (-40, 3, 3), radius_mm=5.0) is None
    plane = SlicePlane.of(Plane.AXIAL, labels.geometry)
    assert stroke_patch(labels, a, (99, 3, 3), (99, 3, 3), radius_mm=5.0, plane=plane) is None


def test_erasing_takes_away_what_painting_put_there() -> None:
    a = segment(1)
    labels = segmentation("tilted", a)
    painted = stroke_patch(labels, a, (3, 4, 5), (9, 20, 30), radius_mm=4.0)
    assert painted is not None
    painted.apply(labels.layer(0))
    again = stroke_patch(labels, a, (3, 4, 5), (9, 20, 30), radius_mm=4.0)
    assert again is None
    erased = stroke_patch(labels, a, (3, 4, 5), (9, 20, 30), radius_mm=4.0, erase=True)
    assert erased is not None
    erased.apply(labels.layer(0))
    assert not labels.layer(0).voxels.any()


@pytest.mark.parametrize("size_mm", [3.0, 6.5])
def test_the_volume_of_a_sphere_is_right(size_mm: float) -> None:
    # A fine grid, so that counting voxels measures the ball itself.
    affine = np.array(grid("tilted").affine_lps)
    affine[:3, 0] /= 8
    affine[:3, 1:3] /= 3
    geometry = Geometry((70, 80, 90), affine)
    found = capsule_mask(geometry, (35.2, 40.1, 45.3), (35.2, 40.1, 45.3), size_mm)
    assert found is not None
    volume = np.count_nonzero(found[1]) * geometry.voxel_volume_mm3
    assert volume == pytest.approx(4 / 3 * np.pi * size_mm**3, rel=0.02)


# ---------------------------------------------------------------------------------------- planes at an angle

_TURNED = {"far": Axes().turned((0.3, -1.0, 0.4), 0.7), "little": Axes().turned((1.0, 0.2, 0.5), 0.15)}


def _cells_cut(geometry: Geometry, plane: ObliquePlane, index: float) -> np.ndarray:
    """Return by how much the plane misses each voxel's cell, in millimetres: negative where it cuts it. The long way."""
    normal = np.asarray(plane.normal_lps)
    ends = np.array([(k, j, i) for k in (-0.5, 0.5) for j in (-0.5, 0.5) for i in (-0.5, 0.5)])
    voxels = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    corners = geometry.point_lps_mm(voxels[..., np.newaxis, :] + ends)
    through = np.asarray(plane.middle_lps_mm) + index * plane.step_mm * normal
    away = (corners - through) @ normal
    return np.maximum(away.min(axis=-1), -away.max(axis=-1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turned", _TURNED)
@pytest.mark.parametrize("anatomical", list(Plane))
@pytest.mark.parametrize("radius_mm", [1.1, 4.7])
def test_a_disc_on_a_plane_at_an_angle_paints_the_voxels_that_the_plane_cuts_and_no_others(
    kind: str, turned: str, anatomical: Plane, radius_mm: float
) -> None:
    geometry = grid(kind)
    plane = layout_of(anatomical, _TURNED[turned], geometry)
    assert isinstance(plane, ObliquePlane)
    index, rows, columns = 0.3, plane.rows / 2, plane.columns / 2
    ends = [plane.index_kji(geometry, index, rows + dr, columns + dc) for dr, dc in ((-3.0, -2.0), (5.0, 4.0))]
    missed = _cells_cut(geometry, plane, index)
    # Along the plane only: each voxel is looked at where it stands above it.
    voxels = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    normal = np.asarray(plane.normal_lps)
    points = geometry.point_lps_mm(voxels)
    a, b = (geometry.point_lps_mm(end) for end in ends)
    foot = points - ((points - a) @ normal)[..., np.newaxis] * normal
    t = np.clip((foot - a) @ (b - a) / float((b - a) @ (b - a)), 0.0, 1.0)
    distance = np.linalg.norm(foot - (a + t[..., np.newaxis] * (b - a)), axis=-1)
    mask = _painted(kind, *ends, radius_mm, plane)
    under = tuple(np.rint(ends[1]).astype(int))
    assert mask[under]
    sure_in = (missed < -ROUNDING_MM) & (distance < radius_mm - ROUNDING_MM)
    sure_out = (missed > ROUNDING_MM) | (distance > radius_mm + ROUNDING_MM)
    sure_out[under] = False
    assert sure_in.sum() > 5
    assert mask[sure_in].all()
    assert not mask[sure_out].any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("anatomical", list(Plane))
def test_a_disc_on_a_plane_at_an_angle_has_no_holes_in_the_picture(kind: str, anatomical: Plane) -> None:
    geometry = grid(kind)
    plane = layout_of(anatomical, _TURNED["far"], geometry)
    assert isinstance(plane, ObliquePlane)
    rows, columns = plane.rows // 2, plane.columns // 2
    middle = plane.index_kji(geometry, 0.3, rows, columns)
    mask = _painted(kind, middle, middle, 6.0, plane)
    shown = sample_voxels(mask.astype(np.uint8), geometry, plane.grid(geometry, 0.3))
    # A pixel shows the nearest voxel, whose middle may lie as far from it as half a voxel's diagonal.
    sure_mm = 6.0 - 0.5 * float(np.linalg.norm(geometry.spacing_kji_mm))
    down, right = np.meshgrid(np.arange(plane.rows) - rows, np.arange(plane.columns) - columns, indexing="ij")
    inside = np.hypot(down, right) * plane.pixel_mm < sure_mm
    assert inside.sum() > 20
    assert shown[inside].all()


# ---------------------------------------------------------------------------------------- several points at once


@settings(max_examples=40)
@given(
    st.sampled_from(KINDS), st.sampled_from([None, *Plane]), st.lists(_POINTS, min_size=2, max_size=9), st.floats(0.1, 6.0)
)
def test_a_way_of_many_points_paints_what_its_pieces_paint_one_after_the_other(
    kind: str, anatomical: Plane | None, way: list[tuple[float, float, float]], radius_mm: float
) -> None:
    plane = None if anatomical is None else SlicePlane.of(anatomical, grid(kind))
    if plane is not None:
        way = [tuple(way[-1][a] if a == plane.normal_axis else p[a] for a in range(3)) for p in way]  # type: ignore[misc]
    pieces = np.zeros(SHAPE_KJI, dtype=bool)
    for start, end in pairwise(way):
        pieces |= _painted(kind, start, end, radius_mm, plane)
    whole = np.zeros(SHAPE_KJI, dtype=bool)
    found = stroke_mask(grid(kind), way, radius_mm, plane)
    if found is not None:
        whole[found[0].slices] = found[1]
    assert np.count_nonzero(whole ^ pieces) <= 0.02 * np.count_nonzero(pieces)


def test_fifty_points_in_a_line_cost_no_more_than_two() -> None:
    way = np.linspace((3.0, 4.0, 5.0), (3.0, 24.0, 35.0), 50)
    assert len(_straightened(way)) == 2
    assert np.array_equal(
        stroke_mask(grid("tilted"), way, 3.0)[1],  # type: ignore[index]
        capsule_mask(grid("tilted"), way[0], way[-1], 3.0)[1],  # type: ignore[index]
    )
