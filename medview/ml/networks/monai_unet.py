"""MONAI's ``UNet``: strided convolutions down, transposed ones up, with or without residual units.

Kerfoot 2018 (doi 10.1007/978-3-030-12029-0_40), with MONAI's parameter names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from medview.ml.networks.monai_layers import MOST_BLOCKS, MOST_LEVELS, Beside, Layers, Levels, Sides, Unit


class ResidualUnit(nn.Module):
    """Some convolutions (``conv``) around which the input is led, by a convolution (``residual``) where shapes differ."""

    def __init__(
        self,
        layers: Layers,
        before: int,
        after: int,
        kernel: Sides,
        stride: Sides,
        *,
        units: int,
        bias: bool,
        bare_end: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Sequential()
        for n in range(units):
            first = n == 0
            unit = Unit(
                layers,
                before if first else after,
                after,
                kernel,
                stride if first else 1,
                bias=bias,
                bare=bare_end and n == units - 1,
            )
            self.conv.add_module(f"unit{n}", unit)
        strided = any(step != 1 for step in layers.sides(stride))
        self.residual: nn.Module = nn.Identity()
        if strided or before != after:
            self.residual = layers.plain(before, after, kernel if strided else 1, stride, bias=bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, after, ...)."""
        found: torch.Tensor = self.conv(features) + self.residual(features)
        return found


def unet(
    in_channels: int,
    classes: int,
    channels: Sequence[int],
    strides: Sequence[Sides],
    kernel: Sides = 3,
    up_kernel: Sides = 3,
    residual_units: int = 0,
    dims: int = 3,
    norm: str = "instance",
    affine: bool = False,
    groups: int = 8,
    act: str = "prelu",
    slope: float = 0.01,
    order: str = "NDA",
    bias: bool = True,
) -> Levels:
    """Return the network ``monai_unet`` of a pack.

    Parameters
    ----------
    channels : sequence of int
        Finest level first.
    strides : sequence, one fewer than channels
    residual_units : int
        Convolutions per residual unit; 0 for plain convolutions.

    Raises
    ------
    ValueError
        When the sequences do not fit each other.
    """
    if not 2 <= len(channels) <= MOST_LEVELS or len(strides) < len(channels) - 1 or not 0 <= residual_units <= MOST_BLOCKS:
        raise ValueError(f"{len(channels)} levels with {len(strides)} strides")
    layers = Layers(dims, norm, affine, groups, act, slope, order)

    def down(before: int, after: int, stride: Sides) -> nn.Module:
        if residual_units:
            return ResidualUnit(layers, before, after, kernel, stride, units=residual_units, bias=bias)
        return Unit(layers, before, after, kernel, stride, bias=bias)

    def up(before: int, after: int, stride: Sides, *, top: bool) -> nn.Module:
        bare = top and not residual_units
        unit = Unit(layers, before, after, up_kernel, stride, bias=bias, bare=bare, transposed=True)
        if not residual_units:
            return unit
        return nn.Sequential(unit, ResidualUnit(layers, after, after, kernel, 1, units=1, bias=bias, bare_end=top))

    def level(n: int, before: int, after: int) -> nn.Module:
        here, stride, deepest = channels[n], strides[n], n == len(channels) - 2
        below = down(here, channels[n + 1], 1) if deepest else level(n + 1, here, here)
        wide = here + (channels[n + 1] if deepest else here)
        return nn.Sequential(down(before, here, stride), Beside(below), up(wide, after, stride, top=n == 0))

    return Levels(level(0, in_channels, classes))
