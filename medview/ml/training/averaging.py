"""The running average of weights."""

from __future__ import annotations

import torch
from torch import nn


def decay_at(step: int, decay: float) -> float:
    """Return the decay of a step (from 0): less at the beginning, where weights of random numbers would linger."""
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def average(kept: nn.Module, network: nn.Module, decay: float) -> None:
    """Bring ``kept`` nearer to ``network``: what are numbers by ``1 - decay``, counters and flags altogether.

    Parameters
    ----------
    kept : Module
        Of the same kind; changed in place.
    """
    means, nows = [], []
    for mean, now in zip(kept.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            means.append(mean)
            nows.append(now)
        else:
            mean.copy_(now)
    torch._foreach_lerp_(means, nows, 1 - decay)
