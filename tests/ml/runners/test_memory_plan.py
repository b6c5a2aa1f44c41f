"""Device and pieces, chosen by arithmetic."""

from __future__ import annotations

import pytest
import torch

from medview.core.errors import ModelError
from medview.ml.networks.meshnet import meshnet
from medview.ml.runners import memory_plan
from medview.ml.runners.memory_plan import demand_of, free_memory_bytes, make_plan
from medview.ml.spec import Blend, NetworkSpec, Tiling
from medview.ml.weights import build_network
from tests.ml.small_packs import small_network

VALID = Tiling((2048, 2048, 2048), 0.0, Blend.VALID, (46, 46, 46))
HEAD = (256, 256, 256)
GB = 10**9


def brain_network() -> torch.nn.Module:
    return meshnet(1, 3, 5, [1, 2, 4, 8, 16, 8, 4, 2, 1])


def test_a_volume_that_fits_is_run_whole() -> None:
    plan = make_plan(brain_network(), VALID, HEAD, 3, "cpu", "Brain", free_bytes=8 * GB)
    assert plan.splits_kji == (1, 1, 1)
    assert plan.device.type == "cpu"


def test_less_memory_means_more_pieces_and_never_more_than_there_is() -> None:
    pieces = []
    for free in (8 * GB, 2 * GB, GB, int(0.75 * GB)):
        plan = make_plan(brain_network(), VALID, HEAD, 3, "cpu", "Brain", free_bytes=free)
        assert plan.bytes_needed <= free
        pieces.append(plan.splits_kji[0] * plan.splits_kji[1] * plan.splits_kji[2])
    assert pieces == sorted(pieces)
    assert pieces[0] == 1 < pieces[-1]


def test_what_fits_nowhere_is_said_before_the_start() -> None:
    with pytest.raises(ModelError, match=r"Brain needs about 0\.\d GB of memory for this series and 0\.1 GB are free"):
        make_plan(brain_network(), VALID, HEAD, 3, "cpu", "Brain", free_bytes=GB // 10)


def test_a_network_that_needs_everything_at_once_is_not_cut() -> None:
    network = meshnet(1, 2, 15, [16, 8, 4], "gelu", "instance", bias=False)
    whole = Tiling((2048, 2048, 2048), 0.0, Blend.WHOLE)
    with pytest.raises(ModelError, match=r"needs about 2\.\d GB"):
        make_plan(network, whole, HEAD, 2, "cpu", "Brain", free_bytes=GB)
    assert make_plan(network, whole, HEAD, 2, "cpu", "Brain", free_bytes=8 * GB).splits_kji == (1, 1, 1)


def test_a_missing_graphics_card_is_said() -> None:
    if torch.cuda.is_available():
        pytest.skip("this computer has a graphics card")
    with pytest.raises(ModelError, match="no graphics card"):
        make_plan(brain_network(), VALID, HEAD, 3, "cuda", "Brain")
    assert make_plan(brain_network(), VALID, (16, 16, 16), 3, "auto", "Brain").device.type == "cpu"


def test_the_working_memory_of_a_network_is_found_without_running_it() -> None:
    network = small_network("unet3d", {"in_channels": 1, "classes": 3, "channels": [8, 16]})
    found = demand_of(network, (64, 64, 64), 1).working_bytes
    # Input and output of the widest layer: twice eight channels at full resolution, and as much again for skips.
    assert 2 * 16 * 64**3 * 4 <= found <= 4 * 16 * 64**3 * 4
    assert next(network.parameters()).device.type == "cpu"


def test_networks_are_described_without_taking_memory() -> None:
    network = build_network(
        NetworkSpec("meshnet", {"in_channels": 1, "out_channels": 3, "channels": 4096, "dilations": [1] * 200})
    )
    assert all(p.device.type == "meta" for p in network.parameters())


def test_tiles_of_a_fixed_size_are_run_in_pairs_on_the_cpu() -> None:
    network = small_network("unet3d", {"in_channels": 1, "classes": 3, "channels": [4, 6]})
    tiling = Tiling((32, 32, 32), 0.5, Blend.GAUSSIAN)
    assert make_plan(network, tiling, (64, 64, 64), 3, "cpu", "Organs", free_bytes=GB).batch == memory_plan.CPU_BATCH


def test_the_system_says_how_much_memory_is_free() -> None:
    assert 10**7 < free_memory_bytes() < 10**14


def test_a_network_that_wants_large_tiles_is_judged_without_memory() -> None:
    class Picky(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = small_network("unet3d", {"in_channels": 1, "classes": 3, "channels": [8, 16]})
            self.sizes: list[tuple[str, int]] = []

        def forward(self, tiles: torch.Tensor) -> torch.Tensor:
            self.sizes.append((tiles.device.type, tiles.shape[2]))
            if tiles.shape[2] < 64:
                raise ValueError("Expected more than 1 spatial element")
            found: torch.Tensor = self.inside(tiles)
            return found

    picky = Picky()
    found = demand_of(picky, (64, 64, 64), 1)
    assert found == demand_of(picky.inside, (64, 64, 64), 1)
    assert found == demand_of(picky, (64, 64, 64), 1)
    # Tried once, then passed through without memory; the answer is kept.
    assert picky.sizes == [("cpu", 32), ("meta", 64)]
