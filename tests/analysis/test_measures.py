"""Measurements on phantoms of known size: 0.6 x 0.9 x 5.0 mm, oblique, judged by SimpleITK where it measures the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from medview.analysis.figures import area, in_polygon, outline
from medview.analysis.measures import Measured, measure
from medview.core.geometry import Calibration, Geometry
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.spacing import SpacingSource, UltrasoundRegion
from medview.core.suv import SuvKind, SuvScale
from medview.core.volume import Rescale, Volume
from tests.helpers.dicom_series import oblique

SHAPE = (6, 40, 50)
SPACING = (5.0, 0.6, 0.9)

Points = list[tuple[float, float, float]]


def grid(calibration: Calibration = Calibration.VOLUME) -> Geometry:
    affine = np.eye(4)
    axes = oblique(4)
    affine[:3, :3] = np.stack([axes[2] * SPACING[0], axes[1] * SPACING[1], axes[0] * SPACING[2]], axis=1)
    affine[:3, 3] = (-20.0, 33.0, 7.0)
    return Geometry(SHAPE, affine, "1.2.3", calibration)


def volume(calibration: Calibration = Calibration.VOLUME, **more: object) -> Volume:
    voxels = np.random.default_rng(2).integers(-500, 1500, SHAPE).astype(np.int16)
    return Volume(voxels, grid(calibration), modality="CT", unit="HU", rescale=Rescale(2.0, -3.0), **more)  # type: ignore[arg-type]


def figure(kind: MeasurementKind, points_kji: Points, of: Volume) -> Measurement:
    points = of.geometry.point_lps_mm(points_kji)
    return Measurement("m", kind, tuple((float(x), float(y), float(z)) for x, y, z in points))


def numbers(found: Measured) -> dict[str, float]:
    return {quantity.name: quantity.value for quantity in found.quantities}


def test_a_length_is_the_distance_in_the_patient_in_any_direction() -> None:
    ct = volume()
    for ends, wanted in (
        ([(2, 3, 4), (2, 13, 4)], 10 * 0.6),
        ([(2, 3, 4), (2, 3, 14)], 10 * 0.9),
        ([(2, 3, 4), (2, 8, 16)], np.hypot(5 * 0.6, 12 * 0.9)),
        ([(1, 3, 4), (4, 3, 4)], 15.0),
        ([(1, 3, 4), (4, 8, 16)], np.sqrt(15.0**2 + 3.0**2 + 10.8**2)),
    ):
        (length,) = measure(ct, figure(MeasurementKind.LENGTH, ends, ct)).quantities
        assert (length.value, length.unit) == (pytest.approx(wanted, abs=1e-9), "mm")


def test_the_longer_axis_of_two_is_the_long_one_whichever_was_drawn_first() -> None:
    ct = volume()
    for order in ([(2, 3, 4), (2, 3, 14), (2, 1, 9), (2, 6, 9)], [(2, 1, 9), (2, 6, 9), (2, 3, 4), (2, 3, 14)]):
        found = numbers(measure(ct, figure(MeasurementKind.BIDIRECTIONAL, order, ct)))
        assert found == {"long axis": pytest.approx(9.0), "short axis": pytest.approx(3.0)}


def test_angles_are_those_in_the_patient_and_not_those_between_pixels() -> None:
    ct = volume()
    # 3 rows down and 2 columns right is 1.8 mm by 1.8 mm: 45 degrees.
    right_and_diagonal: Points = [(2, 10, 20), (2, 10, 10), (2, 13, 12)]
    assert numbers(measure(ct, figure(MeasurementKind.ANGLE, right_and_diagonal, ct))) == {"angle": pytest.approx(45.0)}
    lines: Points = [(2, 0, 0), (2, 0, 10), (2, 13, 12), (2, 10, 10)]
    assert numbers(measure(ct, figure(MeasurementKind.COBB, lines, ct))) == {"Cobb angle": pytest.approx(45.0)}


def label_statistics(ct: Volume, mask: npt.NDArray[np.bool_]) -> sitk.LabelStatisticsImageFilter:
    judge = sitk.LabelStatisticsImageFilter()
    judge.Execute(sitk.GetImageFromArray(ct.values().astype(np.float64)), sitk.GetImageFromArray(mask.astype(np.uint8)))
    return judge


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_rectangle_has_the_statistics_simpleitk_gives_its_voxels(axis: int) -> None:
    ct = volume()
    low, high, at = (1.5, 4.5), (4.5, 20.5), 3
    corners = [(low[0], low[1]), (low[0], high[1]), (high[0], high[1]), (high[0], low[1])]
    points: Points = []
    for a, b in corners:
        index = [a, b]
        index.insert(axis, float(at))
        points.append((index[0], index[1], index[2]))
    found = measure(ct, figure(MeasurementKind.RECTANGLE, points, ct))
    mask = np.zeros(SHAPE, dtype=np.bool_)
    region: list[slice] = [slice(2, 5), slice(5, 21)]
    region.insert(axis, slice(at, at + 1))
    mask[tuple(region)] = True
    judge = label_statistics(ct, mask)
    values = numbers(found)
    assert values["voxels"] == judge.GetCount(1) == 48
    assert values["mean"] == pytest.approx(judge.GetMean(1), rel=1e-6)
    assert values["SD"] == pytest.approx(judge.GetSigma(1), rel=1e-6)
    assert (values["min"], values["max"]) == (judge.GetMinimum(1), judge.GetMaximum(1))
    sides = [s for n, s in enumerate(SPACING) if n != axis]
    assert values["area"] == pytest.approx(3 * sides[0] * 16 * sides[1])
    assert (found.quantity("mean") or found.quantities[0]).unit == "HU"


def test_an_ellipse_has_the_voxels_whose_centres_it_holds_and_its_own_area() -> None:
    ct = volume()
    ends: Points = [(2, 20, 10), (2, 20, 40), (2, 8, 25), (2, 32, 25)]
    found = numbers(measure(ct, figure(MeasurementKind.ELLIPSE, ends, ct)))
    assert found["area"] == pytest.approx(np.pi * 15 * 0.9 * 12 * 0.6)
    j, i = np.indices(SHAPE[1:])
    mask = np.zeros(SHAPE, dtype=np.bool_)
    mask[2] = ((i - 25) / 15) ** 2 + ((j - 20) / 12) ** 2 <= 1.0
    judge = label_statistics(ct, mask)
    assert found["voxels"] == judge.GetCount(1)
    assert found["mean"] == pytest.approx(judge.GetMean(1), rel=1e-6)


def test_a_freehand_region_has_the_voxels_of_its_outline() -> None:
    ct = volume()
    hand: Points = [(1, 4.2, 5.1), (1, 4.4, 30.7), (1, 22.3, 33.3), (1, 12.1, 17.2), (1, 30.6, 8.8)]
    found = numbers(measure(ct, figure(MeasurementKind.FREEHAND, hand, ct)))
    # The angles under which a point sees the outline add up to a full turn when it is inside.
    j, i = np.indices(SHAPE[1:])
    seen = [np.arctan2(p[1] - j, p[2] - i) for p in hand]
    turns = sum((b - a + np.pi) % (2 * np.pi) - np.pi for a, b in zip(seen, [*seen[1:], seen[0]], strict=True))
    assert found["voxels"] == (np.abs(turns) > np.pi).sum() > 300
    corners = np.array([(j * 0.6, i * 0.9) for _, j, i in hand])
    following = np.roll(corners, -1, axis=0)
    shoelace = abs(np.sum(corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0])) / 2
    assert found["area"] == pytest.approx(shoelace)


def test_padding_and_what_is_no_number_count_for_no_statistic() -> None:
    ct = volume()
    voxels = np.array(ct.voxels)
    voxels[2, 5, 5:9] = -2000
    padded = Volume(voxels, ct.geometry, unit="HU", padding=(-2000.0, -2000.0))
    square: Points = [(2, 3.5, 3.5), (2, 3.5, 10.5), (2, 6.5, 10.5), (2, 6.5, 3.5)]
    found = numbers(measure(padded, figure(MeasurementKind.RECTANGLE, square, padded)))
    assert found["voxels"] == 3 * 7 - 4
    assert found["min"] > -600


def test_a_probe_reads_the_voxel_under_it_and_uptake_where_there_is_one() -> None:
    pet = volume(suv=SuvScale(((SuvKind.BODY_WEIGHT, 0.01),)))
    value = float(pet.voxels[3, 7, 8]) * 2.0 - 3.0
    found = numbers(measure(pet, figure(MeasurementKind.PROBE, [(3.3, 6.7, 8.2)], pet)))
    assert found == {"value": pytest.approx(value), "SUVbw": pytest.approx(value * 0.01)}


def test_lengths_inside_a_slice_of_a_stack_are_millimetres_and_across_it_pixels() -> None:
    stack = volume(Calibration.IN_PLANE)
    inside = measure(stack, figure(MeasurementKind.LENGTH, [(2, 3, 4), (2, 8, 16)], stack))
    across = measure(stack, figure(MeasurementKind.LENGTH, [(1, 3, 4), (4, 3, 4)], stack))
    assert inside.quantities[0].unit == "mm"
    assert inside.quantities[0].value == pytest.approx(np.hypot(5 * 0.6, 12 * 0.9))
    assert (across.quantities[0].unit, across.quantities[0].value) == ("px", pytest.approx(3.0))
    assert across.reason == "the distance between slices is not known"


def test_a_detectors_millimetres_say_so_in_every_unit() -> None:
    xray = volume(Calibration.IN_PLANE, spacing_source=SpacingSource.DETECTOR)
    square: Points = [(0, 3.5, 3.5), (0, 3.5, 10.5), (0, 6.5, 10.5), (0, 6.5, 3.5)]
    found = measure(xray, figure(MeasurementKind.RECTANGLE, square, xray))
    enclosed = found.quantity("area")
    assert enclosed is not None
    assert enclosed.unit == "mm\u00b2 at detector"


def test_a_line_out_of_an_ultrasound_region_is_in_pixels() -> None:
    regions = (UltrasoundRegion((0, 0), (19, 19), (0.2, 0.3)),)
    us = volume(Calibration.PIXELS, regions=regions, spacing_source=SpacingSource.ULTRASOUND_REGION)
    within = measure(us, figure(MeasurementKind.LENGTH, [(0, 3, 4), (0, 3, 14)], us))
    out = measure(us, figure(MeasurementKind.LENGTH, [(0, 3, 4), (0, 3, 34)], us))
    assert (within.quantities[0].value, within.quantities[0].unit) == (pytest.approx(3.0), "mm")
    assert (out.quantities[0].value, out.quantities[0].unit) == (pytest.approx(30.0), "px")


def test_polygons_that_share_an_edge_share_no_pixel_and_leave_none_out() -> None:
    left = np.array([(0.0, 0.0), (0.0, 5.0), (9.0, 7.0), (9.0, 0.0)])
    right = np.array([(0.0, 5.0), (0.0, 12.0), (9.0, 12.0), (9.0, 7.0)])
    a, b = in_polygon(left, (9, 12)), in_polygon(right, (9, 12))
    assert not (a & b).any()
    assert (a | b).all()


def test_the_outline_of_an_ellipse_encloses_its_area() -> None:
    ends = np.array([(0.0, -4.0), (0.0, 4.0), (-2.0, 0.0), (2.0, 0.0)])
    assert area(outline(ends, MeasurementKind.ELLIPSE)) == pytest.approx(np.pi * 8, rel=2e-3)


@pytest.mark.parametrize(("kind", "count"), [(MeasurementKind.LENGTH, 3), (MeasurementKind.POLYGON, 2)])
def test_a_figure_with_the_wrong_number_of_points_is_none(kind: MeasurementKind, count: int) -> None:
    with pytest.raises(ValueError, match="points"):
        Measurement("m", kind, ((0.0, 0.0, 0.0),) * count)
