"""Put the crosshair under the pointer, or turn the planes by its lines; the other planes follow."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from medview.core.axes import Axes
from medview.core.oblique import ObliquePlane
from medview.workspace.crosshair_lines import away_px, held_line
from medview.workspace.pointer import Pointer
from medview.workspace.stage import Drag, Stage
from medview.workspace.view_state import Tool

FloatArray = npt.NDArray[np.float64]


def drag(stage: Stage, press: Pointer) -> Drag:
    """Move the crosshair with the hand; outside the grid it stays put. The tool itself can turn lines."""
    if stage.bench.tool is Tool.CROSSHAIR and held_line(stage.case, press):
        yield from _turn(stage, press)
        return
    _place(stage, press)
    while (move := (yield None)) is not None:
        _place(stage, move)


def click(stage: Stage, pointer: Pointer) -> None:
    """Put the crosshair where a click dragged nothing, on a line of it too."""
    _place(stage, pointer)


def _place(stage: Stage, pointer: Pointer) -> None:
    case, geometry = stage.case, stage.case.volume.geometry
    voxel = pointer.voxel_kji(geometry)
    if voxel is None:
        return
    if isinstance(pointer.plane, ObliquePlane):
        case.view.look_at(pointer.index_kji(geometry), geometry.shape_kji)
    elif voxel != case.view.crosshair_kji:
        case.view.focus_kji = None
        case.view.crosshair_kji = voxel


def _turn(stage: Stage, press: Pointer) -> Drag:
    """Turn the planes about the middle of the crosshair, across the picture the hand is on."""
    case = stage.case
    geometry = case.volume.geometry
    before = case.view.axes
    start = before or Axes.of_grid(geometry)
    across = _away_from_person(start, press, press.plane.grid(geometry, press.slice_index).normal_lps)
    axes, last = start, _angle(stage, press)
    try:
        while (move := (yield None)) is not None:
            # From where the hand was last: beyond half a turn the way it took counts, not the shorter one.
            angle = _angle(stage, move)
            axes, last = axes.turned(across, math.remainder(angle - last, math.tau)), angle
            case.view.axes = axes
    except GeneratorExit:
        case.view.axes = before
        raise


def _away_from_person(axes: Axes, press: Pointer, normal_lps: FloatArray) -> FloatArray:
    """Return the direction that the picture under the hand lies across, away from the person.

    It is that of the axes, not of the grid: slices across a tilted gantry's are not quite across its axes, and the picture
    the hand is on must not turn.
    """
    normal = axes.screen(press.plane.plane)[2]
    return normal if float(normal @ normal_lps) > 0 else -normal


def _angle(stage: Stage, pointer: Pointer) -> float:
    """Return the direction from the middle of the crosshair to a pointer, clockwise on the screen, in radians."""
    right, down = away_px(stage.case, pointer)
    return float(np.arctan2(down, right)) if math.hypot(right, down) > 0 else 0.0
