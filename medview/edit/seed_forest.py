"""The cheapest way from seeds to every voxel: each voxel belongs to the seed that reaches it at the least cost.

A shortest-path forest (Falcao, Stolfi, de Alencar Lotufo: The image foresting transform, IEEE TPAMI 26, 2004), worked out
front by front (Dial 1969): all voxels of one range of costs at once, with numpy. Cost and seed are one number, and of two
ways of the same cost the one from the lower seed counts, so there is exactly one result, however it was come by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.errors import CancelledError
from medview.core.job import JobContext

Labels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Grey = npt.NDArray[np.int16]

STEP = 16
"""Cost of a step of ``unit_mm`` between voxels of the same value."""
GREY_PER_NOISE = 8
"""Grey values are counted in this part of the noise."""

_NOISES = 0.75
"""A step over a difference of so many times the noise costs twice as much as one over none."""
_MOST_COST = 1 << 14
"""Of one step; a way over many such steps is longer than any other."""
_FRONT = 1 << 17
"""Voxels looked at in one go: a few hundredths of a second."""
_UNREACHED = np.uint32(0xFFFFFFFF)
_MOST_RANGES = (1 << 24) // STEP - _MOST_COST // STEP - 1

_Indices = npt.NDArray[np.intp]
_Keys = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Way:
    """From a voxel to one of its 18 neighbours.

    Attributes
    ----------
    offset : int
        Between their places in the flat array.
    costs : ndarray of uint32, shape (65536,)
        By the difference of their grey values, as unsigned 16 bits; already in the place where keys hold costs.
    least : uint32
        The least of them.
    """

    offset: int
    costs: _Keys
    least: np.uint32


class SeedForest:
    """A grid on which seeds spread; more seeds can be added at any time, and only what they change is worked out again.

    Parameters
    ----------
    grey : ndarray of int16, shape (k, j, i)
        Values in units of noise / ``GREY_PER_NOISE``, within -16383 to 16383.
    steps_lps_mm : ndarray of float, shape (3, 3)
        Row 0 is the way in the patient from a voxel to the next one along k, row 1 along j, row 2 along i.
    closed : ndarray of bool, shape (k, j, i), or None
        Where no way leads through.
    unit_mm : float
        Length that costs ``STEP``.
    coarser_kji : tuple of int
        How many times larger the voxels are than those the noise was measured on: an edge is as much dearer there as it is
        on fine ones, where it is crossed in several steps.
    """

    def __init__(
        self,
        grey: Grey,
        steps_lps_mm: npt.NDArray[np.float64],
        closed: Mask | None,
        unit_mm: float,
        coarser_kji: tuple[int, int, int] = (1, 1, 1),
    ) -> None:
        k, j, i = grey.shape
        # A rim of closed voxels, so that no neighbour lies outside.
        shape = (k + 2, j + 2, i + 2)
        self._shape_kji = (k, j, i)
        self._inner = (slice(1, -1),) * 3
        self._padded_keys = np.zeros(shape, dtype=np.uint32)
        self._padded_keys[self._inner] = _UNREACHED
        if closed is not None:
            self._padded_keys[self._inner][closed] = 0
        padded_grey = np.zeros(shape, dtype=np.int16)
        padded_grey[self._inner] = grey
        # A key is a cost (24 bits) and a seed (8 bits); one that cannot become less is closed or a seed itself.
        self._keys: _Keys = self._padded_keys.reshape(-1)
        self._grey = padded_grey.reshape(-1).view(np.uint16)
        self._ways = tuple(_ways(shape, steps_lps_mm, unit_mm, coarser_kji))
        self._fronts: dict[int, list[tuple[_Indices, _Keys]]] = {}
        self._open = max(1, int(np.count_nonzero(self._keys)))

    def add(self, seeds: Labels) -> None:
        """Add seeds: voxels that belong to a number from 1 to 255; of two on one voxel the lower one holds.

        Parameters
        ----------
        seeds : ndarray of uint8, shape (k, j, i)
            0 is none.
        """
        places = np.flatnonzero(seeds)
        wanted = seeds.reshape(-1).take(places).astype(np.uint32)
        flat = self._flat(places)
        better = wanted < self._keys.take(flat)
        flat, wanted = flat[better], wanted[better]
        self._keys[flat] = wanted
        # Those in the midst of others have nowhere to go.
        edge = np.zeros(flat.shape, dtype=np.bool_)
        for way in self._ways:
            edge |= self._keys.take(flat + way.offset) > 255
        self._wait(flat[edge], wanted[edge], 0)

    def enter(self, places: _Indices, labels: Labels, costs: npt.NDArray[np.uint32]) -> None:
        """Let seeds come in from closed voxels that they reached in another forest.

        Parameters
        ----------
        places : ndarray of int, shape (n,)
            Where, counted through the flat grid.
        labels, costs : ndarray, shape (n,)
            Which seed reached each of them, and at which cost.
        """
        flat = self._flat(places)
        keys = (costs.astype(np.uint32) << np.uint32(8)) | labels
        for start in range(0, flat.size, _FRONT):
            self._pass_on(flat[start : start + _FRONT], keys[start : start + _FRONT])

    def spread(self, context: JobContext, text: str, share: tuple[float, float] = (0.0, 1.0)) -> None:
        """Let all seeds reach what is theirs.

        Parameters
        ----------
        share : tuple of float
            Progress at the beginning and at the end.

        Raises
        ------
        CancelledError
            When the person pressed Cancel, asked for several times a second. Another call goes on from there.
        """
        reached, told = 0, 0
        while self._fronts:
            cost = min(self._fronts)
            # No step costs less than a range is wide: nothing comes back to the one that is looked at.
            waiting = self._fronts.pop(cost)
            places, keys = (np.concatenate(parts) for parts in zip(*waiting, strict=True))
            try:
                for start in range(0, places.size, _FRONT):
                    context.raise_if_cancelled()
                    reached += self._settle(places[start : start + _FRONT], keys[start : start + _FRONT])
            except CancelledError:
                self._fronts[cost] = [(places, keys)]
                raise
            if reached - told > self._open // 64:
                told = reached
                context.progress(share[0] + (share[1] - share[0]) * min(1.0, told / self._open), text)

    def labels(self) -> Labels:
        """Return which seed each voxel belongs to, shape (k, j, i); 0 where none reaches."""
        keys = self._padded_keys[self._inner]
        found = keys.astype(np.uint8)
        found[keys == _UNREACHED] = 0
        return found

    def costs(self) -> npt.NDArray[np.uint32]:
        """Return at which cost, shape (k, j, i)."""
        return self._padded_keys[self._inner] >> np.uint32(8)

    def _settle(self, places: _Indices, keys: _Keys) -> int:
        """Pass on from voxels that were not reached cheaper since they began to wait; return how many."""
        still = (self._keys.take(places) == keys).nonzero()[0]
        if still.size:
            self._pass_on(places.take(still), keys.take(still))
        return int(still.size)

    def _flat(self, places: _Indices) -> _Indices:
        """Return where voxels of the grid lie in the flat array with its rim."""
        k, j, i = np.unravel_index(places, self._shape_kji)
        _, rows, columns = self._padded_keys.shape
        return np.asarray(((k + 1) * rows + j + 1) * columns + i + 1)

    def _pass_on(self, places: _Indices, keys: _Keys) -> None:
        grey = self._grey.take(places)
        found, found_keys = [], []
        for way in self._ways:
            # No two of the places have the same neighbour in one direction, so nothing is written twice at once.
            neighbours = places + way.offset
            known = self._keys.take(neighbours)
            cheaper = (known > keys + way.least).nonzero()[0]
            if cheaper.size:
                neighbours = neighbours.take(cheaper)
                cost = way.costs.take(self._grey.take(neighbours) - grey.take(cheaper))
                cost += keys.take(cheaper)
                cheaper = (cost < known.take(cheaper)).nonzero()[0]
            if cheaper.size:
                neighbours, cost = neighbours.take(cheaper), cost.take(cheaper)
                self._keys[neighbours] = cost
                found.append(neighbours)
                found_keys.append(cost)
        if found:
            self._sort_in(np.concatenate(found), np.concatenate(found_keys))

    def _sort_in(self, places: _Indices, keys: _Keys) -> None:
        ranges = keys >> np.uint32(8 + STEP.bit_length() - 1)
        first = int(ranges.min())
        order = (ranges - np.uint32(first)).astype(np.uint16).argsort(kind="stable")
        places, keys, ranges = places.take(order), keys.take(order), ranges.take(order)
        ends = [*(np.flatnonzero(ranges[1:] != ranges[:-1]) + 1).tolist(), ranges.size]
        start = 0
        for end in ends:
            cost = int(ranges[start])
            if cost < _MOST_RANGES:
                self._wait(places[start:end], keys[start:end], cost)
            start = end

    def _wait(self, places: _Indices, keys: _Keys, cost: int) -> None:
        if places.size:
            self._fronts.setdefault(cost, []).append((places, keys))


def _ways(
    shape: tuple[int, int, int],
    steps_lps_mm: npt.NDArray[np.float64],
    unit_mm: float,
    coarser_kji: tuple[int, int, int],
) -> Iterator[_Way]:
    difference = np.abs(np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.float64))
    for step in np.ndindex(3, 3, 3):
        by = np.subtract(step, 1)
        if not 1 <= np.abs(by).sum() <= 2:
            continue
        length = float(np.linalg.norm(by @ steps_lps_mm)) / unit_mm
        coarser = max(n for n, moved in zip(coarser_kji, by, strict=True) if moved)
        dearer = (difference / (_NOISES * GREY_PER_NOISE * coarser)) ** 2
        costs = np.minimum(np.round(STEP * length * (1.0 + dearer)), _MOST_COST).astype(np.uint32)
        offset = int((by[0] * shape[1] + by[1]) * shape[2] + by[2])
        yield _Way(offset, costs << np.uint32(8), np.uint32(costs.min() << np.uint32(8)))
