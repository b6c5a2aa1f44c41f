"""Pictures at any angle, judged by SimpleITK and scipy."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from scipy.ndimage import map_coordinates

from medview.analysis import padding, padding_blocks, reslice, vtk_images
from medview.analysis.padding import holds_padding
from medview.analysis.padding_blocks import find_blocks, known_blocks
from medview.analysis.reslice import Sampled, layer_offsets_mm, sample, sample_voxels, slices_met
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.plane import Plane, SlicePlane
from medview.core.screen_grid import ScreenGrid
from medview.core.slab import Slab, SlabMode
from medview.core.volume import Rescale, Volume
from medview.io.load import load_volume
from tests.helpers.dicom_series import oblique

SHAPE = (9, 50, 40)
SPACING = (5.0, 0.6, 0.9)


def placed(shape_kji: tuple[int, int, int] = SHAPE, shear: float = 0.0, left_handed: bool = False) -> Geometry:
    affine = np.eye(4)
    axes = oblique(4) * (np.array([[1], [1], [-1]]) if left_handed else 1)
    affine[:3, :3] = np.stack(
        [(axes[2] + shear * axes[1]) * SPACING[0], axes[1] * SPACING[1], axes[0] * SPACING[2]], axis=1
    )
    affine[:3, 3] = (-20.0, 33.0, 7.0)
    return Geometry(shape_kji, affine, "1.2.3")


def smooth_and_asymmetric(shape_kji: tuple[int, int, int] = SHAPE, dtype: str = "int16") -> npt.NDArray[Any]:
    k, j, i = np.indices(shape_kji)
    noise = np.random.default_rng(5).integers(-30, 30, shape_kji)
    return np.asarray(40 + 11 * k + 3 * ((7 * j + i) % 20) + noise + 100 * (i > 25)).astype(dtype)


def phantom(dtype: str = "int16", **more: Any) -> Volume:
    return Volume(smooth_and_asymmetric(dtype=dtype), placed(), **more)


def picture(
    of: Geometry, seed: int = 1, shape: tuple[int, int] = (70, 90), pixel_mm: tuple[float, float] = (0.7, 0.5)
) -> ScreenGrid:
    """A picture through the middle of a grid at an angle of chance, a little larger than the grid."""
    down, right, _ = oblique(seed)
    down, right = down * pixel_mm[0], right * pixel_mm[1]
    middle = of.point_lps_mm((np.array(of.shape_kji) - 1) / 2 + 0.13)
    return _grid(middle - down * (shape[0] - 1) / 2 - right * (shape[1] - 1) / 2, down, right, shape)


def _grid(corner: Any, down: Any, right: Any, shape: tuple[int, int]) -> ScreenGrid:
    x, y, z = (tuple(float(n) for n in v) for v in (corner, down, right))
    return ScreenGrid(x, y, z, shape)  # type: ignore[arg-type]  # three numbers each


def along(plane: SlicePlane, geometry: Geometry, index: float) -> ScreenGrid:
    """The picture whose pixels are the voxel centres of a slice."""
    corner, below, beside = (
        geometry.point_lps_mm(plane.index_kji(geometry, index, row, column)) for row, column in ((0, 0), (1, 0), (0, 1))
    )
    return _grid(corner, below - corner, beside - corner, plane.screen_shape(geometry))


def places_kji(grid: ScreenGrid, geometry: Geometry) -> npt.NDArray[np.float64]:
    """Shape (3, rows, columns), pixel by pixel through the patient."""
    points = [[grid.point_lps_mm(row, column) for column in range(grid.shape[1])] for row in range(grid.shape[0])]
    return np.moveaxis(geometry.index_kji(points), -1, 0)


def by_scipy(voxels: npt.NDArray[Any], grid: ScreenGrid, geometry: Geometry) -> npt.NDArray[np.float64]:
    return np.asarray(map_coordinates(voxels.astype(float), places_kji(grid, geometry), order=1, mode="nearest"))


def by_itk(
    voxels: npt.NDArray[Any], geometry: Geometry, grid: ScreenGrid, how: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Resampled numbers and which pixels ITK finds inside."""

    def image(array: npt.NDArray[Any]) -> sitk.Image:
        made = sitk.GetImageFromArray(array)
        made.SetSpacing(geometry.spacing_kji_mm[::-1])
        made.SetOrigin(geometry.affine_lps[:3, 3].tolist())
        made.SetDirection(geometry.directions_kji[::-1].T.ravel().tolist())
        return made

    steps = np.array([grid.column_step_lps_mm, grid.row_step_lps_mm, grid.normal_lps])
    lengths = np.linalg.norm(steps, axis=1)
    resample = sitk.ResampleImageFilter()
    resample.SetSize((grid.shape[1], grid.shape[0], 1))
    resample.SetOutputOrigin(grid.corner_lps_mm)
    resample.SetOutputSpacing(lengths.tolist())
    resample.SetOutputDirection((steps / lengths[:, np.newaxis]).T.ravel().tolist())
    resample.SetInterpolator(how)
    resample.SetDefaultPixelValue(0)
    found = sitk.GetArrayFromImage(resample.Execute(image(voxels)))[0]
    inside = sitk.GetArrayFromImage(resample.Execute(image(np.ones(geometry.shape_kji, dtype=np.uint8))))[0]
    return found, inside.astype(bool)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_an_oblique_picture_of_an_oblique_volume_is_what_itk_resamples(seed: int, dtype: str) -> None:
    ct = phantom(dtype)
    grid = picture(ct.geometry, seed)
    found = sample(ct, grid)
    judge, inside = by_itk(smooth_and_asymmetric(dtype="float64"), ct.geometry, grid, sitk.sitkLinear)
    np.testing.assert_array_equal(found.inside, inside)
    assert 0.1 < inside.mean() < 1.0
    assert found.stored.dtype == dtype
    difference = np.abs(found.stored.astype(float) - judge)[inside].max()
    # Rounding to integers, and of places to 2^-17 of a voxel.
    assert difference <= (0.501 if dtype == "int16" else 0.005)


