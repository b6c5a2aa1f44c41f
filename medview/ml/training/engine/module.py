"""A training task as Lightning sees it."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from lightning.pytorch import LightningModule

from medview.core.errors import ModelError
from medview.ml.recipes.recipe import Recipe
from medview.ml.training.engine.course import Course
from medview.ml.training.engine.draws import Numbered
from medview.ml.training.engine.processes import Processes
from medview.ml.training.optimisers import make_optimiser, set_rate
from medview.ml.training.schedules import rate_at
from medview.ml.training.task import TrainingPlan, TrainingTask

LARGEST_GRADIENT = 5.0
"""Longer gradients are shortened to this."""


class TrainingModule(LightningModule):
    """A network, its loss, and its optimiser, whose state may be that of an earlier life.

    Parameters
    ----------
    course : Course
        What rates and phases go by.
    steps : int
        Of the whole training, as planned.
    optimiser_state : dict, optional
        Where the training goes on.
    """

    def __init__(
        self,
        task: TrainingTask,
        plan: TrainingPlan,
        recipe: Recipe,
        network: torch.nn.Module,
        course: Course,
        *,
        steps: int,
        seed: int,
        processes: Processes,
        optimiser_state: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self._task, self._plan, self._recipe = task, plan, recipe
        self._course, self._steps, self._seed, self._processes = course, steps, seed, processes
        self._optimiser_state = optimiser_state
        self.parts: dict[str, torch.Tensor] = {}
        self.rate = 0.0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimiser, as it was when the training was interrupted."""
        optimiser = make_optimiser(self.network, self._recipe.optimiser, self._task.rates(self.network, self._recipe))
        if self._optimiser_state is not None:
            optimiser.load_state_dict(self._optimiser_state)
            self._optimiser_state = None
        return optimiser

    def on_train_batch_start(self, batch: Numbered, batch_idx: int) -> None:
        """Set everything a step hangs on from its number and the course alone."""
        step = batch[0]
        # Dropout draws from torch's generator.
        torch.manual_seed(_mixed(self._seed, step, self._processes.rank))
        self._task.phase(self.network, self._course.done, self._recipe)
        choice = self._recipe.optimiser
        self.rate = rate_at(self._course.place, self._steps, choice.rate, self._recipe.schedule)
        optimiser = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimiser, torch.optim.Optimizer)
        set_rate(optimiser, self.rate)

    def training_step(self, batch: Numbered, batch_idx: int) -> torch.Tensor:
        """Return the loss of a batch."""
        step, samples, content = batch
        parts = self._task.loss(self.network, content, self._plan, self._recipe)
        loss = parts["loss"]
        if loss.device.type == "cpu" and not torch.isfinite(loss):
            raise not_finite(step)
        self.parts = {name: part.detach() for name, part in parts.items()}
        # Processes average their gradients; one with fewer samples counts less.
        return loss * (samples * self._processes.count / self._plan.batch)

    def transfer_batch_to_device(self, batch: Numbered, device: torch.device, dataloader_idx: int) -> Numbered:
        """Move the tensors of a batch, in whatever they stand."""
        step, samples, content = batch
        return step, samples, moved(content, device)


def moved(content: Any, device: torch.device) -> Any:
    """Return a batch with its tensors on a device: mappings, sequences and frozen values are looked through."""
    if isinstance(content, torch.Tensor):
        return content.to(device, non_blocking=True)
    if device.type == "cpu":
        return content
    if isinstance(content, dict):
        return {key: moved(one, device) for key, one in content.items()}
    if isinstance(content, list | tuple):
        parts = [moved(one, device) for one in content]
        return type(content)(*parts) if hasattr(content, "_fields") else type(content)(parts)
    if dataclasses.is_dataclass(content) and not isinstance(content, type):
        fields = {one.name: moved(getattr(content, one.name), device) for one in dataclasses.fields(content)}
        return dataclasses.replace(content, **fields)
    return content


def not_finite(step: int) -> ModelError:
    """Return the error of a training that blew up."""
    return ModelError(f"The loss is no number any longer at step {step}; train with a smaller learning rate.")


def _mixed(seed: int, step: int, rank: int) -> int:
    """Return a seed that no other step and process has."""
    return (seed * 1_000_003 + step * 7_919 + rank * 104_729) % (1 << 63)
