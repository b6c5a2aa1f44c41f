"""Residual and dense networks are those of MONAI, weight for weight, and take pictures of any size."""

from __future__ import annotations

import pytest
import torch
from monai.networks.nets.densenet import DenseNet as MonaiDenseNet
from monai.networks.nets.resnet import ResNet as MonaiResNet
from torch import nn

from medview.ml.networks.densenet import densenet121
from medview.ml.networks.resnet import resnet18, resnet50
from medview.ml.networks.small_cnn import small_cnn


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _stirred(network: nn.Module) -> nn.Module:
    """Return a network whose normalisations have something to say."""
    torch.manual_seed(2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            for tensor in (module.weight, module.running_var):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0.0, 0.1)
            torch.nn.init.normal_(module.running_mean, 0.0, 0.1)
    return network.eval()


@torch.no_grad()
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("deep", [False, True], ids=["18", "50"])
def test_a_residual_network_answers_as_monai_with_the_same_weights(dimensions: int, deep: bool) -> None:
    made = resnet50 if deep else resnet18
    own = _stirred(made(2, 3, dimensions, width=16))
    judge = MonaiResNet(
        "bottleneck" if deep else "basic",
        [3, 4, 6, 3] if deep else [2, 2, 2, 2],
        [16, 32, 64, 128],
        spatial_dims=dimensions,
        n_input_channels=2,
        conv1_t_size=7,
        conv1_t_stride=2,
        num_classes=3,
        bias_downsample=False,
    )
    judge.load_state_dict(own.state_dict())
    pictures = torch.randn(2, 2, *((40, 33) if dimensions == 2 else (17, 20, 24)))
    assert torch.allclose(own(pictures), judge.eval()(pictures), atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_dense_network_answers_as_monai_with_the_same_weights(dimensions: int) -> None:
    own = _stirred(densenet121(1, 2, dimensions, growth=4))
    judge = MonaiDenseNet(dimensions, 1, 2, init_features=8, growth_rate=4, block_config=(6, 12, 24, 16))
    # Both list their layers in the same order; names differ inside the layers.
    assert [t.shape for t in own.state_dict().values()] == [t.shape for t in judge.state_dict().values()]
    judge.load_state_dict(dict(zip(judge.state_dict(), own.state_dict().values(), strict=True)))
    pictures = torch.randn(2, 1, *((64, 48) if dimensions == 2 else (32, 33, 40)))
    assert torch.allclose(own(pictures), judge.eval()(pictures), atol=1e-5)


def test_the_full_sizes_are_those_of_the_papers() -> None:
    with torch.device("meta"):
        counts = [sum(w.numel() for w in made(3, 1000, 2).parameters()) for made in (resnet18, resnet50, densenet121)]
    assert counts == [11_689_512, 25_557_032, 7_978_856]


@torch.no_grad()
@pytest.mark.parametrize("shape", [(28, 28), (9, 31), (8, 16, 11)])
def test_small_pictures_keep_their_resolution_and_any_size_is_scored(shape: tuple[int, ...]) -> None:
    dims = len(shape)
    pictures = torch.randn(2, 1, *shape)
    for network in (
        resnet18(1, 4, dims, width=4, stem="small"),
        densenet121(1, 4, dims, growth=2, stem="small"),
        small_cnn(1, 4, dims, [4, 8, 8], 0.1),
    ):
        assert network.eval()(pictures).shape == (2, 4)
        assert not any(isinstance(m, nn.MaxPool2d | nn.MaxPool3d) for m in network.modules())


def test_the_head_is_the_last_layer() -> None:
    assert resnet18(1, 4, 2, width=4).head.out_features == 4  # type: ignore[union-attr]
    assert densenet121(1, 4, 2, growth=2).head.out_features == 4  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="stem"):
        resnet18(1, 2, 2, stem="wide")
