from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.geometry import Geometry
from medview.core.plane import Plane, SlicePlane
from medview.edit.paint import capsule_mask
from tests.edit.grids import KINDS, SHAPE_KJI, distance_to_way_mm, grid, segment, segmentation
from tests.helpers.strokes import stroke_patch

ROUNDING_MM = 1e-3
"""Voxel centres this near to the radius may fall on either side."""

_POINTS = st.tuples(st.floats(-2, 15), st.floats(-3, 35), st.floats(-3, 43))


def _painted(kind: str, start: object, end: object, radius_mm: float, plane: SlicePlane | None = None) -> np.ndarray:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    found = capsule_mask(grid(kind), start, end, radius_mm, plane)
    if found is not None:
        box, inside = found
        mask[box.slices] = inside
    return mask


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=60, deadline=None)
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
