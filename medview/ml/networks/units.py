"""The pieces of networks that come in two dimensions and in three."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


def conv(dimensions: int, channels_in: int, channels_out: int, kernel: int) -> nn.Conv2d | nn.Conv3d:
    """Return a convolution that keeps the size."""
    made = nn.Conv3d if dimensions == 3 else nn.Conv2d
    return made(channels_in, channels_out, kernel, padding=kernel // 2)


def unit(dimensions: int, channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    """Return a 3 x 3 (x 3) convolution, batch normalisation and ReLU."""
    made, norm = (nn.Conv3d, nn.BatchNorm3d) if dimensions == 3 else (nn.Conv2d, nn.BatchNorm2d)
    convolution = made(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
    # At inference one fixed scale: a tile gives the same numbers as the whole volume.
    return nn.Sequential(convolution, norm(channels_out), nn.ReLU(inplace=True))


def stage(dimensions: int, channels_in: int, channels_out: int) -> nn.Sequential:
    """Return a step to half the resolution and a residual unit."""
    return nn.Sequential(unit(dimensions, channels_in, channels_out, stride=2), Residual(dimensions, channels_out))


class Residual(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, dimensions: int, channels: int) -> None:
        super().__init__()
        self.first, second = unit(dimensions, channels, channels), unit(dimensions, channels, channels)
        self.second = nn.Sequential(second[0], second[1])

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        out: torch.Tensor = functional.relu(features + self.second(self.first(features)))
        return out


def padded(volume: torch.Tensor, multiple: int) -> torch.Tensor:
    """Repeat the last voxels of (N, C, j, i) or (N, C, k, j, i) until every side is a multiple."""
    missing = [-side % multiple for side in volume.shape[2:]]
    if not any(missing):
        return volume
    return functional.pad(volume, [n for side in reversed(missing) for n in (0, side)], mode="replicate")
