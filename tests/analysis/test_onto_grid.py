"""A volume on another's grid: judged by SimpleITK in patient space, and by scipy for sheared grids."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from medview.analysis.onto_grid import onto_grid
from medview.core.errors import CancelledError, GeometryError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.registration import Registration
from medview.core.volume import Rescale, Volume


def turned(
    shape_kji: tuple[int, int, int], spacing_kji: tuple[float, float, float], degrees: float, frame: str
) -> Geometry:
    a, b = math.radians(degrees), math.radians(-0.6 * degrees)
    turn = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    turn = turn @ np.array([[math.cos(b), -math.sin(b), 0], [math.sin(b), math.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]) * np.asarray(spacing_kji)
    middle = (np.array(shape_kji) - 1) / 2
    affine[:3, 3] = np.array([7.0, -11.0, 30.0]) - affine[:3, :3] @ middle
    return Geometry(shape_kji, affine, frame)


SOURCE = turned((24, 40, 34), (2.4, 1.1, 1.4), 9.0, "1.2")
TARGET = turned((11, 52, 30), (4.2, 0.7, 1.2), -14.0, "1.2")


def blobs(geometry: Geometry) -> Volume:
    rng = np.random.default_rng(5)
    smooth = ndimage.gaussian_filter(rng.normal(size=geometry.shape_kji), 1.5) * 4000
    return Volume(np.rint(smooth + 900).astype(np.int16), geometry, "MR", "", Rescale(0.5, -20.0), "1.9", "1.8", ("1.7",))


def as_image(volume: Volume) -> sitk.Image:
    image = sitk.GetImageFromArray(volume.values())
    geometry = volume.geometry
    image.SetOrigin([float(n) for n in geometry.point_lps_mm((0, 0, 0))])
    image.SetSpacing([float(mm) for mm in geometry.spacing_kji_mm[::-1]])
    image.SetDirection([float(n) for n in geometry.directions_kji[::-1].T.ravel()])
    return image


def by_simpleitk(volume: Volume, target: Geometry, way: sitk.Transform | None = None) -> np.ndarray:
    like = as_image(Volume(np.zeros(target.shape_kji, np.float32), target))
    found = sitk.Resample(as_image(volume), like, way or sitk.Transform(), sitk.sitkLinear, math.nan, sitk.sitkFloat32)
    return sitk.GetArrayFromImage(found)


def test_values_are_those_of_simpleitk_wherever_both_have_any() -> None:
    volume = blobs(SOURCE)
    found = onto_grid(volume, SOURCE, TARGET, Inline())
    truth = by_simpleitk(volume, TARGET)
    inside = np.isfinite(truth)
    assert 0.4 < inside.mean() < 0.99
    assert np.abs(found.volume.values()[inside] - truth[inside]).max() < 0.02
    assert found.volume.geometry is TARGET
    assert found.covered >= inside.mean()
    assert (found.volume.series_uid, found.volume.modality) == ("1.9", "MR")


def test_what_lies_beyond_the_source_is_padding_and_lower_than_any_value() -> None:
    volume = blobs(SOURCE)
    found = onto_grid(volume, SOURCE, TARGET, Inline())
    beyond = found.volume.is_padding(found.volume.voxels)
    index = SOURCE.index_kji(TARGET.point_lps_mm(np.stack(np.indices(TARGET.shape_kji), axis=-1)))
    truly = (index < -0.5).any(axis=-1) | (index > np.array(SOURCE.shape_kji) - 0.5).any(axis=-1)
    assert np.array_equal(beyond, truly)
    assert found.covered == pytest.approx(1 - truly.mean())
    assert found.volume.seen_values().min() >= volume.values().min() - 1e-3
    assert found.volume.values()[beyond].max() < volume.values().min()


def test_the_same_grid_gives_the_same_values() -> None:
    volume = blobs(SOURCE)
    found = onto_grid(volume, SOURCE, SOURCE, Inline())
    assert np.abs(found.volume.values() - volume.values()).max() < 1e-3
    assert found.covered == 1.0


def test_a_registration_places_it_as_simpleitk_does() -> None:
    a = math.radians(8.0)
    matrix = np.eye(4)
    matrix[:2, :2] = [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]
    matrix[:3, 3] = (4.0, -6.0, 2.5)
    registration = Registration("1.2", "9.9", matrix, 0.5, 1.0, 0.0, "")
    elsewhere = Geometry(SOURCE.shape_kji, SOURCE.affine_lps, "9.9")
    volume = replace(blobs(SOURCE), geometry=elsewhere)
    found = onto_grid(volume, registration.place(elsewhere), TARGET, Inline())
    way = sitk.AffineTransform(3)
    back = np.linalg.inv(matrix)
    way.SetMatrix([float(n) for n in back[:3, :3].ravel()])
    way.SetTranslation([float(n) for n in back[:3, 3]])
    truth = by_simpleitk(volume, TARGET, way)
    inside = np.isfinite(truth)
    assert inside.mean() > 0.3
    assert np.abs(found.volume.values()[inside] - truth[inside]).max() < 0.02


def test_a_sheared_source_is_placed_as_its_affine_says() -> None:
    affine = np.array(SOURCE.affine_lps)
    affine[:3, 0] += 0.4 * affine[:3, 1]
    sheared = Geometry(SOURCE.shape_kji, affine, "1.2")
    assert sheared.sheared
    volume = replace(blobs(SOURCE), geometry=sheared)
    found = onto_grid(volume, sheared, TARGET, Inline()).volume
    index = sheared.index_kji(TARGET.point_lps_mm(np.stack(np.indices(TARGET.shape_kji), axis=-1)))
    truth = ndimage.map_coordinates(volume.values(), np.moveaxis(index, -1, 0), order=1, cval=math.nan)
    inside = np.isfinite(truth)
    assert inside.mean() > 0.3
    assert np.abs(found.values()[inside] - truth[inside]).max() < 0.05


def test_padding_of_the_source_is_not_mixed_into_values() -> None:
    voxels = np.full(SOURCE.shape_kji, 500, dtype=np.int16)
    voxels[:, :, 20:] = -2000
    volume = Volume(voxels, SOURCE, "CT", "HU", padding=(-2000, -2000))
    found = onto_grid(volume, SOURCE, TARGET, Inline()).volume
    values = found.seen_values()
    assert values.size
    assert (values == 500.0).all()
    index = SOURCE.index_kji(TARGET.point_lps_mm(np.stack(np.indices(TARGET.shape_kji), axis=-1)))
    deep = (index[..., 2] > 20.6) & (np.abs(index - (np.array(SOURCE.shape_kji) - 1) / 2) < np.array([11, 19, 16])).all(-1)
    assert deep.any()
    assert found.is_padding(found.voxels)[deep].all()


def test_series_that_show_nothing_in_common_are_refused() -> None:
    away = np.array(TARGET.affine_lps)
    away[:3, 3] += 4000.0
    with pytest.raises(GeometryError, match="no common part"):
        onto_grid(blobs(SOURCE), SOURCE, Geometry(TARGET.shape_kji, away, "1.2"), Inline())


def test_colour_and_stacks_are_refused() -> None:
    stack = Geometry(SOURCE.shape_kji, SOURCE.affine_lps, "1.2", Calibration.IN_PLANE)
    with pytest.raises(GeometryError, match="millimetres"):
        onto_grid(replace(blobs(SOURCE), geometry=stack), stack, TARGET, Inline())
    colour = Volume(np.zeros((*SOURCE.shape_kji, 3), np.uint8), SOURCE)
    with pytest.raises(GeometryError, match="grey"):
        onto_grid(colour, SOURCE, TARGET, Inline())


class _Impatient(Inline):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def raise_if_cancelled(self) -> None:
        self.asked += 1
        if self.asked > 3:
            raise CancelledError


def test_cancel_is_looked_at_between_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medview.analysis.onto_grid.SLAB_VOXELS", 1)
    context = _Impatient()
    with pytest.raises(CancelledError):
        onto_grid(blobs(SOURCE), SOURCE, TARGET, context)
    assert context.asked == 4
