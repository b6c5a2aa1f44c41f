"""A classifier that looks everywhere and answers for the most suspicious place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from medview.ml.networks.blocks import ConvUnit, Trunk
from medview.ml.networks.units import conv, padded, stage, unit


class Classifier3D(nn.Module):
    """Say whether a volume of any size holds something small.

    A convolutional trunk scores every cell; the volume's score is the largest one, so a small finding counts as much in a
    large volume as in a patch, and training on patches serves whole volumes. ``gain`` and ``bias`` turn scores into
    calibrated log odds (Platt 1999); training leaves them at 1 and 0, calibration sets them.

    Parameters
    ----------
    in_channels, classes : int
    channels : sequence of four int
        Features at full, half, quarter and eighth resolution.
    """

    gain: torch.Tensor
    bias: torch.Tensor

    def __init__(self, in_channels: int = 1, classes: int = 1, channels: Sequence[int] = (8, 16, 32, 48)) -> None:
        super().__init__()
        self.trunk = Trunk(in_channels, channels)
        self.tower = ConvUnit(channels[2], channels[2])
        self.score = nn.Conv3d(channels[2], classes, 1)
        self.register_buffer("gain", torch.ones(classes))
        self.register_buffer("bias", torch.zeros(classes))

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) of a volume (N, in_channels, k, j, i)."""
        scores = self.score(self.tower(self.trunk(volume)))
        logits: torch.Tensor = scores.amax(dim=(2, 3, 4)) * self.gain + self.bias
        return logits


def classifier3d(in_channels: int, classes: int, channels: Sequence[int]) -> Classifier3D:
    """Return the network ``classifier3d`` of a pack."""
    return Classifier3D(in_channels, classes, channels)


class Classifier2D(nn.Module):
    """Say whether a slice of any size holds something: as ``Classifier3D``, the most suspicious place answers.

    Parameters
    ----------
    in_channels, classes : int
    channels : sequence of int
        Features at 1/2, 1/4, 1/8 ... of the resolution.
    """

    gain: torch.Tensor
    bias: torch.Tensor

    def __init__(self, in_channels: int = 1, classes: int = 1, channels: Sequence[int] = (16, 32, 64)) -> None:
        super().__init__()
        self.multiple = 2 ** len(channels)
        stages = [stage(2, before, after) for before, after in pairwise(channels)]
        self.trunk = nn.Sequential(unit(2, in_channels, channels[0], stride=2), *stages)
        self.score = conv(2, channels[-1], classes, 1)
        self.register_buffer("gain", torch.ones(classes))
        self.register_buffer("bias", torch.zeros(classes))

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) of slices (N, in_channels, j, i)."""
        scores = self.score(self.trunk(padded(slices, self.multiple)))
        logits: torch.Tensor = scores.amax(dim=(2, 3)) * self.gain + self.bias
        return logits


def classifier2d(in_channels: int, classes: int, channels: Sequence[int]) -> Classifier2D:
    """Return the network ``classifier2d`` of a pack."""
    return Classifier2D(in_channels, classes, channels)
