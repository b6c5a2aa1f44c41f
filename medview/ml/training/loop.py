"""The loop: AdamW, one cosine cycle, averaged weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from medview.ml.training.patches import PatchBatch

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


def rate_at(step: int, settings: LoopSettings) -> float:
    """Return the learning rate of a step."""
    warm = max(1, round(settings.steps * settings.warm_up))
    if step < warm:
        return settings.peak_rate * (step + 1) / warm
    return settings.peak_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, settings.steps - warm)))


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
    _channels_last(network.train())
    kept = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.peak_rate, weight_decay=settings.weight_decay)
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, settings)
        batch = next(batches)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of(network, batch)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        _average(kept, network, min(settings.average, (1 + step) / (10 + step)))
        report(step, float(loss.detach()))
    return kept


def _channels_last(network: nn.Module) -> None:
    """Store kernels the way 3-D convolutions on a CPU are several times faster."""
    for parameter in network.parameters():
        if parameter.ndim == 5:
            parameter.data = parameter.data.to(memory_format=torch.channels_last_3d)


@torch.no_grad()
def _average(kept: nn.Module, network: nn.Module, decay: float) -> None:
    for mean, now in zip(kept.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)
