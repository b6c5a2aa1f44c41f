"""Changes of low rank in kernels (Hu 2021, arXiv 2106.09685): few numbers learn, and become part of the kernels.

A kernel is flattened to (its first axis, all others). ``kernel + up @ down`` takes its place in the layer, so that the
layer answers, before and after merging, by the same sums.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.utils import parametrize

KINDS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear)

WEIGHT = "weight"


class LowRank(nn.Module):
    """Adds ``up @ down`` to a kernel; nothing at first.

    Parameters
    ----------
    kernel : Tensor
        Whose shape it is for.
    rank : int
        Columns of ``up`` and rows of ``down``.
    """

    def __init__(self, kernel: torch.Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = len(kernel), kernel[0].numel()
        self.down = nn.Parameter(torch.empty(rank, columns))
        self.up = nn.Parameter(torch.zeros(rows, rank))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, kernel: torch.Tensor) -> torch.Tensor:
        """Return the changed kernel, in its own layout and precision."""
        with torch.autocast(kernel.device.type, enabled=False):
            change = (self.up @ self.down).reshape(kernel.shape)
            return kernel + change


def adapt(network: nn.Module, rank: int, besides: frozenset[str]) -> frozenset[str]:
    """Give every kernel an adapter, where that has fewer numbers than the kernel; in place.

    Parameters
    ----------
    besides : frozenset of str
        Names of weights that learn themselves.

    Returns
    -------
    frozenset of str
        Names of the adapters' weights.
    """
    for name, module in _layers(network):
        kernel = getattr(module, WEIGHT)
        if f"{name}.{WEIGHT}" not in besides and rank * (len(kernel) + kernel[0].numel()) < kernel.numel():
            parametrize.register_parametrization(module, WEIGHT, LowRank(kernel, rank))
    return frozenset(
        f"{name}.{own}"
        for name, module in network.named_modules()
        if isinstance(module, LowRank)
        for own, _ in module.named_parameters()
    )


def merge(network: nn.Module) -> nn.Module:
    """Make all adapters part of their kernels, in place, and return the network, which is a plain one then."""
    for _, module in _layers(network):
        if parametrize.is_parametrized(module, WEIGHT):
            parametrize.remove_parametrizations(module, WEIGHT)
    return network


def _layers(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    yield from [(name, module) for name, module in network.named_modules() if isinstance(module, KINDS)]
