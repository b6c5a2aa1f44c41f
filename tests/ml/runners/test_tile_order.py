"""Tiles in another order, left out, looked at once or together: the numbers are the same."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from medview.core.errors import ModelError
from medview.core.job import Inline
from medview.ml.networks.meshnet import meshnet
from medview.ml.networks.planar import SliceBySlice
from medview.ml.runners.body import Body
from medview.ml.runners.memory_plan import MemoryPlan, make_plan
from medview.ml.runners.tiling import LogitSlab, logit_slabs
from medview.ml.runners.watched import Progress, Stopwatch, WatchedNetwork
from medview.ml.spec import Blend, Shape3, Tiling
from tests.ml.runners.test_tiling import CPU, balance, volume
from tests.ml.small_packs import small_network


class Counted(torch.nn.Module):
    """Counts calls and tiles."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network
        self.calls = self.tiles = 0

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        self.tiles += len(tiles)
        found: torch.Tensor = self.network(tiles)
        return found


class Fractions(Inline):
    """Keeps the progress."""

    def __init__(self) -> None:
        super().__init__()
        self.fractions = [0.0]

    def progress(self, fraction: float, text: str) -> None:
        self.fractions.append(fraction)


def plan_of(splits: Shape3 = (1, 1, 1), batch: int = 2, *, ahead: bool = False, remembers: bool = False) -> MemoryPlan:
    return MemoryPlan(CPU, splits, batch, 0, ahead, remembers)


def slabs(
    network: torch.nn.Module,
    values: torch.Tensor,
    tiling: Tiling,
    plan: MemoryPlan,
    near_k: int = 0,
    body: Body | None = None,
) -> list[LogitSlab]:
    context = Fractions()
    with WatchedNetwork(network, context, Progress(context, 0.0, 1.0), Stopwatch()) as watched, torch.inference_mode():
        found = [
            LogitSlab(slab.first_k, slab.logits.clone())
            for slab in logit_slabs(watched, values, tiling, plan, near_k, body, 3)
        ]
    assert context.fractions == sorted(context.fractions)
    assert context.fractions[-1] == pytest.approx(1.0, abs=0.006)
    return found


def together(found: list[LogitSlab]) -> torch.Tensor:
    in_order = sorted(found, key=lambda slab: slab.first_k)
    ends = np.cumsum([0, *(slab.logits.shape[1] for slab in in_order)])
    assert [slab.first_k for slab in in_order] == list(ends[:-1])
    return torch.cat([slab.logits for slab in in_order], dim=1)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.7])
@pytest.mark.parametrize(("slices", "near"), [(61, 9), (61, 30), (61, 60), (20, 7), (9, 5)])
def test_the_slice_a_person_looks_at_comes_first_and_every_bit_is_the_same(overlap: float, slices: int, near: int) -> None:
    network = small_network("unet3d", {"in_channels": 1, "classes": 3, "channels": [3, 4]})
    values = volume((slices, 22, 27))
    tiling = Tiling((16, 12, 16), overlap, Blend.GAUSSIAN)
    plain = slabs(network, values, tiling, plan_of())
    ahead = slabs(network, values, tiling, plan_of(ahead=True), near)
    assert torch.equal(together(plain), together(ahead))
    # Nothing further away than a tile comes before it.
    assert 0 <= near - ahead[0].first_k < 16
    # Up to the end, then from the start: two runs.
    assert sum(a.first_k > b.first_k for a, b in pairwise(ahead)) <= 1


def test_without_room_the_order_stays_plain() -> None:
    network = small_network("unet3d", {"in_channels": 1, "classes": 3, "channels": [3, 4]})
    found = slabs(network, volume((61, 22, 27)), Tiling((16, 12, 16), 0.5, Blend.GAUSSIAN), plan_of(ahead=False), 40)
    assert found[0].first_k == 0


def test_the_plan_has_room_for_the_order_only_where_memory_is() -> None:
    network = small_network("unet3d", {"in_channels": 1, "classes": 40, "channels": [4, 6]})
    tiling = Tiling((32, 32, 32), 0.5, Blend.GAUSSIAN)
    free = [10**6 * n for n in (50, 150, 200, 250, 300, 400, 600, 1200, 2400)]
    plans = []
    for bytes_free in free:
        try:
            plans.append((make_plan(network, tiling, (96, 96, 96), 40, "cpu", "Organs", free_bytes=bytes_free), bytes_free))
        except ModelError:
            assert not plans
    assert not plans[0][0].ahead
    assert plans[-1][0].ahead
    assert plans[-1][0].remembers
    assert all(plan.bytes_needed <= 0.8 * bytes_free for plan, bytes_free in plans)


