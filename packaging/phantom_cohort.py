"""The phantoms the bundled packs are trained, tuned and judged on, brought to the packs' input."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.ml.training.cases import TrainingCase
from medview.phantom.chest import SHAPE_KJI, SPACING_KJI_MM, ChestPhantom, chest
from medview.phantom.grid import Grid

TRAIN_SEEDS = range(1000, 1140)
TUNE_SEEDS = range(5000, 5024)
"""Thresholds and the calibration of probabilities come from these."""
HELD_OUT_SEEDS = range(9000, 9040)
"""Never seen by training or tuning; the figures come from these."""

SPACING_MM = 2.0
WINDOW_HU = (-1000.0, 400.0)


def training_phantom(seed: int) -> ChestPhantom:
    """Compute a phantom to train on: every second one has slices and pixels of another size."""
    if seed % 2 == 0:
        return chest(seed)
    rng = np.random.default_rng([seed, 77])
    spacing = (float(rng.uniform(1.5, 3.2)), float(pixel := rng.uniform(1.4, 2.0)), float(pixel))
    extent = np.multiply(SHAPE_KJI, SPACING_KJI_MM)
    k, j, i = (round(float(mm / d)) for mm, d in zip(extent, spacing, strict=True))
    return chest(seed, shape_kji=(k, j, i), spacing_kji_mm=spacing)


def held_out_phantom(seed: int) -> ChestPhantom:
    """Compute a phantom to judge on: the grid of the demo study."""
    return chest(seed)


def lesion_boxes(phantom: ChestPhantom) -> npt.NDArray[np.float64]:
    """Return boxes around the nodules' masks, shape (n, 6): centre k, j, i at voxel edges, then extent in mm."""
    rows = []
    for lesion in phantom.lesions:
        box, _ = phantom.lesion_mask(lesion)
        if not box.empty:
            centre = (np.array(box.min_kji) + box.max_kji) / 2
            rows.append(np.r_[centre, np.multiply(box.shape_kji, phantom.geometry.spacing_kji_mm)])
    return np.array(rows, dtype=np.float64).reshape(-1, 6)


def training_case(phantom: ChestPhantom) -> TrainingCase:
    """Bring a phantom to the packs' spacing and intensity, as the runners do."""
    native = phantom.geometry
    extent = np.multiply(native.shape_kji, native.spacing_kji_mm)
    k, j, i = (round(float(mm / SPACING_MM)) for mm in extent)
    shape = (k, j, i)
    low, high = WINDOW_HU
    values = np.clip(phantom.hu.astype(np.float32), low, high)
    values = (_resampled(values, shape) - low) / (high - low)

    best = np.full(shape, 0.5, dtype=np.float32)
    labels = np.zeros(shape, dtype=np.uint8)
    for value in range(1, int(phantom.labels.max()) + 1):
        share = _resampled((phantom.labels == value).astype(np.float32), shape)
        labels[share >= best] = value
        best = np.maximum(best, share)
    # Small nodules come from their own surface: a resampled mask would shrink them.
    spacing = extent / shape
    first = native.affine_lps[:3, 3] + (spacing - native.spacing_kji_mm)[::-1] / 2
    grid = Grid.of(Geometry.from_spacing(shape, tuple(spacing), tuple(first)))
    labels[labels == 2] = 1
    for lesion in phantom.lesions:
        region = lesion.region(grid)
        labels[region][lesion.distance(grid.part(region)) < 0] = 2

    boxes = lesion_boxes(phantom)
    boxes[:, :3] *= np.array(shape) / native.shape_kji
    return TrainingCase(values.astype(np.float16), labels, boxes.astype(np.float32))


def _resampled(values: npt.NDArray[np.float32], shape: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """Antialiased linear resampling with the outer edges kept, axis by axis."""
    for axis, wanted in enumerate(shape):
        have = values.shape[axis]
        ratio = have / wanted
        at = (np.arange(wanted) + 0.5) * ratio - 0.5
        weights = np.maximum(1 - np.abs(at[:, None] - np.arange(have)) / max(ratio, 1.0), 0).astype(np.float32)
        weights /= weights.sum(axis=1, keepdims=True)
        values = np.moveaxis(np.tensordot(weights, values, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(values)


def load_cases(seeds: range, cache: Path, workers: int) -> list[TrainingCase]:
    """Return the training cases of ``seeds``, computing those that are not in the folder ``cache`` yet."""
    cache.mkdir(parents=True, exist_ok=True)
    missing = [(seed, cache) for seed in seeds if not (cache / f"{seed}.npz").exists()]
    if missing:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(_store_case, missing))
    return [_read_case(cache / f"{seed}.npz") for seed in seeds]


def _store_case(item: tuple[int, Path]) -> None:
    seed, cache = item
    case = training_case(training_phantom(seed))
    partial = cache / f"{seed}.part.npz"
    np.savez(partial, values=case.values, labels=case.labels, boxes=case.boxes)
    partial.replace(cache / f"{seed}.npz")


def _read_case(path: Path) -> TrainingCase:
    with np.load(path) as stored:
        return TrainingCase(stored["values"], stored["labels"], stored["boxes"])
