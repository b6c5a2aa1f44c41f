"""What happens between two steps: averages, looks at validation, checkpoints, events, and when it is enough."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn

from medview.core.job import JobContext
from medview.ml.recipes.recipe import Recipe
from medview.ml.runs.control import Control
from medview.ml.runs.events import EventLog
from medview.ml.runs.folder import RunFolder, nothing_kept
from medview.ml.training.averaging import average, decay_at
from medview.ml.training.engine import checkpoint
from medview.ml.training.engine.checkpoint import Tensors, TrainingState
from medview.ml.training.engine.course import Course
from medview.ml.training.engine.draws import Numbered
from medview.ml.training.engine.module import TrainingModule, not_finite
from medview.ml.training.engine.pace import Pace
from medview.ml.training.engine.processes import Processes

CHECKPOINT_S = 60.0
"""Longest time between two."""
CHECKPOINT_SHARE = 0.05
"""Largest share of the time that goes into writing them."""
EVENT_S = 0.5
"""Shortest time between two events about steps."""
CORRECT_STEPS = 16
"""Under a time limit the course is planned anew after steps that are multiples of this."""
AGREE_STEPS = 8
"""Several processes agree to stop at steps that are multiples of this."""

STEPS, PATIENCE, TIME, ASKED, ENOUGH = "steps", "patience", "time", "asked", "ended early"


class Scalars(Protocol):
    """Where curves are drawn; TensorBoard's writer."""

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        """Draw a point."""


class Keeper(Callback):
    """Sees to it that nothing is lost and that the best is kept. Only the first process writes and looks at validation.

    Parameters
    ----------
    check : callable
        Returns figures of a network on the validation examples, given the steps done.
    before : TrainingState or None
        Where the training goes on.
    asked : callable
        Whether somebody wants a break.
    control : Control
        Whether somebody has enough of it: the best weights so far are judged then.
    """

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        pace: Pace,
        course: Course,
        network: nn.Module,
        check: Callable[[nn.Module, int], dict[str, float]],
        *,
        before: TrainingState | None,
        processes: Processes,
        events: EventLog | None,
        scalars: Scalars | None,
        asked: Callable[[], bool],
        control: Control,
        context: JobContext,
    ) -> None:
        self._run, self._recipe, self._pace, self._course = run, recipe, pace, course
        self._check, self._processes, self._events, self._scalars = check, processes, events, scalars
        self._asked, self._control, self._context = asked, control, context
        self._kept = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        self._state = before or TrainingState(0, {}, {}, {})
        if before is not None:
            self._kept.load_state_dict(before.average)
        self.reason = ""
        self._told_at = self._saved_at = time.monotonic()
        self._save_seconds = 0.0

    @property
    def state(self) -> TrainingState:
        """The state that was saved last."""
        return self._state

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Bring the average to where the network is."""
        self._kept.to(pl_module.device)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Numbered, batch_idx: int
    ) -> None:
        """Look after what a step made."""
        assert isinstance(pl_module, TrainingModule)
        step = batch[0]
        done = step + 1
        self._course.went()
        if self._processes.first:
            average(self._kept, pl_module.network, decay_at(step, self._recipe.average))
            self._tell(done, pl_module)
        looked = done % self._pace.check_every == 0 or self._course.over
        if looked:
            if self._processes.first:
                start = time.monotonic()
                self._look(done)
                self._course.looked(time.monotonic() - start)
            self._state = replace(self._state, worse=self._processes.told(self._state.worse))
        if looked or done % CORRECT_STEPS == 0:
            self._course.correct()
        self._decide(done, looked=looked)
        if self.reason == ENOUGH and self._processes.first and not self._state.step and self._state.best is None:
            # Asked for while cases were prepared, say: a network of a step or two is no model.
            self._control.obeyed()
            raise nothing_kept(self._run)
        if self.reason in (TIME, ENOUGH) and not looked and self._processes.first:
            # Room for it is in the deadline: the last weights are often the best.
            self._look(done)
        if self._processes.first and (self.reason or self._due(looked=looked)):
            self._save(done, trainer, pl_module)
        if self.reason == ENOUGH and self._processes.first:
            # Not before it is on disk: a kill in between would forget it.
            self._control.obeyed()
        if self.reason:
            trainer.should_stop = True

    def _decide(self, done: int, *, looked: bool) -> None:
        reason = ""
        if self._course.over:
            reason = STEPS
        elif looked and self._recipe.patience and self._state.worse >= self._recipe.patience:
            reason = PATIENCE
        elif not self._processes.several or done % AGREE_STEPS == 0:
            reason = self._processes.told(self._outside())
        self.reason = reason

    def _outside(self) -> str:
        """Return why somebody or the clock ends the training, or nothing."""
        if self._asked():
            return ASKED
        if self._control.stop:
            return ENOUGH
        deadline = self._course.deadline_s
        late = deadline is not None and self._events is not None and self._events.used > deadline
        return TIME if late else ""

    def _tell(self, done: int, module: TrainingModule) -> None:
        now = time.monotonic()
        if now - self._told_at < EVENT_S and done > 1 and not self._course.over:
            return
        self._told_at = now
        parts = {name: float(part) for name, part in module.parts.items()}
        if parts["loss"] != parts["loss"]:
            raise not_finite(done - 1)
        steps = done + self._course.steps_left
        self._context.progress(self._course.done, f"Step {done} of {steps}")
        if self._events is not None:
            self._events.add("step", step=done, steps=steps, rate=module.rate, **parts)
        if self._scalars is not None:
            for name, value in parts.items():
                self._scalars.add_scalar(f"train/{name}", value, done)
            self._scalars.add_scalar("train/rate", module.rate, done)

    def _look(self, done: int) -> None:
        # In full precision, as the pack will run.
        with torch.no_grad():
            figures = {name: float(value) for name, value in self._check(self._kept, done).items()}
        before = self._state.best_figures
        # The first look is better than none, whatever its score. Of equal ones the later is kept, which learnt for longer.
        better = before is None or figures["score"] > before["score"]
        kept = better or (before is not None and figures["score"] == before["score"])
        self._state = replace(self._state, worse=0 if better else self._state.worse + 1)
        if kept:
            self._state = replace(self._state, best=_copied(self._kept), best_step=done, best_figures=figures)
        if self._events is not None:
            self._events.add("check", step=done, best=kept, **figures)
        if self._scalars is not None:
            for name, value in figures.items():
                self._scalars.add_scalar(f"validation/{name}", value, done)

    def _due(self, *, looked: bool) -> bool:
        since = time.monotonic() - self._saved_at
        return since >= CHECKPOINT_S or (looked and since * CHECKPOINT_SHARE >= self._save_seconds)

    def _save(self, done: int, trainer: Trainer, module: TrainingModule) -> None:
        start = time.monotonic()
        self._state = replace(
            self._state,
            step=done,
            network=_copied(module.network),
            average=_copied(self._kept),
            optimiser=trainer.optimizers[0].state_dict(),
            # Who asked for a break may go on.
            reason="" if self.reason == ASKED else self.reason,
            place=self._course.place,
            stride=self._course.bearing.stride,
        )
        if any(not torch.isfinite(tensor).all() for tensor in self._state.network.values() if tensor.is_floating_point()):
            raise not_finite(done - 1)
        checkpoint.save(self._run.checkpoints, self._state)
        if self._events is not None:
            self._events.add("checkpoint", step=done)
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - start


def _copied(network: nn.Module) -> Tensors:
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in network.state_dict().items()}
