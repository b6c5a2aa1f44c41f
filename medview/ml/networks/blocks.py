"""The pieces the bundled networks are built from.

Batch normalisation is used throughout: at inference it is one fixed scale per channel, so a tile gives the same numbers as
the whole volume (instance or group statistics would depend on the tile).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from medview.ml.networks.units import padded


class ConvUnit(nn.Sequential):
    """3 x 3 x 3 convolution, batch normalisation, ReLU."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv3d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm3d(channels_out),
            nn.ReLU(inplace=True),
        )


class ResidualUnit(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvUnit(channels, channels)
        self.second = nn.Sequential(nn.Conv3d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm3d(channels))
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape (N, C, k, j, i)."""
        out: torch.Tensor = self.activation(features + self.second(self.first(features)))
        return out


class Trunk(nn.Module):
    """Features with wide context at a quarter of the resolution: down to an eighth and one step up again.

    Parameters
    ----------
    channels_in : int
    channels : sequence of four int
        At full, half, quarter and eighth resolution.
    """

    STRIDE = 4
    """Input voxels per output cell along each axis."""

    MULTIPLE = 8
    """Sides are padded to a multiple of this."""

    def __init__(self, channels_in: int, channels: Sequence[int]) -> None:
        super().__init__()
        full, half, quarter, eighth = channels
        self.at_full = ConvUnit(channels_in, full)
        self.at_half = nn.Sequential(ConvUnit(full, half, stride=2), ResidualUnit(half))
        self.at_quarter = nn.Sequential(ConvUnit(half, quarter, stride=2), ResidualUnit(quarter))
        self.at_eighth = nn.Sequential(ConvUnit(quarter, eighth, stride=2), ResidualUnit(eighth))
        self.up = nn.ConvTranspose3d(eighth, quarter, 2, stride=2)
        self.joined = ConvUnit(quarter, quarter)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return features (N, channels[2], k/4, j/4, i/4), rounded up, of a volume (N, C, k, j, i)."""
        cells = [-(-side // self.STRIDE) for side in volume.shape[2:]]
        quarter = self.at_quarter(self.at_half(self.at_full(padded(volume, self.MULTIPLE))))
        joined: torch.Tensor = self.joined(quarter + self.up(self.at_eighth(quarter)))
        return joined[:, :, : cells[0], : cells[1], : cells[2]]
