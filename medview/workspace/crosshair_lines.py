"""Where the other two planes of a case cut a picture of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from medview.core.geometry import Calibration
from medview.core.oblique import PlaneLayout
from medview.core.plane import Plane
from medview.core.vector import cross
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer

GRIP_PX = 8.0
"""How near a hand has to be to a line to take hold of it."""
FREE_PX = 40.0
"""Around the middle nothing turns: there the hand moves the crosshair."""


@dataclass(frozen=True, slots=True)
class CrosshairLine:
    """The line of one other plane.

    Attributes
    ----------
    row_step, column_step : float
        Which way it goes, in screen rows and columns; of any length.
    """

    plane: Plane
    row_step: float
    column_step: float


def crosshair_lines(case: OpenCase, layout: PlaneLayout) -> tuple[CrosshairLine, ...]:
    """Return the lines of the two other planes on a picture."""
    geometry = case.volume.geometry
    mine = layout.grid(geometry, 0).normal_lps
    at = np.asarray(case.view.at_kji)
    here = np.asarray(layout.screen(geometry, at))
    found = []
    for plane in Plane:
        if plane is layout.plane:
            continue
        along = cross(mine, case.slice_plane(plane).grid(geometry, 0).normal_lps)
        there = np.asarray(layout.screen(geometry, geometry.index_kji(geometry.point_lps_mm(at) + along)))
        _, rows, columns = np.round(there - here, 9)
        if rows or columns:
            found.append(CrosshairLine(plane, float(rows), float(columns)))
    return tuple(found)


def held_line(case: OpenCase, pointer: Pointer) -> bool:
    """Whether a pointer lies on a line of the crosshair, away from its middle, in a volume that can be cut at any angle."""
    geometry = case.volume.geometry
    if geometry.calibration is not Calibration.VOLUME:
        return False
    right, down = away_px(case, pointer)
    if math.hypot(right, down) < FREE_PX:
        return False
    row_mm, column_mm = pointer.plane.screen_spacing_mm(geometry)
    for line in crosshair_lines(case, pointer.plane):
        along = np.asarray((line.column_step * column_mm, line.row_step * row_mm))
        x, y = along / np.linalg.norm(along)
        if abs(right * y - down * x) <= GRIP_PX:
            return True
    return False


def away_px(case: OpenCase, pointer: Pointer) -> tuple[float, float]:
    """Return how far a pointer is from the middle of the crosshair, to the right and down, in pixels."""
    geometry = case.volume.geometry
    _, row, column = pointer.plane.screen(geometry, case.view.at_kji)
    row_mm, column_mm = pointer.plane.screen_spacing_mm(geometry)
    return (pointer.column - column) * column_mm / pointer.mm_per_px, (pointer.row - row) * row_mm / pointer.mm_per_px
