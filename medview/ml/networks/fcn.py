"""A fully convolutional network: scores of each scale of a residual encoder, brought up and added.

Long 2015 (doi 10.1109/CVPR.2015.7298965), with the encoder of ``nnunet_residual``. It has no decoder, and never sees finer
than its finest scored stage: a baseline.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from medview.ml.networks.nnunet import CONVOLUTION, Encoder, Sides, check_stages, residual_encoder

LINEAR = {2: "bilinear", 3: "trilinear"}


class Fcn(nn.Module):
    """Score maps of the stages from ``finest`` down, added from the deepest up.

    Attributes
    ----------
    every_scale : bool
        Whether it answers at every scored stage while it is trained; off at first.
    """

    def __init__(self, encoder: Encoder, channels: Sequence[int], classes: int, dimensions: int, finest: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.finest = finest
        self.scores = nn.ModuleList(CONVOLUTION[dimensions](count, classes, 1) for count in channels[finest:])
        self.every_scale = False
        self._linear = LINEAR[dimensions]

    def forward(self, volume: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Return logits (N, classes, [k,] j, i) of a volume or of slices (N, C, [k,] j, i).

        In training with ``every_scale``, a list: those, then those of the stages, finest first.
        """
        found = self.encoder(volume)[self.finest :]
        sums: list[torch.Tensor] = []
        for score, features in zip(reversed(self.scores), reversed(found), strict=True):
            own = score(features)
            sums.append(own + self._like(sums[-1], own) if sums else own)
        logits = self._like(sums[-1], volume)
        return [logits, *reversed(sums)] if self.training and self.every_scale else logits

    def _like(self, maps: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(maps, other.shape[2:], mode=self._linear, align_corners=False)


def fcn(
    in_channels: int,
    classes: int,
    channels: Sequence[int],
    kernels: Sequence[Sides],
    strides: Sequence[Sides],
    encoder_units: Sequence[int],
    finest: int = 1,
    bias: bool = True,
) -> Fcn:
    """Return the network ``fcn`` of a pack.

    Parameters
    ----------
    channels, kernels, strides, encoder_units : sequence, one per stage, finest first
    finest : int
        The finest stage that is scored.

    Raises
    ------
    ValueError
        When the sequences do not fit each other.
    """
    check_stages(channels, kernels, strides, encoder_units, [1] * (len(channels) - 1))
    if not 0 <= finest < len(channels):
        raise ValueError(f"stage {finest} of {len(channels)}")
    encoder = residual_encoder(in_channels, channels, kernels, strides, encoder_units, bias=bias)
    return Fcn(encoder, channels, classes, len(kernels[0]), finest)
