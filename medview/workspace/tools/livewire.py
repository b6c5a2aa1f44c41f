"""Livewire: between clicks the line follows edges of the picture; anchors snap to them. Then it is as with the lasso."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.analysis.reslice import sample
from medview.core.oblique import ObliquePlane
from medview.core.screen_map import ScreenMap
from medview.edit.livewire import Livewire, Picture
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


def _picture(case: OpenCase, press: Pointer) -> Picture:
    """Return the values of the picture, as far as the window tells them apart."""
    volume, layout = case.volume, press.plane
    if isinstance(layout, ObliquePlane):
        found = sample(volume, layout.grid(volume.geometry, press.slice_index))
        values = volume.values_of(found.stored)
        values = values.mean(axis=2) if volume.colour else np.where(found.inside, values, np.nan)
    else:
        values = volume.values_of(layout.extract(volume.voxels, int(press.slice_index)))
        values = values.mean(axis=2) if volume.colour else values
    if not volume.colour:
        window = case.view.window
        reach = window.width * (0.5 + _BEYOND)
        values = np.clip(values, window.center - reach, window.center + reach)
    return np.asarray(values, dtype=np.float32)


_KIND = OutlineKind(fill, least=2, ways=_ways)
