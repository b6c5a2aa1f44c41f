from __future__ import annotations

import numpy as np
import pytest

from medview.core.geometry import Calibration, Geometry
from medview.core.plane import Plane, SlicePlane
from medview.core.slab import Slab, SlabMode, project
from medview.core.volume import Rescale, Volume
from tests.helpers.dicom_series import oblique

SPACING = (2.5, 0.6, 0.9)


def volume(dtype: str = "int16", calibration: Calibration = Calibration.VOLUME, **more: object) -> Volume:
    affine = np.eye(4)
    affine[:3, :3] = (oblique(2).T @ np.diag(SPACING))[:, [0, 1, 2]]
    voxels = np.random.default_rng(1).integers(-900, 900, (9, 12, 15)).astype(dtype)
    return Volume(voxels, Geometry(voxels.shape, affine, calibration=calibration), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_a_slab_is_the_projection_of_its_slices_in_screen_order(plane: Plane, dtype: str, count: int) -> None:
    ct = volume(dtype)
    layout = SlicePlane.of(plane, ct.geometry)
    slices = range(1, 1 + count)
    stacked = np.stack([layout.extract(ct.voxels, n) for n in slices]).astype(float)
    np.testing.assert_array_equal(project(ct, layout, slices, SlabMode.MAXIMUM), stacked.max(axis=0))
    np.testing.assert_array_equal(project(ct, layout, slices, SlabMode.MINIMUM), stacked.min(axis=0))
    mean = project(ct, layout, slices, SlabMode.MEAN)
    assert mean.dtype == ct.voxels.dtype
    np.testing.assert_allclose(mean, stacked.mean(axis=0), atol=0.5 if dtype == "int16" else 1e-3)


def test_the_thickness_counts_whole_slices_around_the_one_looked_at() -> None:
    ct = volume()
    layout = next(
        SlicePlane.of(plane, ct.geometry) for plane in Plane if SlicePlane.of(plane, ct.geometry).normal_axis == 0
    )
    for thickness, wanted in ((1.0, [4]), (2.5, [4]), (7.5, [3, 4, 5]), (10.0, [3, 4, 5, 6]), (1000.0, list(range(9)))):
        assert list(Slab(SlabMode.MEAN, thickness).slices(layout, ct.geometry, 4)) == wanted
    assert list(Slab(SlabMode.MEAN, 7.5).slices(layout, ct.geometry, 0)) == [0, 1]
    assert list(Slab(SlabMode.OFF, 100.0).slices(layout, ct.geometry, 4)) == [4]


def test_the_slices_of_a_tilted_series_are_as_far_apart_as_across_them() -> None:
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 1.0], [1.7, 1.0, 0], [4.7, 0, 0]]
    tilted = Geometry((5, 6, 7), affine)
    axial = SlicePlane.of(Plane.AXIAL, tilted)
    assert axial.spacing_mm(tilted) == pytest.approx(4.7)
    assert tilted.spacing_kji_mm[0] == pytest.approx(np.hypot(1.7, 4.7))


def test_a_stack_without_millimetres_has_no_slab() -> None:
    stack = volume(calibration=Calibration.IN_PLANE)
    layout = SlicePlane.of(Plane.AXIAL, stack.geometry)
    assert list(Slab(SlabMode.MAXIMUM, 50.0).slices(layout, stack.geometry, 4)) == [4]


@pytest.mark.parametrize("mode", [SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN])
def test_padding_hides_nothing_behind_it(mode: SlabMode) -> None:
    ct = volume()
    voxels = np.array(ct.voxels)
    voxels[4, 3:6] = -2000
    voxels[:, 0, 0] = -2000
    padded = Volume(voxels, ct.geometry, padding=(-2000.0, -2000.0))
    layout = next(
        SlicePlane.of(plane, ct.geometry) for plane in Plane if SlicePlane.of(plane, ct.geometry).normal_axis == 0
    )
    found = project(padded, layout, range(3, 6), mode)
    masked = np.ma.masked_equal(np.stack([layout.extract(voxels, n) for n in range(3, 6)]), -2000)
    how = {SlabMode.MAXIMUM: masked.max, SlabMode.MINIMUM: masked.min, SlabMode.MEAN: masked.mean}[mode]
    wanted = how(axis=0)
    seen = ~np.ma.getmaskarray(wanted)
    np.testing.assert_allclose(found[seen], np.asarray(wanted)[seen], atol=0.5)
    assert (found[~seen] == -2000).all()
    assert (~seen).sum() == 1


@pytest.mark.parametrize("mode", [SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN])
def test_numbers_that_are_none_hide_nothing_behind_them(mode: SlabMode) -> None:
    ct = volume("float32")
    voxels = np.array(ct.voxels)
    voxels[4, 3:6], voxels[3, 2] = np.nan, np.inf
    voxels[:, 0, 0] = np.nan
    layout = next(p for p in (SlicePlane.of(plane, ct.geometry) for plane in Plane) if p.normal_axis == 0)
    found = project(Volume(voxels, ct.geometry), layout, range(3, 6), mode)
    masked = np.ma.masked_invalid(np.stack([layout.extract(voxels, n) for n in range(3, 6)]))
    wanted = {SlabMode.MAXIMUM: masked.max, SlabMode.MINIMUM: masked.min, SlabMode.MEAN: masked.mean}[mode](axis=0)
    np.testing.assert_allclose(found, wanted.filled(np.nan), rtol=1e-5)


@pytest.mark.parametrize("mode", list(SlabMode)[1:])
def test_the_largest_value_is_shown_where_stored_numbers_run_the_other_way(mode: SlabMode) -> None:
    ct = volume(rescale=Rescale(-2.0, 10.0))
    layout = SlicePlane.of(Plane.AXIAL, ct.geometry)
    found = ct.values_of(project(ct, layout, range(2, 6), mode))
    values = np.stack([layout.extract(ct.values(), n) for n in range(2, 6)])
    how = {SlabMode.MAXIMUM: np.max, SlabMode.MINIMUM: np.min, SlabMode.MEAN: np.mean}[mode]
    np.testing.assert_allclose(found, how(values, axis=0), atol=1.0)
