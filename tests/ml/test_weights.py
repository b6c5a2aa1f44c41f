"""Networks with their weights."""

from __future__ import annotations

import torch
from torch import nn

from medview.ml.networks.averaged import Ensemble
from medview.ml.weights import copied_to


def test_a_copy_on_another_device_has_the_same_layers_and_nothing_of_it_is_copied_where_it_was() -> None:
    torch.manual_seed(1)
    network = Ensemble([nn.Sequential(nn.Conv3d(1, 2, 3), nn.BatchNorm3d(2)).eval() for _ in range(2)])
    there = copied_to(network, torch.device("meta"))
    assert {name for name, _ in there.named_parameters()} == {name for name, _ in network.named_parameters()}
    assert all(tensor.device.type == "meta" for tensor in (*there.parameters(), *there.buffers()))
    assert all(tensor.device.type == "cpu" for tensor in (*network.parameters(), *network.buffers()))
    assert there(torch.empty(1, 1, 5, 5, 5, device="meta")).shape == (1, 2, 3, 3, 3)
    assert there.members[0] is not network.members[0]
