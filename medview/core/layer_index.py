"""Where the values of a label layer are and how many voxels hold them, kept up as patches are applied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from medview.core.box import Box

_PIECE_VOXELS = 1 << 18
"""Looked at in one go: small enough to stay in the processor's cache."""


class LayerIndex:
    """Counts and boxes of the values 1 to 255 in one layer, so that no gesture has to look through all of it.

    A count is exact. A box holds all voxels of its value; it may be larger than needed once voxels went, until
    ``box`` is asked for it.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(256, dtype=np.int64)
        self._boxes: dict[int, Box] = {}
        self._loose: set[int] = set()

    @classmethod
    def of(cls, voxels: npt.NDArray[np.uint8]) -> LayerIndex:
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
        other._counts, other._boxes, other._loose = self._counts.copy(), dict(self._boxes), set(self._loose)
        return other

    def note(self, box: Box, before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]) -> None:
        """Take in that a box of the layer changed.

        Parameters
        ----------
        before, after : ndarray of uint8, shape ``box.shape_kji``
        """
        for piece in _pieces(before.shape):
            was, became = before[piece], after[piece]
            changed = was != became
            around = Box.around(changed)
            if around is None:
                continue
            gone = np.bincount(was[changed], minlength=256)
            come = np.bincount(became[changed], minlength=256)
            self._counts += come - gone
            self._loose.update(int(value) for value in np.flatnonzero(gone))
            start, _, _ = piece[0].indices(before.shape[0])
            placed = around.shifted((box.min_kji[0] + start, box.min_kji[1], box.min_kji[2]))
            for value in (int(v) for v in np.flatnonzero(come)):
                known = self._boxes.get(value)
                self._boxes[value] = placed if known is None else _around(known, placed)
                if np.count_nonzero(come) > 1:
                    self._loose.add(value)

    def count(self, value: int) -> int:
        """Voxels that hold ``value``."""
        return int(self._counts[value])

    def box(self, value: int, voxels: npt.NDArray[np.uint8]) -> Box | None:
        """Return the smallest box around the voxels that hold ``value``, or None when there are none.

        Parameters
        ----------
        voxels : ndarray of uint8, shape (k, j, i)
            The layer; read only where the value can be.
        """
        known = self._boxes.get(value)
        if known is None or not self._counts[value]:
            return None
        if value in self._loose:
            found = [
                tight.shifted((known.min_kji[0] + piece[0].start, known.min_kji[1], known.min_kji[2]))
                for piece in _pieces(known.shape_kji)
                if (tight := Box.around(voxels[known.slices][piece] == value)) is not None
            ]
            known = Box.union_of(found) or known
            self._boxes[value] = known
            self._loose.discard(value)
        return known


def _pieces(shape_kji: tuple[int, ...]) -> Iterator[tuple[slice]]:
    step = max(1, _PIECE_VOXELS // max(1, shape_kji[1] * shape_kji[2]))
    for k in range(0, shape_kji[0], step):
        yield (slice(k, min(k + step, shape_kji[0])),)


def _around(one: Box, other: Box) -> Box:
    (a, b, c), (d, e, f) = one.min_kji, one.max_kji
    (u, v, w), (x, y, z) = other.min_kji, other.max_kji
    return Box((min(a, u), min(b, v), min(c, w)), (max(d, x), max(e, y), max(f, z)))
