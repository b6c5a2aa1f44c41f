"""Grad-CAM (Selvaraju 2017): features weighted by how much the score hangs on them, where they are positive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

Score = Callable[[Any], torch.Tensor]
"""From a network's answer to one score per item of the batch, shape (N,)."""


def gradcam(network: nn.Module, values: torch.Tensor, score: Score, layer: str | None = None) -> torch.Tensor:
    """Return where the features that speak for a score are strong.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode; its weights are ordinary tensors.
    values : Tensor, shape (1, channels, k, j, i)
    layer : str, optional
        Name of the module whose features are looked at; ``deepest_layer`` when not given.

    Returns
    -------
    Tensor of float32, shape (k, j, i)
        From 0; interpolated linearly to the input, not scaled.
    """
    name = layer if layer is not None else deepest_layer(network, values, score)
    modules = dict(network.named_modules())
    kept: list[torch.Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        # What lies before the layer takes no part: no memory is spent on it.
        leaf = output.detach().requires_grad_(True)
        kept.append(leaf)
        # The next layer may work in place, which a leaf does not allow.
        return leaf.clone()

    hook = modules[name].register_forward_hook(keep)
    try:
        with torch.enable_grad():
            found = score(network(values)).sum()
        (gradient,) = torch.autograd.grad(found, kept[-1])
    finally:
        hook.remove()
    features = kept[-1].detach()
    axes = tuple(range(2, features.ndim))
    weights = gradient.mean(dim=axes, keepdim=True)
    found_map = functional.relu((weights * features).sum(dim=1, keepdim=True)).float()
    return _to_input(found_map, values.shape[2:])


def deepest_layer(network: nn.Module, values: torch.Tensor, score: Score) -> str:
    """Return the last layer the score hangs on whose features still say where: more than one place, more than one feature.

    Raises
    ------
    ValueError
        When there is none, as in networks without convolutions.
    """
    order: list[tuple[str, torch.Tensor]] = []
    hooks = [
        module.register_forward_hook(_keeping(order, name))
        for name, module in network.named_modules()
        if name and next(module.children(), None) is None
    ]
    try:
        with torch.enable_grad():
            found = score(network(values.detach().clone().requires_grad_(True))).sum()
        called = [name for name, _ in order]
        for name, features in reversed(order):
            spatial = features.shape[2:]
            if called.count(name) > 1 or features.ndim < 4 or features.shape[1] < 2 or max(spatial) < 2:
                continue
            of_score: tuple[torch.Tensor | None, ...] = torch.autograd.grad(
                found, features, retain_graph=True, allow_unused=True
            )
            gradient = of_score[0]
            if gradient is not None and bool((gradient != 0).any()) and not _is_answer(gradient):
                return name
    finally:
        for hook in hooks:
            hook.remove()
    raise ValueError("no layer of this network says where it looks")


def _is_answer(gradient: torch.Tensor) -> bool:
    """Whether features are the answer itself: the score hangs on a single one of them."""
    return int((gradient != 0).sum()) == 1


def _keeping(order: list[tuple[str, torch.Tensor]], name: str) -> Callable[[nn.Module, object, object], object]:
    def keep(_module: nn.Module, _inputs: object, output: object) -> object:
        if not isinstance(output, torch.Tensor) or not output.requires_grad:
            return None
        order.append((name, output))
        # Layers that work in place would change what is kept.
        return output.clone()

    return keep


def _to_input(found: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Return a map (1, 1, ...) of a layer as (k, j, i) of the input; layers of two dimensions are those of one slice.

    Networks that pad their input to whole cells have maps that reach over its end: a cell is a power of two.
    """
    flat = found.ndim == 4
    sides = tuple(shape)[-2:] if flat else tuple(shape)
    steps = [
        max(1, 2 ** round(float(torch.tensor(side / n).log2()))) for side, n in zip(sides, found.shape[2:], strict=True)
    ]
    reach = [n * step for n, step in zip(found.shape[2:], steps, strict=True)]
    if any(covered < side for covered, side in zip(reach, sides, strict=True)):
        # No whole cells: the map covers the input as it is.
        reach = list(sides)
    mode = "bilinear" if flat else "trilinear"
    large = functional.interpolate(found, size=reach, mode=mode, align_corners=False)
    cut = large[0, 0][tuple(slice(0, side) for side in sides)]
    return cut[None] if flat else cut
