"""How many steps fit into the time, and whether half precision helps: tried once on copies, then kept."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from medview.core.errors import ModelError
from medview.core.job import Inline, JobContext
from medview.ml.recipes.recipe import Recipe
from medview.ml.training.engine.draws import Batches
from medview.ml.training.task import TrainingPlan, TrainingTask

FULL, HALF = "32-true", "bf16-mixed"
"""As Lightning calls them."""

PRECISION = "precision"
"""The option of a recipe that says ``full`` or ``half`` where nothing is to be tried."""

HELPS = 1.25
"""Half precision has to be so many times as fast before it is used: a close call might come out otherwise next time."""

LEAST_STEP_S = 0.08
"""Steps shorter than this are too short for half precision, and for a trial that comes out the same every time."""

TRIAL_STEPS = 3
LONGEST_TRIAL_S = 60.0
CHECKS_SHARE = 0.15
"""Largest share of the time that goes into looking at validation examples."""
FINAL_CHECKS, FINAL_EXAMPLE_S, LEAST_FINAL_S = 4.0, 0.1, 8.0
"""What finishing and the report take: looks at the validation examples, seconds for each of them, and seconds anyway."""
REPORT_SLACK, FINISH_CHECKS = 1.25, 2.0
"""Where a model of the kind was judged on these examples before: how much longer it may take, and looks for finishing."""
MARGIN = 0.94
"""Share of the remaining time that is planned for steps: they are never all as quick as in the trial."""
LEAST_STEPS = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """What the trial came to.

    Attributes
    ----------
    steps, check_every : int
    precision : str
        ``32-true`` or ``bf16-mixed``.
    step_seconds, check_seconds : float
        As tried; 0 where not.
    deadline_seconds : float or None
        Of the whole training so far when its last step has to be done; None without a time limit.
    """

    steps: int
    check_every: int
    precision: str
    step_seconds: float
    check_seconds: float
    deadline_seconds: float | None

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What is tried: a copy of everything a step needs.

    Attributes
    ----------
    validation : object
        Opened validation examples.
    examples : int
        How many there are.
    """

    task: TrainingTask
    plan: TrainingPlan
    recipe: Recipe
    network: nn.Module
    batches: Batches
    validation: Any
    examples: int
    device: torch.device
    move: Callable[[Any, torch.device], Any]

    @property
    def final_looks(self) -> int:
        """How often the model that comes out looks at each place, by the plan: mirrored as well, where its parent does."""
        tiling = self.plan.spec.tiling
        return 1 if tiling is None else 1 << len(tiling.mirror_axes)

    def step_seconds(self, precision: str, batch: Any) -> float:
        """Return the time of the quickest of some steps, without drawing their batches."""
        network = copy.deepcopy(self.network).to(self.device).train()
        self.task.phase(network, 1.0, self.recipe)
        parameters = [one for one in network.parameters() if one.requires_grad]
        best, began = math.inf, time.monotonic()
        for turn in range(1 + TRIAL_STEPS):
            start = time.monotonic()
            with torch.autocast(self.device.type, torch.bfloat16, enabled=precision == HALF):
                loss = self.task.loss(network, batch, self.plan, self.recipe)["loss"]
            torch.autograd.backward(loss)
            float(torch.stack([p.grad.norm() for p in parameters if p.grad is not None]).sum())
            spent = time.monotonic() - start
            # The first one compiles kernels and gets memory.
            best = min(best, spent) if turn else spent
            if time.monotonic() - began > LONGEST_TRIAL_S:
                break
        return best

    def draw_seconds(self) -> float:
        """Return the time of drawing a batch."""
        start = time.monotonic()
        self.batches.at(0)
        return time.monotonic() - start

    def check_seconds(self) -> float:
        """Return the time of a look at the validation examples."""
        network = copy.deepcopy(self.network).to(self.device).eval()
        start = time.monotonic()
        self.task.check(network, self.validation, self.plan, Inline())
        return time.monotonic() - start


def find_pace(
    trial: Trial, minutes: float | None, used: Callable[[], float], context: JobContext, report_seconds: float = 0.0
) -> Pace:
    """Try a few steps and plan all of them.

    Parameters
    ----------
    used : callable
        Returns the seconds the training used so far.
    report_seconds : float
        That judging the model in the end takes, as far as is known; 0 where nothing is.

    Raises
    ------
    ModelError
        When the time is too short for a training.
    CancelledError
    """
    recipe = trial.recipe
    batch = trial.move(trial.batches.at(0), trial.device)
    full = trial.step_seconds(FULL, batch)
    context.raise_if_cancelled()
    wanted = recipe.options.get(PRECISION)
    worth_trying = full >= LEAST_STEP_S and _has_half(trial.device) if wanted is None else wanted == "half"
    half = trial.step_seconds(HALF, batch) if worth_trying else math.inf
    precision, step = (HALF, half) if wanted == "half" or full > HELPS * half else (FULL, full)
    context.raise_if_cancelled()
    if minutes is None:
        return Pace(recipe.steps, recipe.check_every, precision, step, 0.0, None)
    # Batches are drawn beside the steps; they count where drawing is what takes long.
    step = max(step, trial.draw_seconds())
    check = trial.check_seconds()
    # Finishing and judging look at the validation examples once each as the model will: mirrored ones take longer.
    looks = trial.final_looks
    final = max(FINAL_CHECKS, 2 * looks) * check + FINAL_EXAMPLE_S * trial.examples + LEAST_FINAL_S
    if report_seconds:
        final = max(final, REPORT_SLACK * report_seconds + max(FINISH_CHECKS, looks) * check + LEAST_FINAL_S)
    deadline = minutes * 60 - final
    left = (deadline - used()) * MARGIN
    # At least ten looks, where that costs little; in a longer training no more of them, so that patience lasts as long.
    dear = math.ceil(check / (CHECKS_SHARE * step))
    about = math.floor(left / (step + check / max(dear, recipe.check_every)))
    every = max(dear, min(recipe.check_every, about // 10), about * recipe.check_every // recipe.steps, 1)
    steps = math.floor(left / (step + check / every))
    if steps < LEAST_STEPS:
        raise ModelError(
            f"{minutes:g} minutes are too short: a step takes {step:.2f} s and a look at the validation cases "
            f"{check:.1f} s; give it more time."
        )
    return Pace(steps, min(every, steps), precision, step, check, deadline)


def _has_half(device: torch.device) -> bool:
    """Whether a device calculates with bfloat16 itself; others only imitate it, slowly."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
