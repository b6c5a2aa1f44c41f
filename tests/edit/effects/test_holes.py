"""Holes are filled where they are closed: on all sides, or on each slice of a plane, whatever axis that is."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from medview.core.plane import Plane, SlicePlane
from medview.edit.effects.holes import EFFECT
from tests.edit.effects.given import held, labels_of, work
from tests.edit.grids import KINDS, SHAPE_KJI, grid


def sponge() -> np.ndarray:
    """Return a block full of holes, some of them open at its sides and one at the edge of the grid."""
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[:12, 4:28, 5:36] = True
    mask[0:2, 10:13, 10:13] = False
    mask[4:7, 9:12, 9:12] = False
    mask[6, 20, 5:18] = False
    return mask & (np.random.default_rng(2).random(SHAPE_KJI) > 0.12)


def test_cavities_are_those_of_scipy_and_simpleitk() -> None:
    mask = sponge()
    labels = labels_of("oblique", mask)
    filled = held(labels, work(EFFECT, labels, way="space"))
    assert np.array_equal(filled, ndimage.binary_fill_holes(mask))
    judge = sitk.GetArrayFromImage(sitk.BinaryFillhole(sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8))))
    assert np.array_equal(filled, judge[1:-1, 1:-1, 1:-1] > 0)
    assert not filled[0, 11, 11]
    assert filled[5, 10, 10]


@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize("kind", KINDS)
def test_rings_are_filled_slice_by_slice_of_any_plane(kind: str, plane: Plane) -> None:
    mask = sponge()
    labels = labels_of(kind, mask)
    filled = held(labels, work(EFFECT, labels, way=plane.value))
    axis = SlicePlane.of(plane, grid(kind)).normal_axis
    expected = np.stack([ndimage.binary_fill_holes(cut) for cut in np.moveaxis(mask, axis, 0)])
    assert np.array_equal(filled, np.moveaxis(expected, 0, axis))
    assert not np.array_equal(filled, ndimage.binary_fill_holes(mask))


def test_holes_larger_than_wanted_stay() -> None:
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[2:12, 4:28, 5:36] = True
    mask[4:7, 9:12, 9:12] = mask[8, 20, 20] = False
    labels = labels_of("axial", mask)
    worked = work(EFFECT, labels, way="space", most_mm3=27 * grid("axial").voxel_volume_mm3 - 1)
    filled = held(labels, worked)
    assert filled[8, 20, 20]
    assert not filled[5, 10, 10]
    assert worked.note == "1 hole"
    exact = work(EFFECT, labels, way="space", most_mm3=27 * grid("axial").voxel_volume_mm3)
    assert held(labels, exact)[5, 10, 10]
