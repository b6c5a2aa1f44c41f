"""Growing and filling on real studies whose labels are known, from strokes as a person draws them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.edit.between_slices import between_slices
from medview.edit.drawn_slices import Drawn
from medview.edit.grey_noise import grey_of
from medview.edit.grow_from_seeds import SeedGrowth
from tests.edit.solids import dice

pytestmark = pytest.mark.data

ORGANS = (5, 20, 1, 86, 87, 6, 2, 3)
"""Liver, aorta and others: the largest of the label map."""


def _read(path: Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    image = sitk.ReadImage(str(path))
    i, j, k = image.GetSpacing()
    return sitk.GetArrayFromImage(image), (k, j, i)


def _ct(data: Path) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
    """Return a CT of the body, eight organs numbered from 1 and all else as 9, and the spacing."""
    folder = data / "ct-body-nifti-117-classes" / "tests" / "reference_files"
    values, spacing = _read(folder / "example_ct_sm.nii.gz")
    labels, _spacing = _read(folder / "example_seg.nii.gz")
    truth = np.full(labels.shape, len(ORGANS) + 1, dtype=np.uint8)
    for n, organ in enumerate(ORGANS, start=1):
        truth[labels == organ] = n
    return values, truth, spacing


def _strokes(truth: np.ndarray, rest: int, every: int) -> np.ndarray:
    """Return the insides of what is there on every few slices, and a band of the rest around it."""
    seeds = np.zeros(truth.shape, dtype=np.uint8)
    filled = np.flatnonzero((truth != rest).any(axis=(1, 2)))
    for k in sorted({*range(max(0, filled[0] - 1), filled[-1] + 1, every), min(filled[-1] + 1, truth.shape[0] - 1)}):
        for label in np.unique(truth[k]):
            depth = ndimage.distance_transform_edt(np.pad(truth[k] == label, 1, mode="edge"))[1:-1, 1:-1]
            inside = (depth > 2.5) & (depth < 5.5) if label == rest else depth >= min(2.5, depth.max() * 0.6)
            seeds[k][inside & (truth[k] == label)] = label
    return seeds


def _grown(values: np.ndarray, spacing: tuple[float, float, float], seeds: np.ndarray) -> np.ndarray:
    volume = Volume(values, Geometry.from_spacing(values.shape, spacing))
    return SeedGrowth(grey_of(volume, Inline()), volume.geometry).grow(seeds, Inline())


def _watershed(values: np.ndarray, spacing: tuple[float, float, float], seeds: np.ndarray) -> np.ndarray:
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.SetSpacing(spacing[::-1])
    edges = sitk.GradientMagnitudeRecursiveGaussian(image, min(spacing))
    marks = sitk.GetImageFromArray(seeds)
    marks.CopyInformation(edges)
    return sitk.GetArrayFromImage(sitk.MorphologicalWatershedFromMarkers(edges, marks, False, False))


def _mean_dice(found: np.ndarray, truth: np.ndarray, labels: range) -> float:
    return float(np.mean([dice(found == label, truth == label) for label in labels]))


def test_organs_of_a_ct_come_out_of_strokes_on_every_fourth_slice_and_closer_than_by_a_watershed(test_data: Path) -> None:
    values, truth, spacing = _ct(test_data)
    seeds = _strokes(truth, len(ORGANS) + 1, 4)
    ours = _mean_dice(_grown(values, spacing, seeds), truth, range(1, len(ORGANS) + 1))
    theirs = _mean_dice(_watershed(values, spacing, seeds), truth, range(1, len(ORGANS) + 1))
    # 0.923 and 0.857 when this was written.
    assert ours > 0.91
    assert ours > theirs + 0.03


def test_the_hippocampus_on_mr_comes_out_of_strokes_on_every_fourth_slice(test_data: Path) -> None:
    folder = test_data / "train-seg-hippocampus" / "data" / "TrainingSet"
    ours, theirs = [], []
    for path in sorted((folder / "images").glob("*.nii.gz"))[:8]:
        values, spacing = _read(path)
        truth, _spacing = _read(folder / "labels" / path.name)
        truth = np.where(truth == 0, 3, truth).astype(np.uint8)
        seeds = _strokes(truth, 3, 4)
        ours.append(_mean_dice(_grown(values, spacing, seeds), truth, range(1, 3)))
        theirs.append(_mean_dice(_watershed(values, spacing, seeds), truth, range(1, 3)))
    # 0.826 and 0.667 when this was written.
    assert np.mean(ours) > 0.81
    assert np.mean(ours) > np.mean(theirs) + 0.1


def test_the_lungs_of_a_whole_chest_come_out_of_one_disc_each(test_data: Path) -> None:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(next((test_data / "ct-chest").rglob("*.dcm")).parent)))
    image = reader.Execute()
    i, j, k = image.GetSpacing()
    values, spacing = sitk.GetArrayFromImage(image)[20:80, ::2, ::2], (k, 2 * j, 2 * i)
    # Air that the body encloses, with the vessels in it: what a threshold, two clicks and closing would give.
    body = np.stack([ndimage.binary_fill_holes(ndimage.binary_opening(one > -300, iterations=2)) for one in values])
    air = ndimage.binary_opening((values < -400) & ndimage.binary_erosion(body, iterations=2))
    pieces, _count = ndimage.label(air)
    lungs = ndimage.binary_closing(pieces == np.argmax(np.bincount(pieces[air])), iterations=3)
    seeds = np.zeros(values.shape, dtype=np.uint8)
    middle = len(values) // 2
    parts, count = ndimage.label(lungs[middle])
    for n in range(1, count + 1):
        depth = ndimage.distance_transform_edt(parts == n)
        seeds[middle][depth > max(8, depth.max() * 0.7)] = 1
    for n in range(0, len(values), 10):
        inside = ndimage.distance_transform_edt(body[n])
        seeds[n][(inside > 2) & (inside < 4) & (values[n] > -200)] = 2
        seeds[n][ndimage.distance_transform_edt(~body[n]) > 4] = 3
    grown = _grown(values, spacing, seeds)
    # Closing has no neighbours to look at beyond the first and the last slice.
    assert dice(grown[4:-4] == 1, lungs[4:-4]) > 0.97


@pytest.mark.parametrize(("axis", "every", "least"), [(0, 3, 0.97), (1, 3, 0.95), (2, 4, 0.93)])
def test_organs_drawn_on_every_few_slices_are_filled_between_without_meeting(
    test_data: Path, axis: int, every: int, least: float
) -> None:
    _values, truth, spacing = _ct(test_data)
    only = np.zeros(truth.shape[axis], dtype=bool)
    only[::every] = True
    drawn = [(truth == label) & np.expand_dims(only, [n for n in range(3) if n != axis]) for label in range(1, 9)]
    filled = between_slices([Drawn(mask) for mask in drawn], axis, spacing)
    assert not filled[np.logical_or.reduce(drawn)].any()
    last = int(np.flatnonzero(only)[-1])
    inside = [slice(None)] * 3
    inside[axis] = slice(0, last + 1)
    found = [
        dice((filled == label)[tuple(inside)] | mask[tuple(inside)], (truth == label)[tuple(inside)])
        for label, mask in enumerate(drawn, start=1)
    ]
    assert np.mean(found) > least
