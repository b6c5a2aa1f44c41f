"""Classification as the training engine sees it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.ml.examples import Example, ExampleSet
from medview.ml.outputs import ClassificationOutput
from medview.ml.packs import sha256_of
from medview.ml.recipes.options import number_in
from medview.ml.recipes.recipe import Recipe
from medview.ml.runners.preprocess import prepare
from medview.ml.spec import ModelSpec
from medview.ml.training.augment import augment_sample
from medview.ml.training.borrowed import borrow_file
from medview.ml.training.build import laid_out, trainable_network
from medview.ml.training.classification.calibrate import abstention, calibration, probabilities_of, threshold_of
from medview.ml.training.classification.figures import Doubles, figures_of
from medview.ml.training.classification.losses import answer_loss
from medview.ml.training.classification.planning import classification_plan
from medview.ml.training.classification.truths import truth_of
from medview.ml.training.freezing import part_rates, set_frozen
from medview.ml.training.stored import StoredExamples, is_stored, store_example
from medview.ml.training.task import TrainingPlan, TrainingTask

TOGETHER, VOLUMES_TOGETHER = 64, 4
"""Pictures, and volumes, that are looked at together on validation."""

_log = logging.getLogger("medview.training")

Sample = dict[str, np.ndarray[Any, Any]]
Batch = dict[str, torch.Tensor]


class ClassificationTask(TrainingTask):
    """One answer about a picture or volume; networks of two dimensions learn from every slice of a volume."""

    def plan(self, examples: ExampleSet, recipe: Recipe, context: JobContext) -> TrainingPlan:
        """Choose sizes and class weights from the training examples. Raises ModelError where they cannot be trained on."""
        return classification_plan(examples, recipe, context)

    def store(self, example: Example, plan: TrainingPlan, folder: Path, context: JobContext) -> None:
        """Write the picture as the network will see it, and the answers; nothing where they are there already."""
        if is_stored(folder, example.key):
            return
        prepared = prepare(example.volumes(), plan.spec.input, context)
        slices = prepared.values.shape[1] if plan.spec.input.dimensions == 2 else 1
        facts = {
            "answers": dict(example.truth().answers),
            "answered": slices,
            "spacing": [float(side) for side in prepared.spacing_kji_mm],
        }
        store_example(folder, example.key, prepared.values.numpy(), facts)

    def open(self, folder: Path, keys: Sequence[str], plan: TrainingPlan) -> StoredExamples:
        """Return those examples of which something is known."""
        every = StoredExamples.open(folder, keys)
        return every.chosen([n for n in range(len(every)) if _truth(every, n, plan) is not None])

    def network(self, plan: TrainingPlan) -> nn.Module:
        """Return the network with its first weights; the recipe's option ``weights`` names a file to take them from.

        Raises
        ------
        MedViewError
            When that file cannot be read or belongs to another network.
        """
        network = trainable_network(plan.spec.network)
        if plan.settings["weights"]:
            path = Path(plan.settings["weights"])
            _log.info("%s", borrow_file(network, path))
            if sha256_of(path) != plan.settings["weights_sha256"]:
                raise ModelError(f"The weights {path.name} are not those this training began with; start a new one.")
        return network

    def rates(self, network: nn.Module, recipe: Recipe) -> list[tuple[float, list[nn.Parameter]]]:
        """Return the head at the recipe's rate; what was frozen before at ``backbone_rate`` of it, a tenth if not given."""
        return part_rates(network, recipe)

    def draw(self, data: StoredExamples, plan: TrainingPlan, recipe: Recipe, rng: np.random.Generator) -> Sample:
        """Return one picture (channels, k, j, i) and its truth (classes,)."""
        n = int(rng.integers(len(data)))
        values = data.values(n)
        shape = plan.spec.input.shape_kji
        assert shape is not None
        if plan.spec.input.dimensions == 2:
            k = int(rng.integers(values.shape[1]))
            values = values[:, k : k + 1]
        spacing = data.spacing_kji(n)
        drawn = augment_sample(values, None, None, recipe.augment, rng, shape, spacing_kji=spacing, edge=True)
        truth = _truth(data, n, plan)
        assert truth is not None
        return {"values": drawn.values, "truth": truth}

    def collate(self, samples: Sequence[Sample]) -> Batch:
        """Return ``values`` (N, channels, k, j, i) and ``truth`` (N, classes)."""
        return {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}

    def loss(self, network: nn.Module, batch: Batch, plan: TrainingPlan, recipe: Recipe) -> dict[str, torch.Tensor]:
        """Return the loss."""
        truth = batch["truth"]
        weights = truth.new_tensor(plan.settings["class_weights"])
        logits = network(laid_out(batch["values"], plan.spec.input.dimensions))
        exclusive, smoothing = plan.settings["exclusive"], plan.settings["smoothing"]
        return {"loss": answer_loss(logits, truth, weights, recipe.loss, exclusive=exclusive, smoothing=smoothing)}

    def phase(self, network: nn.Module, done: float, recipe: Recipe) -> None:
        """Keep everything but the head as it is for the share ``frozen`` of the steps."""
        set_frozen(network, frozen=done < number_in(recipe.options, "frozen", 0.0))

    def check(self, network: nn.Module, data: StoredExamples, plan: TrainingPlan, context: JobContext) -> dict[str, float]:
        """Return AUC, accuracy, F1 and log loss; the score is the mean of AUC and balanced accuracy.

        Raises
        ------
        ModelError
            Where no validation example has an answer.
        """
        if not len(data):
            raise ModelError("No validation case has an answer; answer the question for some of them too.")
        logits, truth = answers(network, data, plan, context)
        output = plan.spec.output
        assert isinstance(output, ClassificationOutput)
        exclusive = plan.settings["exclusive"]
        # A model that is tuned has the threshold of the one before, which is for probabilities as that one calibrates them.
        probabilities = probabilities_of(logits, output.scale, output.shift, exclusive=exclusive)
        return figures_of(_by_example(probabilities, data), truth, output.threshold, exclusive=exclusive)

    def finish(self, network: nn.Module, data: StoredExamples, plan: TrainingPlan, context: JobContext) -> ModelSpec:
        """Return the description with calibration, threshold and, where the recipe asks for it, a band of "not sure"."""
        output = plan.spec.output
        assert isinstance(output, ClassificationOutput)
        if not len(data):
            return plan.spec
        exclusive = plan.settings["exclusive"]
        logits, truth = answers(network, data, plan, context)
        scale, shift = calibration(logits, truth, exclusive=exclusive, slices=_slices(data))
        found = _by_example(probabilities_of(logits, scale, shift, exclusive=exclusive), data)
        # The band of a model before lies around a threshold that is no longer there.
        output = replace(output, scale=scale, shift=shift, abstain=None)
        # About the last class where one excludes the other, and about all of them together where none does.
        wanted = slice(-1, None) if exclusive else slice(None)
        scores, holds = found[:, wanted].reshape(-1), truth[:, wanted].reshape(-1)
        known = ~np.isnan(holds)
        scores, present = scores[known], holds[known] > 0.5
        if not exclusive or truth.shape[1] == 2:
            output = replace(output, threshold=threshold_of(scores, present))
        if plan.settings["sure"] and truth.shape[1] <= 2:
            output = replace(output, abstain=abstention(scores, present, output.threshold, plan.settings["sure"]))
        return replace(plan.spec, output=output)


