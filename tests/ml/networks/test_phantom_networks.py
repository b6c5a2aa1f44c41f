"""The networks of the bundled packs keep the contract with the runners."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from medview.ml.networks.classifier import classifier3d
from medview.ml.networks.detector import centernet3d
from medview.ml.networks.unet import unet3d


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def _unet() -> nn.Module:
    return unet3d(in_channels=1, classes=5, channels=[4, 8, 12]).eval()


@torch.no_grad()
@pytest.mark.parametrize("shape_kji", [(24, 32, 40), (13, 22, 9)])
def test_the_unet_answers_for_every_voxel_of_any_size(shape_kji: tuple[int, int, int]) -> None:
    assert _unet()(torch.randn(2, 1, *shape_kji)).shape == (2, 5, *shape_kji)


@torch.no_grad()
@pytest.mark.parametrize(("shape_kji", "cells_kji"), [((24, 32, 40), (6, 8, 10)), ((13, 22, 9), (4, 6, 3))])
def test_the_detector_answers_per_cell_with_positive_sizes(
    shape_kji: tuple[int, int, int], cells_kji: tuple[int, int, int]
) -> None:
    net = centernet3d(in_channels=1, classes=2, channels=[4, 8, 12, 16], typical_mm=13).eval()
    answer = net(torch.randn(1, 1, *shape_kji))
    assert net.stride == 4
    assert answer["heatmap"].shape == (1, 2, *cells_kji)
    assert answer["offset"].shape == answer["size_mm"].shape == (1, 3, *cells_kji)
    assert (answer["size_mm"] > 0).all()


@torch.no_grad()
def test_an_untrained_detector_finds_nothing_and_answers_the_typical_size() -> None:
    net = centernet3d(in_channels=1, classes=1, channels=[4, 8, 12, 16], typical_mm=13).eval()
    answer = net(torch.zeros(1, 1, 16, 16, 16))
    assert answer["heatmap"].sigmoid().max() < 0.05
    assert answer["size_mm"].mean().item() == pytest.approx(13, rel=0.2)


@torch.no_grad()
def test_the_classifier_gives_one_answer_whatever_the_size() -> None:
    net = classifier3d(in_channels=1, classes=1, channels=[4, 8, 12, 16]).eval()
    assert net(torch.randn(2, 1, 17, 20, 31)).shape == (2, 1)


@torch.no_grad()
def test_calibration_changes_the_answer_but_not_the_order() -> None:
    net = classifier3d(in_channels=1, classes=1, channels=[4, 8, 12, 16]).eval()
    volumes = torch.randn(3, 1, 16, 16, 16)
    before = net(volumes)
    net.gain.fill_(2.5)
    net.bias.fill_(-1.0)
    assert torch.allclose(net(volumes), before * 2.5 - 1.0)


@torch.no_grad()
def test_inside_a_tile_the_unet_answers_as_for_the_whole_volume() -> None:
    """Nothing in it looks at the whole tile, so only voxels near the tile's edge may differ."""
    net, volume = _unet(), torch.randn(1, 1, 64, 16, 16)
    whole, tile = net(volume), net(volume[:, :, :48])
    assert torch.allclose(whole[:, :, :16], tile[:, :, :16], atol=1e-5)


@pytest.mark.parametrize(
    ("factory", "kwargs"),
    [
        (unet3d, {"in_channels": 1, "classes": 3, "channels": [4, 8]}),
        (centernet3d, {"in_channels": 1, "classes": 1, "channels": [4, 8, 8, 8], "typical_mm": 10}),
        (classifier3d, {"in_channels": 1, "classes": 1, "channels": [4, 8, 8, 8]}),
    ],
)
def test_networks_can_be_built_without_memory_and_filled_with_weights(
    factory: Callable[..., nn.Module], kwargs: dict[str, Any]
) -> None:
    real = factory(**kwargs)
    with torch.device("meta"):
        empty = factory(**kwargs)
    empty.load_state_dict(real.state_dict(), strict=True, assign=True)
    answer = empty.eval()(torch.zeros(1, 1, 16, 16, 16))
    assert all(t.device.type == "cpu" for t in (answer.values() if isinstance(answer, dict) else [answer]))
