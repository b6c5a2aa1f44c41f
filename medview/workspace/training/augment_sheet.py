"""A picture of what augmentation makes of some training examples, to look at before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from medview.core.atomic import replacing
from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.core.language import _
from medview.ml.examples import UNKNOWN, ExampleSet
from medview.ml.recipes.recipe import Recipe
from medview.ml.runners.quiet_import import import_torch

if TYPE_CHECKING:
    from medview.ml.training.augment import Augmented

EXAMPLES = 4
"""Rows of a sheet, evenly spread over the training examples."""

SAMPLES = 4
"""Columns beside the example itself."""

SIDE = 240
"""Small slices are enlarged by whole numbers to about this many pixels."""

GAP, HEAD = 6, 16
UNKNOWN_RGB = (110, 110, 110)
BACKGROUND = 24

Rgb = npt.NDArray[np.uint8]


def write_sheet(examples: ExampleSet, recipe: Recipe, seed: int, file: Path, context: JobContext) -> int:
    """Draw training examples as they are and as a recipe's augmentation makes them, one row each, as a PNG.

    The middle slice of what is drawn is shown, with outlines of the classes; grey outlines are around what nobody knows.
    Column n shows what the seed ``seed + n - 1`` gives.

    Returns
    -------
    int
        How many examples are shown.

    Raises
    ------
    ModelError
        Where there are no training examples.
    MedViewError
        Where one cannot be read, or the file not be written.
    CancelledError
        Between examples.
    """
    from PIL import Image, ImageDraw

    import_torch()
    from medview.ml.training.augment_preview import preview

    training = examples.of_split("train")
    if not training:
        raise ModelError("There are no training examples to look at.")
    colours = [one.colour for one in examples.classes]
    rows: list[tuple[str, list[Rgb]]] = []
    for n in np.unique(np.linspace(0, len(training) - 1, min(EXAMPLES, len(training))).round().astype(int)).tolist():
        context.raise_if_cancelled()
        context.progress(len(rows) / EXAMPLES, _("Drawing what augmentation makes"))
        example = training[n]
        looks = [preview(example, recipe, seed + m) for m in range(SAMPLES)]
        before = looks[0]
        level = np.percentile(before.before[0], (1, 99)).astype(np.float64)
        boxes = [
            (box.number, np.array([*box.min_kji, *box.max_kji]) - np.tile(before.corner_kji, 2))
            for box in example.truth().boxes
        ]
        panels = [_panel(before.before, before.labels, boxes, level, colours)]
        panels += [_panel_of(look.after, [number for number, _ in boxes], level, colours) for look in looks]
        rows.append((example.key, panels))
    width = max(panel.shape[1] for _, panels in rows for panel in panels)
    heights = [max(panel.shape[0] for panel in panels) for _, panels in rows]
    sheet = Image.new(
        "RGB", ((SAMPLES + 1) * (width + GAP) + GAP, sum(heights) + len(rows) * (HEAD + GAP) + GAP), (BACKGROUND,) * 3
    )
    draw, top = ImageDraw.Draw(sheet), GAP
    for (key, panels), height in zip(rows, heights, strict=True):
        for m, panel in enumerate(panels):
            left = GAP + m * (width + GAP)
            draw.text((left, top), key if m == 0 else _("seed {n}").format(n=seed + m - 1), fill=(220,) * 3)
            sheet.paste(Image.fromarray(panel), (left, top + HEAD))
        top += height + HEAD + GAP
    with replacing(file) as opened:
        sheet.save(opened, "PNG")
    return len(rows)


Boxes = Sequence[tuple[int, npt.NDArray[np.floating]]]
Level = npt.NDArray[np.float64]
Colours = Sequence[tuple[int, int, int]]


def _panel_of(after: Augmented, numbers: Sequence[int], level: Level, colours: Colours) -> Rgb:
    boxes = list(zip(numbers, after.boxes, strict=True))
    return _panel(after.values, after.labels, boxes, level, colours)


def _panel(
    values: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8] | None,
    boxes: Boxes,
    level: Level,
    colours: Colours,
) -> Rgb:
    """Return a slice in grey with outlines, enlarged."""
    k = _slice(values.shape[1], labels, boxes)
    factor = max(1, SIDE // max(values.shape[2:]))
    grey = np.clip((values[0, k] - level[0]) / max(level[1] - level[0], 1e-6), 0, 1) * 255
    picture = np.repeat(_enlarged(grey.astype(np.uint8), factor)[..., None], 3, axis=2)
    for layer in () if labels is None else labels[:, k]:
        for value in np.unique(layer[layer > 0]).tolist():
            colour = UNKNOWN_RGB if value == UNKNOWN else colours[value - 1]
            picture[_rim(_enlarged(layer == value, factor))] = colour
    for number, corners in boxes:
        if corners[0] <= k + 0.5 < corners[3]:
            mask = np.zeros(picture.shape[:2], dtype=np.bool_)
            low, high = (np.rint(part * factor).clip(0).astype(int) for part in (corners[1:3], corners[4:]))
            mask[low[0] : high[0], low[1] : high[1]] = True
            picture[_rim(mask)] = colours[number - 1]
    return picture


def _slice(count: int, labels: npt.NDArray[np.uint8] | None, boxes: Boxes) -> int:
    """Return the slice with most of what is drawn; the middle one where nothing is."""
    held = np.zeros(count)
    if labels is not None:
        held += ((labels > 0) & (labels != UNKNOWN)).sum(axis=(0, 2, 3))
    for _number, corners in boxes:
        held[max(0, int(corners[0])) : max(0, int(np.ceil(corners[3])))] += 1
    return int(held.argmax()) if held.any() else count // 2


def _enlarged(plane: npt.NDArray[np.generic], factor: int) -> npt.NDArray[np.generic]:
    return plane.repeat(factor, axis=0).repeat(factor, axis=1)


def _rim(mask: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Return the outermost pixels of a mask."""
    there = np.pad(mask.astype(np.bool_), 1)
    inside = there[:-2, 1:-1] & there[2:, 1:-1] & there[1:-1, :-2] & there[1:-1, 2:]
    return np.asarray(there[1:-1, 1:-1] & ~inside)
