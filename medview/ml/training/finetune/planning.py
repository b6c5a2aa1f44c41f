"""The plan of a training that goes on from a model: the parent's sizes, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from medview.core.errors import ModelError
from medview.ml.examples import ExampleSet, case_key
from medview.ml.lineage.channel_map import map_channels
from medview.ml.lineage.class_map import map_classes
from medview.ml.lineage.rung import tune_of
from medview.ml.outputs import SegmentationOutput
from medview.ml.recipes.options import number_in
from medview.ml.recipes.recipe import Recipe
from medview.ml.recipes.table import choose
from medview.ml.spec import InputSpec, ModelSpec, Task
from medview.ml.training.classification.families import FAMILIES as CLASSIFIERS
from medview.ml.training.classification.planning import batch_of
from medview.ml.training.finetune.spec import axes_between, spec_after
from medview.ml.training.footprint import step_bytes
from medview.ml.training.interactive.planning import NETWORKS as INTERACTIVE
from medview.ml.training.segmentation.sizes import LARGEST_BATCH, LEAST_BATCH, NETWORKS, STEP_TILES, TILE_VOXELS
from medview.ml.training.segmentation.task import IN_SPACE
from medview.ml.training.task import TrainingPlan

PLANNED = {Task.SEGMENTATION: NETWORKS, Task.CLASSIFICATION: CLASSIFIERS, Task.INTERACTIVE: INTERACTIVE}
"""Networks that a task has sizes for; for others the sizes are the parent's alone."""

TUNE, CLASSES, CHANNELS = "tune", "parent_classes", "parent_channels"
"""Settings of a plan: how much learns, and which of the parent's classes and channels are which."""


def plan_after(
    parent: ModelSpec,
    examples: ExampleSet,
    recipe: Recipe,
    renames: Mapping[str, str],
    planned: Callable[[Recipe], TrainingPlan],
) -> TrainingPlan:
    """Return the plan.

    Parameters
    ----------
    renames : mapping of str to str
        Name of a class in the parent -> name now.
    planned : callable
        Plans without a parent.

    Raises
    ------
    MedViewError
        When the examples cannot be trained on, or not from this parent.
    """
    classes, channels = map_classes(parent, examples.classes, renames), map_channels(parent, examples.channels)
    base = planned(_sized(recipe, parent))
    spec = spec_after(parent, base.spec, examples, classes, channels)
    batch = recipe.batch or _batch(spec, recipe, base)
    sides = _sides(spec)
    settings = dict(base.settings)
    if isinstance(spec.output, SegmentationOutput):
        settings["overlapping"] = spec.output.activation == "sigmoid"
        if not settings.get(IN_SPACE, True):
            spec = replace(spec, postprocess=tuple(step for step in spec.postprocess if step.op != "remove_small"))
    if spec.task is Task.DETECTION:
        settings["levels"] = _levels(spec)
    tune = tune_of(recipe, _training_cases(examples))
    return replace(
        base,
        spec=spec,
        batch=batch,
        step_bytes=step_bytes(spec.network, (batch, spec.in_channels, *sides)),
        cache_bytes=math.ceil(base.cache_bytes * _finer(spec.input, base.spec.input)),
        settings={
            **settings,
            TUNE: tune.document(),
            CLASSES: classes.whole_document(),
            CHANNELS: channels.document(),
        },
    )


def _sized(recipe: Recipe, parent: ModelSpec) -> Recipe:
    """Return a recipe by which a plan can be made whose sizes give way to the parent's."""
    known = PLANNED.get(recipe.task)
    network = recipe.network if known is None or recipe.network in known else choose(recipe.task, None).network
    return replace(recipe, network=network, network_options={}, dimensions=parent.input.dimensions)


def _training_cases(examples: ExampleSet) -> int:
    training = examples.of_split("train")
    if examples.of_slices:
        return len({one.patient or case_key(one.key) for one in training})
    return len(training)


def _batch(spec: ModelSpec, recipe: Recipe, base: TrainingPlan) -> int:
    if spec.task is Task.CLASSIFICATION and spec.input.shape_kji is not None:
        return batch_of(spec.input.shape_kji)
    if spec.task is not Task.SEGMENTATION or spec.tiling is None:
        return base.batch
    dimensions = spec.input.dimensions
    voxels = STEP_TILES[dimensions] * TILE_VOXELS[dimensions] * number_in(recipe.options, "room", 1.0)
    # A foreign model's tile may be many times as large as those that are planned here.
    count = round(voxels / math.prod(_sides(spec)))
    return min(max(count, LEAST_BATCH if 2 * count >= LEAST_BATCH else 1), LARGEST_BATCH)


def _sides(spec: ModelSpec) -> tuple[int, ...]:
    """Return the sides of what the network sees at once."""
    shape = spec.input.shape_kji if spec.tiling is None else spec.tiling.tile_kji
    if shape is None:
        raise ModelError(f"{spec.name} does not say how large pictures are to it, so that nothing can be planned.")
    return shape[3 - spec.input.dimensions :]


def _levels(spec: ModelSpec) -> list[list[int]]:
    """Return the voxels per cell along k, j, i of each level of a detector."""
    kwargs = spec.network.kwargs
    channels, first, shrink = kwargs["channels"], kwargs["first_level"], kwargs.get("shrink", 1)
    assert isinstance(channels, list)
    assert isinstance(first, int)
    assert isinstance(shrink, int)
    sides = [shrink * 2**level for level in range(first, len(channels) + 1)]
    return [[side if spec.input.dimensions == 3 else 1, side, side] for side in sides]


def _finer(now: InputSpec, planned: InputSpec) -> float:
    """Return how many times as many voxels examples have on the grid of one input as on that of another."""
    if now.shape_kji is not None and planned.shape_kji is not None:
        return math.prod(now.shape_kji) / math.prod(planned.shape_kji)
    if now.spacing_kji_mm is None or planned.spacing_kji_mm is None:
        return 1.0
    order = axes_between(planned.orientation, now.orientation)
    pairs = [(own, planned.spacing_kji_mm[axis]) for own, axis in zip(now.spacing_kji_mm, order, strict=True)]
    return math.prod(other / own for own, other in pairs if own and other)
