"""Masks of a model are judged as MONAI and SimpleITK judge them, and what nobody knows does not count."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from monai.metrics import compute_hausdorff_distance, compute_surface_dice

from medview.core.geometry import Geometry
from medview.ml.examples import UNKNOWN, Truth
from tests.ml.small_packs import oblique_geometry
from tests.workspace.evaluation.made import SHAPE, blobs, example, mask_judge, masks, picture_grid, volume

NAMES = ("Anterior", "Posterior")


def test_dice_surface_dice_and_hd95_of_cases_are_those_of_simpleitk_and_monai() -> None:
    geometry = Geometry.from_spacing((9, 22, 26), (2.5, 0.8, 1.1))
    judge = mask_judge(NAMES, tolerance=1.5)
    wanted: dict[str, list[tuple[float, float, float]]] = {name: [] for name in NAMES}
    for n in range(4):
        true, said = blobs(geometry.shape_kji, n), np.roll(blobs(geometry.shape_kji, n), (0, 1, 2), (0, 1, 2))
        judge.add(
            example(f"c{n}", f"p{n}", volume(geometry), Truth(true[None])),
            volume(geometry),
            Truth(true[None]),
            masks(said, geometry, NAMES),
        )
        for value, name in enumerate(NAMES, start=1):
            wanted[name].append(judged_by_others(true == value, said == value, geometry))
    figures = judge.figures()
    for row in figures.per_class:
        others = np.array(wanted[row["name"]]).mean(axis=0)
        np.testing.assert_allclose((row["dice"], row["surface_dice"], row["hd95"]), others, rtol=1e-5)
        assert row["cases"] == 4
        low, high = figures.ci95["classes"][row["name"]]["dice"]
        assert low <= row["dice"] <= high
    assert figures.more["unit"] == "mm"
    assert figures.more["dice"] == pytest.approx(np.mean([row["dice"] for row in figures.per_class]))


def judged_by_others(true: np.ndarray, said: np.ndarray, geometry: Geometry) -> tuple[float, float, float]:
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*(sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (true, said)))
    pair = [torch.from_numpy(mask.astype(np.float32))[None, None] for mask in (said, true)]
    spacing = list(geometry.spacing_kji_mm)
    hd95 = compute_hausdorff_distance(*pair, include_background=True, percentile=95, spacing=spacing)
    # One class without a background: MONAI is told so by two channels.
    surface = compute_surface_dice(*pair, class_thresholds=[1.5], include_background=True, spacing=spacing)
    return overlap.GetDiceCoefficient(), float(surface), float(hd95)


def test_a_class_that_is_empty_on_both_sides_is_left_out_and_one_that_is_on_one_side_scores_0() -> None:
    judge, image = mask_judge(NAMES), volume()
    empty, both = np.zeros(SHAPE, dtype=np.uint8), blobs(SHAPE, 3)
    for key, true, said in (("a", both, both), ("b", empty, empty), ("c", both, empty), ("d", empty, both)):
        judge.add(example(key, key, image, Truth()), image, Truth(true[None]), masks(said, image.geometry, NAMES))
    row = judge.figures().per_class[0]
    assert (row["cases"], row["empty"], row["one_empty"]) == (3, 1, 2)
    assert row["dice"] == pytest.approx(1 / 3)
    assert row["surface_dice"] == pytest.approx(1 / 3)
    assert row["hd95"] == 0.0


def test_voxels_nobody_knows_do_not_count() -> None:
    image, true = volume(), blobs(SHAPE, 1)
    said = true.copy()
    said[3:] = 0
    partial = true.copy()
    partial[3:] = UNKNOWN
    judge = mask_judge(NAMES)
    judged = judge.add(example("a", "p", image, Truth()), image, Truth(partial[None]), masks(said, image.geometry, NAMES))
    assert judged.score == 1.0
    figures = judge.figures()
    assert [row["dice"] for row in figures.per_class] == [1.0, 1.0]
    counts = np.array(figures.confusion["counts"])
    assert counts.sum() == 3 * SHAPE[1] * SHAPE[2]
    assert np.array_equal(counts, np.diag(np.bincount(true[:3].ravel(), minlength=3)))


def test_what_is_labelled_in_one_layer_is_known_though_another_layer_leaves_it_open() -> None:
    image = volume()
    layers = np.full((2, *SHAPE), UNKNOWN, dtype=np.uint8)
    layers[0, :, :9] = 1
    layers[1, :, :, :9] = 2
    said = np.where(layers[0] == 1, 1, 0)
    judge = mask_judge(NAMES)
    judge.add(example("a", "p", image, Truth()), image, Truth(layers), masks(said, image.geometry, NAMES))
    figures = judge.figures()
    assert figures.per_class[0]["dice"] == 1.0
    assert figures.per_class[1]["dice"] == 0.0
    assert figures.confusion is None
    assert any("share voxels" in note for note in figures.notes)


def test_a_class_that_a_case_leaves_open_does_not_count_there() -> None:
    judge, image, true = mask_judge(NAMES), volume(), blobs(SHAPE, 2)
    open_truth = Truth(np.where(true == 1, 1, 0).astype(np.uint8)[None], frozenset({2}))
    judge.add(example("a", "p", image, open_truth), image, open_truth, masks(true, image.geometry, NAMES))
    judge.add(example("b", "q", image, Truth()), image, Truth(true[None]), masks(true, image.geometry, NAMES))
    first, second = judge.figures().per_class
    assert (first["cases"], first["not_known"]) == (2, 0)
    assert (second["cases"], second["not_known"], second["dice"]) == (1, 1, 1.0)
    assert judge.figures().confusion is not None
    assert np.array(judge.figures().confusion["counts"])[0, 2] == 0


def test_a_picture_without_millimetres_is_measured_in_pixels() -> None:
    grid = picture_grid()
    image = volume(grid)
    true, said = np.zeros((2, *grid.shape_kji), dtype=np.uint8)
    true[0, 5:15, 5:15] = 1
    said[0, 5:15, 8:18] = 1
    judge = mask_judge(("LV",))
    judge.add(example("a", "", image, Truth()), image, Truth(true[None]), masks(said, grid, ("LV",)))
    figures = judge.figures()
    assert figures.more["unit"] == "pixel"
    # Nobody knows how much a voxel of a picture holds.
    assert figures.per_class[0]["volume_bias_ml"] is None
    assert figures.per_class[0]["hd95"] == 3.0
    assert figures.per_class[0]["volume_error"] == 0.0
    assert figures.ci95["dice"] == [None, None]


def test_a_stack_of_slices_without_a_distance_between_them_has_overlaps_and_no_distances() -> None:
    geometry = Geometry.from_spacing((3, 12, 14), (1.0, 1.0, 1.0), calibration=picture_grid().calibration)
    image, true = volume(geometry), blobs((3, 12, 14), 0)
    judge = mask_judge(NAMES)
    judge.add(example("a", "p", image, Truth()), image, Truth(true[None]), masks(true, geometry, NAMES))
    figures = judge.figures()
    assert figures.more["unit"] is None
    assert (figures.per_class[0]["dice"], figures.per_class[0]["hd95"]) == (1.0, None)


def test_the_worst_slice_of_a_case_is_pointed_at() -> None:
    image = volume(oblique_geometry(SHAPE))
    true, said = np.zeros((2, *SHAPE), dtype=np.uint8)
    true[1:5, 4:10, 4:10] = 1
    said[1:5, 4:10, 4:10] = 1
    said[4, 12:18, 4:20] = 1
    judged = mask_judge(("A",)).add(
        example("a", "p", image, Truth()), image, Truth(true[None]), masks(said, image.geometry, ("A",))
    )
    assert judged.at_kji[0] == 4
    assert said[judged.at_kji] == 1
    assert true[judged.at_kji] == 0
