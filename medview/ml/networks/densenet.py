"""Densely connected networks that score a picture or volume (Huang 2017), with torchvision's parameter names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from medview.ml.networks.resnet import STEMS, norm, plain_conv

BOTTLENECK = 4
"""Layers first bring their features down to so many times what they add."""


class DenseLayer(nn.Module):
    """Adds ``growth`` features to those it is given."""

    def __init__(self, dimensions: int, channels: int, growth: int) -> None:
        super().__init__()
        between = BOTTLENECK * growth
        self.norm1, self.conv1 = norm(dimensions, channels), plain_conv(dimensions, channels, between, 1)
        self.norm2, self.conv2 = norm(dimensions, between), plain_conv(dimensions, between, growth, 3)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return what was given, and the new features behind it."""
        found = self.conv1(functional.relu(self.norm1(features)))
        return torch.cat([features, self.conv2(functional.relu(self.norm2(found)))], dim=1)


class Transition(nn.Module):
    """Half the features at half the resolution."""

    def __init__(self, dimensions: int, channels: int) -> None:
        super().__init__()
        self.dimensions = dimensions
        self.norm, self.conv = norm(dimensions, channels), plain_conv(dimensions, channels, channels // 2, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the smaller features; an axis of one voxel stays one."""
        found = self.conv(functional.relu(self.norm(features)))
        kernel = [min(2, side) for side in found.shape[2:]]
        pooled: torch.Tensor = (functional.avg_pool3d if self.dimensions == 3 else functional.avg_pool2d)(found, kernel)
        return pooled


class DenseNet(nn.Module):
    """Blocks in which every layer sees what all before it found, averaged over all places and scored.

    Parameters
    ----------
    in_channels, classes : int
    dimensions : int
        3, or 2 for slices (N, channels, j, i).
    blocks : sequence of int
        Layers of each block.
    growth : int
        Features a layer adds; the stem has twice as many.
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
        growth: int = 32,
        stem: str = "usual",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if dimensions not in (2, 3) or stem not in STEMS:
            raise ValueError(f"{dimensions} dimensions, a {stem} stem")
        self.dimensions, self.small = dimensions, stem == "small"
        channels = 2 * growth
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        parts["conv0"] = plain_conv(dimensions, in_channels, channels, *((3, 1) if self.small else (7, 2)))
        parts["norm0"], parts["relu0"] = norm(dimensions, channels), nn.ReLU(inplace=True)
        if not self.small:
            parts["pool0"] = (nn.MaxPool3d if dimensions == 3 else nn.MaxPool2d)(3, stride=2, padding=1)
        for number, count in enumerate(blocks, start=1):
            block = nn.Sequential()
            for n in range(count):
                block.add_module(f"denselayer{n + 1}", DenseLayer(dimensions, channels, growth))
                channels += growth
            parts[f"denseblock{number}"] = block
            if number < len(blocks):
                parts[f"transition{number}"] = Transition(dimensions, channels)
                channels //= 2
        parts["norm5"] = norm(dimensions, channels)
        self.features = nn.Sequential(parts)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d):
                nn.init.kaiming_normal_(module.weight)

    @property
    def head(self) -> nn.Module:
        """What is trained alone while the rest is frozen."""
        return self.classifier

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) of pictures (N, in_channels, j, i) or volumes (N, in_channels, k, j, i)."""
        found = functional.relu(self.features(pictures))
        scores: torch.Tensor = self.classifier(self.dropout(found.flatten(2).mean(dim=2)))
        return scores


def densenet121(
    in_channels: int, classes: int, dimensions: int, growth: int = 32, stem: str = "usual", dropout: float = 0.0
) -> DenseNet:
    """Return the network ``densenet121`` of a pack."""
    return DenseNet(in_channels, classes, dimensions, (6, 12, 24, 16), growth=growth, stem=stem, dropout=dropout)
