"""Livewire: between clicks the line follows edges of the picture; anchors snap to them. Then it is as with the lasso."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.analysis.reslice import sample
from medview.core.oblique import ObliquePlane
from medview.core.screen_map import ScreenMap
from medview.edit.livewire import Livewire, PartedPicture, Picture
from medview.workspace.label_writing import may_write
from medview.workspace.open_case import OpenCase
from medview.workspace.outline_clicks import OutlineClicks, OutlineKind, Place
from medview.workspace.outline_fill import fill
from medview.workspace.outline_shape import Join
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.stage import Stage

FloatArray = npt.NDArray[np.float64]

_SNAP_PX = 8.0
"""An anchor may be moved so far by an edge."""
_BEYOND = 0.5
"""Edges between values further outside the window than this part of its width cannot be seen, and are not followed."""


def begin(stage: Stage, press: Pointer) -> OutlineClicks | None:
    """Begin an outline where labels can be changed; Ctrl erases."""
    return OutlineClicks(stage, press, _KIND) if may_write(stage, erase=Modifiers.CTRL in press.modifiers) else None


def _ways(stage: Stage, press: Pointer) -> tuple[Join, Place]:
    case, layout = stage.case, press.plane
    geometry = case.volume.geometry
    seen = ScreenMap.of(layout, geometry)
    wire = Livewire(_picture(case, press), layout.screen_spacing_mm(geometry))

    def join(start_kji: FloatArray, end_kji: FloatArray) -> FloatArray:
        (across, *start), (_, *end) = seen.screen(np.stack([start_kji, end_kji])).tolist()
        way = wire.way((start[0], start[1]), (end[0], end[1]))
        return seen.index_kji(np.insert(way, 0, across, axis=1))

    def place(pointer: Pointer) -> FloatArray:
        across, row, column = seen.screen(pointer.index_kji(geometry)).tolist()
        return seen.index_kji((across, *wire.snapped((row, column), _SNAP_PX * pointer.mm_per_px)))

    return join, place


def _picture(case: OpenCase, press: Pointer) -> PartedPicture:
    """Return the values of the picture, as far as the window tells them apart."""
    volume, layout, window = case.volume, press.plane, case.view.window
    if isinstance(layout, ObliquePlane):
        found = sample(volume, layout.grid(volume.geometry, press.slice_index))
        stored, inside = found.stored, found.inside
    else:
        stored, inside = layout.extract(volume.voxels, int(press.slice_index)), None
    reach = window.width * (0.5 + _BEYOND)
    ends = (-np.inf, np.inf) if volume.colour else (window.center - reach, window.center + reach)

    def part(rows: slice, columns: slice) -> Picture:
        values = volume.values_of(stored[rows, columns])
        values = np.clip(values.mean(axis=2) if volume.colour else values, *ends)
        if inside is not None:
            values = np.where(inside[rows, columns], values, np.nan)
        return np.asarray(values, dtype=np.float32)

    return PartedPicture((stored.shape[0], stored.shape[1]), part)


_KIND = OutlineKind(fill, least=2, ways=_ways)
