"""A proposed mask beside a drawn one, judged by SimpleITK and by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from medview.analysis.agreement.masks import mask_agreement
from medview.analysis.mask_difference import ADDED, REMOVED, mask_difference
from medview.analysis.proposed_pieces import find_pieces, piece_at
from medview.core.box import Box
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.prediction import PredictedMask, PredictedSegment
from tests.workspace.conftest import oblique_geometry

SHAPE_KJI = (14, 40, 50)
Mask = npt.NDArray[np.bool_]


def _ball(geometry: Geometry, centre: tuple[float, float, float], radius_mm: float) -> Mask:
    at = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE_KJI), indexing="ij"), axis=-1) - np.asarray(centre)
    return np.asarray(np.linalg.norm(at * geometry.spacing_kji_mm, axis=-1) <= radius_mm)


@pytest.fixture
def geometry() -> Geometry:
    return oblique_geometry(SHAPE_KJI)


def _image(mask: Mask, geometry: Geometry) -> sitk.Image:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(tuple(float(n) for n in reversed(geometry.spacing_kji_mm)))
    return image


def test_dice_volumes_and_what_is_more_and_less_are_those_of_simpleitk(geometry: Geometry) -> None:
    proposed, drawn = _ball(geometry, (6, 18, 24), 12.0), _ball(geometry, (7, 20, 28), 11.0)
    found = mask_difference(proposed, drawn, Box.whole(SHAPE_KJI), geometry, Inline())
    judge = sitk.LabelOverlapMeasuresImageFilter()
    judge.Execute(_image(drawn, geometry), _image(proposed, geometry))
    assert found.agreement.dice == pytest.approx(judge.GetDiceCoefficient())
    voxel_ml = 5.0 * 0.9 * 0.6 / 1000
    assert found.agreement.added_ml == pytest.approx(np.count_nonzero(proposed & ~drawn) * voxel_ml)
    assert found.agreement.removed_ml == pytest.approx(np.count_nonzero(drawn & ~proposed) * voxel_ml)
    assert found.agreement.final_ml == pytest.approx(np.count_nonzero(proposed) * voxel_ml)
    on_grid = found.mask.on_grid(SHAPE_KJI)
    assert np.array_equal(on_grid == ADDED, proposed & ~drawn)
    assert np.array_equal(on_grid == REMOVED, drawn & ~proposed)


def test_surface_distances_are_those_of_simpleitk(geometry: Geometry) -> None:
    proposed, drawn = _ball(geometry, (6, 18, 24), 12.0), _ball(geometry, (7, 20, 28), 11.0)
    found = mask_difference(proposed, drawn, Box.whole(SHAPE_KJI), geometry, Inline())
    sides = []
    for one, other in ((proposed, drawn), (drawn, proposed)):
        contours = [sitk.LabelContour(_image(mask, geometry), fullyConnected=False) for mask in (one, other)]
        far = sitk.Abs(sitk.SignedMaurerDistanceMap(contours[1], squaredDistance=False, useImageSpacing=True))
        sides.append(sitk.GetArrayFromImage(far)[sitk.GetArrayFromImage(contours[0]) > 0])
    assert found.mean_mm == pytest.approx(np.concatenate(sides).mean(), abs=1e-3)
    assert found.far_mm == pytest.approx(max(np.percentile(side, 95) for side in sides), abs=1e-3)


def test_the_largest_places_come_first_and_a_voxel_of_each_is_told(geometry: Geometry) -> None:
    proposed, drawn = np.zeros(SHAPE_KJI, dtype=bool), np.zeros(SHAPE_KJI, dtype=bool)
    proposed[2:4, 3:6, 3:6] = True
    drawn[8:12, 20:30, 20:30] = True
    proposed[9:11, 20:30, 20:30] = True
    found = mask_difference(proposed, drawn, Box.whole(SHAPE_KJI), geometry, Inline())
    assert [(spot.kind, spot.voxels) for spot in found.spots] == [(REMOVED, 100), (REMOVED, 100), (ADDED, 18)]
    on_grid = found.mask.on_grid(SHAPE_KJI)
    assert [on_grid[spot.at_kji] for spot in found.spots] == [REMOVED, REMOVED, ADDED]


def test_empty_and_equal_masks_and_grids_without_millimetres(geometry: Geometry) -> None:
    ball, none = _ball(geometry, (6, 18, 24), 9.0), np.zeros(SHAPE_KJI, dtype=bool)
    whole = Box.whole(SHAPE_KJI)
    same = mask_difference(ball, ball, whole, geometry, Inline())
    assert (same.agreement.dice, same.mean_mm, same.far_mm, same.spots) == (1.0, 0.0, 0.0, ())
    assert same.mask.box.empty
    alone = mask_difference(ball, none, whole, geometry, Inline())
    assert (alone.agreement.dice, alone.agreement.removed, alone.mean_mm) == (0.0, 0, None)
    assert mask_difference(none, none, whole, geometry, Inline()).agreement.dice == 1.0
    flat = Geometry(SHAPE_KJI, geometry.affine_lps, calibration=Calibration.PIXELS)
    pixels = mask_difference(ball, none, whole, flat, Inline())
    assert (pixels.agreement.voxel_ml, pixels.agreement.added, pixels.mean_mm) == (0.0, np.count_nonzero(ball), None)


def test_pieces_of_every_class_the_largest_first_and_the_one_under_a_voxel() -> None:
    voxels = np.zeros(SHAPE_KJI, dtype=np.uint8)
    voxels[2:4, 3:6, 3:6] = 7
    voxels[4, 6, 6] = 7  # touches with a corner
    voxels[9:12, 10:14, 10:15] = 7
    voxels[9:12, 14:16, 10:15] = 3
    mask = PredictedMask.trimmed(voxels, (PredictedSegment(7, "A", (1, 2, 3)), PredictedSegment(3, "B", (1, 2, 3))))
    found = find_pieces(mask, Inline())
    assert [(piece.value, piece.voxels) for piece in found] == [(7, 60), (7, 19), (3, 30)]
    assert found[1].box == Box((2, 3, 3), (5, 7, 7))
    assert all(voxels[piece.centre_kji] == piece.value for piece in found)
    piece = piece_at(mask, (3, 4, 4), Inline())
    assert piece is not None
    box, held = piece
    assert box == Box((2, 3, 3), (5, 7, 7))
    assert np.array_equal(held, voxels[box.slices] == 7)
    assert piece_at(mask, (0, 0, 0), Inline()) is None
    assert piece_at(mask, (5, 20, 20), Inline()) is None


@pytest.mark.parametrize("calibration", [Calibration.VOLUME, Calibration.IN_PLANE])
def test_on_a_single_slice_surfaces_are_outlines(calibration: Calibration) -> None:
    shape = (1, 60, 70)
    geometry = Geometry(shape, Geometry.from_spacing(shape, (5.0, 0.7, 0.7)).affine_lps, calibration=calibration)
    j, i = np.indices(shape[1:])
    away = np.hypot(j - 30, i - 35)
    small, large = (away <= 12)[None], (away <= 18)[None]
    box = Box.around(large)
    assert box is not None
    found = mask_difference(large[box.slices], small[box.slices], box, geometry, Inline())
    judge = mask_agreement(small, large, geometry)
    assert found.mean_mm == pytest.approx(judge.mean_surface_mm)
    assert found.far_mm == pytest.approx(judge.hd95_mm)
    assert found.mean_mm == pytest.approx(6 * 0.7, rel=0.05)
