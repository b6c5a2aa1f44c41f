"""MONAI's ``BasicUNet``: five levels with pooling between them.

Falk 2019 (doi 10.1038/s41592-018-0261-2), with MONAI's parameter names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from medview.ml.networks.monai_layers import Layers, Unit

LEVELS = 5


class TwoUnits(nn.Sequential):
    """Two convolutions."""

    def __init__(self, layers: Layers, before: int, after: int, *, bias: bool) -> None:
        super().__init__()
        self.add_module("conv_0", Unit(layers, before, after, bias=bias))
        self.add_module("conv_1", Unit(layers, after, after, bias=bias))


class Down(nn.Sequential):
    """Half the size, then two convolutions."""

    def __init__(self, layers: Layers, before: int, after: int, *, bias: bool) -> None:
        super().__init__()
        self.add_module("max_pooling", layers.pooling())
        self.add_module("convs", TwoUnits(layers, before, after, bias=bias))


class UpCat(nn.Module):
    """Twice the size, the encoder's features before it, two convolutions."""

    def __init__(
        self, layers: Layers, before: int, beside: int, after: int, *, halves: bool, deconv: bool, bias: bool
    ) -> None:
        super().__init__()
        up = before // 2 if halves else before
        self.upsample = nn.Sequential()
        if deconv:
            self.upsample.add_module("deconv", layers.transposed(before, up, 2, 2, padding=0, extra=0))
        else:
            if up != before:
                self.upsample.add_module("preconv", layers.plain(before, up, 1))
            self.upsample.add_module("upsample_non_trainable", layers.upsampling(2, aligned=True))
        self.convs = TwoUnits(layers, beside + up, after, bias=bias)

    def forward(self, features: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return features at the resolution of ``skip``; where pooling dropped an odd voxel, the last is repeated."""
        larger: torch.Tensor = self.upsample(features)
        missing = [b - a for a, b in zip(larger.shape[2:], skip.shape[2:], strict=True)]
        if any(missing):
            sides = [side for n in reversed(missing) for side in (0, n)]
            larger = functional.pad(larger, sides, mode="replicate")
        found: torch.Tensor = self.convs(torch.cat((skip, larger), dim=1))
        return found


class BasicUNet(nn.Module):
    """Five levels down, four up; any size of at least 16."""

    def __init__(
        self, layers: Layers, in_channels: int, classes: int, features: Sequence[int], *, deconv: bool, bias: bool
    ) -> None:
        super().__init__()
        last = features[LEVELS]
        self.conv_0 = TwoUnits(layers, in_channels, features[0], bias=bias)
        for n in range(1, LEVELS):
            self.add_module(f"down_{n}", Down(layers, features[n - 1], features[n], bias=bias))
        for n in range(LEVELS - 1, 0, -1):
            after, halves = (features[n - 1], True) if n > 1 else (last, False)
            up = UpCat(layers, features[n], features[n - 1], after, halves=halves, deconv=deconv, bias=bias)
            self.add_module(f"upcat_{n}", up)
        self.final_conv = layers.plain(last, classes, 1)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes, ...) of a volume (N, C, ...)."""
        features = self.conv_0(volume)
        found = [features]
        for n in range(1, LEVELS):
            features = self.get_submodule(f"down_{n}")(features)
            found.append(features)
        found.pop()
        for n in range(LEVELS - 1, 0, -1):
            features = self.get_submodule(f"upcat_{n}")(features, found.pop())
        logits: torch.Tensor = self.final_conv(features)
        return logits


def basic_unet(
    in_channels: int,
    classes: int,
    features: Sequence[int] = (32, 32, 64, 128, 256, 32),
    deconv: bool = True,
    bias: bool = True,
    dims: int = 3,
    norm: str = "instance",
    affine: bool = True,
    groups: int = 8,
    act: str = "leakyrelu",
    slope: float = 0.1,
) -> BasicUNet:
    """Return the network ``monai_basicunet`` of a pack.

    Parameters
    ----------
    features : sequence of six int
        Of the five levels, finest first, and before the answer.
    deconv : bool
        Whether transposed convolutions enlarge; otherwise linear interpolation does.

    Raises
    ------
    ValueError
        When there are not six features.
    """
    if len(features) != LEVELS + 1:
        raise ValueError(f"{len(features)} features")
    layers = Layers(dims, norm, affine, groups, act, slope)
    return BasicUNet(layers, in_channels, classes, features, deconv=deconv, bias=bias)
