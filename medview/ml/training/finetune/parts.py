"""The parts of a network, from what sees the picture to what tells classes apart, and which of them learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from medview.core.errors import ModelError
from medview.ml.lineage.rung import Rung, Tune
from medview.ml.networks.fpn_detector import FpnDetector
from medview.ml.networks.nnunet import NnUNet
from medview.ml.training.freezing import HEAD

_PYRAMID = ("lateral.", "smooth.", "smooth_norms.")
_TRUNK = ("stem.", "down.")
_NORMS = (nn.InstanceNorm2d, nn.InstanceNorm3d, nn.GroupNorm, nn.LayerNorm, _BatchNorm)


@dataclass(frozen=True, slots=True)
class Parts:
    """Names of weights.

    Attributes
    ----------
    last : frozenset of str
        Of the decoder, its last stage; empty where there is none that can be told.
    decoder : frozenset of str
        What is neither encoder nor head; empty where there is none that can be told.
    """

    head: frozenset[str]
    last: frozenset[str]
    decoder: frozenset[str]
    encoder: frozenset[str]


def parts_of(network: nn.Module, counted: frozenset[str]) -> Parts:
    """Return the parts of a network.

    Parameters
    ----------
    counted : frozenset of str
        Weights that are counted by classes: the head, where the network has no better name for it.
    """
    names = [name for name, _ in network.named_parameters()]
    if isinstance(network, NnUNet):
        head = _of(names, ("decoder.seg_layers.",))
        deepest = len(network.decoder.stages) - 1
        last = _of(names, [f"decoder.{part}.{deepest}." for part in ("transpconvs", "stages", "gates")])
        return _divided(names, head, last, _of(names, ("decoder.",)) - head)
    if isinstance(network, FpnDetector):
        decoder = _of(names, _PYRAMID)
        head = frozenset(names) - decoder - _of(names, _TRUNK)
        return _divided(names, head, frozenset(), decoder)
    layer = getattr(network, HEAD, None)
    if isinstance(layer, nn.Module):
        own = {id(weights) for weights in layer.parameters()}
        head = frozenset(name for name, weights in network.named_parameters() if id(weights) in own)
    else:
        head = counted & frozenset(names)
    return _divided(names, head, frozenset(), frozenset())


def learning(parts: Parts, tune: Tune, network: nn.Module, anew: frozenset[str]) -> frozenset[str]:
    """Return the names of weights that learn; of kernels with an adapter that is the adapter's affair.

    Parameters
    ----------
    anew : frozenset of str
        Weights that the parent does not have, or has for other channels: they always learn.

    Raises
    ------
    ModelError
        When the network has no such part.
    """
    found = parts.head | anew
    if tune.rung is Rung.HEAD:
        return found | parts.last if tune.stages else found
    if tune.rung is Rung.DECODER:
        if not parts.decoder:
            raise ModelError("The model's network has no decoder that could learn alone; tune its head, all, or adapters.")
        return found | parts.decoder
    if tune.rung is Rung.ADAPTERS:
        return found | norms_of(network)
    return parts.head | parts.decoder | parts.encoder


def norms_of(network: nn.Module) -> frozenset[str]:
    """Return the names of the scales and shifts of all norms."""
    return frozenset(
        f"{name}.{own}"
        for name, module in network.named_modules()
        if isinstance(module, _NORMS)
        for own, _ in module.named_parameters(recurse=False)
    )


def set_learning(network: nn.Module, names: frozenset[str]) -> None:
    """Let these weights learn and no others; where a norm's scales stay, so do the statistics it was trained with."""
    for name, weights in network.named_parameters():
        weights.requires_grad_(name in names)
    if network.training:
        for name, module in network.named_modules():
            if isinstance(module, _BatchNorm):
                module.train(f"{name}.weight" in names)


def _of(names: Sequence[str], begins: Sequence[str]) -> frozenset[str]:
    return frozenset(name for name in names if name.startswith(tuple(begins)))


def _divided(names: Sequence[str], head: frozenset[str], last: frozenset[str], decoder: frozenset[str]) -> Parts:
    return Parts(head, last, decoder, frozenset(names) - head - decoder)
