"""Networks of two dimensions among those of three."""

from __future__ import annotations

import torch
from torch import nn

from medview.ml.networks.averaged import say_cells


class SliceBySlice(nn.Module):
    """Gives a two-dimensional network slices, shape (N, channels, 1, j, i), and its maps the axis k back.

    Parameters
    ----------
    network : torch.nn.Module
        Takes (N, channels, j, i); answers with maps (N, ..., j, i), a dict of maps, or scores (N, classes).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        say_cells(self, network)

    def forward(self, tiles: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        """Return what the network makes of each slice."""
        found = self.network(tiles.squeeze(2).contiguous(memory_format=torch.channels_last))
        if isinstance(found, dict):
            return {name: maps.unsqueeze(2) for name, maps in found.items()}
        maps: torch.Tensor = found.unsqueeze(2) if found.ndim == 4 else found
        return maps
