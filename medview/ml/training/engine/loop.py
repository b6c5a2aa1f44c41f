"""The steps of a training, by Lightning."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy
from torch import nn

from medview.core.errors import CancelledError
from medview.core.job import JobContext
from medview.ml.recipes.recipe import Recipe
from medview.ml.runs.control import Control
from medview.ml.runs.events import EventLog
from medview.ml.runs.folder import RunFolder
from medview.ml.training.engine.checkpoint import TrainingState
from medview.ml.training.engine.course import Bearing, Course
from medview.ml.training.engine.draws import Batches
from medview.ml.training.engine.keeper import ASKED, Keeper, Scalars
from medview.ml.training.engine.module import LARGEST_GRADIENT, TrainingModule
from medview.ml.training.engine.pace import Pace
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.samples import SampleTaker
from medview.ml.training.task import TrainingPlan, TrainingTask

FOREVER = -1
MOST_PLANNED = 1000
"""Times as many steps as were planned are never made, however quick a computer becomes."""


class Steady:
    """A context that nobody cancels: a training ends between two steps, with a checkpoint, and not within one."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def progress(self, fraction: float, text: str) -> None:
        """Report it."""
        self._context.progress(fraction, text)

    def partial(self, value: object) -> None:
        """Hand it over."""
        self._context.partial(value)

    def raise_if_cancelled(self) -> None:
        """Go on."""


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """Everything the steps need.

    Attributes
    ----------
    validation : object
        Opened validation examples.
    asked : callable
        Whether somebody wants a break.
    control : Control
        Whether somebody has enough of it.
    samples : SampleTaker or None
        Keeps pictures of looks at validation, where those are wanted.
    """

    run: RunFolder
    task: TrainingTask
    plan: TrainingPlan
    recipe: Recipe
    pace: Pace
    seed: int
    network: nn.Module
    training: Any
    validation: Any
    device: torch.device
    processes: Processes
    events: EventLog | None
    scalars: Scalars | None
    asked: Callable[[], bool]
    control: Control
    context: JobContext
    samples: SampleTaker | None = None

    @property
    def most_steps(self) -> int:
        """How many steps there may be at most; under a time limit the clock decides."""
        return self.pace.steps if self.pace.deadline_seconds is None else self.pace.steps * MOST_PLANNED

    def look(self, network: nn.Module, step: int) -> dict[str, float]:
        """Return figures of a network on the validation examples; keeps samples where those are wanted."""
        figures = self.task.check(network, self.validation, self.plan, self.samples or self.context)
        if self.samples is not None:
            self.samples.write(step)
        return figures

    def batches(self, first: int) -> Batches:
        """Return the batches of this process from a step on."""
        return batches_of(
            self.task, self.plan, self.recipe, self.training, self.seed, self.processes, first, self.most_steps
        )


def batches_of(
    task: TrainingTask,
    plan: TrainingPlan,
    recipe: Recipe,
    data: Any,
    seed: int,
    processes: Processes,
    first: int,
    last: int,
) -> Batches:
    """Return the batches of some steps of a process."""
    return Batches(
        lambda rng: task.draw(data, plan, recipe, rng),
        task.collate,
        batch=plan.batch,
        seed=seed,
        first=first,
        last=last,
        rank=processes.rank,
        processes=processes.count,
    )


def make_steps(loop: Loop, before: TrainingState | None) -> TrainingState:
    """Make all steps that are left and return the state at the end, which is on disk.

    Raises
    ------
    CancelledError
        When somebody asked for a break; the state is on disk.
    ModelError
        When the loss is no number any longer.
    WriteError
    """
    if before is not None:
        loop.network.load_state_dict(before.network)
        if before.reason:
            return before
    first = 0 if before is None else before.step
    bearing = Bearing() if before is None else Bearing(before.place, before.stride)
    course = Course(loop.pace, bearing, lambda: 0.0 if loop.events is None else loop.events.used, loop.processes.told)
    module = TrainingModule(
        loop.task,
        loop.plan,
        loop.recipe,
        loop.network,
        course,
        steps=loop.pace.steps,
        seed=loop.seed,
        processes=loop.processes,
        optimiser_state=None if before is None else before.optimiser,
    )
    keeper = Keeper(
        loop.run,
        loop.recipe,
        loop.pace,
        course,
        loop.network,
        loop.look,
        before=before,
        processes=loop.processes,
        events=loop.events,
        scalars=loop.scalars,
        asked=loop.asked,
        control=loop.control,
        context=loop.context,
    )
    batches = loop.batches(first)
    try:
        with _quiet():
            _trainer(loop, keeper, loop.most_steps - first).fit(module, train_dataloaders=batches)
    finally:
        batches.close()
    if keeper.reason == ASKED:
        raise CancelledError(
            f"Training stopped at step {keeper.state.step}; go on with medview train --run {loop.run.path.name}."
        )
    return keeper.state


def _freezes(loop: Loop) -> bool:
    """Whether parts of the network are frozen for a while: they give no gradients, which processes have to know."""
    frozen = False
    for done in (0.0, 0.25, 0.5, 0.75, 1.0):
        loop.task.phase(loop.network, done, loop.recipe)
        frozen |= any(not one.requires_grad for one in loop.network.parameters())
    return frozen


def _trainer(loop: Loop, keeper: Keeper, steps: int) -> Trainer:
    processes = loop.processes
    backend = "nccl" if loop.device.type == "cuda" else "gloo"
    together = DDPStrategy(process_group_backend=backend, find_unused_parameters=processes.several and _freezes(loop))
    return Trainer(
        accelerator="gpu" if loop.device.type == "cuda" else "cpu",
        devices=processes.local_count if processes.several else 1,
        num_nodes=processes.count // processes.local_count,
        strategy=together if processes.several else "auto",
        precision="bf16-mixed" if loop.pace.precision == "bf16-mixed" else "32-true",
        max_steps=steps,
        max_epochs=FOREVER,
        min_epochs=0,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        gradient_clip_val=LARGEST_GRADIENT,
        callbacks=[keeper, _OurSignals()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        # Chance is ours: no global seeds; kernels are chosen the same way every time.
        deterministic="warn" if loop.device.type == "cuda" else None,
        benchmark=False,
    )


class _OurSignals(Callback):
    """Keeps Lightning from ending a training in its own way: who asks for a break gets a checkpoint first."""

    def __init__(self) -> None:
        self._handler = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the handler back that was there."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._handler)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Lightning says about itself out of a person's terminal."""
    loggers = [logging.getLogger(name) for name in ("lightning", "lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning.*")
            warnings.filterwarnings("ignore", module="torch.*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
