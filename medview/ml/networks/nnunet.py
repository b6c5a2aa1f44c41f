"""The two U-Nets that nnU-Net v2 trains, with its parameter names, so that its checkpoints fit as they are.

Isensee 2021 (doi 10.1038/s41592-020-01008-z) and 2024 (arXiv 2404.09556). Names as in nnU-Net's checkpoints, each weight
once: the copies that a checkpoint holds under ``all_modules`` and ``decoder.encoder`` are the same tensors again.

Kernels with two sides make a network for slices (N, C, j, i), kernels with three one for volumes (N, C, k, j, i).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import torch
from torch import nn

Sides = Sequence[int]
"""Two whole numbers along j, i, or three along k, j, i."""

CONVOLUTION: Mapping[int, Callable[..., nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
NORM: Mapping[int, Callable[..., nn.Module]] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
POOL: Mapping[int, Callable[..., nn.Module]] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}
TRANSPOSED: Mapping[int, Callable[..., nn.Module]] = {
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
"""Layers by how many sides their kernels have."""

MOST_STAGES = 12
MOST_UNITS = 64
"""What a foreign description asks for is built, so it may not ask for a million."""

SLOPE = 0.01
"""Of the leaky ReLU, nnU-Net's only non-linearity."""

EPSILON = 1e-5
"""Of the instance normalisation."""


class ConvUnit(nn.Module):
    """Convolution, instance normalisation and, unless it is left out, a leaky ReLU."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Sides,
        stride: Sides | None = None,
        *,
        bias: bool,
        active: bool = True,
    ) -> None:
        super().__init__()
        padding = tuple((side - 1) // 2 for side in kernel)
        steps = tuple(stride or [1] * len(kernel))
        self.conv = CONVOLUTION[len(kernel)](channels_in, channels_out, tuple(kernel), steps, padding, bias=bias)
        self.norm = NORM[len(kernel)](channels_out, eps=EPSILON, affine=True)
        self.nonlin = nn.LeakyReLU(SLOPE, inplace=True) if active else nn.Identity()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, channels_out, ...)."""
        found: torch.Tensor = self.nonlin(self.norm(self.conv(features)))
        return found


class ConvUnits(nn.Module):
    """Several units in a row; the first one strides."""

    def __init__(
        self, count: int, channels_in: int, channels_out: int, kernel: Sides, stride: Sides | None = None, *, bias: bool
    ) -> None:
        super().__init__()
        first = ConvUnit(channels_in, channels_out, kernel, stride, bias=bias)
        rest = (ConvUnit(channels_out, channels_out, kernel, bias=bias) for _ in range(count - 1))
        self.convs = nn.Sequential(first, *rest)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, channels_out, ...)."""
        found: torch.Tensor = self.convs(features)
        return found


class ResidualUnit(nn.Module):
    """Two convolutions around which the input is led, pooled and projected where shapes differ (He 2016, variant D)."""

    def __init__(self, channels_in: int, channels_out: int, kernel: Sides, stride: Sides, *, bias: bool) -> None:
        super().__init__()
        self.conv1 = ConvUnit(channels_in, channels_out, kernel, stride, bias=bias)
        self.conv2 = ConvUnit(channels_out, channels_out, kernel, bias=bias, active=False)
        self.nonlin2 = nn.LeakyReLU(SLOPE, inplace=True)
        way: list[nn.Module] = []
        if any(step != 1 for step in stride):
            way.append(POOL[len(stride)](tuple(stride), tuple(stride)))
        if channels_in != channels_out:
            way.append(ConvUnit(channels_in, channels_out, [1] * len(kernel), bias=False, active=False))
        self.skip = nn.Sequential(*way)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, channels_out, ...)."""
        found: torch.Tensor = self.nonlin2(self.conv2(self.conv1(features)).add_(self.skip(features)))
        return found


class ResidualUnits(nn.Module):
    """Several residual units in a row; the first one strides."""

    def __init__(
        self, count: int, channels_in: int, channels_out: int, kernel: Sides, stride: Sides, *, bias: bool
    ) -> None:
        super().__init__()
        first = ResidualUnit(channels_in, channels_out, kernel, stride, bias=bias)
        rest = (ResidualUnit(channels_out, channels_out, kernel, [1] * len(kernel), bias=bias) for _ in range(count - 1))
        self.blocks = nn.Sequential(first, *rest)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (N, channels_out, ...)."""
        found: torch.Tensor = self.blocks(features)
        return found


class Encoder(nn.Module):
    """Stages of falling resolution; all of their features go on."""

    def __init__(self, stages: Sequence[nn.Module], stem: nn.Module | None = None) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.Sequential(*stages)

    def forward(self, volume: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of each stage, finest first."""
        features = volume if self.stem is None else self.stem(volume)
        found = []
        for stage in self.stages:
            features = stage(features)
            found.append(features)
        return found


