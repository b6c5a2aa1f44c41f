"""Running a network over a volume in tiles, handing over finished slabs from k = 0 up.

Only one row of tiles along k is ever held with all its classes, whatever the length of the volume. Where the plan has room
for it, the slices a person is looking at come first: rows of tiles from there to the end, then those before. What the first
rows say about slices that are not finished yet is kept and added in its turn, so the sums are the same to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TypeVar

import torch
from torch.nn import functional

from medview.core.box import Box
from medview.core.errors import ModelError
from medview.ml.runners.body import Body
from medview.ml.runners.memory_plan import MemoryPlan
from medview.ml.runners.tile_starts import tile_starts
from medview.ml.runners.watched import WatchedNetwork
from medview.ml.runners.weighted_sums import WeightedSums
from medview.ml.spec import Blend, Shape3, Tiling

SIGMA_SHARE = 0.125
"""Width of the Gaussian weight as a share of the tile, as in MONAI and nnU-Net."""

LEAST_WEIGHT = 1e-3
"""No voxel of a tile counts less than this."""


@dataclass(frozen=True, slots=True, eq=False)
class LogitSlab:
    """Finished logits, shape (classes, slices, j, i), from slice ``first_k`` of the model's grid.

    Attributes
    ----------
    unseen : Tensor of bool or None
        Shape (slices, j, i): where the network did not look, and the logits are a stand-in; None where it saw all.
    """

    first_k: int
    logits: torch.Tensor
    unseen: torch.Tensor | None = None


def logit_slabs(
    network: WatchedNetwork,
    values: torch.Tensor,
    tiling: Tiling,
    plan: MemoryPlan,
    near_k: int = 0,
    body: Body | None = None,
    channels: int = 1,
) -> Iterator[LogitSlab]:
    """Run a segmentation network over a volume.

    Parameters
    ----------
    values : Tensor of float32, shape (channels, k, j, i)
    near_k : int
        The slice that is wanted first.
    body : Body, optional
        On the grid of ``values``. Blended tiles that do not meet it are left out; where there are only such tiles, the
        first channel is 0 and the others are -1.
    channels : int
        Of the logits; only asked for where no tile says.

    Yields
    ------
    LogitSlab
        In order, without gaps: from 0 up, or from a slice at or before ``near_k`` up to the end and then from 0 up to
        there. A slab's memory is used again for the next one.
    """
    if tiling.blend is Blend.GAUSSIAN:
        return _BlendedTiles(network, values, tiling, plan, body, channels).slabs(near_k)
    return _valid_slabs(network, values, tiling.margin_kji, plan, near_k)


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


Place = tuple[int, int, int]
"""Where a tile starts, k, j, i."""


Item = TypeVar("Item")


def batches(tiles: list[Item], size: int) -> Iterator[list[Item]]:
    """Cut a row of tiles into batches of ``size``, the last one larger rather than a single tile, which would be slow."""
    count = max(1, len(tiles) // size) if tiles else 0
    ends = [len(tiles) * n // max(1, count) for n in range(count + 1)]
    for low, high in pairwise(ends):
        yield tiles[low:high]


def gather(values: torch.Tensor, places: Iterable[Place], tile_kji: Shape3) -> torch.Tensor:
    """Return tiles (N, channels, *tile_kji) of (channels, k, j, i), laid out as convolutions like them."""
    tiles = torch.stack([_tile_of(values, place, tile_kji) for place in places])
    return tiles.contiguous(memory_format=torch.channels_last_3d)


@dataclass(frozen=True, slots=True)
class _Row:
    """Tiles that are run one after the other, and the slices they cover.

    Attributes
    ----------
    starts_kji : three sequences of int
        Where the tiles start on each axis; all of them together are made only for the row that is run.
    """

    low_k: int
    high_k: int
    starts_kji: tuple[Sequence[int], Sequence[int], Sequence[int]]

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return math.prod(len(starts) for starts in self.starts_kji)

    def places(self) -> list[Place]:
        """Return where the tiles start, slices first."""
        return list(product(*self.starts_kji))


def tile_rows(shape_kji: Shape3, tiling: Tiling, batch: int) -> list[_Row]:
    """Return the rows of tiles of a volume; tiles of one slice are put together to rows of a batch."""
    tile = tiling.tile_kji
    k, j, i = (tile_starts(n, t, tiling.overlap, spread=tiling.spread) for n, t in zip(shape_kji, tile, strict=True))
    together = max(1, batch // (len(j) * len(i))) if tile[0] == 1 else 1
    along = [k[n : n + together] for n in range(0, len(k), together)]
    return [_Row(ks[0], ks[-1] + tile[0], (ks, j, i)) for ks in along]


class _BlendedTiles:
    """One volume's tiles of fixed size, blended."""

    def __init__(
        self,
        network: WatchedNetwork,
        values: torch.Tensor,
        tiling: Tiling,
        plan: MemoryPlan,
        body: Body | None,
        channels: int,
    ) -> None:
        self._network = network
        self._tile = tiling.tile_kji
        self._length = values.shape[1]
        self._padded, self._before = pad_to_tile(values, self._tile, tiling.pad)
        _, slices, rows, columns = self._padded.shape
        self._rows = tile_rows((slices, rows, columns), tiling, plan.batch)
        self._plan = plan
        self._body = body
        self._constant: tuple[tuple[float, ...], torch.Tensor] | None = None
        inside = tuple(slice(b, b + n) for b, n in zip(self._before[1:], values.shape[2:], strict=True))
        thickness = max(row.high_k - row.low_k for row in self._rows)
        weight = (
            torch.ones(self._tile, device=values.device)
            if tiling.even
            else gaussian(self._tile, values.device, spread=tiling.spread)
        )
        self._sums = WeightedSums((thickness, rows, columns), weight, inside, channels)
        network.plan(sum(row.count for row in self._rows))

    def slabs(self, near_k: int) -> Iterator[LogitSlab]:
        """Yield finished slabs, those of the row of ``near_k`` first."""
        rows, near = self._rows, near_k + self._before[0]
        first = next((n for n, row in enumerate(rows) if row.high_k > near), 0) if self._plan.ahead else 0
        # Slices from here on are covered by no row before the first.
        cut = rows[first - 1].high_k if first else 0
        kept: list[list[tuple[Place, torch.Tensor]]] = [[] for _ in rows]
        self._sums.restart(rows[first].low_k)
        for n in range(first, len(rows)):
            self._sums.move_to(rows[n].low_k)
            for place, logits in self._answers(rows[n]):
                self._sums.add(place, logits)
                if place[0] < cut:
                    kept[n].append((place, logits[:, : cut - place[0]].clone()))
                del logits
            yield from self._finished(max(cut, rows[n].low_k), self._end_of(n))
        if first:
            self._sums.restart(0)
        for n in range(len(rows) if first else 0):
            if rows[n].low_k >= cut:
                break
            self._sums.move_to(rows[n].low_k)
            for place, logits in self._answers(rows[n]) if n < first else kept[n]:
                self._sums.add(place, logits)
                del logits
            kept[n].clear()
            yield from self._finished(rows[n].low_k, min(self._end_of(n), cut))

    def _end_of(self, n: int) -> int:
        """Return the slice before which everything is finished after row n."""
        return self._rows[n + 1].low_k if n + 1 < len(self._rows) else self._padded.shape[1]

    def _finished(self, low: int, high: int) -> Iterator[LogitSlab]:
        before = self._before[0]
        low, high = max(before, low), min(before + self._length, high)
        if high > low:
            unseen = None if self._body is None else self._sums.unseen(low, high)
            yield LogitSlab(low - before, self._sums.finished(low, high), unseen)

    def _answers(self, row: _Row) -> Iterator[tuple[Place, torch.Tensor]]:
        """Yield each tile of a row that has to be looked at, with its logits (classes, k, j, i)."""
        wanted = [place for place in row.places() if self._meets_body(place)]
        constant = {place: None for place in wanted if self._plan.remembers and self._is_constant(place)}
        varied = [place for place in wanted if place not in constant]
        self._network.passed(row.count - len(varied))
        for place in constant:
            yield place, self._of_constant(place)
        for batch in batches(varied, self._plan.batch):
            logits = as_logits(self._network.run(gather(self._padded, batch, self._tile)), self._tile)
            yield from zip(batch, logits, strict=True)
            del logits

    def _meets_body(self, place: Place) -> bool:
        if self._body is None:
            return True
        k, j, i = (p - b for p, b in zip(place, self._before, strict=True))
        tk, tj, ti = self._tile
        return self._body.meets(Box((k, j, i), (k + tk, j + tj, i + ti)))

    def _is_constant(self, place: Place) -> bool:
        seen = _tile_of(self._padded, place, self._tile)
        first = seen[:, :1, :1, :1]
        return torch.equal(first, seen[:, -1:, -1:, -1:]) and bool((seen == first).all())

    def _of_constant(self, place: Place) -> torch.Tensor:
        """Return the logits of a tile that shows the same number everywhere; looked at once, not for each such tile."""
        number = tuple(self._padded[:, *place].tolist())
        if self._constant is None or self._constant[0] != number:
            self._constant = None
            # In a pair, as torch has a slow convolution for single ones.
            pair = gather(self._padded, [place, place], self._tile)
            self._constant = number, as_logits(self._network.run(pair, counted=False), self._tile)[0].clone()
        return self._constant[1]


