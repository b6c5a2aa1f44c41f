"""Networks that stay loaded between runs: which stay, and where."""

from __future__ import annotations

from pathlib import Path

import torch

from medview.ml.weights import ResidentNetworks, size_bytes
from tests.ml.small_packs import small_pack

CPU, META = torch.device("cpu"), torch.device("meta")


def test_the_least_recently_used_network_goes_first_and_the_last_one_stays(tmp_path: Path) -> None:
    packs = [small_pack(tmp_path / str(n), seed=n) for n in range(3)]
    size = size_bytes(ResidentNetworks().get(packs[0], CPU))
    kept = ResidentNetworks(limit_bytes=2 * size)
    first, second = (kept.get(pack, CPU) for pack in packs[:2])
    assert kept.get(packs[0], CPU) is first
    kept.get(packs[2], CPU)
    assert kept.get(packs[0], CPU) is first
    assert kept.get(packs[1], CPU) is not second
    tiny = ResidentNetworks(limit_bytes=1)
    alone = tiny.get(packs[0], CPU)
    assert tiny.get(packs[0], CPU) is alone


def test_each_device_has_room_of_its_own(tmp_path: Path) -> None:
    packs = [small_pack(tmp_path / str(n), seed=n) for n in range(2)]
    size = size_bytes(ResidentNetworks().get(packs[0], CPU))
    kept = ResidentNetworks(limit_bytes=2 * size)
    here = [kept.get(pack, CPU) for pack in packs]
    there = [kept.get(pack, META) for pack in packs]
    assert [kept.get(pack, CPU) for pack in packs] == here
    assert [kept.get(pack, META) for pack in packs] == there
    # What lies elsewhere is a copy: the one here still has its weights.
    assert all(p.device == CPU for network in here for p in network.parameters())


def test_when_memory_is_short_all_but_the_one_that_is_run_can_go(tmp_path: Path) -> None:
    packs = [small_pack(tmp_path / str(n), seed=n) for n in range(2)]
    kept = ResidentNetworks()
    first, second = (kept.get(pack, CPU) for pack in packs)
    assert kept.keep_only(packs[0])
    assert not kept.keep_only(packs[0])
    assert kept.get(packs[0], CPU) is first
    assert kept.get(packs[1], CPU) is not second
