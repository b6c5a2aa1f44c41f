"""A loop without a folder, for the packs that come with MedView: AdamW, one cosine cycle, averaged weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from medview.ml.recipes.recipe import ScheduleChoice
from medview.ml.training.averaging import average, decay_at
from medview.ml.training.build import channels_last
from medview.ml.training.optimisers import set_rate
from medview.ml.training.patches import PatchBatch
from medview.ml.training.schedules import rate_at

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How long and how fast to learn.

    Attributes
    ----------
    steps : int
    peak_rate : float
        Learning rate after the warm-up; a cosine takes it to zero.
    warm_up : float
        Share of the steps.
    average : float
        Decay of the running average of the weights that is kept (EMA).
    """

    steps: int
    peak_rate: float = 4e-3
    warm_up: float = 0.05
    weight_decay: float = 1e-4
    average: float = 0.99


def fit(
    network: Network,
    batches: Iterator[PatchBatch],
    loss_of: Callable[[Network, PatchBatch], torch.Tensor],
    settings: LoopSettings,
    report: Callable[[int, float], None],
) -> Network:
    """Train ``network`` in place and return a copy with the averaged weights, in evaluation mode.

    Works in bfloat16 where the operation allows it; weights and averages stay float32. ``report`` gets step and loss.
    """
    channels_last(network.train())
    schedule = ScheduleChoice("cosine", settings.warm_up)
    kept = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.peak_rate, weight_decay=settings.weight_decay)
    for step in range(settings.steps):
        set_rate(optimiser, rate_at(step, settings.steps, settings.peak_rate, schedule))
        batch = next(batches)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of(network, batch)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        average(kept, network, decay_at(step, settings.average))
        report(step, float(loss.detach()))
    return kept