class Decoder(nn.Module):
    """Back up to full resolution; each stage sees the encoder's features of its own.

    ``seg_layers`` holds an answer per stage, as trained with deep supervision; the finest one counts.
    """

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
        super().__init__()
        ways = list(pairwise(reversed(channels)))
        ups = list(reversed(strides))[: len(ways)]
        self.transpconvs = nn.ModuleList(
            TRANSPOSED[len(up)](deep, fine, tuple(up), tuple(up), bias=bias)
            for (deep, fine), up in zip(ways, ups, strict=True)
        )
        self.stages = nn.ModuleList(
            ConvUnits(count, 2 * fine, fine, kernel, bias=bias)
            for (_, fine), kernel, count in zip(ways, list(reversed(kernels))[1:], counts, strict=True)
        )
        self.seg_layers = nn.ModuleList(CONVOLUTION[len(kernels[0])](fine, classes, 1) for _, fine in ways)

    def forward(self, found: list[torch.Tensor]) -> torch.Tensor:
        """Return logits (N, classes, ...) of the encoder's features."""
        *_, features = self._rising(found)
        logits: torch.Tensor = self.seg_layers[-1](features)
        return logits

    def answers(self, found: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return the logits of every stage, finest first."""
        return [layer(features) for layer, features in zip(self.seg_layers, self._rising(found), strict=True)][::-1]

    def joined(self, stage: int, risen: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return what a stage, counted from the deepest, sees of what came up and of the encoder's features."""
        return torch.cat((risen, skip), dim=1)

    def _rising(self, found: list[torch.Tensor]) -> Iterator[torch.Tensor]:
        features = found.pop()
        for n, (up, stage) in enumerate(zip(self.transpconvs, self.stages, strict=True)):
            features = stage(self.joined(n, up(features), found.pop()))
            yield features


class NnUNet(nn.Module):
    """Encoder and decoder; the sides of a tile have to be multiples of all strides together.

    Attributes
    ----------
    every_scale : bool
        Whether it answers at every stage of the decoder while it is trained (deep supervision); off at first.
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.every_scale = False

    def forward(self, volume: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Return logits (N, classes, [k,] j, i) of a volume or of slices (N, C, [k,] j, i).

        In training with ``every_scale``, a list: those, then those of coarser stages.
        """
        if self.training and self.every_scale:
            return self.decoder.answers(self.encoder(volume))
        logits: torch.Tensor = self.decoder(self.encoder(volume))
        return logits


def plain_unet(
    in_channels: int,
    classes: int,
    channels: Sequence[int],
    kernels: Sequence[Sides],
    strides: Sequence[Sides],
    encoder_units: Sequence[int],
    decoder_units: Sequence[int],
    bias: bool = True,
) -> NnUNet:
    """Return nnU-Net's ``PlainConvUNet``.

    Parameters
    ----------
    channels, kernels, strides, encoder_units : sequence, one per stage, finest first
        Kernels and strides along k, j, i; along j, i for slices.
    decoder_units : sequence of int, one per stage but the deepest, deepest first

    Raises
    ------
    ValueError
        When the sequences do not fit each other.
    """
    check_stages(channels, kernels, strides, encoder_units, decoder_units)
    stages = [
        nn.Sequential(ConvUnits(count, before, after, kernel, stride, bias=bias))
        for before, after, kernel, stride, count in zip(
            [in_channels, *channels], channels, kernels, strides, encoder_units, strict=False
        )
    ]
    return NnUNet(Encoder(stages), Decoder(channels, kernels, strides, decoder_units, classes, bias=bias))


def residual_unet(
    in_channels: int,
    classes: int,
    channels: Sequence[int],
    kernels: Sequence[Sides],
    strides: Sequence[Sides],
    encoder_units: Sequence[int],
    decoder_units: Sequence[int],
    bias: bool = True,
) -> NnUNet:
    """Return nnU-Net's ``ResidualEncoderUNet``; parameters as of ``plain_unet``."""
    check_stages(channels, kernels, strides, encoder_units, decoder_units)
    encoder = residual_encoder(in_channels, channels, kernels, strides, encoder_units, bias=bias)
    return NnUNet(encoder, Decoder(channels, kernels, strides, decoder_units, classes, bias=bias))


def residual_encoder(
    in_channels: int,
    channels: Sequence[int],
    kernels: Sequence[Sides],
    strides: Sequence[Sides],
    units: Sequence[int],
    *,
    bias: bool,
) -> Encoder:
    """Return the encoder of ``residual_unet``: a stem, then residual units."""
    stem = ConvUnits(1, in_channels, channels[0], kernels[0], bias=bias)
    stages = [
        ResidualUnits(count, before, after, kernel, stride, bias=bias)
        for before, after, kernel, stride, count in zip(
            [channels[0], *channels], channels, kernels, strides, units, strict=False
        )
    ]
    return Encoder(stages, stem)


def check_stages(
    channels: Sequence[int],
    kernels: Sequence[Sides],
    strides: Sequence[Sides],
    encoder_units: Sequence[int],
    decoder_units: Sequence[int],
) -> None:
    """Raise ValueError when the sequences do not fit each other; those of ``plain_unet``."""
    stages = len(channels)
    if stages < 2 or [len(kernels), len(strides), len(encoder_units), len(decoder_units)] != [stages] * 3 + [stages - 1]:
        raise ValueError(f"{stages} stages with {len(kernels)} kernels and {len(strides)} strides")
    sides = {len(numbers) for numbers in (*kernels, *strides)}
    if len(sides) != 1 or not sides <= set(CONVOLUTION):
        raise ValueError(f"kernels {kernels}, strides {strides}")
    if stages > MOST_STAGES or not all(1 <= units <= MOST_UNITS for units in (*encoder_units, *decoder_units)):
        raise ValueError(f"{stages} stages of {max(encoder_units)} units")
    if any(side % 2 == 0 for kernel in kernels for side in kernel) or any(step < 1 for way in strides for step in way):
        raise ValueError(f"kernels {kernels}, strides {strides}")
