"""Half precision is used where a device is quicker with it; overflow is noticed, and what comes out is float32."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from medview.core.job import Inline
from medview.ml.networks.averaged import Mirrored
from medview.ml.runners import precision
from medview.ml.runners.precision import Precision, quicker_on
from medview.ml.runners.watched import Progress, Stopwatch, WatchedNetwork

CPU = torch.device("cpu")


class Recording(nn.Module):
    """One convolution that keeps what it was asked to calculate in."""

    def __init__(self, weight: float = 0.5) -> None:
        super().__init__()
        self.layer = nn.Conv3d(1, 2, 3, padding=1)
        nn.init.constant_(self.layer.weight, weight)
        nn.init.zeros_(self.layer.bias)
        self.dtypes: list[torch.dtype] = []

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layer(tiles)
        self.dtypes.append(found.dtype)
        return found


def _tiles() -> torch.Tensor:
    return torch.rand((2, 1, 6, 7, 8), generator=torch.Generator().manual_seed(3))


def test_processors_and_old_cards_calculate_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    assert quicker_on(CPU) is None
    for capability, half in (((6, 1), None), ((7, 0), torch.float16), ((9, 0), torch.float16)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device, said=capability: said)
        assert quicker_on(torch.device("cuda")) is half
        assert Precision.of(torch.device("cuda"), full=True).half is None


def test_in_half_precision_answers_are_near_and_come_as_float32() -> None:
    network, tiles = Recording(), _tiles()
    exact = network(tiles)
    found = Precision(CPU, torch.bfloat16).call(network, tiles)
    assert network.dtypes == [torch.float32, torch.bfloat16]
    assert isinstance(found, torch.Tensor)
    assert found.dtype is torch.float32
    assert torch.allclose(found, exact, rtol=0.02)
    assert not torch.equal(found, exact)


def test_maps_by_name_come_as_float32_too() -> None:
    layer = Recording()
    found = Precision(CPU, torch.bfloat16).call(lambda tiles: {"logits_0": layer(tiles)}, _tiles())
    assert isinstance(found, dict)
    assert {name: maps.dtype for name, maps in found.items()} == {"logits_0": torch.float32}


def test_a_network_that_overflows_is_calculated_in_full_from_then_on() -> None:
    # 27 products of up to 1e4 are beyond the largest float16, 65504, and no trouble for float32.
    network, tiles = Recording(weight=1e4), _tiles() + 1.0
    how = Precision(CPU, torch.float16)
    found = how.call(network, tiles)
    assert isinstance(found, torch.Tensor)
    assert torch.isfinite(found).all()
    assert torch.equal(found, network(tiles))
    how.call(network, tiles)
    assert network.dtypes == [torch.float16, torch.float32, torch.float32, torch.float32]


def test_mirrored_looks_are_summed_in_full() -> None:
    network, tiles = Recording(), _tiles()
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        found = Mirrored(network, (0, 2))(tiles)
    assert network.dtypes == [torch.bfloat16] * 4
    assert isinstance(found, torch.Tensor)
    assert found.dtype is torch.float32


def test_what_is_watched_calculates_as_it_is_told() -> None:
    network = Recording()
    how = Precision(CPU, torch.bfloat16)
    with (
        WatchedNetwork(network, Inline(), Progress(Inline(), 0.0, 1.0), Stopwatch(), how) as watched,
        torch.inference_mode(),
    ):
        watched.run(_tiles())
    assert network.dtypes == [torch.bfloat16]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics card here")
def test_on_a_graphics_card_half_precision_is_near_full() -> None:
    device = torch.device("cuda")
    network, tiles = Recording().to(device), _tiles().to(device)
    exact, found = (precision.Precision.of(device, full=full).call(network, tiles) for full in (True, False))
    assert isinstance(exact, torch.Tensor)
    assert isinstance(found, torch.Tensor)
    assert torch.allclose(found, exact, rtol=0.01)
