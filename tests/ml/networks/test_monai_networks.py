"""MONAI's networks from their own weights, judged by MONAI itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from medview.core.errors import PackError
from medview.ml.networks.monai_layers import Layers
from medview.ml.spec import NetworkSpec
from medview.ml.weights import build_network

nets = pytest.importorskip("monai.networks.nets")

LEAKY = {"act": "leakyrelu", "slope": 0.2}
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("monai_unet", "UNet", {"channels": [4, 8, 12], "strides": [2, 2]}, {"channels": (4, 8, 12), "strides": (2, 2)}),
    (
        "monai_unet",
        "UNet",
        {"channels": [4, 6, 8], "strides": [2, 2], "residual_units": 2, "norm": "batch", "affine": True, "order": "NA"},
        {"channels": (4, 6, 8), "strides": (2, 2), "num_res_units": 2, "norm": "batch", "adn_ordering": "NA"},
    ),
    (
        "monai_unet",
        "UNet",
        {"channels": [4, 6], "strides": [1], "residual_units": 3, "kernel": 5, "bias": False, **LEAKY},
        {
            "channels": (4, 6),
            "strides": (1,),
            "num_res_units": 3,
            "kernel_size": 5,
            "bias": False,
            "act": ("leakyrelu", {"negative_slope": 0.2}),
        },
    ),
    (
        "monai_unet",
        "UNet",
        {"channels": [4, 8, 8], "strides": [2, 2], "norm": "group", "groups": 2, "affine": True, "order": "AN",
         "act": "elu", "slope": 1.0},
        {"channels": (4, 8, 8), "strides": (2, 2), "norm": ("group", {"num_groups": 2}), "adn_ordering": "AN",
         "act": "elu"},
    ),
    ("monai_segresnet", "SegResNet", {"filters": 8}, {"init_filters": 8}),
    (
        "monai_segresnet",
        "SegResNet",
        {"filters": 4, "blocks_down": [1, 2], "blocks_up": [2], "deconv": True, "groups": 2},
        {"init_filters": 4, "blocks_down": (1, 2), "blocks_up": (2,), "upsample_mode": "deconv",
         "norm": ("GROUP", {"num_groups": 2}), "dropout_prob": 0.2},
    ),
    (
        "monai_dynunet",
        "DynUNet",
        {"kernels": [3, 3, 3], "strides": [1, 2, 2], "up_kernels": [2, 2], "filters": [4, 6, 8]},
        {"kernel_size": (3, 3, 3), "strides": (1, 2, 2), "upsample_kernel_size": (2, 2), "filters": (4, 6, 8)},
    ),
    (
        "monai_dynunet",
        "DynUNet",
        {"kernels": [3, 5, 3, 3], "strides": [1, 2, 2, 2], "up_kernels": [2, 2, 2], "filters": [4, 6, 8, 8],
         "residual": True, "up_bias": True, "norm": "batch"},
        {"kernel_size": (3, 5, 3, 3), "strides": (1, 2, 2, 2), "upsample_kernel_size": (2, 2, 2), "filters": (4, 6, 8, 8),
         "res_block": True, "trans_bias": True, "norm_name": "batch", "deep_supervision": True, "deep_supr_num": 2},
    ),
    ("monai_basicunet", "BasicUNet", {"features": [4, 4, 6, 8, 8, 4]}, {"features": (4, 4, 6, 8, 8, 4)}),
    (
        "monai_basicunet",
        "BasicUNet",
        {"features": [4, 6, 6, 8, 8, 6], "deconv": False, "norm": "batch", "act": "relu", "bias": False},
        {"features": (4, 6, 6, 8, 8, 6), "upsample": "nontrainable", "norm": "batch", "act": "relu", "bias": False},
    ),
    (
        "monai_attention_unet",
        "AttentionUnet",
        {"channels": [4, 6, 8], "strides": [2, 2]},
        {"channels": (4, 6, 8), "strides": (2, 2)},
    ),
    (
        "monai_attention_unet",
        "AttentionUnet",
        {"channels": [4, 6], "strides": [2], "kernel": 5, "up_kernel": 5},
        {"channels": (4, 6), "strides": (2,), "kernel_size": 5, "up_kernel_size": 5},
    ),
]  # fmt: skip
COPIES = ("skip_layers.", "deep_supervision_heads.", "act_mod.")


def stirred(network: torch.nn.Module) -> torch.nn.Module:
    """Give every weight and every statistic a value of its own, so that a swapped pair would be seen."""
    torch.manual_seed(4)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    for name, numbers in network.named_buffers():
        if name.endswith("running_var"):
            numbers.uniform_(0.5, 1.5)
        elif name.endswith("running_mean"):
            numbers.normal_(std=0.2)
    return network.eval()


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("row", "name", "kwargs", "theirs"), CASES)
def test_logits_are_those_of_monai(row: str, name: str, kwargs: dict[str, Any], theirs: dict[str, Any], dims: int) -> None:
    judge = stirred(getattr(nets, name)(spatial_dims=dims, in_channels=2, out_channels=3, **theirs))
    ours = build_network(NetworkSpec(row, {"in_channels": 2, "classes": 3, "dims": dims, **kwargs})).eval()
    state = {n: t for n, t in judge.state_dict().items() if not n.startswith(COPIES)}
    ours.load_state_dict(state, strict=True, assign=True)
    torch.manual_seed(1)
    volume = torch.randn(2, 2, *((16, 32, 24)[:dims]))
    with torch.no_grad():
        expected, found = judge(volume), ours(volume)
    assert expected.std() > 1e-3
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


def test_strides_and_kernels_may_differ_by_axis() -> None:
    strides, kernels = [[1, 1, 1], [1, 2, 2], [2, 2, 2]], [[1, 3, 3], [3, 3, 3], [3, 3, 3]]
    judge = stirred(
        nets.DynUNet(
            3, 1, 2, kernels, strides, strides[1:], (4, 6, 8), norm_name=("instance", {"affine": True}), res_block=True
        )
    )
    kwargs = {"kernels": kernels, "strides": strides, "up_kernels": strides[1:], "filters": [4, 6, 8], "residual": True}
    ours = build_network(NetworkSpec("monai_dynunet", {"in_channels": 1, "classes": 2, **kwargs})).eval()
    state = {n: t for n, t in judge.state_dict().items() if not n.startswith(COPIES)}
    ours.load_state_dict(state, strict=True, assign=True)
    volume = torch.randn(1, 1, 10, 16, 24)
    with torch.no_grad():
        assert torch.allclose(ours(volume), judge(volume), rtol=1e-5, atol=1e-4)


def test_basic_unets_take_odd_sizes_as_monais_do() -> None:
    judge = stirred(nets.BasicUNet(3, 1, 2, (4, 4, 6, 8, 8, 4)))
    ours = build_network(
        NetworkSpec("monai_basicunet", {"in_channels": 1, "classes": 2, "features": [4, 4, 6, 8, 8, 4]})
    ).eval()
    ours.load_state_dict(judge.state_dict(), strict=True, assign=True)
    volume = torch.randn(1, 1, 33, 37, 50)
    with torch.no_grad():
        assert torch.allclose(ours(volume), judge(volume), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("row", "kwargs"),
    [
        ("monai_unet", {"channels": [4], "strides": []}),
        ("monai_unet", {"channels": [4, 8], "strides": [2], "act": "system"}),
        ("monai_unet", {"channels": [4, 8], "strides": [2], "dims": 7}),
        ("monai_unet", {"channels": [4, 8], "strides": [2], "kernel": 4}),
        ("monai_unet", {"channels": [4, 8], "strides": [2], "order": "NAN"}),
        ("monai_segresnet", {"blocks_down": [1, 1], "blocks_up": [1, 1]}),
        ("monai_segresnet", {"act": "prelu"}),
        ("monai_segresnet", {"blocks_down": [1, 4096], "blocks_up": [4096]}),
        ("monai_unet", {"channels": [4, 8], "strides": [2], "residual_units": 4096}),
        ("monai_dynunet", {"kernels": [3], "strides": [1], "up_kernels": [], "filters": [4]}),
        ("monai_basicunet", {"features": [4, 4]}),
        ("monai_attention_unet", {"channels": [4, 8], "strides": []}),
    ],
)
def test_networks_that_do_not_fit_together_are_refused(row: str, kwargs: dict[str, Any]) -> None:
    with pytest.raises(PackError, match="cannot be built"):
        build_network(NetworkSpec(row, {"in_channels": 1, "classes": 2, **kwargs}))


def test_layers_of_an_unknown_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        Layers(norm="layer")
