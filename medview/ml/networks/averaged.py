"""Several looks at the same tiles, averaged: by an ensemble of weights, and by mirroring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations

import torch
from torch import nn

Maps = torch.Tensor | dict[str, torch.Tensor]
"""What networks answer with: logits, or maps by name."""

Shape = tuple[int, ...]


class Averaged(nn.Module):
    """A network that answers with the mean of several answers of the same shape.

    What it says of itself (cells, memory) is what the network inside says.
    """

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        say_cells(self, inside)
        own = getattr(inside, "working_bytes", None)
        if own is not None:
            self.working_bytes: Callable[[Shape], int] = own

    def answers(self, tiles: torch.Tensor) -> Sequence[Callable[[], Maps]]:
        """Return what gives the answers, one after the other, so that only two are ever held."""
        raise NotImplementedError

    def leaf_calls(self, shape_kji: Shape) -> int:
        """Return how many layers are gone through for tiles of this shape, for progress."""
        raise NotImplementedError

    def forward(self, tiles: torch.Tensor) -> Maps:
        """Return the mean answer to tiles (N, C, ...)."""
        first, *others = self.answers(tiles)
        if not others:
            return first()
        # Summed as float32, whatever they were calculated in.
        total = in_full(first())
        for answer in others:
            _add(total, answer())
        for maps in total.values() if isinstance(total, dict) else (total,):
            maps.div_(1 + len(others))
        return total


class Ensemble(Averaged):
    """Networks of one shape with different weights.

    Parameters
    ----------
    members : sequence of torch.nn.Module
        All see the same tiles. Their weights may lie in memory maps of files, which the system then reads as they are
        used and lets go of when memory is short.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__(members[0])
        self.members = nn.ModuleList(members)

    def answers(self, tiles: torch.Tensor) -> Sequence[Callable[[], Maps]]:
        """Return one answer per member."""
        return [partial(member, tiles) for member in self.members]

    def leaf_calls(self, shape_kji: Shape) -> int:
        """Return the layers of all members together."""
        return sum(leaf_calls(member, shape_kji) for member in self.members)


class Mirrored(Averaged):
    """A network that also looks at its tiles mirrored along some axes, in all combinations; for logits only.

    Parameters
    ----------
    axes : sequence of int
        Of the tile: 0 k, 1 j, 2 i.
    """

    def __init__(self, network: nn.Module, axes: Sequence[int]) -> None:
        super().__init__(network)
        self.network = network
        # The two outermost axes of tiles are their number and their channels.
        self.turns = [[axis + 2 for axis in some] for n in range(len(axes) + 1) for some in combinations(axes, n)]

    def answers(self, tiles: torch.Tensor) -> Sequence[Callable[[], Maps]]:
        """Return one answer per combination of axes, turned back."""
        return [partial(self._answer, tiles, turn) for turn in self.turns]

    def leaf_calls(self, shape_kji: Shape) -> int:
        """Return the layers of all looks together."""
        return len(self.turns) * leaf_calls(self.network, shape_kji)

    def _answer(self, tiles: torch.Tensor, turn: list[int]) -> Maps:
        if not turn:
            found: Maps = self.network(tiles)
            return found
        logits: torch.Tensor = self.network(tiles.flip(turn))
        return logits.flip(turn)


def leaf_calls(network: nn.Module, shape_kji: Shape) -> int:
    """Return how many layers a network goes through for tiles of this shape: what it says itself, or else each once."""
    own = getattr(network, "leaf_calls", None)
    if own is not None:
        return int(own(shape_kji))
    return sum(next(module.children(), None) is None for module in network.modules())


def say_cells(network: nn.Module, inside: nn.Module) -> None:
    """Let a network that answers for another say as much of its cells, by their ``stride`` or their ``levels``."""
    for name in ("stride", "levels"):
        if hasattr(inside, name):
            setattr(network, name, getattr(inside, name))


def mirrored(network: nn.Module, axes: Sequence[int]) -> nn.Module:
    """Return the network that looks along ``axes`` too; the network itself where there are none."""
    return Mirrored(network, axes) if axes else network


def in_full(maps: Maps) -> Maps:
    """Return an answer as float32."""
    return {name: map_.float() for name, map_ in maps.items()} if isinstance(maps, dict) else maps.float()


def _add(total: Maps, more: Maps) -> None:
    if isinstance(total, dict):
        assert isinstance(more, dict)
        for name, maps in total.items():
            maps.add_(more[name])
    else:
        assert isinstance(more, torch.Tensor)
        total.add_(more)