def test_pieces_of_a_network_with_a_margin_come_in_any_order() -> None:
    torch.manual_seed(2)
    network = meshnet(1, 3, 5, [1, 2, 1]).eval()
    values, tiling = volume((31, 20, 17)), Tiling((2048, 2048, 2048), 0.0, Blend.VALID, (4, 4, 4))
    plain, ahead = (slabs(network, values, tiling, plan_of((5, 2, 1)), near) for near in (0, 20))
    assert torch.equal(together(plain), together(ahead))
    assert [slab.first_k for slab in ahead] == [18, 24, 0, 6, 12]


@pytest.mark.parametrize("in_plane", [(18, 20), (12, 16)])
def test_slices_of_a_flat_network_are_run_together(in_plane: tuple[int, int]) -> None:
    torch.manual_seed(4)
    flat = torch.nn.Sequential(
        torch.nn.Conv2d(1, 5, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(5, 3, 3, padding=1)
    ).eval()
    network = Counted(SliceBySlice(flat))
    values, tiling = volume((23, 18, 20)), Tiling((1, *in_plane), 0.5, Blend.GAUSSIAN)
    one = together(slabs(network, values, tiling, plan_of(batch=1)))
    alone, network.calls = network.calls, 0
    many = slabs(network, values, tiling, plan_of(batch=8))
    assert network.calls <= alone / 4
    assert (one - together(many)).abs().max() < 1e-5
    ahead = slabs(network, values, tiling, plan_of(batch=8, ahead=True), 15)
    assert torch.equal(together(many), together(ahead))
    assert ahead[0].first_k <= 15 < ahead[0].first_k + ahead[0].logits.shape[1]


def test_a_plan_for_slices_takes_as_many_as_memory_and_cancel_allow() -> None:
    def batch(channels: int, free: int) -> int:
        flat = torch.nn.Sequential(torch.nn.Conv2d(1, channels, 3, padding=1), torch.nn.Conv2d(channels, 2, 3, padding=1))
        tiling = Tiling((1, 512, 512), 0.5, Blend.GAUSSIAN)
        return make_plan(SliceBySlice(flat), tiling, (80, 512, 512), 2, "cpu", "Flat", free_bytes=free).batch

    assert batch(4, 10**10) == 32
    assert batch(64, 10**10) < 32
    assert 1 <= batch(4, 4 * 10**8) < 32


def test_tiles_that_show_one_number_everywhere_are_looked_at_once() -> None:
    network = Counted(small_network("unet3d", {"in_channels": 1, "classes": 3, "channels": [4, 6]}))
    values = volume((40, 40, 40))
    balance(network.network, values)
    values[:, :, :26] = -1.0
    values[:, :, :, :26] = -1.0
    tiling = Tiling((16, 16, 16), 0.5, Blend.GAUSSIAN)
    every = together(slabs(network, values, tiling, plan_of()))
    tiles, network.tiles = network.tiles, 0
    once = together(slabs(network, values, tiling, plan_of(remembers=True)))
    assert network.tiles < tiles / 2
    assert (every - once).abs().max() < 1e-5
    assert torch.equal(every.argmax(0), once.argmax(0))
    ahead = together(slabs(network, values, tiling, plan_of(ahead=True, remembers=True), 30))
    assert torch.equal(once, ahead)


def test_tiles_without_the_patient_are_left_out_and_the_others_stay_as_they_are() -> None:
    network = Counted(small_network("unet3d", {"in_channels": 1, "classes": 3, "channels": [4, 6]}))
    values = volume((40, 40, 40))
    balance(network.network, values)
    cells = np.zeros((10, 10, 10), dtype=bool)
    cells[2:6, 6:, 5:] = True
    body = Body(cells, (4.0, 4.0, 4.0), (40, 40, 40))
    tiling = Tiling((16, 16, 16), 0.5, Blend.GAUSSIAN)
    every = together(slabs(network, values, tiling, plan_of()))
    tiles, network.tiles = network.tiles, 0
    near = together(slabs(network, values, tiling, plan_of(), body=body))
    assert network.tiles < tiles
    # Whatever tile shows a voxel of the patient was looked at.
    assert torch.allclose(near[:, 8:24, 24:, 20:], every[:, 8:24, 24:, 20:], atol=1e-5)
    assert not near.argmax(0)[:, :8, :8].any()
    none = together(slabs(network, values, tiling, plan_of(), body=Body(np.zeros_like(cells), (4.0,) * 3, (40,) * 3)))
    assert not none.argmax(0).any()
    assert none.shape == every.shape
