"""The slices a segment is drawn on, and the gaps between them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Mask2 = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Gap:
    """Slices between two drawn ones of one segment.

    Attributes
    ----------
    number : int
        Which of the masks.
    low, high : int
        The drawn slices on both sides, along the axis; at least one slice lies between.
    """

    number: int
    low: int
    high: int


class Drawn:
    """One value of a label layer, read slice by slice: a mask of its own would cost a byte per voxel for each segment.

    Parameters
    ----------
    voxels : ndarray of uint8 or bool, shape (k, j, i)
    value : int
        What its voxels hold.
    """

    def __init__(self, voxels: npt.NDArray[np.uint8] | Mask, value: int = 1) -> None:
        self.voxels = voxels.view(np.uint8)
        self.value = value
        self._filled: tuple[Mask, Mask, Mask] | None = None

    def slice(self, axis: int, index: int) -> Mask2:
        """Return the mask of one slice across an array axis."""
        return np.asarray(self.voxels[(np.s_[:],) * axis + (index,)] == self.value)

    def filled(self, axis: int) -> npt.NDArray[np.intp]:
        """Return the slices across an array axis that hold anything, in order."""
        if self._filled is None:
            filled = [np.zeros(n, dtype=np.bool_) for n in self.voxels.shape]
            for k, slice_ in enumerate(self.voxels):
                mask = slice_ == self.value
                columns = mask.any(axis=0)
                if columns.any():
                    filled[0][k] = True
                    filled[1] |= mask.any(axis=1)
                    filled[2] |= columns
            self._filled = (filled[0], filled[1], filled[2])
        return np.flatnonzero(self._filled[axis])

    def gaps(self, axis: int, number: int = 0, known: Collection[int] = ()) -> list[Gap]:
        """Return the gaps between the drawn slices across an array axis.

        Parameters
        ----------
        known : collection of int
            Slices known to be drawn completely: where the segment is not on them, it is not there.
        """
        drawn = self.filled(axis)
        if drawn.size < 2:
            return []
        inside = {k for k in known if drawn[0] < k < drawn[-1]}
        stops = sorted({int(k) for k in drawn} | inside)
        return [Gap(number, a, b) for a, b in pairwise(stops) if b - a > 1]