def answers(network: nn.Module, data: StoredExamples, plan: TrainingPlan, context: JobContext) -> tuple[Doubles, Doubles]:
    """Return logits (slices of all examples, classes) and truth (examples, classes); volumes are one slice here."""
    device = next(network.parameters()).device
    flat = plan.spec.input.dimensions == 2
    most = TOGETHER if flat else VOLUMES_TOGETHER
    was_training = network.training
    network.eval()
    found: list[np.ndarray[Any, Any]] = []
    waiting: list[torch.Tensor] = []

    def run() -> None:
        # The slices of one volume may be many more than are looked at together.
        for pictures in torch.cat(waiting).split(most):
            seen = laid_out(pictures.float().to(device), plan.spec.input.dimensions)
            found.append(network(seen).float().cpu().numpy())
        waiting.clear()

    with torch.no_grad():
        for n in range(len(data)):
            context.raise_if_cancelled()
            values = torch.from_numpy(np.array(data.values(n)))
            waiting.append(values.transpose(0, 1)[:, :, None] if flat else values[None])
            if sum(len(some) for some in waiting) >= most:
                run()
        if waiting:
            run()
    network.train(was_training)
    truths = [_truth(data, n, plan) for n in range(len(data))]
    logits = np.concatenate(found) if found else np.zeros((0, plan.spec.out_channels))
    return logits.astype(np.float64), np.asarray(truths, dtype=np.float64).reshape(-1, plan.spec.out_channels)


def _by_example(probabilities: Doubles, data: StoredExamples) -> Doubles:
    """Return the mean over the slices of each example."""
    counts = _slices(data)
    ends = np.cumsum(counts)[:-1]
    return np.asarray([part.mean(axis=0) for part in np.split(probabilities, ends)]).reshape(-1, probabilities.shape[1])


def _slices(data: StoredExamples) -> list[int]:
    return [int(facts["answered"]) for facts in data.facts]


def _truth(data: StoredExamples, n: int, plan: TrainingPlan) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    output = plan.spec.output
    assert isinstance(output, ClassificationOutput)
    known: Mapping[str, float] = data.facts[n]["answers"]
    return truth_of(known, output.classes, exclusive=plan.settings["exclusive"])
