"""The closed table of what moves weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from medview.ml.recipes.recipe import OptimiserChoice

Groups = list[dict[str, object]]


def _sgd(groups: Groups, choice: OptimiserChoice) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=choice.rate, momentum=choice.momentum, nesterov=choice.nesterov)


def _adagrad(groups: Groups, choice: OptimiserChoice) -> torch.optim.Optimizer:
    return torch.optim.Adagrad(groups, lr=choice.rate)


def _rmsprop(groups: Groups, choice: OptimiserChoice) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(groups, lr=choice.rate, momentum=choice.momentum)


def _adam(groups: Groups, choice: OptimiserChoice) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, lr=choice.rate)


def _adamw(groups: Groups, choice: OptimiserChoice) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=choice.rate)


MAKERS: Mapping[str, Callable[[Groups, OptimiserChoice], torch.optim.Optimizer]] = {
    "sgd": _sgd,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adamw,
}


def make_optimiser(network: nn.Module, choice: OptimiserChoice) -> torch.optim.Optimizer:
    """Return the optimiser of all weights of a network, also of those that are frozen for now.

    Kernels decay; biases and the scales of norms do not, since pulling them to zero only slows learning.
    """
    shrinking: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for parameter in network.parameters():
        (shrinking if parameter.ndim > 1 else others).append(parameter)
    groups: Groups = [
        {"params": own, "weight_decay": decay} for own, decay in ((shrinking, choice.weight_decay), (others, 0.0)) if own
    ]
    return MAKERS[choice.name](groups, choice)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all weights."""
    for group in optimiser.param_groups:
        group["lr"] = rate
