"""Draw a measurement with one drag, or take hold of one that is there: a handle moves a point, a line the whole figure."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from medview.core.changes import AnnotationChange
from medview.core.language import _
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.oblique import ObliquePlane
from medview.workspace.measuring import held, kind_of_tool, name_of
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.stage import Drag, Stage

FloatArray = npt.NDArray[np.float64]

_SHORT_PART = 0.6
"""Length of the short axis that is put up with the long one, to be pulled into place."""
_OPENING_DEGREES = 40.0
"""Opening of the angle that is put up with its first arm."""
_APART_PX = 40.0
"""Distance of the second line of a Cobb angle from the first."""
_LEAST_PX = 4.0
"""A drag shorter than this draws nothing."""
_STEP_PX = 2.0
"""Distance between the points of a freehand outline."""


def drag(stage: Stage, press: Pointer) -> Drag:
    """Draw, or change what is under the hand."""
    case = stage.case
    if not case.editable:
        stage.say(case.read_only or _("Wait until the slices have arrived; then it can be measured."))
        return
    grip = held(case, press)
    if grip is not None:
        yield from _change(case, press, grip[0], grip[1])
    else:
        yield from _draw(stage, press)


def _draw(stage: Stage, press: Pointer) -> Drag:
    case, kind = stage.case, kind_of_tool(stage.bench.tool)
    assert kind is not None
    gesture = case.gesture("measure")
    spacing = press.plane.screen_spacing_mm(case.volume.geometry)
    now: Measurement | None = None
    path = [press]
    at = press
    try:
        while True:
            long_enough = kind is MeasurementKind.PROBE or _apart_px(press, at) >= _LEAST_PX
            points = _POINTS[kind](path, spacing) if long_enough else None
            if points is not None:
                after = _figure(case, kind, press, points, now)
                gesture.apply(AnnotationChange(now, after))
                now = after
            move = yield None
            if move is None:
                break
            at = move
            if kind is not MeasurementKind.FREEHAND:
                path = [press, move]
            elif _apart_px(path[-1], move) >= _STEP_PX:
                path.append(move)
    except GeneratorExit:
        gesture.abort()
        raise
    gesture.commit(name_of(kind))
    if now is not None:
        case.view.active_annotation_id = now.annotation_id


def _change(case: OpenCase, press: Pointer, measurement: Measurement, point: int | None) -> Drag:
    """Move one point, or all of them when ``point`` is None."""
    case.view.active_annotation_id = measurement.annotation_id
    gesture = case.gesture("measure")
    geometry = case.volume.geometry
    # On a plane at an angle right angles are those in millimetres; shapes along the grid go with it, sheared or not.
    steps = geometry.affine_lps[:3, :3] if isinstance(press.plane, ObliquePlane) else np.eye(3)
    start = measurement.points_kji(geometry)
    before = measurement
    try:
        while (move := (yield None)) is not None:
            # On the picture of the press: the wheel may have turned to another slice under the hand.
            at = press.plane.index_kji(geometry, press.slice_index, move.row, move.column)
            moved = _moved(measurement.kind, start, point, at - press.index_kji(geometry), steps)
            after = measurement.with_points(geometry.point_lps_mm(moved))
            gesture.apply(AnnotationChange(before, after))
            before = after
    except GeneratorExit:
        gesture.abort()
        raise
    gesture.commit(f"Change {name_of(measurement.kind).lower()}")


def _moved(kind: MeasurementKind, start: FloatArray, point: int | None, by: FloatArray, steps: FloatArray) -> FloatArray:
    """Return the points after one of them was pulled; the shapes of rectangles and ellipses are kept.

    Parameters
    ----------
    start : ndarray, shape (points, 3)
        Voxel indices, as ``by``.
    steps : ndarray, shape (3, 3)
        Columns: what steps along k, j and i come to where shapes are judged.
    """
    moved = start.copy()
    if point is None:
        moved += by
    elif kind is MeasurementKind.RECTANGLE:
        opposite = start[(point + 2) % 4]
        moved[point] = start[point] + by
        # The two neighbours follow along the sides they lie on.
        for neighbour in ((point + 1) % 4, (point + 3) % 4):
            side = start[neighbour] - opposite
            way = steps @ side
            length = float(way @ way)
            along = float((steps @ (moved[point] - opposite)) @ way) / length if length else 0.0
            moved[neighbour] = opposite + along * side
    elif kind is MeasurementKind.ELLIPSE:
        centre = start.mean(axis=0)
        other = point ^ 1
        axis = start[point] - centre
        way = steps @ axis
        length = float(way @ way)
        stretch = float((steps @ (start[point] + by - centre)) @ way) / length if length else 1.0
        moved[point], moved[other] = centre + stretch * axis, centre - stretch * axis
    else:
        moved[point] = start[point] + by
    return moved


def _figure(
    case: OpenCase, kind: MeasurementKind, press: Pointer, points: list[tuple[float, float]], now: Measurement | None
) -> Measurement:
    geometry = case.volume.geometry
    index = np.stack([press.plane.index_kji(geometry, press.slice_index, row, column) for row, column in points])
    lps_mm = tuple((float(x), float(y), float(z)) for x, y, z in geometry.point_lps_mm(index))
    if now is not None:
        return Measurement(now.annotation_id, kind, lps_mm, now.label, now.sop_instance_uid, now.frame_number, now.source)
    acquired = press.plane.acquired
    uid, frame = case.image_of(int(press.slice_index)) if acquired else case.images.across(case.view.time_index)
    return Measurement(uuid.uuid4().hex, kind, lps_mm, "", uid, frame)


Points = list[tuple[float, float]]
Spacing = tuple[float, float]
"""Millimetres between screen rows and between screen columns."""


def _two(path: list[Pointer], _spacing_mm: Spacing) -> Points:
    return [(path[0].row, path[0].column), (path[-1].row, path[-1].column)]


def _one(path: list[Pointer], _spacing_mm: Spacing) -> Points:
    return [(path[-1].row, path[-1].column)]


def _cross(path: list[Pointer], spacing_mm: Spacing) -> Points:
    """The drawn axis, and a shorter one across its middle."""
    (row0, column0), (row1, column1) = _two(path, spacing_mm)
    row_mm, column_mm = spacing_mm
    down, right = (row1 - row0) * row_mm, (column1 - column0) * column_mm
    middle = ((row0 + row1) / 2, (column0 + column1) / 2)
    across = (-right * _SHORT_PART / 2 / row_mm, down * _SHORT_PART / 2 / column_mm)
    return [
        (row0, column0),
        (row1, column1),
        (middle[0] - across[0], middle[1] - across[1]),
        (middle[0] + across[0], middle[1] + across[1]),
    ]


def _arms(path: list[Pointer], spacing_mm: Spacing) -> Points:
    """The drawn arm, ending in the corner, and a second one to be pulled into place."""
    (row0, column0), (row1, column1) = _two(path, spacing_mm)
    row_mm, column_mm = spacing_mm
    down, right = (row0 - row1) * row_mm, (column0 - column1) * column_mm
    turn = math.radians(_OPENING_DEGREES)
    turned = (down * math.cos(turn) - right * math.sin(turn), down * math.sin(turn) + right * math.cos(turn))
    return [(row0, column0), (row1, column1), (row1 + turned[0] / row_mm, column1 + turned[1] / column_mm)]


def _lines(path: list[Pointer], spacing_mm: Spacing) -> Points:
    """The drawn line, and a second one beside it."""
    (row0, column0), (row1, column1) = _two(path, spacing_mm)
    row_mm, column_mm = spacing_mm
    down, right = (row1 - row0) * row_mm, (column1 - column0) * column_mm
    length = math.hypot(down, right) or 1.0
    apart_mm = _APART_PX * path[0].mm_per_px
    beside = (right / length * apart_mm / row_mm, -down / length * apart_mm / column_mm)
    return [
        (row0, column0),
        (row1, column1),
        (row0 + beside[0], column0 + beside[1]),
        (row1 + beside[0], column1 + beside[1]),
    ]


def _corners(path: list[Pointer], spacing_mm: Spacing) -> Points:
    (row0, column0), (row1, column1) = _two(path, spacing_mm)
    return [(row0, column0), (row0, column1), (row1, column1), (row1, column0)]


def _axes(path: list[Pointer], spacing_mm: Spacing) -> Points:
    (row0, column0), (row1, column1) = _two(path, spacing_mm)
    row, column = (row0 + row1) / 2, (column0 + column1) / 2
    return [(row, column0), (row, column1), (row0, column), (row1, column)]


def _outline(path: list[Pointer], _spacing_mm: Spacing) -> Points | None:
    return [(at.row, at.column) for at in path] if len(path) >= 3 else None


_POINTS: dict[MeasurementKind, Callable[[list[Pointer], Spacing], Points | None]] = {
    MeasurementKind.LENGTH: _two,
    MeasurementKind.BIDIRECTIONAL: _cross,
    MeasurementKind.ANGLE: _arms,
    MeasurementKind.COBB: _lines,
    MeasurementKind.PROBE: _one,
    MeasurementKind.ELLIPSE: _axes,
    MeasurementKind.RECTANGLE: _corners,
    MeasurementKind.FREEHAND: _outline,
    MeasurementKind.POLYGON: _outline,
}


def _apart_px(a: Pointer, b: Pointer) -> float:
    return math.hypot(a.x_px - b.x_px, a.y_px - b.y_px)
