from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial.distance import pdist

from medview.analysis.extent import extent_of
from medview.analysis.segment_figures import segment_figures, volume_ml
from medview.core.box import Box
from medview.core.errors import CancelledError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.plane import Plane, SlicePlane
from medview.core.volume import Rescale, Volume
from tests.edit.grids import KINDS, SHAPE_KJI, grid


def blob(geometry: Geometry, centre_kji: tuple[float, float, float], half_mm: tuple[float, float, float]) -> np.ndarray:
    """An ellipsoid whose half axes run to the patient's left, back and head."""
    points = geometry.point_lps_mm(np.stack(np.indices(geometry.shape_kji), axis=-1))
    away = (points - geometry.point_lps_mm(centre_kji)) / np.asarray(half_mm)
    return np.asarray((away**2).sum(axis=-1) <= 1.0)


def corners_of_voxels(cut: np.ndarray) -> np.ndarray:
    """Row and column of the middles of all edges of all voxels of a slice."""
    at = np.argwhere(cut).astype(float)
    return np.concatenate([at + step for step in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5))])


def longest_by_hand_mm(mask: np.ndarray, geometry: Geometry) -> float:
    """The longest diameter on any axial slice, every pair of points tried, in the patient."""
    axis = SlicePlane.of(Plane.AXIAL, geometry).normal_axis
    longest = 0.0
    for n in range(mask.shape[axis]):
        edges = corners_of_voxels(mask.take(n, axis))
        if len(edges):
            longest = max(longest, float(pdist(geometry.point_lps_mm(np.insert(edges, axis, n, axis=1))).max()))
    return longest


def apart_mm(geometry: Geometry, ends_kji: object) -> float:
    one, other = geometry.point_lps_mm(ends_kji)  # type: ignore[arg-type]
    return float(np.linalg.norm(one - other))


@pytest.mark.parametrize("kind", KINDS)
def test_the_long_axis_is_the_longest_of_all_pairs_on_any_axial_slice(kind: str) -> None:
    geometry = grid(kind)
    mask = blob(geometry, (6.3, 15.0, 21.0), (9.0, 5.0, 11.0))
    mask &= np.random.default_rng(2).random(mask.shape) < 0.6
    box = Box.around(mask)
    assert box is not None
    found = extent_of(mask[box.slices], box, geometry)
    assert found is not None
    assert found.unit == "mm"
    assert found.long == pytest.approx(longest_by_hand_mm(mask, geometry), rel=1e-9)
    assert apart_mm(geometry, found.long_ends_kji) == pytest.approx(found.long)
    assert apart_mm(geometry, found.short_ends_kji) == pytest.approx(found.short)
    one, other = (np.diff(geometry.point_lps_mm(ends), axis=0)[0] for ends in (found.long_ends_kji, found.short_ends_kji))
    assert abs(one @ other) < 1e-6 * found.long * found.short
    axis = SlicePlane.of(Plane.AXIAL, geometry).normal_axis
    assert {point[axis] for point in (*found.long_ends_kji, *found.short_ends_kji)} == {float(found.slice_index)}


def test_an_ellipse_has_the_axes_it_was_drawn_with() -> None:
    geometry = Geometry.from_spacing((9, 120, 160), (4.0, 0.5, 0.4))
    mask = blob(geometry, (4, 61, 70), (22.0, 13.0, 9.0))
    box = Box.around(mask)
    assert box is not None
    found = extent_of(mask[box.slices], box, geometry)
    assert found is not None
    assert found.long == pytest.approx(44.0, abs=0.5)
    assert found.short == pytest.approx(26.0, abs=0.5)
    assert found.slice_index == 4


def test_a_single_voxel_is_as_long_as_its_longer_side() -> None:
    geometry = Geometry.from_spacing((3, 8, 8), (5.0, 2.0, 1.0))
    found = extent_of(np.ones((1, 1, 1), dtype=bool), Box((1, 4, 6), (2, 5, 7)), geometry)
    assert found is not None
    assert (found.long, found.short) == pytest.approx((2.0, 1.0))
    assert found.slice_index == 1


