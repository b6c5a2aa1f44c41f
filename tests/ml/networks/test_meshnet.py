"""MeshNet in slabs against the same layers written out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from medview.ml.networks import meshnet as module
from medview.ml.networks.meshnet import MeshNet, meshnet


def written_out(network: MeshNet, activation: type[nn.Module]) -> nn.Sequential:
    """Build Brainchop's layers as torch would have them, with the same weights."""
    layers: list[nn.Module] = []
    for conv in network.layers:
        assert isinstance(conv, nn.Conv3d)
        reach = conv.dilation[0]
        plain = nn.Conv3d(conv.in_channels, conv.out_channels, 3, padding=reach, dilation=reach, bias=conv.bias is not None)
        plain.load_state_dict(conv.state_dict())
        layers.append(plain)
        if network.normalised:
            layers.append(nn.GroupNorm(conv.out_channels, conv.out_channels, affine=False))
        layers.append(activation())
    return nn.Sequential(*layers, network.head).eval()


@pytest.mark.parametrize(("activation", "kind"), [("relu", nn.ReLU), ("gelu", nn.GELU)])
@pytest.mark.parametrize("norm", ["none", "instance"])
def test_slabs_change_no_number(activation: str, kind: type[nn.Module], norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Slabs of two to five slices, so that every dilation crosses several.
    monkeypatch.setattr(module, "SLAB_MULTIPLICATIONS", 27 * 5 * 5 * 18 * 11 * 3.0)
    torch.manual_seed(3)
    network = meshnet(1, 3, 5, [1, 2, 4, 8, 4, 1], activation, norm, norm == "none").eval()
    volume = torch.randn(1, 1, 23, 18, 11)
    with torch.inference_mode():
        difference = (network(volume) - written_out(network, kind)(volume)).abs().max()
    assert difference < 1e-4


@pytest.mark.parametrize("slices", [1, 2, 7])
def test_volumes_thinner_than_a_slab_or_the_dilation_are_fine(slices: int) -> None:
    torch.manual_seed(3)
    network = meshnet(1, 2, 4, [1, 16, 2]).eval()
    volume = torch.randn(1, 1, slices, 9, 14)
    with torch.inference_mode():
        assert (network(volume) - written_out(network, nn.ReLU)(volume)).abs().max() < 1e-5


def test_the_receptive_radius_is_where_a_change_stops_mattering() -> None:
    torch.manual_seed(3)
    network = meshnet(1, 2, 4, [1, 3, 2]).eval()
    assert network.receptive_radius == 6
    assert meshnet(1, 2, 4, [1, 3, 2], norm="instance").receptive_radius is None
    volume = torch.rand(1, 1, 17, 17, 17)
    other = volume.clone()
    other[0, 0, 8, 8, 8] += 5.0
    with torch.inference_mode():
        changed = (network(volume) != network(other)).any(dim=1)[0].nonzero()
    assert int((changed - 8).abs().max()) == 6


def test_the_announced_calls_are_the_calls_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLAB_MULTIPLICATIONS", 27 * 5 * 5 * 10 * 12 * 4.0)
    network = meshnet(1, 3, 5, [1, 2, 4]).eval()
    calls = []
    for part in network.modules():
        if next(part.children(), None) is None:
            part.register_forward_pre_hook(lambda *_: calls.append(1))
    with torch.inference_mode():
        network(torch.zeros(1, 1, 31, 10, 12))
    assert len(calls) == network.leaf_calls((31, 10, 12))


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="dilations"):
        meshnet(1, 2, 4, [])
    with pytest.raises(ValueError, match="dilations"):
        meshnet(1, 2, 4, [1], norm="group")