def _tile_of(values: torch.Tensor, place: Place, tile_kji: Shape3) -> torch.Tensor:
    return values[:, *(slice(p, p + t) for p, t in zip(place, tile_kji, strict=True))]


def _valid_slabs(
    network: WatchedNetwork, values: torch.Tensor, margin_kji: Shape3, plan: MemoryPlan, near_k: int
) -> Iterator[LogitSlab]:
    whole = Box.whole((values.shape[1], values.shape[2], values.shape[3]))
    ends = [[n * p // s for p in range(s + 1)] for n, s in zip(whole.shape_kji, plan.splits_kji, strict=True)]
    network.plan(math.prod(plan.splits_kji))
    row: torch.Tensor | None = None
    pieces = list(pairwise(ends[0]))
    # Pieces know nothing of each other, so their order is free.
    first = next((n for n, (_, high) in enumerate(pieces) if high > near_k), 0)
    for k0, k1 in (*pieces[first:], *pieces[:first]):
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
                row = kept.new_empty((kept.shape[0], max(b - a for a, b in pieces), *whole.shape_kji[1:]))
            row[:, : k1 - k0, j0:j1, i0:i1] = kept
        if row is not None:
            yield LogitSlab(k0, row[:, : k1 - k0])


def gaussian(tile_kji: Shape3, device: torch.device, *, spread: bool = False) -> torch.Tensor:
    """Return the weight of each voxel of a tile, about 1 in the middle and falling towards the faces.

    With ``spread`` it is as nnU-Net's: largest at a voxel, and however small at the corners.
    """
    weight = torch.ones((1, 1, 1), device=device)
    for axis, side in enumerate(tile_kji):
        away = torch.arange(side, device=device) - (side // 2 if spread else (side - 1) / 2.0)
        bell = torch.exp(-0.5 * (away / (SIGMA_SHARE * side)) ** 2)
        weight = weight * bell.view([-1 if a == axis else 1 for a in range(3)])
    return weight if spread else weight.clamp_(min=LEAST_WEIGHT)


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
