"""Which axes of a network's weights are as long as there are classes or channels: found by building it with one more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from medview.core.errors import ModelError
from medview.ml.spec import NetworkSpec
from medview.ml.weights import build_network

CHANNELS = "in_channels"
CLASSES = ("classes", "out_channels")
"""What networks of the table call how many channels they see, and how many answers they give."""

TRANSPOSED = (nn.ConvTranspose2d, nn.ConvTranspose3d)
"""Their kernels name what goes in first."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Names of weights -> axes.

    Attributes
    ----------
    answers, inputs : mapping of str to tuple of int
        Axes along which a network's answers are counted, where they come out of a layer and where they go into one more.
    channels : mapping of str to tuple of int
        Axes along which the channels of the picture are.
    """

    answers: Mapping[str, tuple[int, ...]]
    inputs: Mapping[str, tuple[int, ...]]
    channels: Mapping[str, tuple[int, ...]]

    @property
    def head(self) -> frozenset[str]:
        """The weights that tell classes apart."""
        return frozenset(self.answers) | frozenset(self.inputs)


def with_counts(network: NetworkSpec, *, channels: int, answers: int) -> NetworkSpec:
    """Return the description of a network for other numbers of channels and answers. Raises ModelError for want of them."""
    return NetworkSpec(network.name, {**network.kwargs, CHANNELS: channels, _answers_key(network): answers})


def counts_of(network: NetworkSpec) -> tuple[int, int]:
    """Return how many channels a network sees and how many answers it gives."""
    channels, answers = network.kwargs[CHANNELS], network.kwargs[_answers_key(network)]
    assert isinstance(channels, int)
    assert isinstance(answers, int)
    return channels, answers


def counted_in(network: NetworkSpec) -> Counted:
    """Look for the axes. Nothing is computed, and no memory taken."""
    channels, answers = counts_of(network)
    plain = build_network(network)
    more_answers = build_network(with_counts(network, channels=channels, answers=answers + 1))
    more_channels = build_network(with_counts(network, channels=channels + 1, answers=answers))
    out: dict[str, tuple[int, ...]] = {}
    into: dict[str, tuple[int, ...]] = {}
    for name, axes in _longer(plain, more_answers).items():
        last = _output_axis(plain, name)
        if last in axes:
            out[name] = (last,)
        if rest := tuple(axis for axis in axes if axis != last):
            into[name] = rest
    return Counted(out, into, _longer(plain, more_channels))


def _answers_key(network: NetworkSpec) -> str:
    for key in CLASSES:
        if key in network.kwargs and CHANNELS in network.kwargs:
            return key
    raise ModelError(f"A network {network.name} that names no classes cannot be gone on with; begin with another model.")


def _longer(plain: nn.Module, more: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the axes that are one longer in another network."""
    found: dict[str, tuple[int, ...]] = {}
    other: Mapping[str, torch.Tensor] = more.state_dict()
    for name, tensor in plain.state_dict().items():
        if name in other and tensor.ndim == other[name].ndim and tensor.shape != other[name].shape:
            found[name] = tuple(n for n, (a, b) in enumerate(zip(tensor.shape, other[name].shape, strict=True)) if a != b)
    return found


def _output_axis(network: nn.Module, name: str) -> int:
    return 1 if isinstance(network.get_submodule(name.rpartition(".")[0]), TRANSPOSED) and name.endswith("weight") else 0
