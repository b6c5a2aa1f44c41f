"""What a training step takes, before there is a network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from medview.ml.spec import NetworkSpec
from medview.ml.weights import build_network

FLOAT = 4

PER_WEIGHT = 5
"""Weights, their gradients, two averages of an optimiser, and the running average."""

PER_ANSWER = 2
"""What layers answer is kept, and so are the gradients of it."""


def step_bytes(spec: NetworkSpec, shape: Sequence[int]) -> int:
    """Return the bytes of one training step on an input of this shape (N, channels, ...); nothing is computed."""
    network = build_network(spec).train()
    answered = 0

    def count(_module: nn.Module, _inputs: object, output: object) -> None:
        nonlocal answered
        if isinstance(output, torch.Tensor):
            answered += output.numel()

    for module in network.modules():
        if next(module.children(), None) is None:
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.empty(tuple(shape), device="meta"))
    weights = sum(w.numel() for w in network.parameters())
    return FLOAT * (PER_WEIGHT * weights + PER_ANSWER * answered)
