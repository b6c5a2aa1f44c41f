"""Pixels of a series that is laid over another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from medview.analysis.reslice import sample
from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.core.screen_grid import ScreenGrid
from medview.core.slab import Slab
from medview.core.vector import triple
from medview.core.voi_table import VoiTransform
from medview.core.volume import Volume
from medview.workspace.colour_maps import GREY, palette
from medview.workspace.fusion import Fusion
from medview.workspace.grey_table import GreyTable
from medview.workspace.load_state import LoadState, SliceState
from medview.workspace.open_case import OpenCase

Rgba = npt.NDArray[np.uint8]

MOST_PIXELS = 1 << 20
"""Pixels of a refined picture: more cost time and cannot be seen."""


class FusedOverlay:
    """One volume where it lies in the frame of another, through its own window and the fusion's colours.

    Parameters
    ----------
    placed : Geometry
        Where the voxels lie in the frame of the base.
    load : LoadState, optional
        Slices that have not arrived or are damaged stay transparent.
    """

    def __init__(
        self, volume: Volume, placed: Geometry, window: VoiTransform, fusion: Fusion, load: LoadState | None = None
    ) -> None:
        self.volume = replace(volume, geometry=placed)
        self._load = load
        # Low values are the low end of the colours however the series alone is shown: a bar has one direction.
        self._table = GreyTable(self.volume, window, inverted=volume.inverted)
        self._colours = packed_colours(fusion)

    def rgba(self, grid: ScreenGrid, slab: Slab = Slab()) -> Rgba:
        """Return premultiplied RGBA, shape (rows, columns, 4), of a picture through the frame of the base.

        Outside the volume, and below the window where the colours are not grey, it is transparent.
        """
        found = sample(self.volume, grid, slab)
        pixels = self._colours.take(self._table.levels(found.stored))
        pixels[~found.inside] = 0
        if self._load is not None and not (self._load.complete and not self._load.damaged):
            pixels[self._missing(self._load, grid)] = 0
        rows, columns = grid.shape
        return pixels.view(np.uint8).reshape(rows, columns, 4)

    def _missing(self, load: LoadState, grid: ScreenGrid) -> npt.NDArray[np.bool_]:
        """Return which pixels lie next to a slice that is not there."""
        corner, down, right = grid.on(self.volume.geometry)
        rows, columns = (np.arange(n) for n in grid.shape)
        k = corner[0] + rows[:, None] * down[0] + columns[None, :] * right[0]
        lost = np.fromiter((load.state(n) is not SliceState.READY for n in range(load.total)), bool, load.total)
        below, above = (np.clip(f(k), 0, load.total - 1).astype(np.intp) for f in (np.floor, np.ceil))
        return np.asarray(lost[below] | lost[above])


def packed_colours(fusion: Fusion) -> npt.NDArray[np.uint32]:
    """Return premultiplied RGBA of every level as the four bytes of a number, shape (256,)."""
    table = np.empty((256, 4), dtype=np.uint8)
    table[:, :3] = np.rint(palette(fusion.colour_map) * fusion.opacity)
    table[:, 3] = round(255 * fusion.opacity)
    if fusion.colour_map != GREY:
        # Coloured pictures show where something is; what lies below their window is nothing, and hides nothing.
        table[0] = 0
    return table.view(np.uint32).ravel()


def fused_overlay(fusion: Fusion, base: OpenCase, overlay: OpenCase) -> FusedOverlay | None:
    """Return what a fusion draws over its base; None while it may not or is not to be drawn."""
    placed = fusion.placed(base.volume.geometry, overlay.volume.geometry)
    if placed is None or not fusion.visible:
        return None
    return FusedOverlay(overlay.volume, placed, overlay.view.window, fusion, overlay.load)


def fusion_rgba(fusion: Fusion, base: OpenCase, overlay: OpenCase, grid: ScreenGrid, slab: Slab = Slab()) -> Rgba | None:
    """Return the pixels of a fusion on a picture through the frame of the base; None where nothing may be drawn."""
    fused = fused_overlay(fusion, base, overlay)
    return None if fused is None else fused.rgba(grid, slab)


def slab_grid(layout: PlaneLayout, geometry: Geometry, index: float, slab: Slab) -> ScreenGrid:
    """Return where the pixels of a slice lie in the patient, or those of the middle of the slab it is shown as."""
    if isinstance(layout, ObliquePlane):
        return layout.grid(geometry, index)
    slices = slab.slices(layout, geometry, int(index))
    return layout.grid(geometry, (slices[0] + slices[-1]) / 2)


def refinement(grid: ScreenGrid, finest_mm: float) -> tuple[int, int]:
    """Return into how many parts the rows and columns of a picture are cut so that voxels of this size are not lost."""
    steps = [float(np.linalg.norm(step)) for step in (grid.row_step_lps_mm, grid.column_step_lps_mm)]
    parts = [max(1, min(8, int(np.ceil(step / finest_mm - 0.25)))) for step in steps]
    while grid.shape[0] * parts[0] * grid.shape[1] * parts[1] > MOST_PIXELS and max(parts) > 1:
        parts[parts.index(max(parts))] -= 1
    return parts[0], parts[1]


def refined(grid: ScreenGrid, parts: tuple[int, int]) -> ScreenGrid:
    """Return a picture that covers the same area with each row and column cut into parts."""
    down, right = (np.asarray(step) for step in (grid.row_step_lps_mm, grid.column_step_lps_mm))
    fine_down, fine_right = down / parts[0], right / parts[1]
    corner = np.asarray(grid.corner_lps_mm) - (down - fine_down) / 2 - (right - fine_right) / 2
    return ScreenGrid(
        triple(corner), triple(fine_down), triple(fine_right), (grid.shape[0] * parts[0], grid.shape[1] * parts[1])
    )
