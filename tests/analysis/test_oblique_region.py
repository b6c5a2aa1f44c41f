"""Regions drawn on planes at an angle to the grid, judged by SimpleITK and by fields whose means are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from medview.analysis.measures import Measured, measure
from medview.core.axes import Axes
from medview.core.geometry import Calibration, Geometry
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.core.suv import SuvKind, SuvScale
from medview.core.volume import Rescale, Volume
from tests.helpers.grids import turned_grid

SHAPE = (16, 60, 44)
GRID = turned_grid((2, -1, 0.5), 14.0, shape_kji=SHAPE, spacing_kji_mm=(3.0, 0.6, 0.9))
LAYOUT = ObliquePlane.of(Plane.CORONAL, Axes().turned((0.3, -1.0, 0.4), 0.6), GRID)
NOTE = "values interpolated on an oblique plane"

Points = list[tuple[float, float]]


def smooth() -> npt.NDArray[np.int16]:
    k, j, i = np.indices(SHAPE)
    waves = 900 * np.sin(k / 4) + 700 * np.cos(j / 9 + i / 13) + 23 * i + 11 * j - 37 * k
    return np.asarray(np.rint(waves), dtype=np.int16)


def figure(kind: MeasurementKind, corners_mm: Points, index: float = 0.4) -> Measurement:
    """A figure on a picture at an angle, in millimetres down and to the right from its middle."""
    grid = LAYOUT.grid(GRID, index)
    rows, columns = grid.shape
    places = [
        grid.point_lps_mm((rows - 1) / 2 + down / LAYOUT.pixel_mm, (columns - 1) / 2 + right / LAYOUT.pixel_mm)
        for down, right in corners_mm
    ]
    return Measurement("m", kind, tuple((float(x), float(y), float(z)) for x, y, z in places))


def numbers(found: Measured) -> dict[str, float]:
    return {quantity.name: quantity.value for quantity in found.quantities}


RECTANGLE = figure(MeasurementKind.RECTANGLE, [(-5, -6), (-5, 9), (4, 9), (4, -6)])
ELLIPSE = figure(MeasurementKind.ELLIPSE, [(0, -8), (0, 6), (-5, -1), (5, -1)])
FREEHAND = figure(MeasurementKind.FREEHAND, [(-6, -7), (-4, 3), (-5.5, 8), (2, 7.5), (5, 1), (1, -2), (4, -7)])


def by_simpleitk(volume: Volume, one: Measurement, pixel_mm: float = 0.1) -> npt.NDArray[np.float64]:
    """What SimpleITK interpolates inside a figure on a picture much finer than the voxels."""
    image = sitk.GetImageFromArray(volume.values().astype(np.float64))
    affine = volume.geometry.affine_lps
    directions = volume.geometry.directions_kji[::-1].T
    image.SetSpacing(volume.geometry.spacing_kji_mm[::-1])
    image.SetDirection(directions.ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    right, down, across = np.asarray(LAYOUT.right_lps), np.asarray(LAYOUT.down_lps), None
    across = np.cross(right, down)
    points = np.asarray(one.points_lps_mm)
    middle = points.mean(axis=0)
    count = 2 * round(15 / pixel_mm) + 1
    corner = middle - (right + down) * (count - 1) / 2 * pixel_mm
    judge = sitk.Resample(
        image, (count, count, 1), sitk.Transform(), sitk.sitkLinear, corner.tolist(), (pixel_mm, pixel_mm, 1.0),
        np.stack([right, down, across], axis=1).ravel().tolist(), -99999.0,
    )  # fmt: skip
    values = sitk.GetArrayFromImage(judge)[0]
    y, x = (np.indices(values.shape) - (count - 1) / 2) * pixel_mm
    return np.asarray(values[_holds(one.kind, (points - middle) @ np.stack([down, right], axis=1), y, x)])


def _holds(kind: MeasurementKind, corners: np.ndarray, y: np.ndarray, x: np.ndarray) -> npt.NDArray[np.bool_]:
    if kind is MeasurementKind.ELLIPSE:
        centre, a, b = corners.mean(axis=0), np.ptp(corners[:2], axis=0) / 2, np.ptp(corners[2:], axis=0) / 2
        return np.asarray(((y - centre[0]) / b[0]) ** 2 + ((x - centre[1]) / a[1]) ** 2 <= 1)
    # The angles under which a place sees the outline add up to a full turn when it is inside.
    seen = [np.arctan2(p[0] - y, p[1] - x) for p in corners]
    turns = sum((b - a + np.pi) % (2 * np.pi) - np.pi for a, b in zip(seen, [*seen[1:], seen[0]], strict=True))
    return np.asarray(np.abs(turns) > np.pi)


@pytest.mark.parametrize("one", [RECTANGLE, ELLIPSE, FREEHAND], ids=["rectangle", "ellipse", "freehand"])
def test_the_values_of_an_oblique_region_are_those_simpleitk_interpolates_there(one: Measurement) -> None:
    ct = Volume(smooth(), GRID, modality="CT", unit="HU", rescale=Rescale(2.0, -3.0))
    found = measure(ct, one)
    judged = by_simpleitk(ct, one)
    assert judged.min() > -90000
    values = numbers(found)
    spread = float(judged.std())
    assert spread > 100
    assert values["mean"] == pytest.approx(judged.mean(), abs=0.02 * spread)
    assert values["SD"] == pytest.approx(spread, rel=0.03)
    # Ends are met at pixels of 0.6 mm only.
    assert values["min"] == pytest.approx(judged.min(), abs=0.15 * spread)
    assert values["max"] == pytest.approx(judged.max(), abs=0.15 * spread)
    assert found.note == found.remark == NOTE
    assert found.reason == ""
    assert {q.unit for q in found.quantities if q.name in ("mean", "SD", "min", "max")} == {"HU"}
    assert "voxels" not in values


def test_the_areas_are_those_of_the_figures() -> None:
    ct = Volume(smooth(), GRID)
    assert numbers(measure(ct, RECTANGLE))["area"] == pytest.approx(9 * 15)
    assert numbers(measure(ct, ELLIPSE))["area"] == pytest.approx(np.pi * 7 * 5)


@pytest.mark.parametrize("shear", [0.0, 0.3])
def test_a_field_that_grows_evenly_has_the_mean_of_the_middle_of_any_region(shear: float) -> None:
    grid = turned_grid((2, -1, 0.5), 14.0, shear=shear, shape_kji=SHAPE)
    k, j, i = np.indices(SHAPE)
    volume = Volume((300.0 * k - 40.0 * j + 25.0 * i).astype(np.float32), grid)
    layout = ObliquePlane.of(Plane.SAGITTAL, Axes().turned((0.3, -1.0, 0.4), 0.6), grid)
    picture = layout.grid(grid, -0.7)
    row, column = (n / 2 for n in picture.shape)
    places = [picture.point_lps_mm(row + down, column + right) for down, right in ((-6, -9), (-6, 9), (6, 9), (6, -9))]
    one = Measurement("m", MeasurementKind.RECTANGLE, tuple(tuple(float(n) for n in p) for p in places))  # type: ignore[misc]  # three each
    at_k, at_j, at_i = grid.index_kji(picture.point_lps_mm(row, column))
    found = numbers(measure(volume, one))
    along = [float(np.subtract(*(grid.index_kji(p) for p in (places[a], places[0]))) @ (300, -40, 25)) for a in (1, 3)]
    assert found["mean"] == pytest.approx(300 * at_k - 40 * at_j + 25 * at_i, abs=0.05 * max(map(abs, along)))
    assert found["SD"] == pytest.approx(np.hypot(*along) / np.sqrt(12), rel=0.08)


def test_padding_and_places_outside_the_volume_count_for_nothing() -> None:
    voxels = smooth()
    voxels[:, :30] = -20000
    padded = Volume(voxels, GRID, unit="HU", padding=(-20000.0, -20000.0))
    assert numbers(measure(padded, RECTANGLE))["min"] > -4000
    beyond = figure(MeasurementKind.RECTANGLE, [(500, 500), (500, 520), (520, 520), (520, 500)])
    assert numbers(measure(padded, beyond)) == {"area": pytest.approx(400.0), "voxels": 0.0}


def test_a_region_on_a_slice_still_counts_its_voxels_and_says_nothing() -> None:
    ct = Volume(smooth(), GRID, unit="HU")
    points = GRID.point_lps_mm([(5, 9.5, 9.5), (5, 9.5, 19.5), (5, 19.5, 19.5), (5, 19.5, 9.5)])
    one = Measurement("m", MeasurementKind.RECTANGLE, tuple(tuple(float(n) for n in p) for p in points))  # type: ignore[misc]  # three each
    found = measure(ct, one)
    assert numbers(found)["voxels"] == 100
    assert numbers(found)["mean"] == pytest.approx(ct.voxels[5, 10:20, 10:20].mean())
    assert found.remark == ""


def test_uptake_is_told_of_oblique_regions_too() -> None:
    pet = Volume(smooth(), GRID, unit="Bq/mL", suv=SuvScale(((SuvKind.BODY_WEIGHT, 0.01),)))
    found = numbers(measure(pet, ELLIPSE))
    assert found["SUVbw mean"] == pytest.approx(0.01 * found["mean"])


def test_a_region_that_lies_on_no_plane_and_one_across_a_stack_have_no_values() -> None:
    ct = Volume(smooth(), GRID)
    points = np.asarray(RECTANGLE.points_lps_mm)
    points[0] += np.asarray(LAYOUT.normal_lps) * 4
    assert numbers(measure(ct, RECTANGLE.with_points(points)))["voxels"] == 0.0
    stack = Volume(smooth(), Geometry(SHAPE, GRID.affine_lps, "1.2.3", Calibration.IN_PLANE))
    found = measure(stack, RECTANGLE)
    assert (numbers(found)["voxels"], found.note) == (0.0, "")
