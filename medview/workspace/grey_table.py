"""Stored voxels to grey levels fast enough to scroll."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.voi_table import VoiTransform
from medview.core.volume import Volume

Levels = npt.NDArray[np.uint8]

_TABLED = ("int8", "uint8", "int16", "uint16")
"""Stored types with few enough numbers to work each out once per window instead of once per pixel."""


class GreyTable:
    """One volume seen through one window.

    For stored integers of up to 16 bits the window is a table; windowing a slice is then one gather, whatever the function.

    Parameters
    ----------
    inverted : bool
        The person wants black and white the other way round than the file.
    """

    def __init__(self, volume: Volume, window: VoiTransform, *, inverted: bool = False) -> None:
        self.volume = volume
        self.window = window
        self.inverted = inverted
        stored = volume.voxels.dtype
        self._table: Levels | None = None
        if stored.name in _TABLED and not volume.colour:
            unsigned = np.dtype(f"u{stored.itemsize}")
            bits = np.arange(1 << (8 * stored.itemsize), dtype=np.uint32).astype(unsigned)
            self._unsigned = unsigned
            self._table = self._shade(bits.view(stored))

    def take(self, volume: Volume) -> bool:
        """Go on with another time point of the series; False where its numbers mean something else."""
        mine = self.volume
        same = (volume.voxels.dtype, volume.colour, volume.rescale, volume.padding, volume.inverted) == (
            mine.voxels.dtype,
            mine.colour,
            mine.rescale,
            mine.padding,
            mine.inverted,
        )
        if same:
            self.volume = volume
        return same

    def levels(self, cut: npt.NDArray[np.generic]) -> Levels:
        """Return the grey levels (rows, columns), or the RGB (rows, columns, 3), of a slice of stored voxels.

        Parameters
        ----------
        cut : ndarray, shape (rows, columns) or (rows, columns, 3)
            A view into the volume's voxels, native byte order.
        """
        if self.volume.colour:
            return np.ascontiguousarray(cut, dtype=np.uint8)
        if self._table is not None:
            return np.take(self._table, cut.view(self._unsigned))
        return self._shade(cut)

    def _shade(self, stored: npt.NDArray[np.generic]) -> Levels:
        rescale = self.volume.rescale
        values = stored.astype(np.float32) * np.float32(rescale.slope) + np.float32(rescale.intercept)
        outside = ~np.isfinite(values)
        outside |= self.volume.is_padding(stored)
        values[outside] = 0.0
        levels = self.window.levels(values)
        if self.volume.inverted != self.inverted:
            levels = np.asarray(255 - levels, dtype=np.uint8)
        levels[outside] = 0
        return levels
