"""Regions of like values, on a picture and in the volume, against SciPy and SimpleITK."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from scipy import ndimage

from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane, SlicePlane
from medview.core.screen_map import ScreenMap
from medview.core.volume import Rescale, Volume
from medview.edit.region_growth import BRICK_KJI, RegionGrowth
from medview.edit.slice_flood import SliceFlood
from medview.edit.value_range import ValueRange
from tests.edit.grids import KINDS, grid
from tests.helpers.timing import allowed_s

SHAPE_KJI = (70, 139, 150)
"""Not a whole number of bricks along any axis, and three of them at least."""


@pytest.fixture(scope="module")
def maze() -> Volume:
    """Blobs of two kinds that wind through many bricks."""
    rng = np.random.default_rng(11)
    noise = ndimage.gaussian_filter(rng.normal(0, 1, SHAPE_KJI), (2.0, 3.5, 3.0))
    voxels = np.rint(1000 * noise / noise.std()).astype(np.int16)
    return Volume(voxels, Geometry.from_spacing(SHAPE_KJI, (2.5, 0.9, 0.7)), rescale=Rescale(0.5, -100.0))


def seed_of(volume: Volume, values: ValueRange) -> tuple[int, int, int]:
    """The voxel of the range nearest to the middle."""
    found = np.argwhere(values.holds(volume, volume.voxels))
    k, j, i = found[np.argmin(((found - np.array(SHAPE_KJI) / 2) ** 2).sum(axis=1))]
    return int(k), int(j), int(i)


def grown(volume: Volume, seed_kji: tuple[int, int, int], values: ValueRange, **kinds: object) -> npt.NDArray[np.bool_]:
    growth = RegionGrowth(volume, seed_kji, values, **kinds)  # type: ignore[arg-type]
    assert growth.run()
    found = growth.mask(Box.whole(volume.geometry.shape_kji))
    assert growth.count == found.sum()
    assert growth.box == Box.around(found)
    return found


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("values", [ValueRange(-50.0, 600.0), ValueRange(250.3, 900.0), ValueRange(-1e9, 1e9)])
def test_a_region_is_what_scipy_and_simpleitk_find(maze: Volume, values: ValueRange, corners: bool) -> None:
    seed = seed_of(maze, values)
    found = grown(maze, seed, values, corners=corners)
    inside = (maze.values() >= values.low) & (maze.values() <= values.high)
    parts, _ = ndimage.label(inside, ndimage.generate_binary_structure(3, 3 if corners else 1))
    assert (found == (parts == parts[seed])).all()
    judge = sitk.ConnectedThresholdImageFilter()
    judge.SetSeedList([tuple(reversed(seed))])
    judge.SetLower(values.low)
    judge.SetUpper(values.high)
    judge.SetConnectivity(judge.FullConnectivity if corners else judge.FaceConnectivity)
    image = sitk.GetArrayFromImage(judge.Execute(sitk.GetImageFromArray(maze.values())))
    assert (found == (image != 0)).all()


def test_corners_matter_where_regions_touch_at_the_corner_of_a_brick() -> None:
    voxels = np.zeros((2 * BRICK_KJI[0], 2 * BRICK_KJI[1], 2 * BRICK_KJI[2]), dtype=np.uint8)
    k, j, i = BRICK_KJI
    voxels[k - 3 : k, j - 3 : j, i - 3 : i] = 7
    voxels[k : k + 2, j : j + 2, i : i + 2] = 7
    volume = Volume(voxels, Geometry.from_spacing(voxels.shape, (1.0, 1.0, 1.0)))
    seed = (k - 1, j - 1, i - 1)
    assert grown(volume, seed, ValueRange(7, 7)).sum() == 27
    assert grown(volume, seed, ValueRange(7, 7), corners=True).sum() == 27 + 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_leak_ends_at_the_distance_that_was_set_in_the_patient(kind: str) -> None:
    geometry = grid(kind)
    volume = Volume(np.zeros(geometry.shape_kji, dtype=np.int16), geometry)
    seed = (6, 15, 20)
    found = grown(volume, seed, ValueRange(0, 0), limit_mm=9.21)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    away = np.linalg.norm(geometry.point_lps_mm(index) - geometry.point_lps_mm(seed), axis=-1)
    assert (found == (away <= 9.21)).all()
    assert 300 < found.sum() < found.size / 2


def test_what_is_found_when_it_is_stopped_is_a_part_around_the_seed_and_it_goes_on_from_there(maze: Volume) -> None:
    values = ValueRange(-200.0, 900.0)
    seed = seed_of(maze, values)
    growth = RegionGrowth(maze, seed, values)
    assert not growth.run(lambda: True)
    part = growth.mask(Box.whole(SHAPE_KJI))
    assert part[seed]
    assert not growth.done
    growth.run()
    whole = growth.mask(Box.whole(SHAPE_KJI))
    assert (whole == grown(maze, seed, values)).all()
    assert (whole | part == whole).all()
    assert part.sum() < whole.sum()


def test_what_a_person_looks_at_is_found_first_and_the_whole_is_the_same(maze: Volume) -> None:
    values = ValueRange(-300.0, 900.0)
    seed = seed_of(maze, values)
    looked_at = seed[0] // BRICK_KJI[0] * BRICK_KJI[0]
    growth = RegionGrowth(maze, seed, values, first=lambda box: box.min_kji[0] == looked_at)
    steps: list[set[int]] = []
    while not growth.run(lambda: True):
        steps.append({box.min_kji[0] for box, _ in growth.pieces()})
    alone = [step for step in steps if step == {looked_at}]
    assert len(alone) >= 4
    assert (growth.mask(Box.whole(SHAPE_KJI)) == grown(maze, seed, values)).all()


def test_the_range_of_a_small_vessel_leaves_out_what_is_around_it() -> None:
    rng = np.random.default_rng(9)
    voxels = rng.normal(-850, 25, (5, 60, 60))
    voxels[:, 30:32, :] = rng.normal(60, 25, (5, 2, 60))
    volume = Volume(np.rint(voxels).astype(np.int16), Geometry.from_spacing((5, 60, 60), (2.5, 0.8, 0.8)))
    found = ValueRange.around(volume, (2, 30, 25))
    assert found.low > -500
    assert found.high < 500
    lung = ValueRange.around(volume, (2, 34, 25))
    assert lung.low < -870
    assert lung.high < -500


def test_nothing_grows_from_a_voxel_outside_the_range_nor_into_padding(maze: Volume) -> None:
    growth = RegionGrowth(maze, (0, 0, 0), ValueRange(9e5, 1e6))
    assert growth.run()
    assert growth.count == 0
    assert growth.box is None
    padded = replace(maze, padding=(-32768.0, 0.0))
    assert (grown(padded, seed_of(padded, ValueRange(-200, 900)), ValueRange(-200, 900)) & (maze.voxels <= 0)).sum() == 0


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("plane", list(Plane))
def test_a_flooded_slice_is_what_scipy_finds_on_it(maze: Volume, plane: Plane, corners: bool) -> None:
    values = ValueRange(-300.0, 500.0)
    seed_kji = seed_of(maze, values)
    layout = SlicePlane.of(plane, maze.geometry)
    at, row, column = (round(n) for n in layout.screen(maze.geometry, seed_kji))
    flooded = SliceFlood(maze, ScreenMap.of(layout, maze.geometry), at).mask(seed_kji, values, corners=corners)
    assert flooded is not None
    box, mask = flooded
    found = np.zeros(SHAPE_KJI, dtype=bool)
    found[box.slices] = mask
    picture = layout.extract(maze.values(), at)
    parts, _ = ndimage.label((picture >= -300) & (picture <= 500), np.ones((3, 3)) if corners else None)
    expected = np.zeros(SHAPE_KJI, dtype=bool)
    layout.extract(expected, at)[...] = parts == parts[row, column]
    assert (found == expected).all()
    assert mask.any(axis=(1, 2)).all()
    assert 20 < expected.sum() < picture.size


def test_a_flooded_slice_ends_at_its_distance_and_nothing_is_flooded_from_a_value_out_of_range(maze: Volume) -> None:
    layout = SlicePlane.of(Plane.CORONAL, maze.geometry)
    flood = SliceFlood(maze, ScreenMap.of(layout, maze.geometry), 70)
    middle = (33, 70, 60)
    found = flood.mask(middle, ValueRange(-1e6, 1e6), limit_mm=20.0)
    assert found is not None
    box, mask = found
    k, j, i = np.argwhere(mask).T + np.array(box.min_kji)[:, None]
    away = np.hypot((k - middle[0]) * 2.5, (i - middle[2]) * 0.7)
    assert away.max() <= 20.0
    assert set(j) == {70}
    assert mask.sum() == sum(np.hypot(a * 2.5, b * 0.7) <= 20 for a in range(-9, 10) for b in range(-30, 31))
    assert flood.mask(middle, ValueRange(9e5, 1e6)) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plane", list(Plane))
def test_at_an_angle_the_voxels_the_picture_cuts_are_flooded_and_what_lies_apart_is_not(plane: Plane, kind: str) -> None:
    geometry = grid(kind)
    layout = ObliquePlane.of(plane, Axes().turned((0.3, -1.0, 0.4), 0.6), geometry)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape_kji), indexing="ij"), axis=-1)
    away = geometry.point_lps_mm(index) - np.asarray(layout.middle_lps_mm)
    # A ball in the middle and a second one beside it on the same picture.
    ball = np.linalg.norm(away, axis=-1) < 5.0
    other = np.linalg.norm(away - np.asarray(layout.right_lps) * 13.0, axis=-1) < 4.0
    volume = Volume(np.where(ball | other, 100, 0).astype(np.int16), geometry)
    k, j, i = np.rint(geometry.index_kji(layout.middle_lps_mm)).astype(int)
    found = SliceFlood(volume, ScreenMap.of(layout, geometry), 0.1).mask((k, j, i), ValueRange(50, 150))
    assert found is not None
    box, mask = found
    whole = np.zeros(geometry.shape_kji, dtype=bool)
    whole[box.slices] = mask
    normal = np.asarray(layout.normal_lps)
    cut = np.abs(away @ normal - 0.1 * layout.step_mm) < np.abs(normal @ geometry.affine_lps[:3, :3]).sum() / 2
    assert (whole == (ball & cut)).all()
    assert (other & cut).any()


def test_the_range_of_a_place_holds_its_tissue_and_not_the_next_one() -> None:
    rng = np.random.default_rng(4)
    voxels = rng.normal(0, 8, (9, 40, 40))
    voxels[:, :, 20:] += 100.0
    volume = Volume(np.rint(voxels + 1000).astype(np.int16), Geometry.from_spacing((9, 40, 40), (3.0, 1.0, 1.0)),
                    rescale=Rescale(1.0, -1000.0))  # fmt: skip
    left = ValueRange.around(volume, (4, 20, 8))
    assert left.low < -10
    assert 10 < left.high < 60
    at_edge = ValueRange.around(volume, (4, 20, 19))
    assert at_edge.high < 80
    assert ValueRange.around(volume, (0, 0, 39)).low > 40


def test_a_range_is_widened_about_its_middle_and_reads_stored_numbers_with_a_falling_slope() -> None:
    assert ValueRange(10, 30).widened(2.0) == ValueRange(0, 40)
    volume = Volume(np.arange(24, dtype=np.uint16).reshape(2, 3, 4), Geometry.from_spacing((2, 3, 4), (1, 1, 1)),
                    rescale=Rescale(-2.0, 10.0))  # fmt: skip
    values = volume.values()
    assert (ValueRange(-8, 4).holds(volume, volume.voxels) == ((values >= -8) & (values <= 4))).all()
    assert not ValueRange(10.5, 11.5).holds(volume, volume.voxels).any()


def test_a_region_in_a_large_scan_takes_as_long_as_the_region_is_large() -> None:
    shape = (400, 512, 512)
    voxels = np.zeros(shape, dtype=np.int16)
    voxels[180:220, 200:260, 220:300] = 80
    volume = Volume(voxels, Geometry.from_spacing(shape, (1.0, 0.7, 0.7)))
    growth = RegionGrowth(volume, (200, 230, 250), ValueRange(50, 100))
    began = time.perf_counter()
    growth.run()
    assert time.perf_counter() - began < allowed_s(0.1)
    assert growth.count == 40 * 60 * 80
    steps = []
    whole = RegionGrowth(volume, (10, 10, 10), ValueRange(0, 0))
    for _ in range(30):
        began = time.perf_counter()
        whole.run(lambda: True)
        steps.append(time.perf_counter() - began)
    assert sorted(steps)[-3] < allowed_s(0.025)
