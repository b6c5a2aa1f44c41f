"""Interactive segmentation, as the engine trains it: a simulated person points at what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.ml.examples import UNKNOWN, Example, ExampleSet
from medview.ml.outputs import InteractiveOutput
from medview.ml.recipes.recipe import Recipe
from medview.ml.runners.interactive import Grow
from medview.ml.runners.preprocess import prepare
from medview.ml.spec import ModelSpec
from medview.ml.training.interactive.data import ObjectSet
from medview.ml.training.interactive.objects import (
    TrainingObject,
    document_of,
    first_prompts,
    held_document,
    objects_in,
    seed_of,
    unknown_in,
)
from medview.ml.training.interactive.planning import interactive_plan
from medview.ml.training.interactive.samples import Batch, Sample, collate, draw_sample, plain_sample, pointed
from medview.ml.training.segmentation.first_weights import first_network
from medview.ml.training.segmentation.loss import segmentation_loss
from medview.ml.training.segmentation.samples import Batch as Labelled
from medview.ml.training.segmentation.stored import class_maps
from medview.ml.training.stored import is_stored, store_example
from medview.ml.training.task import TrainingPlan, TrainingTask

CHECKED = 48
"""Objects of validation that are clicked at in a look."""

CLICKS = 3
"""At each of them."""

TOLD = (1, 3)
"""After so many clicks the Dice is told; the score is their mean."""

TOGETHER = 4


class InteractiveTask(TrainingTask):
    """One object from prompts.

    Parameters
    ----------
    grow : callable, optional
        Grows an object from a prompt without a model, for networks that look at that.
    """

    def __init__(self, grow: Grow | None = None) -> None:
        self._grow = grow

    def plan(self, examples: ExampleSet, recipe: Recipe, context: JobContext) -> TrainingPlan:
        """Return the plan. Raises ModelError where the examples cannot be trained on."""
        return interactive_plan(examples, recipe, context, can_grow=self._grow is not None)

    def store(self, example: Example, plan: TrainingPlan, folder: Path, context: JobContext) -> None:
        """Write what the network sees of an example, and its objects; nothing where they are there already."""
        if is_stored(folder, example.key):
            return
        volumes, truth = example.volumes(), example.truth()
        prepared = prepare(volumes, plan.spec.input, context)
        overlapping = bool(plan.settings["overlapping"])
        # Each object is learnt by itself: around it is what it is not, whoever looked for more of its class.
        truth = replace(truth, open_classes=frozenset())
        labels = class_maps(truth, prepared, len(plan.settings["classes"]), overlapping=overlapping)
        rng = np.random.default_rng(seed_of(example.key))
        objects = []
        for number, held in objects_in(labels, len(plan.settings["classes"]), overlapping=overlapping):
            context.raise_if_cancelled()
            firsts = () if self._grow is None else first_prompts(held, volumes[0], self._grow, rng, context)
            objects.append(document_of(TrainingObject(number, held, firsts)))
        facts = {
            "objects": objects,
            "unknown": held_document(unknown_in(labels)),
            "spacing": [float(side) for side in prepared.spacing_kji_mm],
        }
        store_example(folder, example.key, prepared.values.numpy(), facts)

    def open(self, folder: Path, keys: Sequence[str], plan: TrainingPlan) -> ObjectSet:
        """Return the objects of these examples.

        Raises
        ------
        ModelError
            Where there are none.
        """
        found = ObjectSet.open(folder, keys)
        if not found.objects:
            raise ModelError("There is no object of a few voxels in the cases of a split; label more of them.")
        return found

    def network(self, plan: TrainingPlan) -> nn.Module:
        """Return the network with its first weights, drawn from torch's generator."""
        return first_network(plan.spec.network)

    def draw(self, data: ObjectSet, plan: TrainingPlan, recipe: Recipe, rng: np.random.Generator) -> Sample:
        """Return one augmented sample: an object, and the beginning of what is said of it."""
        assert plan.spec.tiling is not None
        return draw_sample(data, plan.spec.tiling.tile_kji, _output(plan), recipe.augment, rng)

    def collate(self, samples: Sequence[Sample]) -> Batch:
        """Return a batch of samples, as tensors."""
        return collate(samples)

    def loss(self, network: nn.Module, batch: Batch, plan: TrainingPlan, recipe: Recipe) -> dict[str, torch.Tensor]:
        """Return ``loss`` and its parts, after a person answered what the network finds so far."""
        answered = clicked_on(network, batch, _output(plan))
        answers = network(answered)
        scales = [answers] if isinstance(answers, torch.Tensor) else list(answers)
        total: dict[str, torch.Tensor] = {}
        # Each object counts the same, however large it is.
        for n in range(len(batch.further)):
            one = Labelled(answered[n : n + 1], batch.truth[n : n + 1, None], ((),))
            parts = segmentation_loss([scale[n : n + 1] for scale in scales], one, recipe.loss, overlapping=False)
            for name, part in parts.items():
                total[name] = total.get(name, torch.zeros((), device=part.device)) + part / len(batch.further)
        return total

    def phase(self, network: nn.Module, done: float, recipe: Recipe) -> None:
        """Freeze nothing."""

    def check(self, network: nn.Module, data: ObjectSet, plan: TrainingPlan, context: JobContext) -> dict[str, float]:
        """Return the mean Dice after one and three clicks of a steady hand; ``score`` is their mean."""
        assert plan.spec.tiling is not None
        output, tile = _output(plan), plan.spec.tiling.tile_kji
        samples = [
            sample
            for place, (n, one) in enumerate(data.spread(CHECKED))
            if (sample := plain_sample(data, n, one, tile, output, place)) is not None
        ]
        was_training = network.training
        network.eval()
        dice: list[npt.NDArray[np.float64]] = []
        try:
            for start in range(0, len(samples), TOGETHER):
                context.raise_if_cancelled()
                dice.append(_course(network, samples[start : start + TOGETHER], output))
        finally:
            network.train(was_training)
        if not dice:
            return {"score": 0.0}
        means = np.concatenate(dice).mean(axis=0)
        told = {f"dice_after_{clicks}": float(means[clicks - 1]) for clicks in TOLD}
        return {"score": float(np.mean(list(told.values()))), **told}

    def finish(self, network: nn.Module, data: ObjectSet, plan: TrainingPlan, context: JobContext) -> ModelSpec:
        """Return the description; nothing is left to be set."""
        return plan.spec


