"""What the engine needs to know of a task: everything that differs between masks, boxes, scores and prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from medview.core.job import JobContext
from medview.ml.examples import Example, ExampleSet
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import ModelSpec


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPlan:
    """What a task made of a recipe and a data set; written as JSON into the run and never changed after.

    Attributes
    ----------
    spec : ModelSpec
        The pack that will come out, but for its weights, figures and card. Its input is how examples are prepared, with the
        code that prepares volumes for prediction.
    batch : int
        Samples per step over all processes.
    step_bytes : int
        Memory one step is expected to take.
    cache_bytes : int
        What all prepared examples take on the disk.
    settings : mapping
        Ready for JSON: what only the task reads.
    """

    spec: ModelSpec
    batch: int
    step_bytes: int
    cache_bytes: int
    settings: Mapping[str, Any] = field(default_factory=dict)


class TrainingTask(Protocol):
    """One kind of training. Stateless: whatever lasts is in the plan, the cache folder or the network."""

    def plan(self, examples: ExampleSet, recipe: Recipe, context: JobContext) -> TrainingPlan:
        """Choose sizes from the training examples alone. Raises MedViewError where they cannot be trained on."""

    def store(self, example: Example, plan: TrainingPlan, folder: Path, context: JobContext) -> None:
        """Write a prepared example into ``folder``, complete or not at all."""

    def open(self, folder: Path, keys: Sequence[str], plan: TrainingPlan) -> Any:
        """Return the stored examples of these keys, mapped from the disk."""

    def network(self, plan: TrainingPlan) -> nn.Module:
        """Return the network with its first weights, drawn from torch's generator."""

    def rates(self, network: nn.Module, recipe: Recipe) -> list[tuple[float, list[nn.Parameter]]]:
        """Return all parameters in groups, each with the number its learning rate is the recipe's times.

        All at the recipe's rate where a task that derives from this says nothing else.
        """
        return [(1.0, list(network.parameters()))]

    def draw(self, data: Any, plan: TrainingPlan, recipe: Recipe, rng: np.random.Generator) -> Any:
        """Return one augmented sample; all chance comes from ``rng``, which hangs on seed, step and place in the batch."""

    def collate(self, samples: Sequence[Any]) -> Any:
        """Return a batch of samples, as tensors."""

    def loss(self, network: nn.Module, batch: Any, plan: TrainingPlan, recipe: Recipe) -> dict[str, torch.Tensor]:
        """Return parts of the loss by name; ``loss`` is what is made small."""

    def phase(self, network: nn.Module, done: float, recipe: Recipe) -> None:
        """Freeze or free parts of the network at ``done`` (0 to 1) of the steps; called before every step, cheap."""

    def check(self, network: nn.Module, data: Any, plan: TrainingPlan, context: JobContext) -> dict[str, float]:
        """Return quick figures on validation examples; ``score``, larger is better, chooses the weights that are kept."""

    def finish(self, network: nn.Module, data: Any, plan: TrainingPlan, context: JobContext) -> ModelSpec:
        """Return the pack's description with what is set on validation examples (thresholds, calibration)."""

    def plain(self, network: nn.Module) -> nn.Module:
        """Return the network with the weights of the one a pack describes; it may be changed in place."""
        return network
