"""The closed table of what moves weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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


def make_optimiser(
    network: nn.Module, choice: OptimiserChoice, rates: Sequence[tuple[float, Sequence[nn.Parameter]]] = ()
) -> torch.optim.Optimizer:
    """Return the optimiser of all weights of a network, also of those that are frozen for now.

    Kernels decay; biases and the scales of norms do not, since pulling them to zero only slows learning.

    Parameters
    ----------
    rates : sequence of tuple
        As ``TrainingTask.rates`` returns them: parts of the network with the number their rate is the choice's times.
    """
    groups: Groups = []
    for times, parameters in rates or ((1.0, list(network.parameters())),):
        for decay, kernels in ((choice.weight_decay, True), (0.0, False)):
            own = [parameter for parameter in parameters if (parameter.ndim > 1) is kernels]
            if own:
                groups.append({"params": own, "weight_decay": decay, "times": times})
    optimiser = MAKERS[choice.name](groups, choice)
    set_rate(optimiser, choice.rate)
    return optimiser


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all weights, of each group times its own number."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("times", 1.0)
