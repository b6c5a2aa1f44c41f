"""The same tiles looked at in several ways, all answers kept: how far they differ tells how sure a network is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from medview.ml.networks.averaged import leaf_calls

MOST_LOOKS = 4
"""More say little that is new, and each takes as long as a run of the model."""

CONTRAST = (0.95, 1.05)
"""Of the looks at tiles that are not mirrored. With 15 % a model of CT contradicts itself about bone and muscle."""


@dataclass(frozen=True, slots=True)
class Look:
    """One way of looking at a tile.

    Attributes
    ----------
    flipped : int or None
        The axis (0 k, 1 j, 2 i) along which it is mirrored.
    contrast : float
        Factor of all differences from its mean value.
    """

    flipped: int | None = None
    contrast: float = 1.0


PLAIN = Look()


def looks_for(mirror_axes: Sequence[int]) -> tuple[Look, ...]:
    """Return how to look at the tiles of a model: plainly, and mirrored along the axes it was trained to be mirrored along.

    A model that was not would differ for another reason: it tells left from right. Its tiles are looked at with a little
    less and a little more contrast instead.
    """
    if mirror_axes:
        return (PLAIN, *(Look(axis) for axis in mirror_axes))[:MOST_LOOKS]
    return (PLAIN, *(Look(contrast=factor) for factor in CONTRAST))


class Looks(nn.Module):
    """A network that answers with the logits of all looks, one after the other along the channels; for logits only.

    Parameters
    ----------
    network : torch.nn.Module
        Takes tiles (N, C, k, j, i) and answers with logits (N, classes, k, j, i).
    """

    def __init__(self, network: nn.Module, looks: Sequence[Look]) -> None:
        super().__init__()
        self.network = network
        self.looks = tuple(looks)

    def leaf_calls(self, shape_kji: tuple[int, ...]) -> int:
        """Return the layers of all looks together."""
        return len(self.looks) * leaf_calls(self.network, shape_kji)

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        """Return logits (N, looks * classes, k, j, i)."""
        return torch.cat([self._answer(tiles, look) for look in self.looks], dim=1)

    def _answer(self, tiles: torch.Tensor, look: Look) -> torch.Tensor:
        if look.contrast != 1.0:
            mean = tiles.mean(dim=(2, 3, 4), keepdim=True)
            tiles = mean + (tiles - mean) * look.contrast
        if look.flipped is None:
            plain: torch.Tensor = self.network(tiles)
            return plain.float()
        # The two outermost axes of tiles are their number and their channels.
        mirrored: torch.Tensor = self.network(tiles.flip(look.flipped + 2))
        return mirrored.flip(look.flipped + 2).float()
