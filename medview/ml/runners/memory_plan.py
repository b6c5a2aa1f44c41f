"""Where a model runs and in what pieces, decided by arithmetic before it starts."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from weakref import WeakKeyDictionary

import torch
from torch import nn

from medview.core.errors import ModelError
from medview.ml.free_memory import free_memory_bytes
from medview.ml.networks.averaged import Ensemble
from medview.ml.packs import ModelPack
from medview.ml.runners.device_errors import no_graphics
from medview.ml.runners.prompt_session import KEPT
from medview.ml.runners.tile_starts import tile_starts
from medview.ml.spec import Blend, Shape3, Tiling
from medview.ml.weights import RESIDENT, size_bytes

SHARE = 0.8
"""Part of the free memory a plan may use; the window and the system need the rest."""

MOST_SPLITS = 12
"""An axis is cut into at most so many pieces: thinner ones would be nearly all margin."""

BATCH_BYTES = 2 << 30
"""Tiles are run together up to this much working memory."""

LARGEST_BATCH = 8

LARGEST_PLANAR_BATCH = 32
"""Slices of a two-dimensional network that are run together."""

BATCH_MULTIPLICATIONS = 2e9
"""Work of one layer on slices run together on the CPU: some 80 ms on two cores, so that Cancel is seen in time."""

CPU_BATCH = 2
"""torch sends single small tiles to a slow convolution; two at a time go to oneDNN."""

FLOAT = 4

_TRIED, _TRIED_PLANAR = 32, 128
"""Sides of the small tile a network is tried on."""

_KNOWN: WeakKeyDictionary[nn.Module, dict[tuple[Shape3, int], Demand]] = WeakKeyDictionary()
"""What networks that are still there were found to take."""

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
    ahead : bool
        Whether there is room to begin with the slices a person is looking at.
    remembers : bool
        Whether there is room to keep the answer to a tile that shows the same number everywhere.
    """

    device: torch.device
    splits_kji: Shape3
    batch: int
    bytes_needed: int
    ahead: bool = False
    remembers: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """What a forward pass on one tile takes.

    Attributes
    ----------
    working_bytes : int
        Memory beside weights and input.
    multiplications : float
        Of the largest convolution; 0 for networks that cut their layers themselves.
    """

    working_bytes: int
    multiplications: float


