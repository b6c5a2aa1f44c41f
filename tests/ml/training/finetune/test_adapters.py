"""Adapters change nothing at first, learn with few numbers, and leave a plain network that answers by the same sums."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from medview.ml.networks.nnunet import residual_unet
from medview.ml.training.build import channels_last
from medview.ml.training.finetune.adapters import adapt, merge
from tests.ml.lineage.models import UNET


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(3)
    made = residual_unet(**{**UNET, "channels": [16, 24]})  # type: ignore[arg-type]
    channels_last(made)
    return made.eval()


def test_nothing_is_said_otherwise_at_first(network: nn.Module) -> None:
    volume = torch.randn(1, 1, 8, 12, 10)
    before = network(volume)
    names = adapt(network, 2, frozenset())
    assert names
    assert torch.equal(network(volume), before)


def test_what_was_learnt_becomes_part_of_the_kernels(network: nn.Module) -> None:
    plain = copy.deepcopy(network)
    names = adapt(network, 2, frozenset())
    for name, weights in network.named_parameters():
        if name in names:
            nn.init.normal_(weights, 0.0, 0.1)
    volume = torch.randn(1, 1, 8, 12, 10)
    with torch.no_grad():
        learnt = network(volume)
        again = copy.deepcopy(network)
        again.load_state_dict(network.state_dict())
        merged = merge(again)
        assert torch.equal(merged(volume), learnt)
        assert not torch.allclose(learnt, plain(volume), atol=1e-2)
    assert set(merged.state_dict()) == set(plain.state_dict())
    plain.load_state_dict(merged.state_dict())
    assert torch.equal(plain(volume), learnt)


def test_kernels_that_are_smaller_than_an_adapter_or_learn_themselves_get_none(network: nn.Module) -> None:
    found = adapt(network, 4, frozenset({"decoder.stages.0.convs.0.conv.weight"}))
    names = {name.partition(".parametrizations")[0] for name in found}
    assert "encoder.stages.1.blocks.0.conv1.conv" in names
    assert "decoder.transpconvs.0" in names
    assert "decoder.stages.0.convs.0.conv" not in names
    # Three kernels of 16 numbers.
    assert "decoder.seg_layers.0" not in names


def test_only_adapters_get_gradients(network: nn.Module) -> None:
    names = adapt(network, 2, frozenset())
    for name, weights in network.named_parameters():
        weights.requires_grad_(name in names)
    network(torch.randn(1, 1, 8, 12, 10)).square().mean().backward()
    learning = {name for name, weights in network.named_parameters() if weights.grad is not None}
    assert learning == names
