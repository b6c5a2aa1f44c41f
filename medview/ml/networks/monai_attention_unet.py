"""MONAI's ``AttentionUnet``: what comes from below decides where the skips count.

Oktay 2018 (arXiv 1804.03999), with MONAI's parameter names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from medview.ml.networks.monai_layers import MOST_LEVELS, Bare, Layers, Levels, Sides, Unit


class ConvBlock(nn.Module):
    """Two convolutions, the first with a stride."""

    def __init__(self, layers: Layers, before: int, after: int, kernel: Sides, stride: Sides = 1) -> None:
        super().__init__()
        self.conv = nn.Sequential(Unit(layers, before, after, kernel, stride), Unit(layers, after, after, kernel))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, after, ...)."""
        found: torch.Tensor = self.conv(features)
        return found


class Gate(nn.Module):
    """A weight from 0 to 1 per voxel of the skip, from it and from what came up."""

    def __init__(self, layers: Layers, channels: int) -> None:
        super().__init__()
        within = channels // 2
        self.W_g = nn.Sequential(Bare(layers.plain(channels, within, 1)), layers.normalisation(within))
        self.W_x = nn.Sequential(Bare(layers.plain(channels, within, 1)), layers.normalisation(within))
        self.psi = nn.Sequential(Bare(layers.plain(within, 1, 1)), layers.normalisation(1), nn.Sigmoid())
        self.relu = nn.ReLU()

    def forward(self, risen: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return the weighed skip."""
        share: torch.Tensor = self.psi(self.relu(self.W_g(risen) + self.W_x(skip)))
        return skip * share


class Up(nn.Module):
    """A transposed convolution called ``up``."""

    def __init__(self, layers: Layers, before: int, after: int, kernel: Sides, stride: Sides) -> None:
        super().__init__()
        self.up = Unit(layers, before, after, kernel, stride, transposed=True)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, after, ...)."""
        found: torch.Tensor = self.up(features)
        return found


class AttentionLevel(nn.Module):
    """One level around those below it (``submodule``)."""

    def __init__(
        self, layers: Layers, here: int, below: int, submodule: nn.Module, up_kernel: Sides, stride: Sides
    ) -> None:
        super().__init__()
        self.attention = Gate(layers, here)
        self.upconv = Up(layers, below, here, up_kernel, stride)
        self.merge = Unit(replace(layers, norm="instance", affine=False, act="prelu"), 2 * here, here)
        self.submodule = submodule

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        risen = self.upconv(self.submodule(features))
        merged: torch.Tensor = self.merge(torch.cat((self.attention(risen, features), risen), dim=1))
        return merged


def attention_unet(
    in_channels: int,
    classes: int,
    channels: Sequence[int],
    strides: Sequence[Sides],
    kernel: Sides = 3,
    up_kernel: Sides = 3,
    dims: int = 3,
) -> Levels:
    """Return the network ``monai_attention_unet`` of a pack.

    Parameters
    ----------
    channels : sequence of int
        Finest level first.
    strides : sequence, one fewer than channels

    Raises
    ------
    ValueError
        When the sequences do not fit each other.
    """
    if not 2 <= len(channels) <= MOST_LEVELS or len(strides) < len(channels) - 1:
        raise ValueError(f"{len(channels)} levels with {len(strides)} strides")
    layers = Layers(dims, "batch", affine=True, act="relu")

    def level(n: int) -> nn.Module:
        here, below, stride = channels[n], channels[n + 1], strides[n]
        block: nn.Module = ConvBlock(layers, here, below, kernel, stride)
        if n < len(channels) - 2:
            block = nn.Sequential(block, level(n + 1))
        return AttentionLevel(layers, here, below, block, up_kernel, stride)

    head = ConvBlock(layers, in_channels, channels[0], kernel)
    return Levels(nn.Sequential(head, level(0), Bare(layers.plain(channels[0], classes, 1))))
