"""Pixels of a heat map that lies over a series."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from medview.analysis.reslice import sample
from medview.core.geometry import Geometry
from medview.core.heat import LEVELS, Heat
from medview.core.oblique import PlaneLayout
from medview.core.plane import SlicePlane
from medview.core.screen_grid import ScreenGrid
from medview.core.slab import Slab, SlabMode
from medview.core.volume import Volume
from medview.workspace.colour_maps import palette
from medview.workspace.fusion_picture import Rgba, refined, refinement, slab_grid
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import CaseView

FULL_AT = 0.4
"""Part of the range from which a heat map is as opaque as it gets; weaker places let more of the picture through."""


def shown_heat(view: CaseView) -> Heat | None:
    """Return the heat map that is to be drawn over a case now."""
    heat = view.heat
    if heat is None or not view.heat_visible or heat.time_index not in (None, view.time_index):
        return None
    return heat


def heat_rgba(heat: Heat, opacity: float, case: OpenCase, layout: PlaneLayout, index: float, slab: Slab) -> Rgba:
    """Return premultiplied RGBA, shape (rows, columns, 4), over a slice of a case; it may be finer than the slice.

    A slab shows its hottest place whatever it shows of the picture: what is hidden in the middle of it would be missed.
    """
    geometry = case.volume.geometry
    grid = slab_grid(layout, geometry, index, slab)
    colours = _packed(heat.colour_map, round(opacity, 3))
    if slab.mode is SlabMode.OFF and isinstance(layout, SlicePlane) and _same_grid(heat.geometry, geometry):
        pixels = colours.take(layout.extract(heat.levels, int(index)).view(np.uint8))
    else:
        fine = _as_fine_as(heat, grid)
        through = slab if slab.mode is SlabMode.OFF else replace(slab, mode=SlabMode.MAXIMUM)
        found = sample(Volume(heat.levels, heat.geometry), fine, through)
        pixels = colours.take(found.stored.view(np.uint8))
        pixels[~found.inside] = 0
    rows, columns = pixels.shape
    return np.ascontiguousarray(pixels).view(np.uint8).reshape(rows, columns, 4)


def _as_fine_as(heat: Heat, grid: ScreenGrid) -> ScreenGrid:
    """Return the picture with pixels that lose nothing of a heat map, and no more of them than half of its voxels need."""
    finest = min(heat.geometry.spacing_kji_mm)
    parts = refinement(grid, finest)
    steps = (float(np.linalg.norm(step)) for step in (grid.row_step_lps_mm, grid.column_step_lps_mm))
    together = [max(1, int(finest / (2 * step))) for step in steps]
    if parts != (1, 1) or together == [1, 1]:
        return refined(grid, parts)
    rows, columns = (max(1, round(n / by)) for n, by in zip(grid.shape, together, strict=True))
    return grid.resampled((rows, columns))


@lru_cache(maxsize=16)
def _packed(colour_map: str, opacity: float) -> npt.NDArray[np.uint32]:
    """Return premultiplied RGBA of every level as the four bytes of a number, shape (256,); the lowest is clear."""
    alpha = opacity * np.clip(np.arange(LEVELS + 1) / (FULL_AT * LEVELS), 0.0, 1.0)
    table = np.empty((LEVELS + 1, 4), dtype=np.uint8)
    table[:, :3] = np.rint(palette(colour_map) * alpha[:, None])
    table[:, 3] = np.rint(255 * alpha)
    return table.view(np.uint32).ravel()


@lru_cache(maxsize=64)
def _same_grid(one: Geometry, other: Geometry) -> bool:
    return one.same_grid(other)
