"""A training that goes on from a model, around the task that trains such models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.ml.examples import Example, ExampleSet
from medview.ml.lineage.channel_map import ChannelMap
from medview.ml.lineage.class_map import ClassMap, How
from medview.ml.lineage.rung import Rung, Tune
from medview.ml.packs import ModelPack
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import ModelSpec, Task
from medview.ml.training.build import channels_last, trainable_network
from medview.ml.training.finetune.adapters import adapt, merge
from medview.ml.training.finetune.carry import carry
from medview.ml.training.finetune.counted import counted_in
from medview.ml.training.finetune.parts import learning, parts_of, set_learning
from medview.ml.training.finetune.planning import CHANNELS, CLASSES, TUNE, plan_after
from medview.ml.training.finetune.report import BorrowedReport
from medview.ml.training.finetune.rows import rows_of
from medview.ml.training.segmentation.sizes import NETWORKS
from medview.ml.training.task import TrainingPlan, TrainingTask

BEGUN = "begun"
"""Attribute of a network that goes on from a model: a ``Begun``."""


@dataclass(frozen=True, slots=True)
class Begun:
    """How a network goes on.

    Attributes
    ----------
    head, learns, slow, quick : frozenset of str
        Names of weights: the head, all that learn, those of them that learn more slowly, and faster.
    """

    tune: Tune
    head: frozenset[str]
    learns: frozenset[str]
    slow: frozenset[str]
    quick: frozenset[str]
    report: BorrowedReport


def begun_of(network: nn.Module) -> Begun | None:
    """Return how a network goes on from a model; None where it began from nothing."""
    found = getattr(network, BEGUN, None)
    return found if isinstance(found, Begun) else None


class TunedTask(TrainingTask):
    """Plans by the parent, begins with its weights, and lets a rung of the ladder learn; all else is the task's.

    Parameters
    ----------
    task : TrainingTask
        What trains such a model.
    parent : ModelPack
        Of an ensemble the first member counts.
    renames : mapping of str to str
        Name of a class in the parent -> name now.
    """

    def __init__(self, task: TrainingTask, parent: ModelPack, renames: Mapping[str, str]) -> None:
        self._task, self._parent, self._renames = task, parent, renames

    def plan(self, examples: ExampleSet, recipe: Recipe, context: JobContext) -> TrainingPlan:
        """Return the parent's plan for these examples. Raises MedViewError where they do not go together."""
        return plan_after(
            self._parent.spec, examples, recipe, self._renames, lambda sized: self._task.plan(examples, sized, context)
        )

    def network(self, plan: TrainingPlan) -> nn.Module:
        """Return the network with the parent's weights, of which only those that learn ask for gradients.

        Raises
        ------
        ModelError
            When the weights do not fit, or the network has no such part.
        """
        if CLASSES not in plan.settings:
            raise ModelError("This training was planned by an older MedView, which borrowed weights otherwise; start anew.")
        spec, name = plan.spec, plan.spec.network.name
        foreign = spec.task in (Task.SEGMENTATION, Task.INTERACTIVE) and name not in NETWORKS.values()
        network = trainable_network(spec.network) if foreign else self._task.network(plan)
        classes = ClassMap.of_document(plan.settings[CLASSES])
        channels = ChannelMap.of_document(plan.settings[CHANNELS])
        counted = counted_in(spec.network)
        rows = rows_of(self._parent.spec, spec, classes)
        # Of an ensemble the first member lies there.
        weights = load_file(self._parent.weights)
        carried = carry(network, weights, counted, rows, channels, self._parent.spec.name)
        tune = Tune.of_document(plan.settings[TUNE])
        parts = parts_of(network, counted.head)
        anew = frozenset((*carried.adapted, *carried.fresh))
        learns = learning(parts, tune, network, anew)
        of = sum(one.numel() for one in network.parameters())
        if tune.rung is Rung.ADAPTERS:
            learns |= adapt(network, tune.rank, learns)
        learns &= frozenset(own for own, _ in network.named_parameters())
        channels_last(network)
        trained = sum(one.numel() for own, one in network.named_parameters() if own in learns)
        slow = (learns & parts.encoder) - anew if tune.rung is Rung.ALL else frozenset()
        parent = self._parent.spec
        members = len(parent.ensemble)
        title = f"{parent.name} {parent.version}"
        report = BorrowedReport(parent.key, title, carried, classes, channels, tune, members, trained, of)
        quick = learns & frozenset(carried.heads) if classes.named(How.NEW) else frozenset()
        setattr(network, BEGUN, Begun(tune, parts.head, learns, slow, quick, report))
        set_learning(network, learns)
        return network

    def rates(self, network: nn.Module, recipe: Recipe) -> list[tuple[float, list[nn.Parameter]]]:
        """Return what learns at the recipe's rate, the encoder at its part of that; with new classes faster."""
        begun = begun_of(network)
        assert begun is not None
        named = [(name, weights) for name, weights in network.named_parameters() if name in begun.learns]
        usual = begun.tune.new_rate if begun.quick else 1.0
        groups = (
            (usual, begun.learns - begun.slow - begun.quick),
            (usual * begun.tune.encoder_rate, begun.slow),
            (usual * begun.tune.head_rate, begun.quick),
        )
        found = [(times, [weights for name, weights in named if name in names]) for times, names in groups]
        return [(times, weights) for times, weights in found if weights]

    def phase(self, network: nn.Module, done: float, recipe: Recipe) -> None:
        """Let the rung learn; for the share ``frozen`` of the steps the head alone."""
        begun = begun_of(network)
        assert begun is not None
        set_learning(network, begun.head & begun.learns if done < begun.tune.frozen else begun.learns)

    def plain(self, network: nn.Module) -> nn.Module:
        """Return the network with adapters made part of its kernels."""
        return merge(self._task.plain(network))

    def store(self, example: Example, plan: TrainingPlan, folder: Path, context: JobContext) -> None:
        """Write a prepared example."""
        self._task.store(example, plan, folder, context)

    def open(self, folder: Path, keys: Sequence[str], plan: TrainingPlan) -> Any:
        """Return stored examples."""
        return self._task.open(folder, keys, plan)

    def draw(self, data: Any, plan: TrainingPlan, recipe: Recipe, rng: np.random.Generator) -> Any:
        """Return one augmented sample."""
        return self._task.draw(data, plan, recipe, rng)

    def collate(self, samples: Sequence[Any]) -> Any:
        """Return a batch."""
        return self._task.collate(samples)

    def loss(self, network: nn.Module, batch: Any, plan: TrainingPlan, recipe: Recipe) -> dict[str, torch.Tensor]:
        """Return parts of the loss."""
        return self._task.loss(network, batch, plan, recipe)

    def check(self, network: nn.Module, data: Any, plan: TrainingPlan, context: JobContext) -> dict[str, float]:
        """Return figures on validation examples."""
        return self._task.check(network, data, plan, context)

    def finish(self, network: nn.Module, data: Any, plan: TrainingPlan, context: JobContext) -> ModelSpec:
        """Return the description with what is set on validation examples."""
        return self._task.finish(network, data, plan, context)