def make_plan(
    network: nn.Module,
    tiling: Tiling | None,
    shape_kji: Shape3,
    out_channels: int,
    wanted: str,
    name: str,
    free_bytes: int | None = None,
    in_channels: int = 1,
    held_bytes: int = 0,
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
    held_bytes : int
        What is to lie on the device beside the pieces and their volume.

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
        free = free_on(place) if place == "cuda" or free_bytes is None else free_bytes
        budget = int(free * SHARE)
        if place == "cuda":
            budget -= size_bytes(network)
        plan = _fit(network, tiling, shape_kji, (in_channels, out_channels), torch.device(place), budget - held_bytes)
        plan = replace(plan, bytes_needed=plan.bytes_needed + held_bytes)
        if plan.bytes_needed <= budget:
            _log.info("%s: %s", name, plan)
            return plan
        least = plan.bytes_needed
    raise ModelError(
        f"{name} needs about {least / 1e9:.1f} GB of memory for this series and {budget / 1e9:.1f} GB are free; "
        "close other programs or use a computer with more memory."
    )


def plan_for(
    pack: ModelPack, network: nn.Module, shape_kji: Shape3, wanted: str, held_bytes: int = 0, *, looks: int = 1
) -> MemoryPlan:
    """Choose device and pieces for a pack as ``make_plan`` does; what waits for another run goes before it is refused.

    Parameters
    ----------
    looks : int
        How many answers to each tile are kept.
    """
    spec = pack.spec

    def plan() -> MemoryPlan:
        return make_plan(
            network,
            spec.tiling,
            shape_kji,
            spec.out_channels * looks,
            wanted,
            spec.name,
            in_channels=spec.in_channels,
            held_bytes=held_bytes,
        )

    try:
        return plan()
    except ModelError:
        if not (RESIDENT.keep_only(pack) | KEPT.clear()):
            raise
        return plan()


def _fit(
    network: nn.Module,
    tiling: Tiling | None,
    shape: Shape3,
    channels: tuple[int, int],
    device: torch.device,
    budget: int,
) -> MemoryPlan:
    """Return the fastest plan within the budget, or else the one that needs least."""
    in_channels, out_channels = channels
    volume = FLOAT * in_channels * math.prod(shape)
    if tiling is not None and tiling.blend is Blend.GAUSSIAN:
        return _fit_blended(network, tiling, shape, channels, device, budget)
    best: MemoryPlan | None = None
    best_work = 0
    for splits in _splits(shape, tiling):
        margin = tiling.margin_kji if tiling is not None else (0, 0, 0)
        core = [math.ceil(n / s) for n, s in zip(shape, splits, strict=True)]
        read = [min(n, c + m * min(2, s - 1)) for n, c, m, s in zip(shape, core, margin, splits, strict=True)]
        # A row of pieces along j and i is put together before it goes on; the whole volume is its own row.
        row = 0 if splits[1:] == (1, 1) else FLOAT * out_channels * core[0] * shape[1] * shape[2]
        needed = volume + row + demand_of(network, (read[0], read[1], read[2]), in_channels).working_bytes
        work = math.prod(read) * math.prod(splits)
        better = best is None or (
            work < best_work if needed <= budget and best.bytes_needed <= budget else needed < best.bytes_needed
        )
        if better:
            best, best_work = MemoryPlan(device, splits, 1, needed), work
    assert best is not None
    return best


def _fit_blended(
    network: nn.Module, tiling: Tiling, shape: Shape3, channels: tuple[int, int], device: torch.device, budget: int
) -> MemoryPlan:
    tile, (in_channels, out_channels) = tiling.tile_kji, channels
    planar = tile[0] == 1
    padded = [max(n, t) for n, t in zip(shape, tile, strict=True)]
    demand = demand_of(network, tile, in_channels)
    answer = FLOAT * out_channels * math.prod(tile)
    one = max(1, demand.working_bytes + answer)
    volume = FLOAT * in_channels * (math.prod(shape) + (math.prod(padded) if padded != list(shape) else 0))
    thin = FLOAT * (out_channels + 1) * padded[1] * padded[2]
    most = max(1, min(BATCH_BYTES // one, (budget - volume - thin * tile[0]) // (one + (thin if planar else 0))))
    if planar:
        batch = min(LARGEST_PLANAR_BATCH, most)
        if device.type == "cpu":
            batch = min(batch, max(CPU_BATCH, int(BATCH_MULTIPLICATIONS / max(1.0, demand.multiplications))))
    else:
        batch = min(LARGEST_BATCH if device.type == "cuda" else CPU_BATCH, most)
    needed = volume + thin * (batch if planar else tile[0]) + batch * one
    kept = 0 if planar else _kept_ahead(tiling, (padded[0], padded[1], padded[2]), out_channels)
    ahead = needed + kept <= budget
    needed += kept if ahead else 0
    remembers = needed + answer <= budget
    return MemoryPlan(device, (1, 1, 1), batch, needed + (answer if remembers else 0), ahead, remembers)


def _kept_ahead(tiling: Tiling, padded: Shape3, out_channels: int) -> int:
    """Return the bytes of answers that wait for earlier tiles at most, wherever the first row of tiles is."""
    starts = [tile_starts(n, t, tiling.overlap, spread=tiling.spread) for n, t in zip(padded, tiling.tile_kji, strict=True)]
    tk, tj, ti = tiling.tile_kji
    slices = max(
        (sum(max(0, before + tk - k) for k in starts[0][n + 1 :]) for n, before in enumerate(starts[0])), default=0
    )
    return FLOAT * out_channels * slices * len(starts[1]) * tj * len(starts[2]) * ti


def _splits(shape: Shape3, tiling: Tiling | None) -> Iterator[Shape3]:
    if tiling is None or tiling.blend is Blend.WHOLE:
        yield 1, 1, 1
        return
    k, j, i = (range(1, min(n, MOST_SPLITS) + 1) for n in shape)
    yield from product(k, j, i)


def demand_of(network: nn.Module, tile_kji: Shape3, in_channels: int) -> Demand:
    """Return what a forward pass takes.

    Networks that know their memory say so (``working_bytes``). For others a pass on a small tile gives every layer's
    output, which grows with the tile; twice the largest input and output of one layer covers what else is alive: skips and
    temporaries. Networks that want larger tiles are passed through without memory (meta tensors), for which torch imports
    a second's worth of modules.
    """
    if isinstance(network, Ensemble):
        # Its members follow one another.
        network = network.members[0]
    own = getattr(network, "working_bytes", None)
    if own is not None:
        return Demand(int(own(tile_kji)), 0.0)
    known = _KNOWN.setdefault(network, {})
    if (tile_kji, in_channels) not in known:
        known[tile_kji, in_channels] = _tried(network, tile_kji, in_channels)
    return known[tile_kji, in_channels]


def _tried(network: nn.Module, tile_kji: Shape3, in_channels: int) -> Demand:
    side = _TRIED_PLANAR if tile_kji[0] == 1 else _TRIED
    k, j, i = (min(n, side) for n in tile_kji)
    # In a pair, as torch has a slow convolution for single ones.
    pair = torch.zeros((2, in_channels, k, j, i))
    grows = math.prod(tile_kji) / (2 * k * j * i)
    with torch.inference_mode():
        try:
            seen = _Layers.of(network, lambda: network(pair))
        except (RuntimeError, ValueError):
            grows = 1.0
            weights = {name: t.to("meta") for name, t in (*network.named_parameters(), *network.named_buffers())}
            tile = torch.empty((1, in_channels, *tile_kji), device="meta")
            seen = _Layers.of(network, lambda: torch.func.functional_call(network, weights, (tile,)))
    return Demand(math.ceil(2 * seen.largest_bytes * grows), seen.multiplications * grows)


@dataclass(slots=True)
class _Layers:
    """The largest input and output of the leaf modules of a network, and the work of its largest convolution."""

    largest_bytes: int = 0
    multiplications: float = 0.0

    @classmethod
    def of(cls, network: nn.Module, run: Callable[[], object]) -> _Layers:
        """Watch a network while it is run."""
        seen = cls()
        hooks = [m.register_forward_hook(seen._look) for m in network.modules() if next(m.children(), None) is None]
        try:
            run()
        finally:
            for hook in hooks:
                hook.remove()
        return seen

    def _look(self, module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        tensors = [t for t in (*inputs, output) if isinstance(t, torch.Tensor)]
        self.largest_bytes = max(self.largest_bytes, sum(t.numel() * FLOAT for t in tensors))
        if isinstance(module, nn.Conv2d | nn.Conv3d) and isinstance(output, torch.Tensor):
            self.multiplications = max(self.multiplications, float(output.numel()) * module.weight[0].numel())


def free_on(place: str) -> int:
    """Return the bytes that may still be taken on ``cuda`` or ``cpu``."""
    if place == "cuda":
        free, _total = torch.cuda.mem_get_info()
        # What torch keeps for its next tensors is free for them.
        return int(free) + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return free_memory_bytes()
