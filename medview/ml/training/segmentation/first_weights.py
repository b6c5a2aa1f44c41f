"""The weights a segmentation network begins with."""

from __future__ import annotations

from torch import nn

from medview.ml.networks.fcn import Fcn
from medview.ml.networks.nnunet import SLOPE, NnUNet
from medview.ml.spec import NetworkSpec
from medview.ml.weights import build_network


def first_network(spec: NetworkSpec) -> nn.Module:
    """Build a network on the CPU with first weights (He 2015 for leaky ReLUs), drawn from torch's generator.

    In training it answers at every scale, where it can.

    Raises
    ------
    PackError
        When there is no such network.
    """
    network = build_network(spec).to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
            nn.init.kaiming_normal_(module.weight, a=SLOPE)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.InstanceNorm2d | nn.InstanceNorm3d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif any(True for _ in (*module.parameters(recurse=False), *module.buffers(recurse=False))):
            raise TypeError(f"no first weights for a {type(module).__name__}")
    if isinstance(network, NnUNet | Fcn):
        network.every_scale = True
    return network.requires_grad_(True)


def parameter_count(spec: NetworkSpec) -> int:
    """Return how many weights a network has, without building it in memory."""
    return sum(parameter.numel() for parameter in build_network(spec).parameters())