@pytest.mark.parametrize("seed", range(6))
def test_labels_on_an_oblique_picture_are_those_that_itk_finds_nearest(seed: int) -> None:
    geometry = placed()
    voxels = np.random.default_rng(2).integers(0, 5, SHAPE).astype(np.uint8)
    grid = picture(geometry, seed)
    judge, _ = by_itk(voxels, geometry, grid, sitk.sitkNearestNeighbor)
    # VTK rounds places to 2^-17 of a voxel, which decides for places between two voxels.
    clear = (np.abs(np.abs(places_kji(grid, geometry) % 1.0 - 0.5)) > 2e-5).all(axis=0)
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(sample_voxels(voxels, geometry, grid)[clear], judge[clear])


@pytest.mark.data
@pytest.mark.parametrize("seed", range(3))
def test_an_oblique_picture_of_a_real_chest_is_what_itk_resamples(test_data: Path, seed: int) -> None:
    ct = load_volume(test_data / "ct-chest", None, Inline()).volume
    grid = picture(ct.geometry, seed, (300, 320), (1.1, 0.9))
    unpadded = Volume(ct.voxels, ct.geometry)
    found = sample(unpadded, grid)
    judge, inside = by_itk(ct.voxels.astype(np.float64), ct.geometry, grid, sitk.sitkLinear)
    np.testing.assert_array_equal(found.inside, inside)
    assert inside.mean() > 0.1
    assert np.abs(found.stored.astype(float) - judge)[inside].max() <= 0.6


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_sheared_and_left_handed_grids_are_sampled_where_their_voxels_are(seed: int, left_handed: bool) -> None:
    geometry = placed(shear=0.4, left_handed=left_handed)
    assert geometry.sheared
    ct = Volume(smooth_and_asymmetric(), geometry)
    grid = picture(geometry, seed)
    found = sample(ct, grid)
    places = places_kji(grid, geometry)
    inside = np.all([(p >= -0.5) & (p <= n - 0.5) for p, n in zip(places, SHAPE, strict=True)], axis=0)
    np.testing.assert_array_equal(found.inside, inside)
    assert np.abs(found.stored - by_scipy(ct.voxels, grid, geometry))[inside].max() <= 0.501
    first, last = slices_met(geometry, grid, np.zeros(1))
    assert (first != np.clip(np.floor(places[0]), 0, SHAPE[0] - 1)).mean() < 1e-3
    assert (last != np.clip(np.ceil(places[0]), 0, SHAPE[0] - 1)).mean() < 1e-3


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float32", ">i2"])
@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("shear", [0.0, 0.3])
def test_voxel_centres_give_their_stored_numbers_exactly(dtype: str, plane: Plane, shear: float) -> None:
    geometry = placed(shear=shear, left_handed=shear > 0)
    whole = np.dtype(dtype).kind in "iu"
    rng = np.random.default_rng(9)
    numbers = (
        rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, SHAPE, endpoint=True) if whole else rng.normal(0, 1e5, SHAPE)
    )
    volume = Volume(numbers.astype(dtype), geometry)
    layout = SlicePlane.of(plane, geometry)
    for index in (0, 3, layout.count(geometry) - 1):
        for turned in (layout, layout.rotated(), layout.mirrored()):
            found = sample(volume, along(turned, geometry, index))
            np.testing.assert_array_equal(found.stored, turned.extract(volume.voxels, index))
            assert found.inside.all()


