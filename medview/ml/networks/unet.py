"""A small residual 3-D U-Net."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from medview.ml.networks.blocks import ConvUnit, ResidualUnit
from medview.ml.networks.units import padded


class UNet3D(nn.Module):
    """Label every voxel.

    After Ronneberger 2015 and Cicek 2016, with residual units, strided convolutions down, transposed ones up, and skips
    that are added, not concatenated: half the work at full resolution.

    Parameters
    ----------
    in_channels : int
    classes : int
        Background included.
    channels : sequence of int
        Features at full, half, quarter ... resolution.
    """

    def __init__(self, in_channels: int = 1, classes: int = 2, channels: Sequence[int] = (8, 16, 32, 64)) -> None:
        super().__init__()
        self.multiple = 2 ** (len(channels) - 1)
        self.stem = ConvUnit(in_channels, channels[0])
        self.skip = ConvUnit(channels[0], channels[0])
        pairs = list(pairwise(channels))
        self.down = nn.ModuleList(nn.Sequential(ConvUnit(a, b, stride=2), ResidualUnit(b)) for a, b in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose3d(b, a, 2, stride=2) for a, b in reversed(pairs))
        self.join = nn.ModuleList(ConvUnit(a, a) for a, _ in reversed(pairs))
        self.head = nn.Conv3d(channels[0], classes, 1)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes, k, j, i) of a volume (N, in_channels, k, j, i) of any size."""
        k, j, i = volume.shape[2:]
        features = self.stem(padded(volume, self.multiple))
        skips = [self.skip(features)]
        for down in self.down:
            features = down(features)
            skips.append(features)
        skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            features = join(up(features) + skips.pop())
        logits: torch.Tensor = self.head(features)
        return logits[:, :, :k, :j, :i]


def unet3d(in_channels: int, classes: int, channels: Sequence[int]) -> UNet3D:
    """Return the network ``unet3d`` of a pack."""
    return UNet3D(in_channels, classes, channels)
