"""Boxes, points and lines as they are made: what they are called, where they lie, how deep a new 3-D box is."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from medview.core.annotations import BoxAnnotation, Trace
from medview.core.geometry import Calibration, Geometry
from medview.core.oblique import ObliquePlane
from medview.core.plane import SlicePlane
from medview.core.source import Source
from medview.core.trace import TraceKind
from medview.core.vector import triple
from medview.workspace.drawn import on_image
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.view_state import Bench

FloatArray = npt.NDArray[np.float64]

MIN_DEPTH, MAX_DEPTH = 0.1, 1000.0


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep a 3-D box is before anybody pulled at it.

    Attributes
    ----------
    amount : float
        Millimetres, or slices; on a stack, whose slices have no millimetres between them, one slice in place of each.
    """

    amount: float
    in_slices: bool = False

    def slices(self, spacing_mm: float) -> int:
        """Return whole slices, one at least."""
        return max(1, round(self.amount if self.in_slices else self.amount / spacing_mm))


def label_of_new(bench: Bench, case: OpenCase) -> str:
    """Return what a new thing is called: what the person chose, else the active segment's name."""
    segment = case.active_segment
    return bench.mark_label or (segment.name if segment is not None else "")


def fresh_source() -> Source:
    """Return the source of what a person draws now."""
    return Source(created_utc=datetime.now(UTC).isoformat(timespec="microseconds"))


def new_box(bench: Bench, case: OpenCase, press: Pointer, to: Pointer, *, solid: bool) -> BoxAnnotation:
    """Return a box between two places of one picture.

    Along the grid it holds every voxel between them. At an angle a flat one lies on the picture; a solid one is the box
    along the grid that holds the rectangle.
    """
    geometry = case.volume.geometry
    identity, label, source = uuid.uuid4().hex, label_of_new(bench, case), fresh_source()
    if isinstance(press.plane, ObliquePlane) and not solid:
        made = _on_picture(identity, label, geometry, press.plane, press, to, source)
        return replace(made, frame_number=case.images.across(case.view.time_index)[1])
    depth = Depth(bench.box_depth, bench.box_depth_in_slices)
    low, high, axis = _touched(geometry, press, to, depth if solid else None)
    flat = None if solid else axis
    made = BoxAnnotation.on_grid(identity, label, geometry, low, high, source=source, flat_edge=flat)
    found = on_image(case, made, case.view.time_index)
    assert isinstance(found, BoxAnnotation)
    return found


def meets_grid(geometry: Geometry, press: Pointer, to: Pointer) -> bool:
    """Whether the rectangle between two places of one picture holds any of the volume."""
    corners = _corners(geometry, press, to)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return bool(np.all(high >= -0.5) and np.all(low < np.asarray(geometry.shape_kji) - 0.5))


def new_trace(bench: Bench, case: OpenCase, kind: TraceKind, points_kji: npt.ArrayLike) -> Trace:
    """Return a point or a line through places given as voxel indices, shape (points, 3)."""
    points = case.volume.geometry.point_lps_mm(points_kji)
    label, source = label_of_new(bench, case), fresh_source()
    made = Trace(uuid.uuid4().hex, kind, tuple(triple(point) for point in points), label, source=source)
    found = on_image(case, made, case.view.time_index)
    assert isinstance(found, Trace)
    return found


def _on_picture(
    identity: str, label: str, geometry: Geometry, plane: ObliquePlane, press: Pointer, to: Pointer, source: Source
) -> BoxAnnotation:
    row, column = min(press.row, to.row), min(press.column, to.column)
    down = max(abs(press.row - to.row), 1.0) * plane.pixel_mm * np.asarray(plane.down_lps)
    right = max(abs(press.column - to.column), 1.0) * plane.pixel_mm * np.asarray(plane.right_lps)
    corner = geometry.point_lps_mm(plane.index_kji(geometry, press.slice_index - 0.5, row, column))
    edges = (triple(plane.step_mm * np.asarray(plane.normal_lps)), triple(down), triple(right))
    return BoxAnnotation(identity, label, triple(corner), edges, source=source, flat_edge=0)


def _touched(geometry: Geometry, press: Pointer, to: Pointer, depth: Depth | None) -> tuple[FloatArray, FloatArray, int]:
    """Return the half-open bounds of the voxels between two places, and the axis across them."""
    plane, index = press.plane, press.slice_index
    corners = _corners(geometry, press, to)
    shape = np.asarray(geometry.shape_kji)
    low = np.clip(np.floor(corners.min(axis=0) + 0.5), 0, shape - 1)
    high = np.clip(np.floor(corners.max(axis=0) + 0.5) + 1, 1, shape)
    axis = plane.normal_axis if isinstance(plane, SlicePlane) else _across(geometry, plane)
    if isinstance(plane, SlicePlane):
        low[axis], high[axis] = index, index + 1
    if depth is not None:
        known = geometry.calibration is Calibration.VOLUME
        spacing_mm = geometry.spacing_kji_mm[axis] if known else 1.0
        wanted = depth.slices(spacing_mm)
        middle = (low[axis] + high[axis] - 1) / 2
        if high[axis] - low[axis] < wanted:
            low[axis] = np.clip(np.floor(middle - (wanted - 1) / 2 + 0.5), 0, max(0, shape[axis] - wanted))
            high[axis] = min(float(shape[axis]), float(low[axis]) + wanted)
    return low, high, axis


def _corners(geometry: Geometry, press: Pointer, to: Pointer) -> FloatArray:
    """Return the corners of the rectangle between two places as voxel indices, shape (4, 3)."""
    places = [(row, column) for row in (press.row, to.row) for column in (press.column, to.column)]
    return np.asarray([press.plane.index_kji(geometry, press.slice_index, *place) for place in places])


def _across(geometry: Geometry, plane: ObliquePlane) -> int:
    return int(np.argmax(np.abs(geometry.directions_kji @ np.asarray(plane.normal_lps))))
