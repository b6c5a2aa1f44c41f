"""From a recipe and training examples to the plan of a classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.ml.examples import ExampleSet
from medview.ml.outputs import ClassificationOutput, Subject, Summary
from medview.ml.packs import sha256_of
from medview.ml.recipes.options import number_in
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import Card, InputSpec, ModelSpec, NetworkSpec, Shape3, Task
from medview.ml.training.augment import check_strengths
from medview.ml.training.borrowed import borrow_file
from medview.ml.training.build import trainable_network
from medview.ml.training.classification.families import network_of
from medview.ml.training.classification.losses import check_loss
from medview.ml.training.classification.truths import Floats, class_weights, truth_of
from medview.ml.training.footprint import step_bytes
from medview.ml.training.survey import Survey, survey
from medview.ml.training.task import TrainingPlan

SIDE_2D, SIDE_3D = 224, 80
"""Longest side pictures and volumes are brought to, where the recipe says nothing else."""

LEAST_SIDE_3D = 8

STEP_VOXELS, LEAST_BATCH, LARGEST_BATCH = 1_000_000, 4, 64
"""Samples per step are a power of two near so many voxels, from the one to the other."""

HALF_BYTES = 2


def classification_plan(examples: ExampleSet, recipe: Recipe, context: JobContext) -> TrainingPlan:
    """Choose sizes from the training examples alone.

    Raises
    ------
    ModelError
        Where they cannot be trained on.
    """
    check_loss(recipe.loss)
    check_strengths(recipe.augment)
    classes = tuple(one.name for one in examples.classes)
    train = examples.of_split("train")
    truths = _truths(examples, classes, context)
    found = survey(train, examples.channels, context)
    dimensions = found.dimensions(recipe.dimensions)
    shape = input_shape(found, dimensions, recipe)
    network = network_of(recipe.network, recipe.network_options, len(examples.channels), len(classes), dimensions, shape)
    batch = recipe.batch or batch_of(shape)
    spec = ModelSpec(
        id=f"{Task.CLASSIFICATION.value}-model",
        name=", ".join(classes)[:80],
        version="1.0.0",
        task=Task.CLASSIFICATION,
        summary=f"Says of a {'picture' if dimensions == 2 else 'volume'} how probable {', '.join(classes)} are."[:400],
        network=network,
        input=InputSpec(
            channels=tuple(channel.spec() for channel in found.channels),
            spacing_kji_mm=None,
            orientation=None if dimensions == 2 else found.orientation,
            shape_kji=shape,
            dimensions=dimensions,
            checks=found.checks(),
        ),
        tiling=None,
        output=ClassificationOutput(
            classes=classes,
            activation="softmax" if examples.exclusive and len(classes) > 1 else "sigmoid",
            threshold=0.5,
            # What one slice shows the series has; taught the answer of their series, slices share in it alike.
            subject=Subject.SLICE if examples.of_slices and dimensions == 2 else Subject.SERIES,
            summary=Summary.LARGEST if examples.of_slices else Summary.MEAN,
        ),
        postprocess=(),
        card=Card(),
        licence=examples.stated_licence,
        notice="",
        files={},
    )
    exclusive = examples.exclusive and len(classes) > 1
    counted = class_weights(truths, exclusive=exclusive) if recipe.options.get("balance", True) else [1.0] * len(classes)
    weights = _weights(recipe, network)
    stored = len(examples.of_split("train")) + len(examples.of_split("val"))
    slices = float(found.shapes_kji[:, 0].mean()) if dimensions == 2 else float(shape[0])
    return TrainingPlan(
        spec=spec,
        batch=batch,
        step_bytes=step_bytes(network, (batch, len(examples.channels), *shape[-dimensions:])),
        cache_bytes=math.ceil(stored * len(examples.channels) * slices * shape[1] * shape[2] * HALF_BYTES),
        settings={
            "exclusive": exclusive,
            "class_weights": counted,
            "smoothing": number_in(recipe.options, "smoothing", 0.0),
            "weights": "" if weights is None else str(weights),
            "weights_sha256": "" if weights is None else sha256_of(weights),
            "sure": number_in(recipe.options, "sure", 0.0),
        },
    )


def batch_of(shape_kji: Shape3) -> int:
    """Return how many samples of this shape a step sees."""
    near = 2 ** round(math.log2(STEP_VOXELS / math.prod(shape_kji)))
    return int(np.clip(near, LEAST_BATCH, LARGEST_BATCH))


def input_shape(found: Survey, dimensions: int, recipe: Recipe) -> Shape3:
    """Return the median shape, made smaller evenly where its longest side is over what the recipe (``side``) allows.

    Volumes with thick slices have fewer of them than rows: their sides are taken in millimetres where those are known.
    """
    k, j, i = found.median_shape_kji()
    side = number_in(recipe.options, "side", 0.0) or float(SIDE_2D if dimensions == 2 else SIDE_3D)
    factor = min(1.0, side / max(j, i))
    rows, columns = max(1, round(j * factor)), max(1, round(i * factor))
    if dimensions == 2:
        return 1, rows, columns
    slices = max(LEAST_SIDE_3D, round(k * min(1.0, side / k)))
    return slices, max(LEAST_SIDE_3D, rows), max(LEAST_SIDE_3D, columns)


def _weights(recipe: Recipe, network: NetworkSpec) -> Path | None:
    """Return the file the first weights come from, once it is known to fit; None for none. Raises MedViewError."""
    name = str(recipe.options.get("weights", ""))
    if not name:
        return None
    path = Path(name).expanduser().absolute()
    borrow_file(trainable_network(network), path)
    return path


def _truths(examples: ExampleSet, classes: Sequence[str], context: JobContext) -> list[Floats]:
    """Return what is known of the training examples. Raises ModelError where that is too little."""
    exclusive = examples.exclusive and len(classes) > 1
    found = []
    for example in examples.of_split("train"):
        context.raise_if_cancelled()
        truth = truth_of(example.truth().answers, classes, exclusive=exclusive)
        if truth is not None:
            found.append(truth)
    for n, name in enumerate(classes):
        holds = [truth[n] for truth in found]
        if 1.0 not in holds or (0.0 not in holds):
            which = "none that has it" if 1.0 not in holds else "none without it"
            raise ModelError(f"Of {name} nothing can be learnt: among the training cases there is {which}; label some.")
    if not found:
        raise ModelError("No training case has an answer; answer the question for some cases first.")
    return found
