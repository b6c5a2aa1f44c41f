"""Two masks of one thing, judged by MONAI, by SimpleITK and by every pair of surface voxels."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.analysis.agreement.masks import MaskAgreement, mask_agreement
from medview.analysis.agreement.surfaces import surface_distances_mm, surface_of
from medview.core.box import Box
from medview.core.errors import CancelledError, GeometryError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from tests.analysis.agreement.masks import SHAPE_KJI, Mask, ball, boxes, grid, image_of, sheared_grid
from tests.helpers.timing import allowed_s

PAIRS = [
    ((6, 18, 24), 12.0, (7, 20, 28), 11.0),
    ((6, 18, 24), 14.0, (6, 18, 24), 5.0),
    ((2, 10, 12), 6.0, (11, 30, 40), 9.0),
]
"""Two that overlap, one inside the other, two apart: centre and millimetres of each."""


@pytest.fixture(params=PAIRS, ids=["overlapping", "nested", "apart"])
def pair(request: pytest.FixtureRequest) -> tuple[Mask, Mask]:
    centre, radius_mm, other_centre, other_radius_mm = request.param
    return ball(grid(), centre, radius_mm), ball(grid(), other_centre, other_radius_mm)


def _tensor(mask: Mask) -> Any:
    import torch

    return torch.from_numpy(mask[np.newaxis, np.newaxis].astype(np.float32))


def test_overlap_and_volumes_are_those_of_simpleitk(pair: tuple[Mask, Mask]) -> None:
    first, second = pair
    found = mask_agreement(first, second, grid())
    judge = sitk.LabelOverlapMeasuresImageFilter()
    judge.Execute(image_of(first, grid()), image_of(second, grid()))
    assert found.dice == pytest.approx(judge.GetDiceCoefficient())
    assert found.iou == pytest.approx(judge.GetJaccardCoefficient())
    assert found.volume_difference_of_mean == pytest.approx(-judge.GetVolumeSimilarity())
    voxel_ml = 5.0 * 0.9 * 0.6 / 1000
    difference = int(second.sum()) - int(first.sum())
    assert found.volume_difference_ml == pytest.approx(difference * voxel_ml)
    assert found.volume_difference_of_first == pytest.approx(difference / first.sum())
    assert (found.first_ml, found.second_ml) == pytest.approx((first.sum() * voxel_ml, second.sum() * voxel_ml))


def test_all_figures_are_those_of_monai(pair: tuple[Mask, Mask]) -> None:
    from monai.metrics import DiceMetric, HausdorffDistanceMetric, SurfaceDiceMetric, SurfaceDistanceMetric

    first, second = pair
    found = mask_agreement(first, second, grid(), tolerance_mm=2.0)
    a, b, spacing = _tensor(first), _tensor(second), list(grid().spacing_kji_mm)
    judge_mean = SurfaceDistanceMetric(include_background=True, symmetric=True)(b, a, spacing=spacing).item()
    assert found.dice == pytest.approx(DiceMetric(include_background=True)(b, a).item(), abs=1e-6)
    judge_95 = HausdorffDistanceMetric(include_background=True, percentile=95)(b, a, spacing=spacing).item()
    judge_max = HausdorffDistanceMetric(include_background=True)(b, a, spacing=spacing).item()
    judge_surface = SurfaceDiceMetric(class_thresholds=[2.0], include_background=True)(b, a, spacing=spacing).item()
    assert found.hd95_mm == pytest.approx(judge_95, abs=1e-4)
    assert found.hd_mm == pytest.approx(judge_max, abs=1e-4)
    assert found.surface_dice == pytest.approx(judge_surface, abs=1e-6)
    assert found.mean_surface_mm == pytest.approx(judge_mean, abs=1e-4)


def test_the_largest_distance_is_that_of_simpleitk_where_neither_lies_inside_the_other() -> None:
    # Its filter measures from every voxel of a mask to the other mask, ours from surface to surface.
    first, second = ball(grid(), (2, 10, 12), 6.0), ball(grid(), (11, 30, 40), 9.0)
    judge = sitk.HausdorffDistanceImageFilter()
    judge.Execute(image_of(first, grid()), image_of(second, grid()))
    assert mask_agreement(first, second, grid()).hd_mm == pytest.approx(judge.GetHausdorffDistance(), abs=1e-3)


@pytest.mark.parametrize("geometry", [grid(), sheared_grid()], ids=["oblique", "sheared"])
def test_distances_are_those_between_all_pairs_of_surface_voxels_in_the_patient(geometry: Geometry) -> None:
    first, second = ball(geometry, (6, 18, 24), 12.0), ball(geometry, (8, 16, 29), 9.0)
    found = mask_agreement(first, second, geometry, tolerance_mm=1.5)
    a, b = (geometry.point_lps_mm(np.argwhere(surface_of(mask))) for mask in (first, second))
    apart = np.linalg.norm(a[:, np.newaxis] - b[np.newaxis], axis=2)
    sides = apart.min(axis=1), apart.min(axis=0)
    every = np.concatenate(sides)
    assert found.mean_surface_mm == pytest.approx(every.mean())
    assert found.hd_mm == pytest.approx(every.max())
    assert found.hd95_mm == pytest.approx(max(np.percentile(side, 95) for side in sides))
    assert found.surface_dice == pytest.approx((every <= 1.5 + 1e-9).mean())


def test_a_cube_moved_by_three_slices_by_hand() -> None:
    first, second = boxes(((2, 6), (5, 15), (5, 15))), boxes(((5, 9), (5, 15), (5, 15)))
    found = mask_agreement(first, second, Geometry.from_spacing(SHAPE_KJI, (5.0, 1.0, 1.0)), tolerance_mm=0.5)
    assert found.dice == pytest.approx(2 * 100 / 800)
    assert found.iou == pytest.approx(100 / 700)
    assert found.hd_mm == 15.0
    # Of each surface: two faces of 100 and two rings of 36. On the surface of the other lies one face.
    assert found.surface_dice == pytest.approx(2 * 100 / (2 * 272))
    assert found.volume_difference_ml == 0.0


def test_two_empty_masks_agree_without_figures_and_one_empty_mask_disagrees() -> None:
    nothing, something = boxes(), ball(grid(), (6, 18, 24), 9.0)
    none = mask_agreement(nothing, nothing, grid())
    assert none.both_empty
    assert not none.one_empty
    assert (none.dice, none.iou, none.surface_dice, none.hd95_mm, none.volume_difference_ml) == (None,) * 5
    for first, second in ((nothing, something), (something, nothing)):
        one = mask_agreement(first, second, grid())
        assert one.one_empty
        assert (one.dice, one.iou, one.surface_dice) == (0.0, 0.0, 0.0)
        assert (one.hd95_mm, one.hd_mm, one.mean_surface_mm) == (None, None, None)
    assert mask_agreement(nothing, something, grid()).volume_difference_of_first is None
    assert mask_agreement(something, nothing, grid()).volume_difference_of_first == -1.0


def test_a_mask_up_to_the_edge_of_the_grid_ends_there() -> None:
    edge = boxes(((0, 14), (0, 40), (0, 20)))
    found = mask_agreement(edge, boxes(((0, 14), (0, 40), (0, 22))), Geometry.from_spacing(SHAPE_KJI, (5.0, 1.0, 1.0)))
    # Faces that lie on the edge of the grid in both masks are surface of both.
    assert found.hd_mm == 2.0
    assert found.surface_dice == 1.0


def test_what_is_unknown_is_left_out_and_its_edge_is_no_surface() -> None:
    first, second = boxes(((4, 8), (5, 15), (5, 15))), boxes(((4, 12), (5, 15), (5, 15)))
    known = np.ones(SHAPE_KJI, dtype=bool)
    known[8:] = False
    found = mask_agreement(first, second, grid(), known=known)
    assert found.dice == 1.0
    assert found.left_out == 400
    shorter = boxes(((4, 8), (5, 15), (5, 14)))
    every = mask_agreement(first, shorter, grid(), known=known, tolerance_mm=0.1)
    # Beside the unknown slice the voxels inside are none of the surface: 3 slices of a ring, and the face at the other end.
    surfaces = 100 + 3 * 36, 90 + 3 * 34
    assert every.surface_dice is not None
    assert round(every.surface_dice * sum(surfaces), 6) == round(every.surface_dice * sum(surfaces))
    assert (every.first_voxels, every.second_voxels) == (400, 360)


def test_grids_without_millimetres_have_overlaps_only_and_one_slice_has_an_outline() -> None:
    first, second = boxes(((4, 8), (5, 15), (5, 15))), boxes(((4, 8), (6, 16), (5, 15)))
    pixels = Geometry(SHAPE_KJI, grid().affine_lps, calibration=Calibration.PIXELS)
    found = mask_agreement(first, second, pixels)
    assert found.dice == pytest.approx(0.9)
    assert (found.voxel_ml, found.volume_difference_ml, found.hd95_mm, found.surface_dice) == (None,) * 4
    film = Geometry.from_spacing((1, 40, 50), (1.0, 0.5, 0.25), calibration=Calibration.IN_PLANE)
    flat = mask_agreement(first[4:5], second[4:5], film, tolerance_mm=0.1)
    assert (flat.hd_mm, flat.voxel_ml) == (0.5, None)
    # Outlines of 36 pixels: all but those of the two ends that lie on no line of the other.
    assert flat.surface_dice == pytest.approx(2 * 18 / 72)


def test_masks_of_other_grids_are_refused() -> None:
    with pytest.raises(GeometryError, match="different grids"):
        mask_agreement(boxes(), boxes()[:-1], grid())


def test_it_can_be_cancelled() -> None:
    context = Inline()
    context.cancel()
    mask = ball(grid(), (6, 18, 24), 9.0)
    with pytest.raises(CancelledError):
        mask_agreement(mask, mask, grid(), context=context)


def _of(seed: int) -> tuple[Mask, Mask]:
    rng = np.random.default_rng(seed)
    masks = []
    for _ in range(2):
        mask = np.zeros((9, 16, 15), dtype=bool)
        for _ in range(int(rng.integers(1, 4))):
            low = rng.integers(0, (5, 9, 8))
            mask[Box(tuple(low), tuple(low + rng.integers(1, (4, 7, 7)))).slices] = True
        masks.append(mask)
    return masks[0], masks[1]


def _figures(found: MaskAgreement) -> list[float | None]:
    return [found.dice, found.iou, found.surface_dice, found.mean_surface_mm, found.hd95_mm, found.hd_mm]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.tuples(*(st.integers(0, 5) for _ in range(3))))
def test_figures_are_symmetric_one_with_themselves_and_the_same_elsewhere(seed: int, by: tuple[int, int, int]) -> None:
    first, second = _of(seed)
    grid_ = Geometry(first.shape, grid().affine_lps)
    found = mask_agreement(first, second, grid_)
    back = mask_agreement(second, first, grid_)
    assert _figures(back) == pytest.approx(_figures(found))
    assert back.volume_difference_ml == pytest.approx(-(found.volume_difference_ml or 0.0))
    assert _figures(mask_agreement(first, first, grid_)) == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    wider = Geometry((20, 28, 27), grid().affine_lps)
    moved = []
    for mask in (first, second):
        room = np.zeros(wider.shape_kji, dtype=bool)
        room[Box.whole(mask.shape).shifted(tuple(np.add(by, 1))).slices] = mask
        moved.append(room)
    assert _figures(mask_agreement(*moved, wider)) == pytest.approx(_figures(found))
    assert 0.0 <= (found.surface_dice or 0.0) <= 1.0
    assert (found.mean_surface_mm or 0.0) <= (found.hd_mm or 0.0)


def test_a_ball_within_a_ball_whose_surface_is_as_far_everywhere_does_not_take_for_ever() -> None:
    geometry = Geometry.from_spacing((150, 150, 150), (1.0, 1.0, 1.0))
    inner, outer = (surface_of(ball(geometry, (75, 75, 75), radius_mm)) for radius_mm in (35.0, 70.0))
    began = time.perf_counter()
    near, far = surface_distances_mm(inner, outer, geometry)
    assert time.perf_counter() - began < allowed_s(4.0)
    assert near.min() > 33.0
    assert far.max() < 37.0


def test_the_surface_dice_of_moved_balls_is_as_far_from_the_truth_as_the_document_says() -> None:
    rng = np.random.default_rng(0)
    for spacing, said in (((1.0, 1.0, 1.0), 0.06), ((2.5, 0.8, 0.8), 0.09), ((5.0, 0.8, 0.8), 0.18)):
        geometry = Geometry.from_spacing(tuple(int(80 / mm) for mm in spacing), spacing)  # type: ignore[arg-type]
        errors = []
        for _ in range(8):
            by_mm = rng.normal(size=3)
            by_mm *= rng.uniform(2.5, 6.0) / np.linalg.norm(by_mm)
            middle = np.asarray(geometry.shape_kji) / 2 + rng.uniform(-0.5, 0.5, 3)
            radius_mm = rng.uniform(18.0, 28.0)
            first, second = (ball(geometry, at, radius_mm) for at in (tuple(middle), tuple(middle + by_mm / spacing)))
            for tolerance_mm in (1.0, 2.0, 3.0):
                found = mask_agreement(first, second, geometry, tolerance_mm).surface_dice or 0.0
                # A zone of a sphere is as large a part of it as its height is of the diameter.
                errors.append(found - min(1.0, tolerance_mm / float(np.linalg.norm(by_mm))))
        assert np.mean(errors) == pytest.approx(said, abs=0.02)
