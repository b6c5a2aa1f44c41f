"""Grad-CAM beside MONAI's, in two dimensions and three, and the layer it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from torch.nn import functional

from medview.ml.explain.gradcam import deepest_layer, gradcam
from medview.ml.networks.classifier import classifier2d, classifier3d
from medview.ml.networks.fpn_detector import fpn_detector
from medview.ml.networks.planar import SliceBySlice


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(4)
    yield
    torch.set_num_threads(before)


class Averaging(nn.Module):
    """Two convolutions and a mean: every cell takes part in the gradient."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        convolution = nn.Conv3d if dimensions == 3 else nn.Conv2d
        self.features = nn.Sequential(convolution(1, 6, 3, 2, 1), nn.ReLU(), convolution(6, 5, 3, 2, 1), nn.Tanh())
        self.classes = nn.Linear(5, 3)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.classes(self.features(values).flatten(2).mean(2))
        return found


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_map_is_that_of_monai(dimensions: int) -> None:
    visualize = pytest.importorskip("monai.visualize")
    network = Averaging(dimensions).eval()
    shape = (16, 24, 32)[-dimensions:]
    values = torch.randn(1, 1, *shape)
    theirs = visualize.GradCAM(network, "features.3").compute_map(values, class_idx=1)
    mode = "trilinear" if dimensions == 3 else "bilinear"
    expected = functional.interpolate(theirs.detach(), size=shape, mode=mode, align_corners=False)[0, 0]
    mine = gradcam(network, values, lambda found: found[:, 1], "features.3")
    assert torch.allclose(mine.reshape(shape), expected, atol=1e-6)
    assert expected.max() > 0


@pytest.mark.parametrize(
    ("make", "shape", "layer"),
    [
        (lambda: classifier3d(1, 2, [4, 4, 4, 4]), (17, 24, 33), "tower.2"),
        (lambda: SliceBySlice(classifier2d(1, 2, [4, 6])), (1, 22, 30), "network.trunk.1.1.second.1"),
        (lambda: Averaging(3), (16, 16, 16), "features.3"),
    ],
)
def test_it_looks_at_the_last_features_that_say_where(
    make: Callable[[], nn.Module], shape: tuple[int, ...], layer: str
) -> None:
    network = make().eval().requires_grad_(False)
    values = torch.randn(1, 1, *shape)
    assert deepest_layer(network, values, lambda found: found[:, 0]) == layer
    assert gradcam(network, values, lambda found: found[:, 0]).shape == shape


def test_of_a_pyramid_it_looks_at_the_level_that_answers() -> None:
    network = fpn_detector(1, 2, 3, [4, 6, 8], 8, 1).eval().requires_grad_(False)
    values = torch.randn(1, 1, 16, 16, 16)
    for level in (0, 1, 2):
        name = deepest_layer(network, values, lambda found, n=level: found[f"logits_{n}"][:, 1, 0, 0, 1])
        assert name == f"smooth.{level}"


def test_weights_get_no_gradients_and_the_network_answers_as_before() -> None:
    network = classifier3d(1, 2, [4, 4, 4, 4]).eval().requires_grad_(False)
    values = torch.randn(1, 1, 16, 24, 32)
    before = network(values)
    gradcam(network, values, lambda found: found[:, 0])
    assert torch.equal(network(values), before)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())
