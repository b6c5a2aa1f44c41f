"""From a recipe and training examples to the plan of a detector."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.ml.examples import ExampleSet
from medview.ml.outputs import BoxClass, DetectionOutput
from medview.ml.recipes.options import count_in, counts_in, number_in
from medview.ml.recipes.recipe import Recipe
from medview.ml.runners.orientation import Orientation
from medview.ml.spec import Blend, Card, InputSpec, ModelSpec, NetworkSpec, Shape3, Task, Tiling, Vector3
from medview.ml.spec_fields import LARGEST_SIDE
from medview.ml.spec_input import LEAST_SPACING_MM
from medview.ml.training.augment import check_strengths
from medview.ml.training.detection.losses import check_loss
from medview.ml.training.detection.targets import LARGEST_CELLS
from medview.ml.training.footprint import step_bytes
from medview.ml.training.survey import Survey, survey
from medview.ml.training.task import TrainingPlan

SMALL_VOXELS = {2: 24.0, 3: 6.0}
"""Small objects are at least about as many voxels wide where the network looks, if they are in the images."""

LEAST_LAST = 3
"""The coarsest level is at least this one, whatever the size of objects: it sees what is around them."""

CELLS = 4.0
"""Small objects are about so many of the finest cells wide, where there are cells as small as that."""

FINEST, COARSEST = (1, 3), {2: 5, 3: 4}
"""Levels (cells of 2 to that power voxels): the first that answers is among the former, the last at most the latter."""

TILE_VOXELS = {2: 640 * 640, 3: 80 * 80 * 80}
"""Largest tile."""

WIDTHS = {2: (16, 24, 48, 96, 128), 3: (12, 24, 48, 96)}
PYRAMID = {2: 64, 3: 32}
BATCH = {2: 4, 3: 2}

MOST_BOXES = 1000
HALF_BYTES = 2

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """Edge lengths of all training boxes.

    Attributes
    ----------
    edges : ndarray, shape (n, 3)
        Along k, j, i of the model's axes; in millimetres for calibrated volumes, in voxels otherwise.
    classes : ndarray, shape (n,)
        From 0.
    counts : ndarray, shape (classes,)
    most : int
        In one example.
    """

    edges: Doubles
    classes: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    most: int


def detection_plan(examples: ExampleSet, recipe: Recipe, context: JobContext) -> TrainingPlan:
    """Choose sizes from the training examples alone.

    Raises
    ------
    ModelError
        Where they cannot be trained on.
    """
    check_loss(recipe.loss)
    check_strengths(recipe.augment)
    if recipe.network != "fpn_detector":
        raise ModelError(f"Detection has no network {recipe.network}; the recipe may ask for fpn_detector.")
    found = survey(examples.of_split("train"), examples.channels, context)
    dimensions = found.dimensions(recipe.dimensions)
    in_mm = dimensions == 3 and found.calibrated
    boxes = _boxes(examples, found, context, in_mm=in_mm)
    for n, one in enumerate(examples.classes):
        if not boxes.counts[n]:
            raise ModelError(
                f"Of {one.name} nothing can be learnt: no training case has boxes of it but difficult ones; draw some."
            )
    spacing = _spacing(found, boxes) if in_mm else None
    scale = spacing[0] if spacing is not None else 1.0
    small, large = (size / scale for size in _sizes(boxes, dimensions))
    # Without millimetres the network makes large pictures of large things smaller by itself.
    most = LARGEST_SIDE // 2 ** COARSEST[2]
    shrink = min(most, max(1, int(small / SMALL_VOXELS[2]))) if dimensions == 2 else 1
    shape = found.median_shape_kji()
    if spacing is not None:
        k, j, i = (np.asarray(shape) * np.median(found.spacings_kji_mm, axis=0) / spacing).tolist()
        shape = k, j, i
    first, last = _levels(small / shrink, large / shrink, dimensions)
    tile = _tile(shape, shrink * 2**last, dimensions, recipe, shrink)
    network = _network(recipe, len(examples.channels), len(examples.classes), dimensions, first, last, shrink)
    batch = recipe.batch or BATCH[dimensions]
    names = ", ".join(one.name for one in examples.classes)
    spec = ModelSpec(
        id=f"{Task.DETECTION.value}-model",
        name=names[:80],
        version="1.0.0",
        task=Task.DETECTION,
        summary=f"Draws boxes around {names}."[:400],
        network=network,
        input=InputSpec(
            channels=tuple(channel.spec() for channel in found.channels),
            spacing_kji_mm=spacing,
            orientation=found.orientation if dimensions == 3 else None,
            dimensions=dimensions,
            checks=found.checks(),
        ),
        tiling=Tiling(tile, 0.25, Blend.GAUSSIAN),
        output=DetectionOutput(
            classes=tuple(BoxClass(one.name, one.colour) for one in examples.classes),
            score_threshold=0.3,
            nms_iou=0.5,
            max_boxes=min(MOST_BOXES, 20 + 4 * boxes.most),
            join_slices=dimensions == 2 and not found.flat,
        ),
        postprocess=(),
        card=Card(),
        licence=examples.stated_licence,
        notice="",
        files={},
    )
    stored = len(examples.of_split("train")) + len(examples.of_split("val"))
    return TrainingPlan(
        spec=spec,
        batch=batch,
        step_bytes=step_bytes(network, (batch, len(examples.channels), *tile[-dimensions:])),
        cache_bytes=math.ceil(stored * len(examples.channels) * math.prod(shape) * HALF_BYTES),
        settings={
            "levels": [
                [n if dimensions == 3 else 1, n, n] for n in (shrink * 2**level for level in range(first, last + 1))
            ],
            "boxes": boxes.counts.tolist(),
            "small_voxels": round(small, 2),
            "large_voxels": round(large, 2),
        },
    )


def _boxes(examples: ExampleSet, found: Survey, context: JobContext, *, in_mm: bool) -> _Boxes:
    """Measure the boxes of the training examples; of volumes in millimetres their grids are needed, not their voxels."""
    edges: list[Doubles] = []
    numbers: list[int] = []
    counts = np.zeros(len(examples.classes), dtype=np.int64)
    most = 0
    for example in examples.of_split("train"):
        context.raise_if_cancelled()
        boxes = [box for box in example.truth().boxes if not box.difficult]
        most = max(most, len(boxes))
        if not boxes:
            continue
        own = np.asarray([np.subtract(box.max_kji, box.min_kji) for box in boxes])
        if in_mm or found.orientation is not None:
            geometry = found.geometries.get(example.key) or example.volumes()[0].geometry
            own = own * geometry.spacing_kji_mm if in_mm else own
            own = own[:, Orientation.towards(geometry, found.orientation).axes]
        edges.append(own)
        numbers += [box.number - 1 for box in boxes]
        np.add.at(counts, [box.number - 1 for box in boxes], 1)
    together = np.concatenate(edges) if edges else np.zeros((0, 3))
    return _Boxes(together, np.asarray(numbers, dtype=np.int64), counts, most)


def _sizes(boxes: _Boxes, dimensions: int) -> tuple[float, float]:
    """Return how large small and large objects are.

    A tenth of the class of the smallest are smaller, a twentieth of that of the largest are longer.
    """
    edges = np.maximum(boxes.edges[:, 3 - dimensions :], 1e-3)
    widths, longest = edges.prod(axis=1) ** (1 / dimensions), edges.max(axis=1)
    own = [boxes.classes == number for number in np.unique(boxes.classes)]
    small = min(float(np.percentile(widths[mask], 10)) for mask in own)
    return small, max(float(np.percentile(longest[mask], 95)) for mask in own)


def _spacing(found: Survey, boxes: _Boxes) -> Vector3:
    """Return an even spacing at which small objects have the wanted size, not finer than the finest the pictures have."""
    finest = float(np.median(found.spacings_kji_mm.min(axis=1)))
    even = round(max(finest, _sizes(boxes, 3)[0] / SMALL_VOXELS[3], LEAST_SPACING_MM), 3)
    return even, even, even


def _levels(small: float, large: float, dimensions: int) -> tuple[int, int]:
    """Return the finest and the coarsest level that answer, for sizes in voxels."""
    first = int(np.clip(round(math.log2(max(small, 1.0) / CELLS)), *FINEST))
    last = math.ceil(math.log2(max(large / LARGEST_CELLS, 1.0)))
    return first, int(np.clip(last, max(first + 1, LEAST_LAST), COARSEST[dimensions]))


def _tile(shape: Vector3, multiple: int, dimensions: int, recipe: Recipe, shrink: int) -> Shape3:
    """Return the whole picture as one tile where that is small enough, else an even part; whole cells to each side.

    No side is longer than those of packs may be, however much the network shrinks what it sees.
    """
    longest = shrink * (number_in(recipe.options, "side", 0.0) or TILE_VOXELS[dimensions] ** (1 / dimensions))
    sides = [n if axis >= 3 - dimensions else 1.0 for axis, n in enumerate(shape)]
    most = longest**dimensions
    while math.prod(sides) > most:
        # The longest side gives way first, so that tiles become even.
        n = int(np.argmax(sides))
        others = sorted(sides, reverse=True)
        sides[n] = max(sides[n] * 0.95, min(sides[n] - 1.0, others[1])) if len(others) > 1 else sides[n] * 0.95
    most_cells = max(1, LARGEST_SIDE // multiple)
    cells = [min(most_cells, max(1, math.ceil(n / multiple))) for n in sides]
    k, j, i = (1 if axis < 3 - dimensions else n * multiple for axis, n in enumerate(cells))
    return k, max(8, j), max(8, i)


def _network(
    recipe: Recipe, channels: int, classes: int, dimensions: int, first: int, last: int, shrink: int
) -> NetworkSpec:
    widths = counts_in(recipe.network_options, "channels", WIDTHS[dimensions])
    return NetworkSpec(
        "fpn_detector",
        {
            "in_channels": channels,
            "classes": classes,
            "dimensions": dimensions,
            "channels": [*widths[:last]],
            "width": count_in(recipe.network_options, "width", PYRAMID[dimensions]),
            "first_level": first,
            "shrink": shrink,
            "norm": bool(recipe.network_options.get("norm", True)),
        },
    )
