"""Where a model runs and in what pieces, decided by arithmetic before it starts."""

from __future__ import annotations

import ctypes
import logging
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from torch import nn

from medview.core.errors import ModelError
from medview.ml.runners.device_errors import no_graphics
from medview.ml.spec import Blend, Shape3, Tiling

SHARE = 0.8
"""Part of the free memory a plan may use; the window and the system need the rest."""

MOST_SPLITS = 12
"""An axis is cut into at most so many pieces: thinner ones would be nearly all margin."""

BATCH_BYTES = 2 << 30
"""Tiles are run together up to this much working memory."""

LARGEST_BATCH = 8

CPU_BATCH = 2
"""torch sends single small tiles to a slow convolution; two at a time go to oneDNN."""

FLOAT = 4

_log = logging.getLogger("medview.models")


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The plan for one volume.

    Attributes
    ----------
    device : torch.device
    splits_kji : tuple of int
        Pieces along k, j, i, for ``valid`` tiles; (1, 1, 1) is the whole volume at once.
    batch : int
        Tiles run together, for ``gaussian`` tiles.
    bytes_needed : int
        What the plan expects to use on the device.
    """

    device: torch.device
    splits_kji: Shape3
    batch: int
    bytes_needed: int


def make_plan(
    network: nn.Module,
    tiling: Tiling | None,
    shape_kji: Shape3,
    out_channels: int,
    wanted: str,
    name: str,
    free_bytes: int | None = None,
) -> MemoryPlan:
    """Choose device and pieces.

    Parameters
    ----------
    network : torch.nn.Module
        On any device; only looked at.
    shape_kji : tuple of int
        Shape of the model's grid.
    wanted : str
        ``auto``, ``cpu`` or ``cuda``.
    name : str
        Of the model, for sentences.
    free_bytes : int, optional
        Free memory of the CPU, for tests; asked of the system when not given.

    Raises
    ------
    ModelError
        When there is no such device, or the model fits nowhere.
    """
    cuda = torch.cuda.is_available()
    if wanted == "cuda" and not cuda:
        raise no_graphics(name)
    places = {"auto": ["cuda", "cpu"] if cuda else ["cpu"], "cuda": ["cuda"], "cpu": ["cpu"]}[wanted]
    least = 0
    for place in places:
        free = _free(place) if place == "cuda" or free_bytes is None else free_bytes
        budget = int(free * SHARE)
        plan = _fit(network, tiling, shape_kji, out_channels, torch.device(place), budget)
        if plan.bytes_needed <= budget:
            _log.info("%s: %s", name, plan)
            return plan
        least = plan.bytes_needed
    raise ModelError(
        f"{name} needs about {least / 1e9:.1f} GB of memory for this series and {budget / 1e9:.1f} GB are free; "
        "close other programs or use a computer with more memory."
    )


def _fit(
    network: nn.Module, tiling: Tiling | None, shape: Shape3, out_channels: int, device: torch.device, budget: int
) -> MemoryPlan:
    """Return the fastest plan within the budget, or else the one that needs least."""
    volume = FLOAT * math.prod(shape)
    if tiling is not None and tiling.blend is Blend.GAUSSIAN:
        padded = [max(n, t) for n, t in zip(shape, tiling.tile_kji, strict=True)]
        slab = FLOAT * (out_channels + 1) * tiling.tile_kji[0] * padded[1] * padded[2]
        one = working_bytes(network, tiling.tile_kji)
        most = max(1, min(LARGEST_BATCH, BATCH_BYTES // max(one, 1), (budget - volume - slab) // max(one, 1)))
        batch = most if device.type == "cuda" else min(CPU_BATCH, most)
        return MemoryPlan(device, (1, 1, 1), batch, volume + slab + batch * one)
    best: MemoryPlan | None = None
    best_work = 0
    for splits in _splits(shape, tiling):
        margin = tiling.margin_kji if tiling is not None else (0, 0, 0)
        core = [math.ceil(n / s) for n, s in zip(shape, splits, strict=True)]
        read = [min(n, c + m * min(2, s - 1)) for n, c, m, s in zip(shape, core, margin, splits, strict=True)]
        # A row of pieces along j and i is put together before it goes on; the whole volume is its own row.
        row = 0 if splits[1:] == (1, 1) else FLOAT * out_channels * core[0] * shape[1] * shape[2]
        needed = volume + row + working_bytes(network, (read[0], read[1], read[2]))
        work = math.prod(read) * math.prod(splits)
        better = best is None or (
            work < best_work if needed <= budget and best.bytes_needed <= budget else needed < best.bytes_needed
        )
        if better:
            best, best_work = MemoryPlan(device, splits, 1, needed), work
    assert best is not None
    return best


def _splits(shape: Shape3, tiling: Tiling | None) -> Iterator[Shape3]:
    if tiling is None or tiling.blend is Blend.WHOLE:
        yield 1, 1, 1
        return
    k, j, i = (range(1, min(n, MOST_SPLITS) + 1) for n in shape)
    yield from product(k, j, i)


def working_bytes(network: nn.Module, tile_kji: Shape3) -> int:
    """Return the memory a forward pass takes beside weights and input.

    Networks that know say so (``working_bytes``). For others a pass without memory (meta tensors) gives every layer's
    output; twice the largest input and output of one layer covers what else is alive: skips and temporaries.
    """
    own = getattr(network, "working_bytes", None)
    if own is not None:
        return int(own(tile_kji))
    largest = 0

    def look(_module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        nonlocal largest
        tensors = [t for t in (*inputs, output) if isinstance(t, torch.Tensor)]
        largest = max(largest, sum(t.numel() * FLOAT for t in tensors))

    hooks = [m.register_forward_hook(look) for m in network.modules() if next(m.children(), None) is None]
    try:
        weights = {name: t.to("meta") for name, t in (*network.named_parameters(), *network.named_buffers())}
        channels = next((p.shape[1] for p in network.parameters() if p.ndim in (4, 5)), 1)
        with torch.inference_mode():
            torch.func.functional_call(network, weights, (torch.empty((1, channels, *tile_kji), device="meta"),))
    finally:
        for hook in hooks:
            hook.remove()
    return 2 * largest


def _free(place: str) -> int:
    if place == "cuda":
        free, _total = torch.cuda.mem_get_info()
        return int(free)
    return free_memory_bytes()


def free_memory_bytes() -> int:
    """Return the memory this process may still take, with the limits of a container."""
    if sys.platform == "win32":
        return _free_on_windows()
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):
            # No such group, or its limit is the word "max".
            continue
    return max(0, free)


def _free_on_windows() -> int:
    if sys.platform == "win32":
        numbers = [(f"bytes{n}", ctypes.c_ulonglong) for n in range(6)]

        class Status(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong), ("total", ctypes.c_ulonglong), *numbers]

        status = Status(length=ctypes.sizeof(Status))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        # After the total comes the available physical memory.
        return int(status.bytes0)
    return 0
