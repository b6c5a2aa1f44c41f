"""Networks of the closed table with first weights, ready to be trained."""

from __future__ import annotations

import importlib

import torch
from torch import nn

from medview.ml.networks.table import NETWORKS
from medview.ml.spec import NetworkSpec


def laid_out(pictures: torch.Tensor, dimensions: int) -> torch.Tensor:
    """Return pictures (N, channels, k, j, i) as a network of 2 or 3 dimensions takes them, laid out as CPUs like it."""
    if dimensions == 2:
        return pictures.squeeze(2).contiguous(memory_format=torch.channels_last)
    return pictures.contiguous(memory_format=torch.channels_last_3d)


def trainable_network(spec: NetworkSpec) -> nn.Module:
    """Return a network with weights drawn from torch's generator, its kernels stored as CPUs like them best."""
    module, _, factory = NETWORKS[spec.name].partition(":")
    network: nn.Module = getattr(importlib.import_module(module), factory)(**spec.kwargs)
    channels_last(network)
    return network


def channels_last(network: nn.Module) -> None:
    """Store kernels the way convolutions on a CPU are several times faster."""
    for weights in network.parameters():
        if weights.ndim == 4:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last)
        if weights.ndim == 5:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last_3d)
