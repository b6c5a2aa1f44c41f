"""What of an outline lies under the hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.oblique import PlaneLayout
from medview.core.screen_map import ScreenMap
from medview.edit.outline import inside_grid
from medview.edit.thinning import thinned
from medview.workspace.outline_shape import OutlineShape
from medview.workspace.pointer import Pointer

FloatArray = npt.NDArray[np.float64]

GRIP_PX = 8.0
_FREE_PX = 12.0
"""A drag that stays nearer to its press than this is a click by a hand that trembles."""
_TOLERANCE_PX = 0.75
"""How far a free line may lie from what is kept of it."""


def spacing_px(geometry: Geometry, pointer: Pointer) -> FloatArray:
    """Return the pixels of the pane between rows and between columns, shape (2,)."""
    return np.asarray(pointer.plane.screen_spacing_mm(geometry)) / pointer.mm_per_px


def from_pointer_px(geometry: Geometry, pointer: Pointer, points_kji: FloatArray) -> FloatArray:
    """Return places from the pointer in pixels of the pane (down, right), shape (n, 2)."""
    seen = ScreenMap.of(pointer.plane, geometry).screen(points_kji)[:, 1:]
    return np.asarray((seen - (pointer.row, pointer.column)) * spacing_px(geometry, pointer))


def apart_px(geometry: Geometry, pointer: Pointer, place_kji: FloatArray) -> float:
    """Return the pixels of the pane between the pointer and a place."""
    return float(np.linalg.norm(from_pointer_px(geometry, pointer, place_kji[None])))


def anchor_under(geometry: Geometry, pointer: Pointer, shape: OutlineShape) -> int | None:
    """Return the number of the anchor under the hand, or None."""
    away = np.linalg.norm(from_pointer_px(geometry, pointer, np.stack(shape.anchors_kji)), axis=1)
    nearest = int(np.argmin(away))
    return nearest if away[nearest] <= GRIP_PX else None


def line_under(geometry: Geometry, pointer: Pointer, shape: OutlineShape) -> int | None:
    """Return the number of the line under the hand, or None."""
    for number in range(len(shape.lines_kji)):
        points = from_pointer_px(geometry, pointer, shape.line_points_kji(number))
        start, way = points[:-1], np.diff(points, axis=0)
        part = np.clip(-(start * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-12), 0.0, 1.0)
        if float(np.linalg.norm(start + part[:, None] * way, axis=1).min()) <= GRIP_PX:
            return number
    return None


def holds(geometry: Geometry, pointer: Pointer, shape: OutlineShape) -> bool:
    """Whether the hand is inside a closed outline."""
    away = from_pointer_px(geometry, pointer, shape.points_kji())
    # A grid of one point, which is the pointer.
    return bool(inside_grid(away, (1, 1))[0, 0])


def free_corners(geometry: Geometry, pointer: Pointer, line_kji: list[FloatArray]) -> list[FloatArray] | None:
    """Return what is kept of a line drawn by a free hand, without the first point; None where it hardly goes anywhere."""
    seen, spacing = ScreenMap.of(pointer.plane, geometry), spacing_px(geometry, pointer)
    line = seen.screen(np.stack(line_kji))
    pixels = line[:, 1:] * spacing
    if float(np.linalg.norm(pixels - pixels[0], axis=1).max()) <= _FREE_PX:
        return None
    kept = thinned(pixels, _TOLERANCE_PX) / spacing
    return list(seen.index_kji(np.insert(kept, 0, line[0, 0], axis=1))[1:])


def lies_on(geometry: Geometry, shape: OutlineShape, layout: PlaneLayout, at: float) -> bool:
    """Whether all anchors lie on a picture, however it is turned on the screen."""
    across = ScreenMap.of(layout, geometry).screen(np.stack(shape.anchors_kji))[:, 0]
    return float(np.abs(across - at).max()) <= _FLAT


_FLAT = 1e-3
"""Rounding across a slice, in slices."""