def clicked_on(network: nn.Module, batch: Batch, output: InteractiveOutput) -> torch.Tensor:
    """Return what the network sees after the further clicks of each sample, shape as ``batch.seen``."""
    seen = batch.seen.clone()
    rngs = [np.random.default_rng(seed) for seed in batch.seeds]
    left = list(batch.further)
    while which := [n for n, count in enumerate(left) if count]:
        with torch.no_grad():
            found = _found(network, seen[which])
        for n, mask in zip(which, found, strict=True):
            tile, truth = seen[n].cpu().numpy(), batch.truth[n].cpu().numpy()
            left[n] -= 1
            if not pointed(tile, truth, mask, (batch.spacings_kji[n], batch.flat[n]), output, rngs[n]):
                left[n] = 0
                continue
            seen[n] = torch.from_numpy(tile).to(seen.device)
    return seen


def _course(network: nn.Module, samples: Sequence[Sample], output: InteractiveOutput) -> npt.NDArray[np.float64]:
    """Return the Dice of samples after each click, shape (samples, clicks)."""
    device = next(network.parameters()).device
    seen = [np.array(sample.seen) for sample in samples]
    dice = np.zeros((len(samples), CLICKS))
    for click in range(CLICKS):
        with torch.inference_mode():
            found = _found(network, torch.from_numpy(np.stack(seen)).to(device))
        for n, (sample, mask) in enumerate(zip(samples, found, strict=True)):
            true, held = sample.truth == 1, mask & (sample.truth != UNKNOWN)
            dice[n, click] = 2 * np.count_nonzero(true & held) / (np.count_nonzero(true) + np.count_nonzero(held))
            if click + 1 < CLICKS:
                pointed(seen[n], sample.truth, mask, (sample.spacing_kji, sample.flat), output, None)
    return dice


def _found(network: nn.Module, seen: torch.Tensor) -> npt.NDArray[np.bool_]:
    answers = network(seen)
    logits = answers if isinstance(answers, torch.Tensor) else answers[0]
    found: npt.NDArray[np.bool_] = (logits[:, 1] > logits[:, 0]).cpu().numpy()
    return found


def _output(plan: TrainingPlan) -> InteractiveOutput:
    assert isinstance(plan.spec.output, InteractiveOutput)
    return plan.spec.output
