"""What a case shows on a plane at an angle to its grid, as values for the layers."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from medview.analysis.padding import holds_padding
from medview.analysis.reslice import layer_offsets_mm, sample, sample_voxels, slices_met
from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane
from medview.core.prediction import PredictedMask
from medview.core.screen_grid import ScreenGrid
from medview.core.slab import Slab, SlabMode
from medview.gui.drawing.label_raster import Cut
from medview.workspace.grey_table import GreyTable, Levels
from medview.workspace.load_state import LoadState, SliceState

COARSEST = 0.5
"""Samples per pixel of the picture, along each side, below which interpolation would leave voxels out."""


COARSEST_MOVING_SLAB = 0.35
"""The same for a slab in a moving hand: its layers are ten times as much work, and it is made fine when the hand rests."""


def oblique_levels(
    table: GreyTable,
    load: LoadState,
    plane: ObliquePlane,
    index: float,
    slab: Slab,
    missing_level: int,
    pixel_px: float = 1.0,
) -> Levels:
    """Return the levels of a picture; black outside the volume, ``missing_level`` where a slice that is not there matters.

    Parameters
    ----------
    pixel_px : float
        Device pixels of the pane per pixel of the picture. Where they are fewer the picture gets fewer too, down to half;
        0 in a moving hand, when it gets as few as it may.
    """
    volume, grid = table.volume, plane.grid(table.volume.geometry, index)
    hurried_slab = pixel_px == 0.0 and slab.mode is not SlabMode.OFF
    part = min(1.0, max(COARSEST_MOVING_SLAB if hurried_slab else COARSEST, pixel_px))
    if part < 1.0:
        rows, columns = grid.shape
        grid = grid.resampled((max(1, round(rows * part)), max(1, round(columns * part))))
    found = sample(volume, grid, slab, padded=not load.complete or holds_padding(volume))
    levels = table.levels(found.stored)
    if not levels.flags.writeable:
        levels = levels.copy()
    if not (load.complete and not load.damaged):
        missing = np.fromiter((load.state(k) is not SliceState.READY for k in range(load.total)), bool, load.total)
        first, last = slices_met(volume.geometry, grid, layer_offsets_mm(volume, grid, slab))
        up_to = np.concatenate([[0], np.cumsum(missing)])
        levels[up_to[last + 1] > up_to[first]] = missing_level
    levels[~found.inside] = 0
    return levels


def oblique_labels(voxels: npt.NDArray[np.uint8], geometry: Geometry, grid: ScreenGrid) -> Cut:
    """Return the labels nearest to each pixel of a picture."""
    return sample_voxels(voxels, geometry, grid)


def oblique_mask(mask: PredictedMask, geometry: Geometry, grid: ScreenGrid) -> Cut | None:
    """Return a predicted mask on a picture, or None when it holds nothing there."""
    if mask.box.empty:
        return None
    cut = sample_voxels(np.ascontiguousarray(mask.voxels, dtype=np.uint8), geometry.cropped(mask.box), grid)
    return cut if cut.any() else None


def box_outline(
    plane: ObliquePlane, geometry: Geometry, index: float, low_kji: npt.ArrayLike, high_kji: npt.ArrayLike
) -> tuple[float, float, float, float] | None:
    """Return the rectangle (top row, bottom row, left column, right column) that encloses the cut through a box, or None.

    Parameters
    ----------
    low_kji, high_kji : array_like
        Corners of the box in fractional voxel indices.
    """
    low, high = np.asarray(low_kji, dtype=np.float64), np.asarray(high_kji, dtype=np.float64)
    corners = [np.where(which, high, low) for which in product((False, True), repeat=3)]
    on_screen = np.asarray([plane.screen(geometry, corner) for corner in corners])
    away = on_screen[:, 0] - index
    cuts = []
    for one, other in _EDGES:
        a, b = away[one], away[other]
        if a * b <= 0 and a != b:
            cuts.append(on_screen[one] + (on_screen[other] - on_screen[one]) * (a / (a - b)))
    if not cuts:
        return None
    rows, columns = np.asarray(cuts)[:, 1], np.asarray(cuts)[:, 2]
    return float(rows.min()), float(rows.max()), float(columns.min()), float(columns.max())


_EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
