"""Segmentation, as the engine trains it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from medview.core.errors import ModelError
from medview.core.geometry import Calibration
from medview.core.job import JobContext
from medview.ml.examples import Example, ExampleSet
from medview.ml.recipes.options import number_in
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import ModelSpec
from medview.ml.training.augment import check_strengths
from medview.ml.training.footprint import step_bytes
from medview.ml.training.looked import Looked
from medview.ml.training.segmentation.described import described
from medview.ml.training.segmentation.fingerprint import look_at
from medview.ml.training.segmentation.finish import LEAST_EXAMPLES, WORTH_MIRRORING, worthwhile_steps
from medview.ml.training.segmentation.first_weights import first_network
from medview.ml.training.segmentation.look import Tally, predicted
from medview.ml.training.segmentation.loss import LOSSES, segmentation_loss
from medview.ml.training.segmentation.samples import FOREGROUND, Batch, Sample, collate_samples, draw_sample
from medview.ml.training.segmentation.sizes import NETWORKS, choose_sizes
from medview.ml.training.segmentation.stored import StoredExample, open_examples, store_example
from medview.ml.training.task import TrainingPlan, TrainingTask

IN_SPACE = "in_space"
"""Setting of a plan: whether all training images have millimetres along every axis."""


class SegmentationTask(TrainingTask):
    """Labels for every voxel: one class each, or any number of them where classes overlap."""

    def plan(self, examples: ExampleSet, recipe: Recipe, context: JobContext) -> TrainingPlan:
        """Choose sizes from the training examples alone.

        Raises
        ------
        ModelError
            Where they cannot be trained on, or the recipe names something there is not.
        """
        _check(recipe)
        looked = look_at(examples, context)
        overlapping = not examples.exclusive
        answers = len(examples.classes) + (0 if overlapping else 1)
        sizes = choose_sizes(looked, recipe, answers, len(examples.channels))
        counted = sum(example.split in ("train", "val") for example in examples.examples)
        layers = len(examples.classes) if overlapping else 1
        mirrored = [n for n, name in enumerate(("flip_k", "flip_j", "flip_i")) if recipe.augment.get(name, 0.0) > 0]
        return TrainingPlan(
            spec=described(examples, recipe, looked, sizes),
            batch=sizes.batch,
            step_bytes=step_bytes(sizes.network, (sizes.batch, len(examples.channels), *sizes.sides)),
            cache_bytes=counted * math.prod(sizes.median_kji) * (2 * len(examples.channels) + layers),
            settings={
                "overlapping": overlapping,
                "classes": [one.name for one in examples.classes],
                "mirrored": mirrored,
                # Each picture is a case and has a figure of its own; a slice of a volume only adds to one.
                "pictures": all(shape[0] == 1 for shape in looked.shapes_kji),
                IN_SPACE: looked.calibration is Calibration.VOLUME,
            },
        )

    def store(self, example: Example, plan: TrainingPlan, folder: Path, context: JobContext) -> None:
        """Write a prepared example into ``folder``, complete or not at all; one that is there stays.

        Raises
        ------
        MedViewError
            Where it cannot be read or written.
        """
        classes, overlapping = len(plan.settings["classes"]), bool(plan.settings["overlapping"])
        store_example(example, plan.spec.input, classes, folder, context, overlapping=overlapping)

    def open(self, folder: Path, keys: Sequence[str], plan: TrainingPlan) -> tuple[StoredExample, ...]:
        """Return the stored examples of these keys, mapped from the disk."""
        return open_examples(folder, keys)

    def network(self, plan: TrainingPlan) -> nn.Module:
        """Return the network with its first weights, drawn from torch's generator."""
        return first_network(plan.spec.network)

    def draw(self, data: Sequence[StoredExample], plan: TrainingPlan, recipe: Recipe, rng: np.random.Generator) -> Sample:
        """Return one augmented sample."""
        assert plan.spec.tiling is not None
        foreground = number_in(recipe.options, "foreground", FOREGROUND)
        return draw_sample(data, plan.spec.tiling.tile_kji, recipe.augment, foreground, rng)

    def collate(self, samples: Sequence[Sample]) -> Batch:
        """Return a batch of samples, as tensors."""
        return collate_samples(samples)

    def loss(self, network: nn.Module, batch: Batch, plan: TrainingPlan, recipe: Recipe) -> dict[str, torch.Tensor]:
        """Return ``loss`` and its parts by name."""
        answers = network(batch.values)
        overlapping, alone = bool(plan.settings["overlapping"]), bool(plan.settings["pictures"])
        return segmentation_loss(answers, batch, recipe.loss, overlapping=overlapping, alone=alone)

    def phase(self, network: nn.Module, done: float, recipe: Recipe) -> None:
        """Freeze nothing."""

    def check(
        self, network: nn.Module, data: Sequence[StoredExample], plan: TrainingPlan, context: JobContext
    ) -> dict[str, float]:
        """Return the Dice of each class, averaged over the validation examples, and their mean as ``score``."""
        tally = self._tally(plan)
        for example, found in self._predicted(network, data, plan, context):
            tally.add(example, found)
            context.partial(Looked(example.key, example.values(), example.labels(), found, example.spacing_kji))
        names = plan.settings["classes"]
        return {"score": tally.score(), **{f"dice_{names[n - 1]}": mean for n, mean in tally.means().items()}}

    def finish(
        self, network: nn.Module, data: Sequence[StoredExample], plan: TrainingPlan, context: JobContext
    ) -> ModelSpec:
        """Return the description with steps on labels and mirrored looks where validation examples gain by them.

        Those a plan has from a model it goes on from stay where validation examples do not speak against them.
        """
        if plan.settings["overlapping"] or len(data) < LEAST_EXAMPLES:
            return plan.spec
        tiling = plan.spec.tiling
        assert tiling is not None
        found = list(self._predicted(network, data, plan, context, tiling.mirror_axes))
        mirrored = () if tiling.mirror_axes else tuple(plan.settings["mirrored"])
        if mirrored:
            plainly, again = self._tally(plan), self._tally(plan)
            looked_twice = list(self._predicted(network, data, plan, context, mirrored[-1:]))
            for tally, labels in ((plainly, found), (again, looked_twice)):
                for one in labels:
                    tally.add(*one)
            if again.score() - plainly.score() >= WORTH_MIRRORING:
                tiling, found = replace(tiling, mirror_axes=mirrored[-1:]), looked_twice
        # A step that counts cubic millimetres would keep the model from pictures that have none: its own.
        in_space = bool(plan.settings.get(IN_SPACE, True))
        steps = worthwhile_steps(found, len(plan.settings["classes"]), context, plan.spec.postprocess, in_space=in_space)
        return replace(plan.spec, tiling=tiling, postprocess=steps)

    @staticmethod
    def _tally(plan: TrainingPlan) -> Tally:
        return Tally(len(plan.settings["classes"]), bool(plan.settings["overlapping"]))

    @staticmethod
    def _predicted(
        network: nn.Module,
        data: Sequence[StoredExample],
        plan: TrainingPlan,
        context: JobContext,
        mirrored: Sequence[int] = (),
    ) -> Any:
        assert plan.spec.tiling is not None
        return predicted(
            network,
            data,
            plan.spec.tiling,
            plan.spec.input.dimensions,
            context,
            overlapping=bool(plan.settings["overlapping"]),
            mirrored=mirrored,
        )


def _check(recipe: Recipe) -> None:
    if recipe.network not in NETWORKS:
        raise ModelError(f"There is no segmentation network {recipe.network}; choose one of {', '.join(NETWORKS)}.")
    if recipe.loss not in LOSSES:
        raise ModelError(f"There is no segmentation loss {recipe.loss}; choose one of {', '.join(LOSSES)}.")
    check_strengths(recipe.augment)
