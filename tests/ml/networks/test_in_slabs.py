"""Convolutions cut into slabs give what they give whole, and let Cancel in between."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.ml.networks import in_slabs
from medview.ml.networks.in_slabs import InSlabs, cut_large
from medview.ml.networks.nnunet import plain_unet
from medview.ml.runners.watched import Progress, Stopwatch, WatchedNetwork
from medview.ml.weights import load_network, size_bytes
from tests.ml.small_packs import small_network, small_pack

CONVOLUTIONS = [
    nn.Conv3d(3, 4, 3, padding=1),
    nn.Conv3d(3, 4, 3, padding=1, stride=2),
    nn.Conv3d(4, 4, (5, 3, 1), padding=(2, 1, 0), stride=(2, 1, 1), groups=2, bias=False),
    nn.Conv3d(3, 2, 3, padding=2, dilation=2),
    nn.Conv3d(3, 2, 1),
    nn.Conv3d(3, 2, 3),
    nn.ConvTranspose3d(3, 4, 2, stride=2),
    nn.ConvTranspose3d(3, 4, (1, 2, 2), stride=(1, 2, 2), bias=False),
]


@pytest.fixture
def small_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_slabs, "SLAB_MULTIPLICATIONS", 3e3)
    monkeypatch.setattr(in_slabs, "FAST_FROM", 0)


@pytest.mark.usefixtures("small_slabs")
@pytest.mark.parametrize("conv", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("count", [1, 2])
def test_slabs_put_together_are_the_whole(conv: nn.Conv3d | nn.ConvTranspose3d, count: int) -> None:
    assert InSlabs.can_be_cut(conv)
    cut, calls = InSlabs(conv.eval()), []
    hook = conv.register_forward_hook(lambda *_: calls.append(1))
    features = torch.randn(count, conv.in_channels, 17, 12, 14, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found = cut(features)
        pieces = len(calls)
        assert pieces > 2
        assert (found - conv(features)).abs().max() < 1e-5
    hook.remove()


def test_convolutions_whose_slabs_overlap_are_left_alone() -> None:
    assert not InSlabs.can_be_cut(nn.ConvTranspose3d(3, 4, 3, stride=2))
    assert not InSlabs.can_be_cut(nn.Conv3d(3, 4, 3, padding=1, padding_mode="reflect"))
    assert not InSlabs.can_be_cut(nn.Linear(3, 4))
    meshnet = small_network("meshnet", {"in_channels": 1, "out_channels": 2, "channels": 3, "dilations": [1, 2]})
    assert not any(isinstance(m, InSlabs) for m in cut_large(meshnet).modules())


@pytest.mark.usefixtures("small_slabs")
def test_cancel_is_seen_many_times_within_one_layer(tmp_path: Path) -> None:
    network = load_network(small_pack(tmp_path / "pack"))
    looks: list[int] = []

    class Watching(Inline):
        def raise_if_cancelled(self) -> None:
            looks.append(1)
            if len(looks) == 30:
                self.cancel()
            super().raise_if_cancelled()

    context = Watching()
    with (
        WatchedNetwork(network, context, Progress(context, 0.0, 1.0), Stopwatch()) as watched,
        torch.inference_mode(),
        pytest.raises(CancelledError),
    ):
        watched.run(torch.zeros(2, 1, 24, 24, 24))
    assert len(looks) == 30


@pytest.mark.usefixtures("small_slabs")
def test_a_whole_network_answers_as_before_and_takes_no_more_memory() -> None:
    torch.manual_seed(3)
    network = plain_unet(
        1, 3, [4, 6, 8], [[1, 3, 3], [3, 3, 3], [3, 3, 3]], [[1, 1, 1], [1, 2, 2], [2, 2, 2]], [2, 2, 2], [2, 2]
    ).eval()
    tiles, bytes_before = torch.randn(1, 1, 16, 32, 24), size_bytes(network)
    with torch.inference_mode():
        before = network(tiles)
        after = cut_large(network)(tiles)
    assert any(isinstance(m, InSlabs) for m in network.modules())
    assert (before - after).abs().max() < 1e-4
    assert size_bytes(network) == bytes_before
