"""Residual networks that score a picture or volume (He 2016), with torchvision's parameter names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

EXPANSION = 4
"""A bottleneck answers with so many times the features it works on."""

STEMS = ("usual", "small")
"""Seven wide, to a quarter of the resolution; or three wide at full resolution, for small pictures."""


def plain_conv(dimensions: int, channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> nn.Conv2d | nn.Conv3d:
    """Return a convolution without bias that keeps the size but for its stride."""
    made = nn.Conv3d if dimensions == 3 else nn.Conv2d
    return made(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False)


def norm(dimensions: int, channels: int) -> nn.BatchNorm2d | nn.BatchNorm3d:
    """Return a batch normalisation."""
    return nn.BatchNorm3d(channels) if dimensions == 3 else nn.BatchNorm2d(channels)


class BasicBlock(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, dimensions: int, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = plain_conv(dimensions, channels_in, width, 3, stride), norm(dimensions, width)
        self.conv2, self.bn2 = plain_conv(dimensions, width, width, 3), norm(dimensions, width)
        self.downsample = _shortcut(dimensions, channels_in, width, stride)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features at the block's resolution."""
        found = functional.relu(self.bn1(self.conv1(features)))
        found = self.bn2(self.conv2(found))
        return functional.relu(found + (features if self.downsample is None else self.downsample(features)))


class Bottleneck(nn.Module):
    """A convolution between two that change the number of features, around which the input is added."""

    def __init__(self, dimensions: int, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = plain_conv(dimensions, channels_in, width, 1), norm(dimensions, width)
        self.conv2, self.bn2 = plain_conv(dimensions, width, width, 3, stride), norm(dimensions, width)
        self.conv3, self.bn3 = plain_conv(dimensions, width, width * EXPANSION, 1), norm(dimensions, width * EXPANSION)
        self.downsample = _shortcut(dimensions, channels_in, width * EXPANSION, stride)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features at the block's resolution."""
        found = functional.relu(self.bn1(self.conv1(features)))
        found = functional.relu(self.bn2(self.conv2(found)))
        found = self.bn3(self.conv3(found))
        return functional.relu(found + (features if self.downsample is None else self.downsample(features)))


def _shortcut(dimensions: int, channels_in: int, channels_out: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and channels_in == channels_out:
        return None
    return nn.Sequential(plain_conv(dimensions, channels_in, channels_out, 1, stride), norm(dimensions, channels_out))


class ResNet(nn.Module):
    """Four stages of residual blocks, averaged over all places and scored.

    Parameters
    ----------
    in_channels, classes : int
    dimensions : int
        3, or 2 for slices (N, channels, j, i).
    blocks : sequence of four int
        Blocks of each stage.
    bottleneck : bool
        Blocks of three convolutions (ResNet-50) instead of two.
    width : int
        Features of the first stage's convolutions; each later stage has twice as many.
    stem : str
        One of ``STEMS``.
    dropout : float
        Share of the averaged features that is left out by chance, in training.
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        dimensions: int,
        blocks: Sequence[int],
        *,
        bottleneck: bool,
        width: int = 64,
        stem: str = "usual",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if dimensions not in (2, 3) or len(blocks) != 4 or stem not in STEMS:
            raise ValueError(f"{dimensions} dimensions, {len(blocks)} stages, a {stem} stem")
        self.dimensions, self.small = dimensions, stem == "small"
        self.conv1 = plain_conv(dimensions, in_channels, width, *((3, 1) if self.small else (7, 2)))
        self.bn1 = norm(dimensions, width)
        made = Bottleneck if bottleneck else BasicBlock
        grown = EXPANSION if bottleneck else 1
        channels = width
        for number, count in enumerate(blocks):
            features = width * 2**number
            stage = nn.Sequential()
            for n in range(count):
                stride = 2 if n == 0 and number > 0 else 1
                stage.append(made(dimensions, channels, features, stride))
                channels = features * grown
            self.add_module(f"layer{number + 1}", stage)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @property
    def head(self) -> nn.Module:
        """What is trained alone while the rest is frozen."""
        return self.fc

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) of pictures (N, in_channels, j, i) or volumes (N, in_channels, k, j, i)."""
        found = functional.relu(self.bn1(self.conv1(pictures)))
        if not self.small:
            pool = functional.max_pool3d if self.dimensions == 3 else functional.max_pool2d
            found = pool(found, 3, stride=2, padding=1)
        for number in range(1, 5):
            found = self.get_submodule(f"layer{number}")(found)
        scores: torch.Tensor = self.fc(self.dropout(found.flatten(2).mean(dim=2)))
        return scores


def resnet18(
    in_channels: int, classes: int, dimensions: int, width: int = 64, stem: str = "usual", dropout: float = 0.0
) -> ResNet:
    """Return the network ``resnet18`` of a pack."""
    return ResNet(in_channels, classes, dimensions, (2, 2, 2, 2), bottleneck=False, width=width, stem=stem, dropout=dropout)


def resnet50(
    in_channels: int, classes: int, dimensions: int, width: int = 64, stem: str = "usual", dropout: float = 0.0
) -> ResNet:
    """Return the network ``resnet50`` of a pack."""
    return ResNet(in_channels, classes, dimensions, (3, 4, 6, 3), bottleneck=True, width=width, stem=stem, dropout=dropout)
