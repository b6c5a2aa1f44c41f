"""A volume of strengths laid over a series: where a model looked, how probable a class is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.source import Source

LEVELS = 255
"""The highest level; 0 is the lowest."""

HEAT_COLOURS = "inferno"
"""Dark to light in one direction, also for people who see fewer colours."""


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """Strengths in 256 levels on a grid of their own, in the frame of the series they lie over.

    Attributes
    ----------
    levels : ndarray of uint8, shape (k, j, i)
        Read-only. Level n means ``low + (high - low) * n / 255``.
    geometry : Geometry
        Of the levels: the series' own grid, a part of it, or a coarser one.
    name : str
        What is shown, for the legend.
    low, high : float
        Strengths of the lowest and the highest level. Nothing is drawn at the lowest.
    unit : str
        Unit of the strengths, or empty.
    note : str
        One sentence on how far it can be trusted, or empty.
    colour_map : str
        A name of ``workspace.colour_maps``.
    source : Source
        Whose model it explains.
    time_index : int or None
        The time point it was made on; None where it holds for all.
    """

    levels: npt.NDArray[np.uint8]
    geometry: Geometry
    name: str
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    note: str = ""
    colour_map: str = HEAT_COLOURS
    source: Source = Source()
    time_index: int | None = None

    def __post_init__(self) -> None:
        if self.levels.dtype != np.uint8 or self.levels.shape != self.geometry.shape_kji:
            raise ValueError(f"levels {self.levels.dtype} {self.levels.shape} do not fill {self.geometry.shape_kji}")
        if not self.high > self.low:
            raise ValueError(f"strengths from {self.low} to {self.high}")
        view = self.levels.view()
        view.setflags(write=False)
        object.__setattr__(self, "levels", view)

    def strength_at(self, point_lps_mm: npt.ArrayLike) -> float | None:
        """Return the strength of the voxel that holds a place, None outside the grid."""
        index = self.geometry.index_kji(point_lps_mm)
        if not self.geometry.contains(index):
            return None
        k, j, i = (int(n) for n in np.floor(index + 0.5))
        return self.low + (self.high - self.low) * float(self.levels[k, j, i]) / LEVELS


def to_levels(strengths: npt.NDArray[np.floating], low: float, high: float) -> npt.NDArray[np.uint8]:
    """Return strengths, any shape, as levels between two strengths, slab by slab; what is no number is the lowest."""
    levels = np.empty(strengths.shape, dtype=np.uint8)
    scale = np.float32(LEVELS / (high - low))
    for n, slab in enumerate(strengths):
        scaled = (np.nan_to_num(slab.astype(np.float32), nan=low) - np.float32(low)) * scale
        levels[n] = np.rint(np.clip(scaled, 0, LEVELS))
    return levels
