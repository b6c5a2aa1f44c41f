"""A one-stage detector without anchors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from medview.ml.networks.blocks import ConvUnit, Trunk

RARE = -4.6
"""First bias of the heatmap: one cell in a hundred (Lin 2017), so that training does not start by unlearning everything."""

SOFTPLUS_ONE = 0.5413
"""softplus of this is 1."""


class CenterNet3D(nn.Module):
    """Find objects as peaks of a heatmap, each with its size and its place inside the cell (after Zhou 2019).

    Parameters
    ----------
    in_channels : int
    classes : int
        Kinds of object.
    channels : sequence of four int
        Features at full, half, quarter and eighth resolution.
    typical_mm : int
        Size that the untrained network answers.

    Attributes
    ----------
    stride : int
        Input voxels per heatmap cell.
    """

    stride = Trunk.STRIDE

    def __init__(
        self,
        in_channels: int = 1,
        classes: int = 1,
        channels: Sequence[int] = (8, 16, 32, 48),
        typical_mm: int = 12,
    ) -> None:
        super().__init__()
        self.typical_mm = typical_mm
        self.trunk = Trunk(in_channels, channels)
        self.tower = ConvUnit(channels[2], channels[2])
        self.heatmap = nn.Conv3d(channels[2], classes, 1)
        self.size = nn.Conv3d(channels[2], 3, 1)
        self.offset = nn.Conv3d(channels[2], 3, 1)
        nn.init.constant_(self._bias(self.heatmap), RARE)
        nn.init.zeros_(self._bias(self.size))
        nn.init.zeros_(self._bias(self.offset))

    @staticmethod
    def _bias(layer: nn.Conv3d) -> torch.Tensor:
        assert layer.bias is not None
        return layer.bias

    def forward(self, volume: torch.Tensor) -> dict[str, torch.Tensor]:
        """Look for objects in a volume (N, in_channels, k, j, i).

        Returns
        -------
        dict of Tensor
            ``heatmap`` (N, classes, k/s, j/s, i/s): logits. ``size_mm`` (N, 3, ...): extent along k, j, i, positive.
            ``offset`` (N, 3, ...): centre of the object from the centre of the cell, in cells.
        """
        features = self.tower(self.trunk(volume))
        size = functional.softplus(self.size(features) + SOFTPLUS_ONE) * self.typical_mm
        return {"heatmap": self.heatmap(features), "size_mm": size, "offset": self.offset(features)}


def centernet3d(in_channels: int, classes: int, channels: Sequence[int], typical_mm: int) -> CenterNet3D:
    """Return the network ``centernet3d`` of a pack."""
    return CenterNet3D(in_channels, classes, channels, typical_mm)