def test_without_millimetres_there_are_pixels_and_no_volume() -> None:
    affine = Geometry.from_spacing((3, 9, 9), (1.0, 2.0, 2.0)).affine_lps
    for calibration, unit, length in ((Calibration.IN_PLANE, "mm", 8.0), (Calibration.PIXELS, "px", 4.0)):
        geometry = Geometry((3, 9, 9), affine, calibration=calibration)
        found = extent_of(np.ones((1, 1, 4), dtype=bool), Box((1, 4, 2), (2, 5, 6)), geometry)
        assert found is not None
        assert (found.long, found.unit) == (pytest.approx(length), unit)
        assert volume_ml(4, geometry) is None


def sagittal(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], calibration: Calibration) -> Geometry:
    """Slices that follow each other to the left, rows to the feet, columns to the back."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]) * np.asarray(spacing_mm)
    return Geometry(shape, affine, calibration=calibration)


@pytest.mark.parametrize("calibration", [Calibration.VOLUME, Calibration.IN_PLANE])
def test_a_single_slice_is_measured_in_its_own_plane_whichever_that_is(calibration: Calibration) -> None:
    geometry = sagittal((1, 60, 80), (4.0, 0.5, 0.5), calibration)
    assert SlicePlane.of(Plane.AXIAL, geometry).normal_axis != 0
    j, i = np.indices((60, 80))
    mask = (((j - 30) / 24) ** 2 + ((i - 40) / 12) ** 2 <= 1.0)[None]
    box = Box.around(mask)
    assert box is not None
    found = extent_of(mask[box.slices], box, geometry)
    assert found is not None
    assert (found.unit, found.slice_index) == ("mm", 0)
    assert found.long == pytest.approx(49 * 0.5, rel=0.02)
    assert found.short == pytest.approx(25 * 0.5, rel=0.03)


def test_a_stack_whose_steps_nobody_knows_is_measured_slice_by_slice() -> None:
    geometry = sagittal((10, 40, 40), (1.0, 0.5, 0.5), Calibration.IN_PLANE)
    mask = np.zeros((4, 6, 12), dtype=bool)
    mask[2] = True
    found = extent_of(mask, Box((3, 4, 5), (7, 10, 17)), geometry)
    assert found is not None
    assert (found.unit, found.slice_index) == ("mm", 5)
    assert found.long == pytest.approx(float(np.hypot(12, 5)) * 0.5, rel=0.02)


@pytest.fixture
def scattered() -> tuple[np.ndarray, Volume]:
    rng = np.random.default_rng(11)
    geometry = grid("oblique")
    mask = ndimage.gaussian_filter(rng.random(SHAPE_KJI), 1.6) > 0.54
    stored = rng.integers(-30, 3000, SHAPE_KJI).astype(np.int16)
    return mask, Volume(stored, geometry, modality="CT", unit="HU", rescale=Rescale(0.5, -1000.0))


def test_volume_and_values_are_those_another_tool_finds(scattered: tuple[np.ndarray, Volume]) -> None:
    mask, volume = scattered
    box = Box.around(mask)
    assert box is not None
    figures = segment_figures(mask[box.slices], box, volume, Inline())
    judge = sitk.LabelStatisticsImageFilter()
    judge.Execute(sitk.GetImageFromArray(volume.values()), sitk.GetImageFromArray(mask.astype(np.uint8)))
    told = figures.statistics
    assert told is not None
    assert told.mean == pytest.approx(judge.GetMean(1), rel=1e-6)
    assert told.sd == pytest.approx(judge.GetSigma(1), rel=1e-5)
    assert (told.low, told.high) == (judge.GetMinimum(1), judge.GetMaximum(1))
    assert figures.voxels == judge.GetCount(1)
    assert volume_ml(figures.voxels, volume.geometry) == pytest.approx(mask.sum() * 3.1 * 0.9 * 0.7 / 1000)


def test_pieces_are_those_another_tool_finds_the_largest_first(scattered: tuple[np.ndarray, Volume]) -> None:
    mask, volume = scattered
    box = Box.around(mask)
    assert box is not None
    found = segment_figures(mask[box.slices], box, volume, Inline()).components
    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
    assert len(found) == count > 3
    sizes = [piece.voxels for piece in found]
    assert sizes == sorted(np.bincount(labels.ravel())[1:].tolist(), reverse=True)
    assert [piece.number for piece in found] == list(range(1, count + 1))
    for piece in found:
        number = labels[piece.centre_kji]
        assert number > 0, "the centre of a piece is a voxel of it"
        assert piece.box == Box.around(labels == number)
        assert piece.mean == pytest.approx(volume.values()[labels == number].mean(), rel=1e-5)
        assert piece.extent.long == pytest.approx(longest_by_hand_mm(labels == number, volume.geometry), rel=1e-9)


def test_the_extent_of_a_segment_does_not_run_from_one_piece_to_another() -> None:
    geometry = Geometry.from_spacing((3, 20, 40), (2.0, 1.0, 1.0))
    mask = np.zeros((3, 20, 40), dtype=bool)
    mask[1, 5:10, 2:9] = mask[1, 5:8, 30:39] = True
    figures = segment_figures(mask, Box.whole(mask.shape), Volume(np.zeros(mask.shape), geometry), Inline())
    assert figures.extent is not None
    assert figures.extent.long < 11
    assert figures.component_count == 2


def test_padding_has_no_part_in_the_values() -> None:
    geometry = Geometry.from_spacing((2, 4, 4), (1.0, 1.0, 1.0))
    stored = np.full((2, 4, 4), 100, dtype=np.int16)
    stored[0] = -2000
    volume = Volume(stored, geometry, unit="HU", padding=(-2000, -2000))
    told = segment_figures(np.ones((2, 4, 4), dtype=bool), Box.whole((2, 4, 4)), volume, Inline()).statistics
    assert told is not None
    assert (told.mean, told.sd, told.low) == (100.0, 0.0, 100.0)
    stored[:] = -2000
    empty = segment_figures(np.ones((2, 4, 4), dtype=bool), Box.whole((2, 4, 4)), volume, Inline())
    assert empty.statistics is None
    assert empty.components[0].mean is None


def test_damaged_slices_count_as_voxels_and_have_no_part_in_the_values() -> None:
    shape = (5, 4, 4)
    stored = np.full(shape, 1064, dtype=np.int16)
    stored[2] = 0
    volume = Volume(stored, Geometry.from_spacing(shape, (1.0, 1.0, 1.0)), unit="HU", rescale=Rescale(1.0, -1024.0))
    mask, box = np.ones((3, 4, 4), dtype=bool), Box((1, 0, 0), (4, 4, 4))
    whole = segment_figures(mask, box, volume, Inline(), (2,))
    assert whole.statistics is not None
    assert (whole.statistics.mean, whole.statistics.sd, whole.statistics.low) == (40.0, 0.0, 40.0)
    assert whole.voxels == whole.components[0].voxels == 48
    mask[0] = mask[2] = False
    unread = segment_figures(mask, box, volume, Inline(), (0, 2, 4))
    assert unread.statistics is None
    assert (unread.voxels, unread.components[0].mean) == (16, None)
    split = np.ones((3, 4, 4), dtype=bool)
    split[:, :, 2] = False
    pieces = segment_figures(split, box, volume, Inline(), (2,)).components
    assert [piece.mean for piece in pieces] == [40.0, 40.0]


def test_values_far_from_zero_keep_their_spread() -> None:
    geometry = Geometry.from_spacing((1, 2, 2), (1.0, 1.0, 1.0))
    stored = np.array([[[1e6, 1e6 + 1], [1e6 + 2, 1e6 + 3]]], dtype=np.float32)
    told = segment_figures(np.ones((1, 2, 2), dtype=bool), Box.whole((1, 2, 2)), Volume(stored, geometry), Inline())
    assert told.statistics is not None
    assert told.statistics.sd == pytest.approx(np.std([0, 1, 2, 3], ddof=1))


def test_measuring_can_be_cancelled(scattered: tuple[np.ndarray, Volume]) -> None:
    mask, volume = scattered
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        segment_figures(mask, Box.whole(mask.shape), volume, context)