def test_the_outermost_voxels_are_shown_up_to_their_outer_edges_and_no_further() -> None:
    ct = phantom()
    at = np.array([[4, -0.51, 3], [4, -0.49, 3], [4, 49.49, 3], [4, 49.51, 3]])
    for place, inside in zip(at, (False, True, True, False), strict=True):
        found = sample(ct, _grid(ct.geometry.point_lps_mm(place), (0, 0, 1), (0, 1, 0), (1, 1)))
        assert found.inside[0, 0] == inside
        if inside:
            assert found.stored[0, 0] == ct.voxels[4, round(float(place[1])), 3]


@pytest.mark.parametrize("mode", [SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_a_slab_is_the_projection_of_the_pictures_in_it(mode: SlabMode, seed: int, dtype: str) -> None:
    ct, slab = phantom(dtype), Slab(mode, 6.0)
    grid = picture(ct.geometry, seed)
    offsets = layer_offsets_mm(ct, grid, slab)
    assert len(offsets) > 1
    assert offsets.mean() == pytest.approx(0.0, abs=1e-9)
    layers = [sample(ct, grid.moved(grid.normal_lps * offset)) for offset in offsets]
    stack = np.ma.masked_array([layer.stored for layer in layers], [~layer.inside for layer in layers], dtype=float)
    judge = {SlabMode.MAXIMUM: stack.max, SlabMode.MINIMUM: stack.min, SlabMode.MEAN: stack.mean}[mode](axis=0)
    found = sample(ct, grid, slab)
    np.testing.assert_array_equal(found.inside, ~np.ma.getmaskarray(judge))
    difference = np.abs(found.stored - judge)[found.inside].max()
    assert found.stored.dtype == dtype
    # Neither way rounds places alike: a layer may fall to the other side of a half.
    assert difference <= (1.0 if dtype == "int16" else 0.01)


def test_a_slab_too_large_for_memory_is_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    ct, slab = phantom(), Slab(SlabMode.MEAN, 400.0)
    grid = picture(ct.geometry)
    whole = sample(ct, grid, slab)
    monkeypatch.setattr(reslice, "_MOST_SAMPLES", 90 * 200)
    parts = sample(ct, grid, slab)
    np.testing.assert_array_equal(parts.inside, whole.inside)
    assert np.abs(parts.stored - whole.stored)[whole.inside].max() <= 1


def test_a_slab_along_the_grid_has_as_many_layers_as_slices_fit_into_it() -> None:
    ct = phantom()
    for plane in Plane:
        layout = SlicePlane.of(plane, ct.geometry)
        step = layout.spacing_mm(ct.geometry)
        slab = Slab(SlabMode.MAXIMUM, 3 * step)
        found = sample(ct, along(layout, ct.geometry, 4), slab)
        slices = np.stack([layout.extract(ct.voxels, n) for n in (3, 4, 5)])
        np.testing.assert_array_equal(found.stored, slices.max(axis=0))


def test_a_slab_beyond_the_last_slice_projects_those_that_are_there() -> None:
    ct = phantom()
    layout = next(p for p in (SlicePlane.of(plane, ct.geometry) for plane in Plane) if p.normal_axis == 0)
    for mode, judge in ((SlabMode.MEAN, np.mean), (SlabMode.MINIMUM, np.min), (SlabMode.MAXIMUM, np.max)):
        found = sample(ct, along(layout, ct.geometry, 0), Slab(mode, 15.0))
        there = np.stack([layout.extract(ct.voxels, n) for n in (0, 1)]).astype(float)
        np.testing.assert_array_equal(found.stored, np.rint(judge(there, axis=0)))
        assert found.inside.all()


def test_a_series_without_millimetres_across_its_slices_has_no_slab() -> None:
    geometry = Geometry(SHAPE, placed().affine_lps, calibration=Calibration.IN_PLANE)
    stack = Volume(smooth_and_asymmetric(), geometry)
    grid = along(SlicePlane.of(Plane.AXIAL, geometry), geometry, 4)
    np.testing.assert_array_equal(sample(stack, grid, Slab(SlabMode.MEAN, 50.0)).stored, sample(stack, grid).stored)


@pytest.mark.parametrize("seed", range(4))
def test_padding_is_shown_where_it_is_nearest_and_mixes_with_nothing(seed: int) -> None:
    voxels = smooth_and_asymmetric()
    k, j, i = np.indices(SHAPE)
    gone = (np.hypot(j - 24, i - 20) > 15) | ((k == 4) & (j == 25) & (i == 21))
    voxels[gone] = -2000
    ct = Volume(voxels, placed(), padding=(-2000.0, -2000.0))
    grid = picture(ct.geometry, seed)
    found = sample(ct, grid)
    nearest = sample_voxels(gone.astype(np.uint8), ct.geometry, grid).astype(bool)
    shown = found.stored[found.inside]
    np.testing.assert_array_equal(shown == -2000, nearest[found.inside])
    assert shown[shown != -2000].min() >= voxels[~gone].min()
    clean = Volume(smooth_and_asymmetric(), ct.geometry)
    around = map_coordinates(gone.astype(float), places_kji(grid, ct.geometry), order=1, mode="nearest") > 0
    away = found.inside & ~around
    untouched = np.abs(found.stored.astype(int) - sample(clean, grid).stored)[away]
    assert (untouched > 0).mean() < 0.05


@pytest.mark.parametrize("mode", [SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN])
def test_padding_in_a_slab_hides_nothing_and_lowers_no_mean(mode: SlabMode) -> None:
    voxels = smooth_and_asymmetric()
    voxels[4, :, 5:20] = -2000
    voxels[3:6, 10:20] = -2000
    ct = Volume(voxels, placed(), padding=(-2000.0, -2000.0))
    layout = next(p for p in (SlicePlane.of(plane, ct.geometry) for plane in Plane) if p.normal_axis == 0)
    found = sample(ct, along(layout, ct.geometry, 4), Slab(mode, 15.0)).stored
    slices = np.stack([layout.extract(voxels, n) for n in (3, 4, 5)])
    stack = np.ma.masked_equal(slices, -2000).astype(float)
    judge = {SlabMode.MAXIMUM: stack.max, SlabMode.MINIMUM: stack.min, SlabMode.MEAN: stack.mean}[mode](axis=0)
    np.testing.assert_array_equal(found, np.rint(judge.filled(-2000)))


@pytest.mark.parametrize("seed", range(3))
def test_colour_is_sampled_component_by_component_and_never_projected(seed: int) -> None:
    voxels = np.random.default_rng(3).integers(0, 255, (*SHAPE, 3), dtype=np.uint8)
    photographs = Volume(voxels, placed())
    grid = picture(photographs.geometry, seed)
    found = sample(photographs, grid, Slab(SlabMode.MAXIMUM, 20.0))
    for component in range(3):
        judge = by_scipy(voxels[..., component], grid, photographs.geometry)
        assert np.abs(found.stored[..., component] - judge)[found.inside].max() <= 0.502


@pytest.mark.parametrize("shape_kji", [(1, 20, 30), (20, 1, 30), (20, 30, 1), (1, 1, 1)])
def test_one_slice_is_as_thick_as_its_voxels(shape_kji: tuple[int, int, int]) -> None:
    geometry = placed(shape_kji)
    ct = Volume(smooth_and_asymmetric(shape_kji), geometry, padding=(-2000.0, -2000.0))
    for seed in range(3):
        grid = picture(geometry, seed)
        for slab in (Slab(), Slab(SlabMode.MEAN, 3.0)):
            found = sample(ct, grid, slab)
            assert found.inside.any()
        judge = by_scipy(ct.voxels, grid, geometry)
        found = sample(ct, grid)
        assert np.abs(found.stored - judge)[found.inside].max() <= 0.501


def test_a_picture_beside_the_volume_shows_nothing() -> None:
    ct = phantom()
    away = picture(ct.geometry).moved((500.0, 0.0, 0.0))
    assert not sample(ct, away).inside.any()
    assert not sample(ct, away, Slab(SlabMode.MAXIMUM, 10.0)).inside.any()
    assert not sample_voxels(np.ones(SHAPE, np.uint8), ct.geometry, away).any()
    for met in slices_met(ct.geometry, away, np.array([-5.0, 5.0])):
        assert 0 <= met.min() <= met.max() < SHAPE[0]


def test_a_slice_that_has_no_part_in_a_pixel_changes_nothing_there() -> None:
    ct = phantom()
    grid = picture(ct.geometry)
    for slab in (Slab(), Slab(SlabMode.MEAN, 8.0)):
        before = sample(ct, grid, slab)
        first, last = slices_met(ct.geometry, grid, layer_offsets_mm(ct, grid, slab))
        for k in (0, 4, SHAPE[0] - 1):
            voxels = np.array(ct.voxels)
            voxels[k] += 5000
            changed = sample(Volume(voxels, ct.geometry), grid, slab).stored != before.stored
            touched = (first <= k) & (k <= last)
            assert not (changed & before.inside & ~touched).any()
            assert (changed & before.inside).any()


def test_voxel_centres_are_met_by_their_own_slice_alone() -> None:
    geometry = placed()
    first, last = slices_met(geometry, along(SlicePlane.of(Plane.AXIAL, geometry), geometry, 3), np.zeros(1))
    assert (first == last).all()


def test_voxels_that_lie_in_no_one_piece_are_sampled_too() -> None:
    ct = phantom()
    strided = Volume(np.repeat(ct.voxels, 2, axis=2)[:, :, ::2], ct.geometry, padding=(-2000.0, -2000.0))
    grid = picture(ct.geometry)
    np.testing.assert_array_equal(sample(strided, grid).stored, sample(ct, grid).stored)


def test_voxels_are_not_copied_and_let_go_with_their_volume() -> None:
    voxels = smooth_and_asymmetric()
    ct = Volume(voxels, placed())
    grid = along(SlicePlane.of(Plane.AXIAL, ct.geometry), ct.geometry, 4)
    before = sample(ct, grid).stored
    voxels += 7
    np.testing.assert_array_equal(sample(ct, grid).stored, before + 7)
    gc.collect()
    known, gone = len(vtk_images._images), weakref.ref(voxels)
    del ct, voxels
    gc.collect()
    assert gone() is None
    assert len(vtk_images._images) == known - 1


def test_labels_are_let_go_after_they_were_sampled() -> None:
    labels = np.zeros(placed().shape_kji, dtype=np.uint8)
    gone, known = weakref.ref(labels), len(vtk_images._images)
    sample_voxels(labels, placed(), along(SlicePlane.of(Plane.AXIAL, placed()), placed(), 4))
    del labels
    gc.collect()
    assert gone() is None
    assert len(vtk_images._images) == known


def test_vtk_is_loaded_with_the_first_picture_and_not_before() -> None:
    program = "import sys, medview.analysis.reslice; sys.exit(any(name.startswith('vtk') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_whether_a_volume_holds_padding_is_looked_up_once_and_forgotten_with_it() -> None:
    voxels = smooth_and_asymmetric()
    plain = Volume(voxels, placed(), padding=(-2000.0, -1999.0))
    marked = Volume(
        np.where(voxels == voxels[4, 7, 9], -1999, voxels).astype(np.int16), placed(), padding=(-2000.0, -1999.0)
    )
    known = len(padding._padded)
    assert [holds_padding(plain), holds_padding(marked), holds_padding(phantom())] == [False, True, False]
    assert [holds_padding(plain), holds_padding(marked)] == [False, True]
    assert len(padding._padded) == known + 2
    grid = picture(plain.geometry)
    for slab in (Slab(), Slab(SlabMode.MEAN, 8.0)):
        one, other = sample(plain, grid, slab), sample(plain, grid, slab, padded=False)
        np.testing.assert_array_equal(one.stored[one.inside], other.stored[other.inside])
    del plain, marked
    gc.collect()
    assert len(padding._padded) == known


def with_blocks_and_without(ct: Volume, grid: ScreenGrid, slab: Slab = Slab()) -> tuple[Sampled, Sampled]:
    """Sample twice: looking at all eight voxels around each place, and by what is known of blocks."""
    assert known_blocks(ct) is None
    slowly = sample(ct, grid, slab)
    assert find_blocks(ct) is not None
    return slowly, sample(ct, grid, slab)


@pytest.mark.parametrize("slab", [Slab(), Slab(SlabMode.MEAN, 9.0), Slab(SlabMode.MAXIMUM, 7.0)], ids=str)
@pytest.mark.parametrize("values", ["one", "range", "float"])
@pytest.mark.parametrize("seed", range(4))
def test_where_padding_is_known_pictures_are_the_same(seed: int, values: str, slab: Slab) -> None:
    voxels = smooth_and_asymmetric()
    k, j, i = np.indices(SHAPE)
    voxels[(np.hypot(j - 24, i - 20) > 15) | ((k == 4) & (j == 25) & (i == 21))] = -2000
    if values == "range":
        voxels[(voxels == -2000) & (i % 3 == 0)] = -1990
    if values == "float":
        voxels = voxels.astype(np.float32)
    ct = Volume(voxels, placed(), padding=(-2000.0, -1990.0 if values == "range" else -2000.0))
    slowly, fast = with_blocks_and_without(ct, picture(ct.geometry, seed), slab)
    np.testing.assert_array_equal(fast.inside, slowly.inside)
    np.testing.assert_array_equal(fast.stored[fast.inside], slowly.stored[slowly.inside])


@pytest.mark.parametrize("shape_kji", [(1, 20, 30), (20, 1, 30), (20, 30, 1), (1, 1, 7), (2, 2, 2)])
def test_where_padding_is_known_one_slice_is_still_one(shape_kji: tuple[int, int, int]) -> None:
    voxels = smooth_and_asymmetric(shape_kji)
    voxels[..., voxels.shape[2] // 2 :] = -2000
    ct = Volume(voxels, placed(shape_kji), padding=(-2000.0, -2000.0))
    slowly, fast = with_blocks_and_without(ct, picture(ct.geometry, 1))
    np.testing.assert_array_equal(fast.stored[fast.inside], slowly.stored[slowly.inside])


def test_known_padding_is_forgotten_with_its_voxels_and_never_kept_where_there_is_none() -> None:
    voxels = smooth_and_asymmetric()
    gc.collect()
    known = len(padding_blocks._known)
    plain = Volume(voxels, placed(), padding=(-2000.0, -2000.0))
    assert find_blocks(plain) is None
    marked = voxels.copy()
    marked[3, 4, 5:9] = -2000
    ct = Volume(marked, placed(), padding=(-2000.0, -2000.0))
    blocks = find_blocks(ct)
    assert blocks is not None
    assert known_blocks(ct) is blocks
    assert known_blocks(Volume(marked, placed(), padding=(5.0, 6.0))) is None
    sample(ct, picture(ct.geometry))
    gone = weakref.ref(blocks)
    del ct, marked, blocks
    gc.collect()
    assert gone() is None
    assert len(padding_blocks._known) == known


@pytest.mark.parametrize("mode", [SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN])
def test_numbers_that_are_none_in_a_slab_hide_nothing(mode: SlabMode) -> None:
    voxels = smooth_and_asymmetric().astype(np.float32)
    voxels[4, :, 5:20] = np.nan
    ct = Volume(voxels, placed(), rescale=Rescale(-1.0, 0.0))
    layout = next(p for p in (SlicePlane.of(plane, ct.geometry) for plane in Plane) if p.normal_axis == 0)
    found = ct.values_of(sample(ct, along(layout, ct.geometry, 4), Slab(mode, 15.0)).stored)
    stack = np.ma.masked_invalid(np.stack([layout.extract(-voxels, n) for n in (3, 4, 5)]))
    judge = {SlabMode.MAXIMUM: stack.max, SlabMode.MINIMUM: stack.min, SlabMode.MEAN: stack.mean}[mode](axis=0)
    np.testing.assert_allclose(found, judge.filled(np.nan), rtol=1e-4)
