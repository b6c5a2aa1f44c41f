"""Several looks at the same tiles, averaged."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from medview.ml.networks.averaged import Ensemble, Mirrored, mirrored


def convolution(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Conv3d(2, 3, 3, padding=1).eval().requires_grad_(requires_grad=False)


def test_an_ensemble_answers_with_the_mean_of_its_members() -> None:
    members = [convolution(n) for n in range(3)]
    tiles = torch.randn(2, 2, 5, 6, 7)
    expected = torch.stack([member(tiles) for member in members]).mean(0)
    torch.testing.assert_close(Ensemble(members)(tiles), expected)


def test_mirrored_looks_are_all_combinations_turned_back() -> None:
    network, tiles = convolution(1), torch.randn(1, 2, 5, 6, 7)
    looks = []
    for k, i in itertools.product((False, True), repeat=2):
        axes = [axis for axis, wanted in ((2, k), (4, i)) if wanted]
        looks.append(network(tiles.flip(axes)).flip(axes))
    assert len(looks) == 4
    torch.testing.assert_close(Mirrored(network, (0, 2))(tiles), torch.stack(looks).mean(0))
    assert not torch.allclose(Mirrored(network, (0, 2))(tiles), network(tiles))


def test_a_network_without_axes_is_itself() -> None:
    network = convolution(1)
    assert mirrored(network, ()) is network


class Maps(nn.Module):
    """Answers as detectors do."""

    stride = 4

    def __init__(self, number: float) -> None:
        super().__init__()
        self.number = number

    def forward(self, tiles: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"heatmap": tiles * self.number, "offset": tiles + self.number}


def test_maps_by_name_are_averaged_one_by_one_and_the_stride_is_known() -> None:
    ensemble, tiles = Ensemble([Maps(1.0), Maps(3.0)]), torch.randn(1, 1, 2, 2, 2)
    found = ensemble(tiles)
    assert isinstance(found, dict)
    torch.testing.assert_close(found["heatmap"], tiles * 2.0)
    torch.testing.assert_close(found["offset"], tiles + 2.0)
    assert ensemble.stride == 4


def test_progress_counts_every_look_at_every_member() -> None:
    calls = []
    members = [nn.Sequential(convolution(n), nn.ReLU()) for n in range(3)]
    network = Mirrored(Ensemble(members), (0, 1))
    for member in members:
        for layer in member:
            layer.register_forward_pre_hook(lambda *_: calls.append(1))
    network(torch.randn(1, 2, 4, 4, 4))
    assert len(calls) == network.leaf_calls((4, 4, 4)) == 3 * 2 * 4
