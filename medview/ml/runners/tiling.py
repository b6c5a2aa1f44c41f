"""Running a network over a volume in tiles, handing over finished slabs from k = 0 up.

Only one row of tiles along k is ever held with all its classes, whatever the length of the volume.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import torch
from torch.nn import functional

from medview.core.box import Box
from medview.core.errors import ModelError
from medview.ml.runners.memory_plan import MemoryPlan
from medview.ml.runners.watched import WatchedNetwork
from medview.ml.spec import Blend, Shape3, Tiling

SIGMA_SHARE = 0.125
"""Width of the Gaussian weight as a share of the tile, as in MONAI and nnU-Net."""

LEAST_WEIGHT = 1e-3
"""No voxel of a tile counts less than this."""


@dataclass(frozen=True, slots=True, eq=False)
class LogitSlab:
    """Finished logits, shape (classes, slices, j, i), from slice ``first_k`` of the model's grid."""

    first_k: int
    logits: torch.Tensor


def logit_slabs(network: WatchedNetwork, values: torch.Tensor, tiling: Tiling, plan: MemoryPlan) -> Iterator[LogitSlab]:
    """Run a segmentation network over a volume.

    Parameters
    ----------
    values : Tensor of float32, shape (channels, k, j, i)

    Yields
    ------
    LogitSlab
        In order, without gaps. A slab's memory is used again for the next one.
    """
    if tiling.blend is Blend.GAUSSIAN:
        return _gaussian_slabs(network, values, tiling, plan)
    return _valid_slabs(network, values, tiling.margin_kji, plan)


def tile_starts(length: int, tile: int, overlap: float) -> list[int]:
    """Return where tiles start on an axis: evenly, the last one pulled back inside."""
    if length <= tile:
        return [0]
    step = max(1, int(tile * (1.0 - overlap)))
    count = math.ceil((length - tile) / step) + 1
    return [min(n * step, length - tile) for n in range(count)]


