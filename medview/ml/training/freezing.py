"""Training only the head of a network for a while, and the rest more carefully later."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from medview.ml.recipes.options import number_in
from medview.ml.recipes.recipe import Recipe

HEAD = "head"
"""What networks call their last layers, if those may be trained alone."""

BACKBONE_RATE = 0.1


def head_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Return the weights of the head."""
    head = getattr(network, HEAD)
    assert isinstance(head, nn.Module)
    return list(head.parameters())


def set_frozen(network: nn.Module, *, frozen: bool) -> None:
    """Freeze or free everything but the head: no gradients, and normalisation by what was averaged before."""
    own = {id(weights) for weights in head_parameters(network)}
    for weights in network.parameters():
        weights.requires_grad_(not frozen or id(weights) in own)
    if network.training:
        for module in network.modules():
            if isinstance(module, _BatchNorm):
                module.train(not frozen)


def part_rates(network: nn.Module, recipe: Recipe) -> list[tuple[float, list[nn.Parameter]]]:
    """Return the weights in groups: all at the recipe's rate; where the rest is frozen at first, that at a part of it."""
    if not recipe.options.get("frozen"):
        return [(1.0, list(network.parameters()))]
    head = head_parameters(network)
    own = {id(weights) for weights in head}
    rest = [weights for weights in network.parameters() if id(weights) not in own]
    return [(1.0, head), (number_in(recipe.options, "backbone_rate", BACKBONE_RATE), rest)]
