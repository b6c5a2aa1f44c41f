"""MONAI's ``SegResNet``: normalisation before each convolution, and skips that are added.

Myronenko 2018 (arXiv 1810.11654) without its autoencoder, with MONAI's parameter names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from medview.ml.networks.monai_layers import MOST_BLOCKS, MOST_LEVELS, Bare, Layers


class ResBlock(nn.Module):
    """Normalise, activate, convolve, twice; the input is added."""

    def __init__(self, layers: Layers, channels: int) -> None:
        super().__init__()
        self.norm1 = layers.normalisation(channels)
        self.norm2 = layers.normalisation(channels)
        self.act = layers.activation()
        self.conv1 = Bare(layers.plain(channels, channels, bias=False))
        self.conv2 = Bare(layers.plain(channels, channels, bias=False))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        first: torch.Tensor = self.conv1(self.act(self.norm1(features)))
        second: torch.Tensor = self.conv2(self.act(self.norm2(first)))
        return features + second


class SegResNet(nn.Module):
    """Encoder of residual blocks, decoder of fewer."""

    def __init__(
        self,
        layers: Layers,
        in_channels: int,
        classes: int,
        filters: int,
        down: Sequence[int],
        up: Sequence[int],
        *,
        deconv: bool,
    ) -> None:
        super().__init__()
        self.convInit = Bare(layers.plain(in_channels, filters, bias=False))
        self.down_layers = nn.ModuleList()
        for n, blocks in enumerate(down):
            wide = filters << n
            stride = Bare(layers.plain(wide // 2, wide, stride=2, bias=False)) if n else nn.Identity()
            self.down_layers.append(nn.Sequential(stride, *(ResBlock(layers, wide) for _ in range(blocks))))
        self.up_layers = nn.ModuleList()
        self.up_samples = nn.ModuleList()
        for n, blocks in enumerate(up):
            fine = filters << (len(up) - n - 1)
            self.up_layers.append(nn.Sequential(*(ResBlock(layers, fine) for _ in range(blocks))))
            enlarge = nn.Sequential()
            if deconv:
                enlarge.add_module("deconv", layers.transposed(fine, fine, 2, 2, padding=0, extra=0))
            else:
                enlarge.add_module("upsample_non_trainable", layers.upsampling(2, aligned=False))
            self.up_samples.append(nn.Sequential(Bare(layers.plain(2 * fine, fine, 1, bias=False)), enlarge))
        self.conv_final = nn.Sequential(
            layers.normalisation(filters), layers.activation(), Bare(layers.plain(filters, classes, 1))
        )

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes, ...) of a volume (N, C, ...) whose sides can be halved often enough."""
        features = self.convInit(volume)
        found = []
        for down in self.down_layers:
            features = down(features)
            found.append(features)
        found.pop()
        for enlarge, blocks in zip(self.up_samples, self.up_layers, strict=True):
            features = blocks(enlarge(features) + found.pop())
        logits: torch.Tensor = self.conv_final(features)
        return logits


def segresnet(
    in_channels: int,
    classes: int,
    filters: int = 8,
    blocks_down: Sequence[int] = (1, 2, 2, 4),
    blocks_up: Sequence[int] = (1, 1, 1),
    deconv: bool = False,
    dims: int = 3,
    norm: str = "group",
    affine: bool = True,
    groups: int = 8,
    act: str = "relu",
    slope: float = 0.01,
) -> SegResNet:
    """Return the network ``monai_segresnet`` of a pack.

    Parameters
    ----------
    filters : int
        Features at full resolution; twice as many at each level below.
    deconv : bool
        Whether transposed convolutions enlarge; otherwise linear interpolation does.

    Raises
    ------
    ValueError
        When blocks up and down do not fit each other, or for an activation with weights.
    """
    fitting = 0 < len(blocks_down) <= MOST_LEVELS and len(blocks_up) == len(blocks_down) - 1
    if not fitting or not all(0 <= blocks <= MOST_BLOCKS for blocks in (*blocks_down, *blocks_up)) or act == "prelu":
        raise ValueError(f"{len(blocks_up)} levels up, {len(blocks_down)} down, {act}")
    layers = Layers(dims, norm, affine, groups, act, slope)
    return SegResNet(layers, in_channels, classes, filters, blocks_down, blocks_up, deconv=deconv)
