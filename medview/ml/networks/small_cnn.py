"""A small convolutional network that scores a whole picture or volume."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from medview.ml.networks.units import stage, unit


class SmallCnn(nn.Module):
    """Halve the resolution from stage to stage, average what is left over all places, and score that.

    Parameters
    ----------
    in_channels, classes : int
    dimensions : int
        3, or 2 for slices (N, channels, j, i).
    channels : sequence of int
        Features of the stages; the first works at full resolution, each later one at half of that before.
    dropout : float
        Share of the averaged features that is left out by chance, in training.
    """

    def __init__(
        self,
        in_channels: int = 1,
        classes: int = 2,
        dimensions: int = 2,
        channels: Sequence[int] = (16, 32, 64, 128),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if dimensions not in (2, 3):
            raise ValueError(f"{dimensions} dimensions")
        self.features = nn.Sequential(
            unit(dimensions, in_channels, channels[0]), *(stage(dimensions, a, b) for a, b in pairwise(channels))
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels[-1], classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) of pictures (N, in_channels, j, i) or volumes (N, in_channels, k, j, i)."""
        found: torch.Tensor = self.head(self.dropout(self.features(pictures).flatten(2).mean(dim=2)))
        return found


def small_cnn(in_channels: int, classes: int, dimensions: int, channels: Sequence[int], dropout: float) -> SmallCnn:
    """Return the network ``small_cnn`` of a pack."""
    return SmallCnn(in_channels, classes, dimensions, channels, dropout)
