"""Curves over time, each number against numpy or SimpleITK on the same voxels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from medview.analysis.measures import measure
from medview.analysis.time_curve import (
    curve_over_frames,
    curve_over_times,
    places_of,
    places_of_mask,
    places_of_point,
)
from medview.core.geometry import Calibration, Geometry
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.suv import SuvKind, SuvScale
from medview.core.volume import Rescale, Volume

SHAPE_KJI = (6, 20, 14)


def volumes_in_time(times: int = 4, **changes: object) -> list[Volume]:
    geometry = Geometry.from_spacing(SHAPE_KJI, (5.0, 0.9, 0.6), (-31.0, 17.0, -203.0))
    dice = np.random.default_rng(5)
    voxels = [dice.integers(0, 4000, SHAPE_KJI).astype(np.int16) for _ in range(times)]
    made = [Volume(v, geometry, modality="CT", unit="HU", rescale=Rescale(0.5, -1024.0)) for v in voxels]
    return [replace(volume, **changes) for volume in made]


def figure(volume: Volume, kind: MeasurementKind, *points_kji: tuple[float, float, float]) -> Measurement:
    points = volume.geometry.point_lps_mm(np.asarray(points_kji))
    return Measurement("a", kind, tuple((float(x), float(y), float(z)) for x, y, z in points))


ELLIPSE_KJI = ((3, 10, 2), (3, 10, 11), (3, 5, 6.5), (3, 15, 6.5))


def test_the_curve_of_a_point_is_the_series_of_its_values_in_the_unit() -> None:
    volumes = volumes_in_time()
    places = places_of_point(volumes[0], (2.4, 7.6, 9.0))
    assert places is not None
    curve = curve_over_times(volumes, places)
    assert (curve.name, curve.unit) == ("Value", "HU")
    np.testing.assert_array_equal(curve.mean, [volume.values((2, 8, 9)) for volume in volumes])
    np.testing.assert_array_equal(curve.voxels, 1)
    assert np.isnan(curve.sd).all()
    assert places_of_point(volumes[0], (6.0, 0, 0)) is None


def test_the_curve_of_a_region_is_what_the_region_measures_at_each_time() -> None:
    volumes = volumes_in_time()
    region = figure(volumes[0], MeasurementKind.ELLIPSE, *ELLIPSE_KJI)
    places = places_of(volumes[0], region)
    assert places is not None
    curve = curve_over_times(volumes, places)
    for n, volume in enumerate(volumes):
        found = measure(volume, region)
        for name, number in (("mean", curve.mean[n]), ("SD", curve.sd[n]), ("voxels", curve.voxels[n])):
            quantity = found.quantity(name)
            assert quantity is not None
            assert number == pytest.approx(quantity.value, rel=1e-6)
    across = figure(volumes[0], MeasurementKind.RECTANGLE, (1, 9, 2), (1, 9, 8), (4, 9, 8), (4, 9, 2))
    places = places_of(volumes[0], across)
    assert places is not None
    assert set(places[1]) == {9}
    assert set(places[0]) == {1, 2, 3}
    assert places_of(volumes[0], figure(volumes[0], MeasurementKind.LENGTH, (1, 1, 1), (1, 5, 5))) is None


def test_the_curve_of_a_segment_is_what_simpleitk_finds_in_the_label() -> None:
    volumes = volumes_in_time()
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[1:4, 3:17, 2:9] = True
    mask[2, 5, 5] = False
    places = places_of_mask(mask)
    assert places is not None
    curve = curve_over_times(volumes, places)
    for n, volume in enumerate(volumes):
        judge = sitk.LabelStatisticsImageFilter()
        judge.Execute(sitk.GetImageFromArray(volume.values()), sitk.GetImageFromArray(mask.astype(np.uint8)))
        assert curve.mean[n] == pytest.approx(judge.GetMean(1), rel=1e-6)
        assert curve.sd[n] == pytest.approx(judge.GetSigma(1), rel=1e-6)
        assert curve.voxels[n] == judge.GetCount(1)
    assert places_of_mask(np.zeros(SHAPE_KJI, dtype=bool)) is None


def test_padding_and_slices_that_were_not_read_do_not_count() -> None:
    volumes = volumes_in_time(3)
    voxels = volumes[1].voxels.copy()
    voxels[2, 4] = -2000
    volumes[1] = replace(volumes[1], voxels=voxels)
    volumes = [replace(volume, padding=(-2000.0, -2000.0)) for volume in volumes]
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[2:4, 4:6] = True
    places = places_of_mask(mask)
    assert places is not None
    curve = curve_over_times(volumes, places, ((), (), (2,)))
    assert list(curve.voxels) == [56, 42, 28]
    assert curve.mean[1] == pytest.approx(volumes[1].values()[mask & (voxels != -2000)].mean())
    assert curve.mean[2] == pytest.approx(volumes[2].values()[3, 4:6].mean())
    nothing = curve_over_times(volumes, places, ((2, 3), (), ()))
    assert np.isnan(nothing.mean[0])
    assert nothing.voxels[0] == 0


def test_a_pet_is_told_as_uptake() -> None:
    volumes = volumes_in_time(2, modality="PT", unit="Bq/mL", suv=SuvScale(((SuvKind.BODY_WEIGHT, 0.002),)))
    places = places_of_point(volumes[0], (1, 2, 3))
    assert places is not None
    curve = curve_over_times(volumes, places)
    assert (curve.name, curve.unit) == ("SUVbw", "g/mL")
    np.testing.assert_allclose(curve.mean, [volume.values((1, 2, 3)) * 0.002 for volume in volumes], rtol=1e-6)


def test_frames_of_a_colour_loop_are_told_by_their_brightness() -> None:
    shape = (5, 8, 9)
    geometry = Geometry(shape, np.eye(4), calibration=Calibration.PIXELS)
    rgb = np.random.default_rng(2).integers(0, 256, (*shape, 3)).astype(np.uint8)
    mask = np.zeros(shape, dtype=bool)
    mask[3, 2:5, 4:8] = True
    places = places_of_mask(mask)
    assert places is not None
    curve = curve_over_frames(Volume(rgb, geometry), places, (1,))
    grey = rgb.astype(np.float64) @ [0.299, 0.587, 0.114]
    expected = grey[:, 2:5, 4:8].reshape(5, -1).mean(axis=1)
    np.testing.assert_allclose(curve.mean[[0, 2, 3, 4]], expected[[0, 2, 3, 4]])
    assert np.isnan(curve.mean[1])
    assert (curve.name, curve.unit) == ("Brightness", "")
