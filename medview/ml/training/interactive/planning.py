"""The plan of an interactive training: a pack for any image, whose tile and network the recipe gives."""

from __future__ import annotations

import math
import re

import numpy as np

from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.core.prompt import PromptKind
from medview.ml.examples import ExampleSet
from medview.ml.outputs import InteractiveOutput, PromptChannel
from medview.ml.recipes.options import count_in, counts_in
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import Blend, Card, ChannelSpec, InputSpec, Literal, ModelSpec, NetworkSpec, Shape3, Step, Task, Tiling
from medview.ml.training.augment import check_strengths
from medview.ml.training.footprint import step_bytes
from medview.ml.training.interactive.samples import KINDS
from medview.ml.training.segmentation.fingerprint import Fingerprint, look_at
from medview.ml.training.segmentation.loss import LOSSES
from medview.ml.training.segmentation.sizes import stages_of
from medview.ml.training.task import TrainingPlan

NETWORKS = {"plain_unet": "nnunet_plain", "residual_unet": "nnunet_residual"}
"""A recipe's name of a family -> its name in the table of networks."""

TILE_KJI: Shape3 = (24, 40, 40)
FEATURES, WIDEST = 16, 128
BATCH = 4
RADIUS_VOXELS, DECAY = 2.0, 0.9

CHANNELS = tuple(
    PromptChannel(kind.value, positive)
    for kind in dict.fromkeys(KINDS)
    for positive in (True, False)
    # Nobody says by a box what does not belong to something.
    if positive or kind is not PromptKind.BOX
)

BENT = "elastic"
"""Bending would take the prompts elsewhere than what they were put on."""

INTENSITY = (Step("quantile", {"low": 0.005, "high": 0.995}), Step("clip", {"low": -0.5, "high": 1.5}))
"""Of each image by itself: what CT, MR and pictures hold goes from 0 to 1."""


def interactive_plan(examples: ExampleSet, recipe: Recipe, context: JobContext, *, can_grow: bool) -> TrainingPlan:
    """Return the plan.

    Parameters
    ----------
    can_grow : bool
        Whether there is anything that grows objects from prompts; a recipe that asks for it needs it.

    Raises
    ------
    ModelError
        Where the recipe asks for something there is not, or there is nothing to learn from.
    """
    _check(recipe, len(examples.channels), can_grow=can_grow)
    looked = look_at(examples, context)
    output = InteractiveOutput(CHANNELS, True, RADIUS_VOXELS, DECAY, "softmax", bool(recipe.options.get("grown", False)))
    tile = tile_of(recipe)
    modality = {channel.modality for channel in looked.channels} - {""}
    spec = ModelSpec(
        id=re.sub(r"[^a-z0-9-]+", "-", recipe.name.lower()).strip("-") or "interactive",
        name=recipe.name,
        version="1.0.0",
        task=Task.INTERACTIVE,
        summary=recipe.summary,
        network=_network(recipe, tile, 1 + output.previous + output.grown + len(output.prompts)),
        input=InputSpec(
            channels=(ChannelSpec(examples.channels[0], tuple(modality), "", INTENSITY),),
            spacing_kji_mm=None,
            orientation=None,
        ),
        tiling=Tiling(tile_kji=tile, overlap=0.5, blend=Blend.GAUSSIAN),
        output=output,
        postprocess=(),
        card=Card(training_set_sha256=examples.dataset_sha256),
        licence=examples.stated_licence,
        notice="",
        files={},
    )
    batch = recipe.batch or BATCH
    return TrainingPlan(
        spec=spec,
        batch=batch,
        step_bytes=step_bytes(spec.network, (batch, spec.in_channels, *tile)),
        cache_bytes=_cache_bytes(examples, looked),
        settings={
            "overlapping": not examples.exclusive,
            "classes": [one.name for one in examples.classes],
            "voxels": list(looked.voxels),
        },
    )


def tile_of(recipe: Recipe) -> Shape3:
    """Return the tile of a recipe. Raises ModelError where it is none."""
    given = counts_in(recipe.options, "tile", TILE_KJI)
    if len(given) != 3 or not all(8 <= n <= 192 for n in given):
        raise ModelError("The recipe's options.tile is no list of three sides from 8 to 192 voxels; see docs/training.md.")
    k, j, i = given
    return k, j, i


def _cache_bytes(examples: ExampleSet, looked: Fingerprint) -> int:
    counted = sum(example.split in ("train", "val") for example in examples.examples)
    return counted * round(float(np.mean([math.prod(shape) for shape in looked.shapes_kji]))) * 2


def _network(recipe: Recipe, tile: Shape3, channels: int) -> NetworkSpec:
    strides, kernels = stages_of(tile, (1.0, 1.0, 1.0))
    if any(side % int(step) for side, step in zip(tile, np.prod(strides, axis=0), strict=True)):
        raise ModelError(f"The recipe's tile {list(tile)} cannot be halved often enough; use multiples of 8.")
    count = len(strides)
    given = recipe.network_options
    features, widest = count_in(given, "features", FEATURES), count_in(given, "widest", WIDEST)
    options = {key: value for key, value in given.items() if key not in ("features", "widest")}
    wide: list[Literal] = [min(features * 2**n, widest) for n in range(count)]
    kwargs: dict[str, Literal] = {
        "in_channels": channels,
        "classes": 2,
        "channels": wide,
        "kernels": [list(kernel) for kernel in kernels],
        "strides": [list(stride) for stride in strides],
        "encoder_units": [1, *[2] * (count - 1)],
        "decoder_units": [1] * (count - 1),
        **options,
    }
    return NetworkSpec(NETWORKS[recipe.network], kwargs)


def _check(recipe: Recipe, channels: int, *, can_grow: bool) -> None:
    if recipe.network not in NETWORKS:
        raise ModelError(f"There is no interactive network {recipe.network}; choose one of {', '.join(NETWORKS)}.")
    if recipe.loss not in LOSSES:
        raise ModelError(f"There is no loss {recipe.loss}; choose one of {', '.join(LOSSES)}.")
    if channels != 1:
        raise ModelError("Objects are found from prompts in grey images only; train on cases of one channel.")
    if recipe.options.get("grown") and not can_grow:
        raise ModelError(
            "The recipe asks for what growing makes of prompts, and nothing here grows; leave out options.grown."
        )
    check_strengths(recipe.augment)
    if BENT in recipe.augment:
        raise ModelError(f"The recipe's augment.{BENT} would bend objects away from what was said of them; leave it out.")