def pad_to_tile(values: torch.Tensor, tile_kji: Shape3, pad: str = "zeros") -> tuple[torch.Tensor, Shape3]:
    """Return (channels, k, j, i) padded on both sides up to a tile, and the voxels added before k, j, i.

    ``pad`` is ``zeros`` or ``edge``, which repeats the outermost voxels.
    """
    missing = [max(0, t - n) for t, n in zip(tile_kji, values.shape[1:], strict=True)]
    k, j, i = (m // 2 for m in missing)
    if not any(missing):
        return values, (0, 0, 0)
    mode = "replicate" if pad == "edge" else "constant"
    sides = (i, missing[2] - i, j, missing[1] - j, k, missing[0] - k)
    return functional.pad(values[None], sides, mode=mode)[0], (k, j, i)


def batches(starts: list[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    """Cut a row of tiles into batches of ``size``, the last one larger rather than a single tile, which would be slow."""
    count = max(1, len(starts) // size)
    ends = [len(starts) * n // count for n in range(count + 1)]
    for low, high in pairwise(ends):
        yield starts[low:high]


def gather(values: torch.Tensor, k: int, starts: list[tuple[int, int]], tile_kji: Shape3) -> torch.Tensor:
    """Return tiles (N, channels, *tile_kji) of (channels, k, j, i), laid out as convolutions like them."""
    tk, tj, ti = tile_kji
    tiles = torch.stack([values[:, k : k + tk, j : j + tj, i : i + ti] for j, i in starts])
    return tiles.contiguous(memory_format=torch.channels_last_3d)


def _gaussian_slabs(network: WatchedNetwork, values: torch.Tensor, tiling: Tiling, plan: MemoryPlan) -> Iterator[LogitSlab]:
    tile = tiling.tile_kji
    padded, before = pad_to_tile(values, tile, tiling.pad)
    _, slices, rows, columns = padded.shape
    starts_k = tile_starts(slices, tile[0], tiling.overlap)
    starts = list(product(tile_starts(rows, tile[1], tiling.overlap), tile_starts(columns, tile[2], tiling.overlap)))
    network.plan(len(starts_k) * len(starts))
    weight = torch.ones(tile, device=values.device) if tiling.even else gaussian(tile, values.device)
    inside = tuple(slice(b, b + n) for b, n in zip(before[1:], values.shape[2:], strict=True))
    sums: torch.Tensor | None = None
    weights = torch.zeros((tile[0], rows, columns), device=values.device)
    for k, following in pairwise([*starts_k, slices]):
        for batch in batches(starts, plan.batch):
            logits = as_logits(network.run(gather(padded, k, batch, tile)), tile)
            if sums is None:
                # Classes last, as networks in that layout answer: adding a tile is then one pass through both.
                sums = torch.zeros((tile[0], rows, columns, logits.shape[1]), device=values.device)
            for (j, i), one in zip(batch, logits, strict=True):
                here = slice(j, j + tile[1]), slice(i, i + tile[2])
                sums[:, *here].addcmul_(one.permute(1, 2, 3, 0), weight[..., None])
                weights[:, *here].add_(weight)
            del logits
        assert sums is not None
        done = following - k
        low, high = max(0, before[0] - k), min(done, before[0] + values.shape[1] - k)
        if high > low:
            finished = sums[low:high, *inside].div_(weights[low:high, *inside, None])
            yield LogitSlab(k + low - before[0], finished.permute(3, 0, 1, 2))
        _shift(sums, done)
        _shift(weights, done)


def _shift(sums: torch.Tensor, by: int) -> None:
    """Move slices that are still in work to the front and clear the rest, in steps that need no second copy."""
    length = len(sums)
    for k in range(0, length - by, max(1, by)):
        count = min(by, length - by - k)
        sums[k : k + count] = sums[k + by : k + by + count]
    sums[max(0, length - by) :] = 0.0


def _valid_slabs(
    network: WatchedNetwork, values: torch.Tensor, margin_kji: Shape3, plan: MemoryPlan
) -> Iterator[LogitSlab]:
    whole = Box.whole((values.shape[1], values.shape[2], values.shape[3]))
    ends = [[n * p // s for p in range(s + 1)] for n, s in zip(whole.shape_kji, plan.splits_kji, strict=True)]
    network.plan(math.prod(plan.splits_kji))
    row: torch.Tensor | None = None
    for k0, k1 in pairwise(ends[0]):
        for (j0, j1), (i0, i1) in product(pairwise(ends[1]), pairwise(ends[2])):
            core = Box((k0, j0, i0), (k1, j1, i1))
            read = core.padded(margin_kji).clipped(whole.shape_kji)
            logits = as_logits(network.run(values[:, *read.slices][None]), read.shape_kji)[0]
            kept = logits[:, *core.within(read).slices]
            if plan.splits_kji[1:] == (1, 1):
                yield LogitSlab(k0, kept)
                # The next piece needs the room.
                del kept, logits
                continue
            if row is None:
                row = kept.new_empty((kept.shape[0], max(b - a for a, b in pairwise(ends[0])), *whole.shape_kji[1:]))
            row[:, : k1 - k0, j0:j1, i0:i1] = kept
        if row is not None:
            yield LogitSlab(k0, row[:, : k1 - k0])


def gaussian(tile_kji: Shape3, device: torch.device) -> torch.Tensor:
    """Return the weight of each voxel of a tile, about 1 in the middle and falling towards the faces."""
    weight = torch.ones((1, 1, 1), device=device)
    for axis, side in enumerate(tile_kji):
        away = torch.arange(side, device=device) - (side - 1) / 2.0
        bell = torch.exp(-0.5 * (away / (SIGMA_SHARE * side)) ** 2)
        weight = weight * bell.view([-1 if a == axis else 1 for a in range(3)])
    return weight.clamp_(min=LEAST_WEIGHT)


def as_logits(found: torch.Tensor | dict[str, torch.Tensor], shape_kji: Shape3) -> torch.Tensor:
    """Check that a segmentation network kept its contract.

    Raises
    ------
    ModelError
        When it returned something else than logits of the tile's shape.
    """
    if not isinstance(found, torch.Tensor) or tuple(found.shape[2:]) != shape_kji:
        raise ModelError(
            "The model did not return a mask of the shape it was given; ask its author for a proper pack.",
            detail=str(getattr(found, "shape", type(found))),
        )
    return found
