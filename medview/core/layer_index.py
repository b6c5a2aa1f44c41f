"""Where the values of a label layer are and how many voxels hold them, kept up as patches are applied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from medview.core.box import Box

_Labels = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]
_Counts = npt.NDArray[np.int64]

_PIECE_VOXELS = 1 << 18
"""Looked at in one go: small enough to stay in the processor's cache."""


class LayerIndex:
    """Counts of the values 1 to 255 in every slice of one layer, so that no gesture has to look through all of it.

    From the counts follow how many voxels a value has, the smallest box around them, and which slices hold any.
    """

    def __init__(self) -> None:
        self._along: list[npt.NDArray[np.int32]] = [np.zeros((256, 0), dtype=np.int32) for _ in range(3)]
        """By axis: voxels by value and slice. As long as slices were written so far."""
        self._counts = np.zeros(256, dtype=np.int64)
        self._versions = np.zeros(256, dtype=np.int64)

    @classmethod
    def of(cls, voxels: _Labels) -> LayerIndex:
        """Count a whole layer; for workers, since it reads every voxel."""
        index = cls()
        for k in np.flatnonzero([slice_.any() for slice_ in voxels]):
            index.note(
                Box((int(k), 0, 0), (int(k) + 1, *voxels.shape[1:])), np.zeros_like(voxels[k : k + 1]), voxels[k : k + 1]
            )
        return index

    def copy(self) -> LayerIndex:
        """Return an independent copy."""
        other = LayerIndex()
        other._along = [counts.copy() for counts in self._along]
        other._counts, other._versions = self._counts.copy(), self._versions.copy()
        return other

    def note(self, box: Box, before: _Labels, after: _Labels) -> None:
        """Take in that a box of the layer changed.

        Parameters
        ----------
        before, after : ndarray of uint8, shape ``box.shape_kji``
        """
        touched = np.zeros(256, dtype=np.bool_)
        for piece in _pieces(before.shape):
            was, became = before[piece], after[piece]
            changed = was != became
            around = Box.around(changed)
            if around is None:
                continue
            start, _, _ = piece[0].indices(before.shape[0])
            place = around.shifted((box.min_kji[0] + start, box.min_kji[1], box.min_kji[2]))
            self._reach(place.max_kji)
            inner = around.slices
            touched |= self._tally(place, was[inner], changed[inner], -1)
            touched |= self._tally(place, became[inner], changed[inner], 1)
        self._versions += touched

    def count(self, value: int) -> int:
        """Voxels that hold ``value``."""
        return int(self._counts[value])

    @property
    def total(self) -> int:
        """Voxels that hold any value but 0."""
        return int(self._counts[1:].sum())

    def version(self, value: int) -> int:
        """A number that grows whenever a voxel comes to hold ``value`` or no longer does."""
        return int(self._versions[value])

    def box(self, value: int) -> Box | None:
        """Return the smallest box around the voxels that hold ``value``, or None when there are none."""
        if not self._counts[value]:
            return None
        ends = [np.flatnonzero(counts[value]) for counts in self._along]
        (k0, k1), (j0, j1), (i0, i1) = ((int(held[0]), int(held[-1]) + 1) for held in ends)
        return Box((k0, j0, i0), (k1, j1, i1))

    @property
    def occupied(self) -> Box | None:
        """The smallest box around all voxels that hold a value, or None when there are none."""
        return Box.union_of(box for value in np.flatnonzero(self._counts) if (box := self.box(int(value))) is not None)

    def along(self, axis: int, values: npt.ArrayLike, count: int) -> _Counts:
        """Return how many voxels of each slice across an axis hold one of some values.

        Parameters
        ----------
        axis : int
            0 = k, 1 = j, 2 = i.
        values : array_like of int
        count : int
            Slices of the layer along the axis.

        Returns
        -------
        ndarray of int64, shape (count,)
        """
        found = np.zeros(count, dtype=np.int64)
        known = self._along[axis]
        found[: known.shape[1]] = known[np.atleast_1d(np.asarray(values, dtype=np.intp))].sum(axis=0)[:count]
        return found

    def _reach(self, end_kji: tuple[int, int, int]) -> None:
        for axis, end in enumerate(end_kji):
            known = self._along[axis]
            if end > known.shape[1]:
                # Half as much again, so that a stroke that wanders does not copy at every step.
                self._along[axis] = np.zeros((256, end + end // 2), dtype=np.int32)
                self._along[axis][:, : known.shape[1]] = known

    def _tally(self, place: Box, labels: _Labels, changed: _Mask, sign: int) -> _Mask:
        """Add the changed voxels of a box with this sign; return which values they hold, background left out.

        Labels lie in runs along i; counting these instead of voxels is many times as fast.
        """
        present = np.zeros(256, dtype=np.bool_)
        if not labels.any():
            return present
        (k, j, i), (k0, j0, i0) = labels.shape, place.min_kji
        lines = np.where(changed, labels, np.uint8(0)).reshape(k * j, i)
        begins = np.ones(lines.shape, dtype=np.bool_)
        np.not_equal(lines[:, 1:], lines[:, :-1], out=begins[:, 1:])
        start = np.flatnonzero(begins)
        held = lines.reshape(-1)[start]
        length = np.diff(start, append=lines.size)
        labelled = held > 0
        start, held, length = start[labelled], held[labelled], length[labelled]
        present[held] = True
        values = np.flatnonzero(present)
        if not values.size:
            return present
        number = np.zeros(256, dtype=np.intp)
        number[values] = np.arange(values.size)
        row = number[held]
        line, first = np.divmod(start, i)
        along_k = _table(row * k + line // j, length, values.size, k)
        along_j = _table(row * j + line % j, length, values.size, j)
        # One more at the first voxel of a run, one less behind its last.
        steps = _table(row * (i + 1) + first, None, values.size, i + 1)
        steps -= _table(row * (i + 1) + first + length, None, values.size, i + 1)
        along_i = steps.cumsum(axis=1)[:, :i]
        for axis, (low, found) in enumerate(((k0, along_k), (j0, along_j), (i0, along_i))):
            self._along[axis][values, low : low + found.shape[1]] += (sign * found).astype(np.int32)
        self._counts[values] += sign * along_k.sum(axis=1)
        return present


def _table(at: _Counts, weights: _Counts | None, rows: int, columns: int) -> _Counts:
    """Return how often, or with which sum of weights, each cell of a table is named."""
    return np.bincount(at, weights, rows * columns).reshape(rows, columns).astype(np.int64)


def _pieces(shape_kji: tuple[int, ...]) -> Iterator[tuple[slice]]:
    step = max(1, _PIECE_VOXELS // max(1, shape_kji[1] * shape_kji[2]))
    for k in range(0, shape_kji[0], step):
        yield (slice(k, min(k + step, shape_kji[0])),)
