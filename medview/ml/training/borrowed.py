"""Weights of another training as the first weights of this one: of a model pack, or of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from medview.core.errors import ModelError
from medview.ml.convert.foreign_weights import read_tensors

LEAST_TAKEN = 0.5
"""Share of the weights that has to be there, so that a training really begins where another ended."""

PREFIXES = ("module.", "network.", "model.", "backbone.", "encoder.", "net.")
"""What other programs put before the names of a network's parts."""


@dataclass(frozen=True, slots=True)
class Borrowed:
    """What became of weights that were borrowed, by name.

    Attributes
    ----------
    taken : tuple of str
        As they were.
    adapted : tuple of str
        First layers for another number of channels.
    fresh : tuple of str
        Of the network, those for which there was nothing: they begin by chance.
    unused : tuple of str
        Of the file, those that the network has no place for.
    """

    taken: tuple[str, ...]
    adapted: tuple[str, ...]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in a line."""
        more = f", first layers made to fit: {', '.join(self.adapted)}" if self.adapted else ""
        fresh = f", beginning anew: {', '.join(self.fresh[:6])}" if self.fresh else ""
        return f"{len(self.taken)} weights taken over{more}{fresh}"


def borrow_file(network: nn.Module, path: Path) -> Borrowed:
    """Fill a network with the weights of a file: safetensors, or a state dict of plain tensors (as torchvision's).

    Raises
    ------
    PackError
        When the file holds anything but tensors, or cannot be read.
    ModelError
        When hardly anything in it fits.
    """
    return borrow(network, read_tensors(path, ("model", "network_weights")), path.name)


def borrow(network: nn.Module, weights: Mapping[str, torch.Tensor], name: str) -> Borrowed:
    """Fill a network in place with those of ``weights`` that have its names and shapes.

    A first layer for another number of channels is made to fit: its kernels are averaged over the channels they had, so
    that equal channels are answered to as before. Other shapes (a head for other classes) begin anew.

    Parameters
    ----------
    weights : mapping of str to Tensor
        A prefix that all names share (``module.``, ``backbone.``) is passed over.
    name : str
        Of the file or model, for sentences.

    Raises
    ------
    ModelError
        When less than half of the network's weights are there.
    """
    own = network.state_dict()
    found = _without_prefix(weights, own)
    taken: list[str] = []
    adapted: list[str] = []
    fresh: list[str] = []
    filled: dict[str, torch.Tensor] = {}
    for key, tensor in own.items():
        other = found.get(key)
        if other is not None and other.shape == tensor.shape:
            filled[key] = other.to(tensor.dtype)
            taken.append(key)
        elif other is not None and (fitting := _for_channels(other, tensor)) is not None:
            filled[key] = fitting
            adapted.append(key)
        elif other is None and key.endswith("num_batches_tracked"):
            continue
        else:
            fresh.append(key)
    numbers = sum(own[key].numel() for key in (*taken, *adapted))
    share = numbers / max(1, sum(tensor.numel() for tensor in own.values()))
    if share < LEAST_TAKEN:
        raise ModelError(
            f"The weights of {name} are of another kind than what is trained: only {share:.0%} of them fit; choose the "
            "recipe they belong to."
        )
    # In place: parameters keep their layout in memory.
    with torch.no_grad():
        for key, tensor in filled.items():
            own[key].copy_(tensor)
    return Borrowed(tuple(taken), tuple(adapted), tuple(fresh), tuple(sorted(set(found) - set(filled) - set(fresh))))


def _without_prefix(weights: Mapping[str, torch.Tensor], own: Iterable[str]) -> dict[str, torch.Tensor]:
    """Return the weights under the names among ``own`` that most of them have without a prefix."""
    names = set(own)
    best = dict(weights)
    for prefix in PREFIXES:
        cut = {key.removeprefix(prefix): tensor for key, tensor in weights.items()}
        if len(names & set(cut)) > len(names & set(best)):
            best = cut
    return best


def _for_channels(other: torch.Tensor, own: torch.Tensor) -> torch.Tensor | None:
    """Return kernels that differ in nothing but the channels they take, made to fit; None where more differs."""
    if own.ndim < 4 or other.ndim != own.ndim or other.shape[0] != own.shape[0] or other.shape[2:] != own.shape[2:]:
        return None
    if min(own.shape[1], other.shape[1]) > 4:
        # No first layer: its inputs are features, each of which means something else.
        return None
    mean = other.float().mean(dim=1, keepdim=True) * (other.shape[1] / own.shape[1])
    return mean.expand(own.shape).contiguous()
