"""A residual-encoder U-Net whose skips pass gates: what comes up from below decides where they count.

Additive attention, Oktay 2018 (arXiv 1804.03999); everything else is that of ``nnunet_residual``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from medview.ml.networks.nnunet import CONVOLUTION, Decoder, NnUNet, Sides, check_stages, residual_encoder


class Gate(nn.Module):
    """A weight from 0 to 1 for every voxel of a skip."""

    def __init__(self, channels: int, dimensions: int) -> None:
        super().__init__()
        within = max(1, channels // 2)
        self.of_risen = CONVOLUTION[dimensions](channels, within, 1)
        self.of_skip = CONVOLUTION[dimensions](channels, within, 1, bias=False)
        self.weight = CONVOLUTION[dimensions](within, 1, 1)

    def forward(self, risen: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return the weighed skip (N, channels, ...)."""
        share: torch.Tensor = self.weight(functional.relu(self.of_risen(risen) + self.of_skip(skip))).sigmoid()
        return skip * share


class GatedDecoder(Decoder):
    """A decoder that sees the encoder's features through gates."""

    def __init__(
        self,
        channels: Sequence[int],
        kernels: Sequence[Sides],
        strides: Sequence[Sides],
        counts: Sequence[int],
        classes: int,
        *,
        bias: bool,
    ) -> None:
        super().__init__(channels, kernels, strides, counts, classes, bias=bias)
        self.gates = nn.ModuleList(Gate(fine, len(kernels[0])) for _, fine in pairwise(reversed(channels)))

    def joined(self, stage: int, risen: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return what came up beside the gated features of the encoder."""
        return torch.cat((risen, self.gates[stage](risen, skip)), dim=1)


def attention_unet(
    in_channels: int,
    classes: int,
    channels: Sequence[int],
    kernels: Sequence[Sides],
    strides: Sequence[Sides],
    encoder_units: Sequence[int],
    decoder_units: Sequence[int],
    bias: bool = True,
) -> NnUNet:
    """Return the network ``attention_unet`` of a pack; parameters as of ``nnunet.plain_unet``."""
    check_stages(channels, kernels, strides, encoder_units, decoder_units)
    encoder = residual_encoder(in_channels, channels, kernels, strides, encoder_units, bias=bias)
    return NnUNet(encoder, GatedDecoder(channels, kernels, strides, decoder_units, classes, bias=bias))
