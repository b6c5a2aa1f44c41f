"""One slice of a case with what is true and what a model found, as a small picture for a report."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.surfaces import surface_of
from medview.core.geometry import Calibration, Geometry
from medview.core.prediction import Prediction
from medview.core.volume import Volume
from medview.core.window import Window
from medview.ml.examples import Truth
from medview.workspace.evaluation.matching import JudgedClass

SIDE_PX = 384
"""Of the longer side."""

TRUE_COLOUR, FOUND_COLOUR = (64, 200, 96), (236, 84, 190)
"""Green is true, magenta is found; both are told apart by colour-blind eyes on grey."""

Rgb = npt.NDArray[np.uint8]
Placed = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], tuple[int, int, int]]


def case_picture(
    volume: Volume,
    truth: Truth,
    found: Prediction,
    classes: Sequence[JudgedClass],
    at_kji: tuple[int, int, int],
    threshold: float = 0.0,
) -> bytes:
    """Return the slice through a voxel as PNG: outlines of true masks and boxes in green, of found ones in magenta.

    Parameters
    ----------
    threshold : float
        Of found boxes that are drawn.
    """
    from PIL import Image  # late: only reports need it

    k = at_kji[0]
    rows, columns = volume.geometry.shape_kji[1:]
    height, width = _size_px(volume.geometry)
    shown = np.asarray(
        Image.fromarray(_grey(volume, k)).resize((width, height), Image.Resampling.BILINEAR).convert("RGB")
    ).copy()
    for colour, mask in (
        (TRUE_COLOUR, _true_classes(truth, classes, k)),
        (FOUND_COLOUR, _found_classes(found, classes, k)),
    ):
        for one in mask:
            larger = one[np.arange(height) * rows // height][:, np.arange(width) * columns // width]
            edge = surface_of(larger[None], axes=(1, 2))[0]
            # Two pixels wide: the page shows it at half its size.
            inner = surface_of((larger & ~edge)[None], axes=(1, 2))[0]
            shown[edge | inner] = colour
    scale = np.array((height / rows, width / columns))
    for low, high, colour in _boxes(volume.geometry, truth, found, classes, threshold):
        if low[0] <= k < high[0]:
            _frame(shown, low[1:] * scale, high[1:] * scale, colour)
    written = io.BytesIO()
    Image.fromarray(shown).save(written, "PNG", optimize=True)
    return written.getvalue()


def in_colour(volumes: Sequence[Volume]) -> Volume:
    """Return red, green and blue of one picture as that picture; of anything else the first."""
    if len(volumes) != 3 or any(one.voxels.dtype != np.uint8 for one in volumes):
        return volumes[0]
    return replace(volumes[0], voxels=np.stack([one.voxels for one in volumes], axis=-1))


def _size_px(geometry: Geometry) -> tuple[int, int]:
    rows, columns = geometry.shape_kji[1:]
    _, dj, di = geometry.spacing_kji_mm if geometry.calibration is not Calibration.PIXELS else (1.0, 1.0, 1.0)
    size = np.array((rows * dj, columns * di))
    height, width = np.maximum(1, np.rint(size / size.max() * SIDE_PX)).astype(int)
    return int(height), int(width)


def _grey(volume: Volume, k: int) -> Rgb:
    values = volume.values((k,))
    if volume.colour:
        return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)
    seen = volume.seen_values((k,))
    low, high = np.percentile(seen, (0.5, 99.5)) if seen.size else (0.0, 1.0)
    levels = Window.from_range(float(low), float(high)).levels(np.nan_to_num(values))
    return np.asarray(255 - levels if volume.inverted else levels, dtype=np.uint8)


def _true_classes(truth: Truth, classes: Sequence[JudgedClass], k: int) -> list[npt.NDArray[np.bool_]]:
    if truth.layers is None:
        return []
    layers = truth.layers[:, k]
    return [(layers == one.truth).any(axis=0) for one in classes]


def _found_classes(found: Prediction, classes: Sequence[JudgedClass], k: int) -> list[npt.NDArray[np.bool_]]:
    shape = found.geometry.shape_kji
    masks: list[npt.NDArray[np.bool_]] = []
    for one in classes:
        mask = found.mask_of(one.model + 1)
        if mask is not None and mask.box.min_kji[0] <= k < mask.box.max_kji[0]:
            whole = np.zeros(shape[1:], dtype=bool)
            whole[mask.box.slices[1:]] = mask.voxels[k - mask.box.min_kji[0]] == one.model + 1
            masks.append(whole)
    return masks


def _boxes(
    geometry: Geometry, truth: Truth, found: Prediction, classes: Sequence[JudgedClass], threshold: float
) -> list[Placed]:
    numbers, names = {one.truth for one in classes}, {one.name for one in classes}
    placed: list[Placed] = [
        (np.asarray(box.min_kji), np.asarray(box.max_kji), TRUE_COLOUR) for box in truth.boxes if box.number in numbers
    ]
    return placed + [
        (*box.bounds_kji(geometry), FOUND_COLOUR)
        for box in found.boxes
        if box.label in names and (box.score is None or box.score >= threshold)
    ]


def _frame(shown: Rgb, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], colour: tuple[int, int, int]) -> None:
    top, left = np.clip(np.floor(low), 0, np.array(shown.shape[:2]) - 1).astype(int)
    bottom, right = np.clip(np.ceil(high) - 1, 0, np.array(shown.shape[:2]) - 1).astype(int)
    shown[top : bottom + 1, [left, min(left + 1, right), max(right - 1, left), right]] = colour
    shown[[top, min(top + 1, bottom), max(bottom - 1, top), bottom], left : right + 1] = colour
