"""The U-Nets, the attention U-Net and the FCN that are trained here, in slices and in volumes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from medview.ml.networks.attention_unet import Gate
from medview.ml.networks.table import NETWORKS
from medview.ml.spec import NetworkSpec
from medview.ml.training.segmentation.first_weights import first_network

FAMILIES = ("nnunet_residual", "nnunet_plain", "attention_unet", "fcn")


def _built(name: str, dimensions: int) -> torch.nn.Module:
    first = [1, 3, 3][3 - dimensions :]
    kwargs: dict[str, Any] = {
        "in_channels": 2,
        "classes": 3,
        "channels": [4, 6, 8],
        "kernels": [first, [3] * dimensions, [3] * dimensions],
        "strides": [[1] * dimensions, [1, 2, 2][3 - dimensions :], [2] * dimensions],
        "encoder_units": [1, 1, 2],
    }
    return first_network(NetworkSpec(name, kwargs if name == "fcn" else {**kwargs, "decoder_units": [1, 1]}))


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("name", FAMILIES)
def test_families_answer_every_voxel_and_at_every_scale_while_they_are_trained(name: str, dimensions: int) -> None:
    assert name in NETWORKS
    network = _built(name, dimensions)
    volume = torch.randn(2, 2, *(8, 16, 12)[3 - dimensions :])
    assert network.eval()(volume).shape == (2, 3, *volume.shape[2:])
    found = network.train()(volume)
    assert isinstance(found, list)
    assert found[0].shape == (2, 3, *volume.shape[2:])
    assert len(found) >= 2
    torch.testing.assert_close(found[0], network.eval()(volume))
    network.train()
    sum(one.square().mean() for one in network(volume)).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_gate_passes_what_it_weighs_as_one_and_stops_what_it_weighs_as_nothing() -> None:
    gate, risen, skip = Gate(4, 3), torch.randn(1, 4, 3, 3, 3), torch.randn(1, 4, 3, 3, 3)
    with torch.no_grad():
        gate.weight.weight.zero_()
        gate.weight.bias.fill_(50.0)
        torch.testing.assert_close(gate(risen, skip), skip)
        gate.weight.bias.fill_(-50.0)
        assert gate(risen, skip).abs().max() < 1e-9


def test_an_fcn_adds_the_scores_of_its_stages() -> None:
    network = _built("fcn", 2).eval()
    volume = torch.randn(1, 2, 16, 12)
    with torch.no_grad():
        for score in network.scores:
            score.weight.zero_()
        network.scores[0].bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
        network.scores[1].bias.copy_(torch.tensor([0.5, 0.0, 0.0]))
        expected = torch.tensor([1.5, 2.0, 3.0])[None, :, None, None].expand(1, 3, 16, 12)
        torch.testing.assert_close(network(volume), expected)
