"""MONAI's ``DynUNet``: kernels and strides by level, as nnU-Net chooses them.

Isensee 2021 (doi 10.1038/s41592-020-01008-z), with MONAI's parameter names, each weight once: the copies that its
state dicts hold under ``skip_layers`` are the same tensors again, and ``deep_supervision_heads`` are for training.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from medview.ml.networks.monai_layers import MOST_LEVELS, Bare, Layers, Sides


class DynBlock(nn.Module):
    """Two convolutions, each normalised and activated; led around them where residual."""

    def __init__(self, layers: Layers, before: int, after: int, kernel: Sides, stride: Sides, *, residual: bool) -> None:
        super().__init__()
        self.conv1 = convolution(layers, before, after, kernel, stride)
        self.conv2 = convolution(layers, after, after, kernel, 1)
        self.lrelu = layers.activation()
        self.norm1 = layers.normalisation(after)
        self.norm2 = layers.normalisation(after)
        self.residual = residual
        self.conv3: nn.Module | None = None
        self.norm3: nn.Module | None = None
        if residual and (before != after or any(step != 1 for step in layers.sides(stride))):
            self.conv3 = convolution(layers, before, after, 1, stride)
            self.norm3 = layers.normalisation(after)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, after, ...)."""
        found: torch.Tensor = self.norm2(self.conv2(self.lrelu(self.norm1(self.conv1(features)))))
        if self.residual:
            around = features if self.conv3 is None or self.norm3 is None else self.norm3(self.conv3(features))
            found = found + around
        activated: torch.Tensor = self.lrelu(found)
        return activated


class UpBlock(nn.Module):
    """Enlarge, put the encoder's features beside, convolve."""

    def __init__(
        self, layers: Layers, before: int, after: int, kernel: Sides, up_kernel: Sides, *, bias: bool, residual: bool
    ) -> None:
        super().__init__()
        self.transp_conv = Bare(layers.transposed(before, after, up_kernel, up_kernel, bias=bias, padding=0, extra=0))
        self.conv_block = DynBlock(layers, 2 * after, after, kernel, 1, residual=residual)

    def forward(self, features: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return features (N, after, ...) at the resolution of ``skip``."""
        found: torch.Tensor = self.conv_block(torch.cat((self.transp_conv(features), skip), dim=1))
        return found


class OutBlock(nn.Module):
    """One voxel's features to logits."""

    def __init__(self, layers: Layers, before: int, classes: int) -> None:
        super().__init__()
        self.conv = Bare(layers.plain(before, classes, 1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes, ...)."""
        logits: torch.Tensor = self.conv(features)
        return logits


class DynUNet(nn.Module):
    """Levels of different kernels and strides."""

    def __init__(
        self,
        layers: Layers,
        in_channels: int,
        classes: int,
        filters: Sequence[int],
        kernels: Sequence[Sides],
        strides: Sequence[Sides],
        up_kernels: Sequence[Sides],
        *,
        residual: bool,
        up_bias: bool,
    ) -> None:
        super().__init__()
        blocks = [
            DynBlock(layers, before, after, kernel, stride, residual=residual)
            for before, after, kernel, stride in zip([in_channels, *filters], filters, kernels, strides, strict=False)
        ]
        self.input_block = blocks[0]
        self.downsamples = nn.ModuleList(blocks[1:-1])
        self.bottleneck = blocks[-1]
        deepest_first = range(len(filters) - 1, 0, -1)
        self.upsamples = nn.ModuleList(
            UpBlock(layers, filters[n], filters[n - 1], kernels[n], up_kernels[n - 1], bias=up_bias, residual=False)
            for n in deepest_first
        )
        self.output_block = OutBlock(layers, filters[0], classes)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes, ...) of a volume (N, C, ...) whose sides are multiples of all strides together."""
        features = self.input_block(volume)
        found = [features]
        for down in self.downsamples:
            features = down(features)
            found.append(features)
        features = self.bottleneck(features)
        for up in self.upsamples:
            features = up(features, found.pop())
        logits: torch.Tensor = self.output_block(features)
        return logits


def convolution(layers: Layers, before: int, after: int, kernel: Sides, stride: Sides) -> Bare:
    """Return a convolution without bias whose size is divided by its stride, whatever its kernel.

    Raises
    ------
    ValueError
        When the kernel is smaller than the stride.
    """
    around = [(side - step + 1) // 2 for side, step in zip(layers.sides(kernel), layers.sides(stride), strict=True)]
    if min(around) < 0:
        raise ValueError(f"kernel {kernel} with stride {stride}")
    return Bare(layers.plain(before, after, kernel, stride, bias=False, padding=around))


def dynunet(
    in_channels: int,
    classes: int,
    kernels: Sequence[Sides],
    strides: Sequence[Sides],
    up_kernels: Sequence[Sides],
    filters: Sequence[int],
    residual: bool = False,
    up_bias: bool = False,
    dims: int = 3,
    norm: str = "instance",
    affine: bool = True,
    groups: int = 8,
    act: str = "leakyrelu",
    slope: float = 0.01,
) -> DynUNet:
    """Return the network ``monai_dynunet`` of a pack.

    Parameters
    ----------
    kernels, strides, filters : sequence, one per level, finest first
    up_kernels : sequence, one fewer
        Also the strides upwards.

    Raises
    ------
    ValueError
        When the sequences do not fit each other, or for an activation with weights.
    """
    levels = len(strides)
    if (
        not 3 <= levels <= MOST_LEVELS
        or [len(kernels), len(filters), len(up_kernels)] != [levels, levels, levels - 1]
        or act == "prelu"
    ):
        raise ValueError(f"{levels} strides, {len(kernels)} kernels, {len(filters)} filters, {act}")
    layers = Layers(dims, norm, affine, groups, act, slope)
    return DynUNet(layers, in_channels, classes, filters, kernels, strides, up_kernels, residual=residual, up_bias=up_bias)
