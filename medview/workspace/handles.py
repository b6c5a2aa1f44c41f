"""Handles of boxes, points and lines on a picture: where they are, which one a hand takes, what pulling it does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.box_cut import BoxCut, Face, boxes_near, cut_of
from medview.core.geometry import Geometry
from medview.core.oblique import PlaneLayout
from medview.core.plane import SlicePlane
from medview.core.trace import TraceKind
from medview.workspace.drawn import all_drawn
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer

FloatArray = npt.NDArray[np.float64]
Place = tuple[float, float]
"""Row and column on a slice."""

GRIP_PX = 8.0
"""How near the hand has to be to take hold of something."""
SAME_SLICE = 0.5
"""A point lies on a slice that it is not further from than this many slices."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Handle:
    """What can be pulled.

    Attributes
    ----------
    at : (row, column)
        Where it is on the slice.
    faces : tuple of Face
        Faces of a box that move with it: one on a side, two in a corner.
    point : int or None
        The point of a trace that moves.
    """

    at: Place
    faces: tuple[Face, ...] = ()
    point: int | None = None

    @property
    def whole(self) -> bool:
        """Whether everything moves with it."""
        return not self.faces and self.point is None


def box_handles(box: BoxAnnotation, cut: BoxCut) -> tuple[Handle, ...]:
    """Return the handles of a box where a picture cuts it: corners, middles of sides, the middle.

    The thickness of a box that lies on one slice is not pulled: that would make it another kind of box.
    """
    corners = [Handle(at, _faces(box, faces)) for at, faces in zip(cut.corners, cut.edges, strict=True)]
    following = (*cut.corners[1:], cut.corners[0])
    sides = [
        Handle(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), _faces(box, {face}))
        for a, b, face in zip(cut.corners, following, cut.sides, strict=True)
    ]
    found = [handle for handle in corners if len(handle.faces) == 2] + [handle for handle in sides if handle.faces]
    return (*found, Handle(cut.middle()))


def trace_handles(trace: Trace, plane: PlaneLayout, geometry: Geometry, index: float) -> tuple[Handle, ...]:
    """Return the points of a trace that lie on a slice."""
    places = [plane.screen(geometry, point) for point in trace.points_kji(geometry)]
    return tuple(
        Handle((row, column), point=number)
        for number, (across, row, column) in enumerate(places)
        if abs(across - index) <= SAME_SLICE
    )


def handles_of(one: Drawn, plane: PlaneLayout, geometry: Geometry, index: float) -> tuple[Handle, ...]:
    """Return what of a thing can be pulled on a slice; nothing of one that only lies near it."""
    if isinstance(one, Trace):
        return trace_handles(one, plane, geometry, index)
    cut = cut_of(one, plane, geometry, index)
    return () if cut is None else box_handles(one, cut)


def held(case: OpenCase, pointer: Pointer) -> tuple[Drawn, Handle] | None:
    """Return the thing under the pointer and its handle; None where there is none.

    The chosen one goes before the others, later ones before earlier ones, handles before lines.
    """
    geometry = case.volume.geometry
    shown = [one for one in reversed(all_drawn(case)) if one.visible]
    boxes = [one for one in shown if isinstance(one, BoxAnnotation)]
    here = {one.annotation_id for one in boxes_near(boxes, pointer.plane, geometry, pointer.slice_index)}
    things = [one for one in shown if isinstance(one, Trace) or one.annotation_id in here]
    things.sort(key=lambda one: one.annotation_id != case.view.active_annotation_id)
    if (under := handle_under(things, pointer, geometry)) is not None:
        return under
    reach = _Reach(pointer, geometry)
    for one in things:
        for line in lines_on(one, pointer.plane, geometry, pointer.slice_index):
            if any(reach.line_px(start, end) <= GRIP_PX for start, end in pairwise(line)):
                return one, Handle((pointer.row, pointer.column))
    return None


def handle_under(things: Sequence[Drawn], pointer: Pointer, geometry: Geometry) -> tuple[Drawn, Handle] | None:
    """Return the first of some things that has a handle under the pointer, and that handle; None where none has."""
    reach = _Reach(pointer, geometry)
    for one in things:
        nearest = min(
            handles_of(one, pointer.plane, geometry, pointer.slice_index),
            key=lambda handle: reach.px(handle.at),
            default=None,
        )
        if nearest is not None and reach.px(nearest.at) <= GRIP_PX:
            return one, nearest
    return None


def box_around(case: OpenCase, pointer: Pointer) -> BoxAnnotation | None:
    """Return the smallest box on the slice that the pointer is inside of, or None."""
    boxes = [one for one in all_drawn(case) if isinstance(one, BoxAnnotation) and one.visible]
    return smallest_around(boxes, pointer, case.volume.geometry)


def smallest_around(boxes: Sequence[BoxAnnotation], pointer: Pointer, geometry: Geometry) -> BoxAnnotation | None:
    """Return the smallest of some boxes that the pointer is inside of, or None."""
    at = geometry.point_lps_mm(pointer.index_kji(geometry))
    found = [one for one in boxes if bool(np.all(np.abs(one.parts(at) - 0.5) <= 0.5))]
    return min(found, key=lambda one: float(np.prod(one.size_mm())), default=None)


def lines_on(
    one: Drawn, plane: PlaneLayout, geometry: Geometry, index: float, reach: float = SAME_SLICE
) -> list[list[Place]]:
    """Return the lines a thing is drawn with on a slice, each as a row of places.

    Parameters
    ----------
    reach : float
        How far from the slice, in slices, pieces of a trace are still drawn; of boxes, see ``cut_of``.
    """
    if isinstance(one, Trace):
        return trace_lines(one, plane, geometry, index - reach, index + reach)
    cut = cut_of(one, plane, geometry, index)
    return [] if cut is None else [[*cut.corners, cut.corners[0]]]


def trace_lines(trace: Trace, plane: PlaneLayout, geometry: Geometry, low: float, high: float) -> list[list[Place]]:
    """Return the parts of a trace that lie between two positions across a plane, joined where they follow each other."""
    if trace.kind is TraceKind.POINT:
        return []
    points = np.asarray([plane.screen(geometry, point) for point in trace.points_kji(geometry)])
    if trace.kind is TraceKind.CLOSED:
        points = np.vstack([points, points[:1]])
    found: list[list[Place]] = []
    joined = False
    for a, b in pairwise(points):
        piece = _between(a, b, low, high)
        if piece is None:
            joined = False
            continue
        start, end = piece
        if joined:
            found[-1].append(_place(a + end * (b - a)))
        else:
            found.append([_place(a + start * (b - a)), _place(a + end * (b - a))])
        joined = end >= 1.0 - _ROUNDING
    return found


def pulled(
    one: Drawn, handle: Handle, by_lps_mm: FloatArray, plane: PlaneLayout, geometry: Geometry, index: float
) -> Drawn:
    """Return a thing with a handle moved by a step in LPS millimetres; nothing leaves the grid that was inside it.

    Boxes along the grid keep their faces on edges of voxels.

    Parameters
    ----------
    plane, index : PlaneLayout, float
        The picture the handle lies on.
    """
    if isinstance(one, Trace):
        return _pulled_trace(one, handle, by_lps_mm, geometry)
    if handle.whole:
        return _moved_box(one, by_lps_mm, geometry)
    parts = one.parts(geometry.point_lps_mm(plane.index_kji(geometry, index, *handle.at)) + by_lps_mm)
    if not one.along(geometry):
        least = min(geometry.spacing_kji_mm) / np.asarray(one.size_mm())
        low, high = np.zeros(3), np.ones(3)
        for edge, end in handle.faces:
            limits = (-math.inf, math.inf)
            low[edge], high[edge] = _spanned(1.0 - end, float(parts[edge]), float(least[edge]), limits, first=not end)
        return one.with_parts(low, high)
    low, high = one.bounds_kji(geometry)
    to = np.clip(np.rint(low + parts * (high - low)), 0.0, geometry.shape_kji)
    for edge, end in handle.faces:
        limits = (0.0, float(geometry.shape_kji[edge]))
        stays = float(low[edge] if end else high[edge])
        low[edge], high[edge] = _spanned(stays, float(to[edge]), 1.0, limits, first=not end)
    return one.with_bounds_kji(geometry, low, high)


def nudged(one: Drawn, down: int, right: int, plane: PlaneLayout, geometry: Geometry) -> Drawn:
    """Return a thing moved by whole voxels, or pixels of a plane at an angle, as they lie on the screen."""
    if isinstance(plane, SlicePlane) or (isinstance(one, BoxAnnotation) and one.along(geometry)):
        axes = _screen_axes(plane, geometry)
        step = down * axes[0] + right * axes[1]
        by_lps_mm = geometry.point_lps_mm(step) - geometry.point_lps_mm(np.zeros(3))
    else:
        row_mm, column_mm = plane.screen_spacing_mm(geometry)
        by_lps_mm = down * row_mm * np.asarray(plane.down_lps) + right * column_mm * np.asarray(plane.right_lps)
    return pulled(one, Handle((0.0, 0.0)), by_lps_mm, plane, geometry, 0.0)


def _screen_axes(plane: PlaneLayout, geometry: Geometry) -> tuple[FloatArray, FloatArray]:
    """Return one voxel down and one to the right as index steps, along the grid axes nearest to them."""
    at = np.asarray(plane.index_kji(geometry, 0.0, 0.0, 0.0))
    found: list[FloatArray] = []
    spacing = np.asarray(geometry.spacing_kji_mm)
    for row, column in ((1.0, 0.0), (0.0, 1.0)):
        way = (plane.index_kji(geometry, 0.0, row, column) - at) * spacing
        taken = [int(np.argmax(np.abs(step))) for step in found]
        axis = max((a for a in range(3) if a not in taken), key=lambda a: abs(float(way[a])))
        step = np.zeros(3)
        step[axis] = math.copysign(1.0, way[axis])
        found.append(step)
    return found[0], found[1]


def _spanned(stays: float, to: float, least: float, limits: tuple[float, float], *, first: bool) -> tuple[float, float]:
    """Return low and high between a face that stays and one that goes somewhere, at least ``least`` apart.

    Parameters
    ----------
    limits : tuple of float
        Where the face that moves may be at the most.
    first : bool
        Whether that was the low one: it stays so where both come to lie in one place.
    """
    if abs(to - stays) < least:
        below = to < stays or (first and to == stays)
        to = stays - least if below else stays + least
        if not limits[0] <= to <= limits[1]:
            to = 2 * stays - to
    return min(stays, to), max(stays, to)


def _moved_box(box: BoxAnnotation, by_lps_mm: FloatArray, geometry: Geometry) -> BoxAnnotation:
    if not box.along(geometry):
        return box.moved(by_lps_mm)
    low, high = box.bounds_kji(geometry)
    by = geometry.index_kji(np.asarray(box.corner_lps_mm) + by_lps_mm) - geometry.index_kji(box.corner_lps_mm)
    by = np.rint(by)
    shape = np.asarray(geometry.shape_kji)
    by = np.clip(by, np.minimum(0.0, np.ceil(-low - _ROUNDING)), np.maximum(0.0, np.floor(shape - high + _ROUNDING)))
    return box.with_bounds_kji(geometry, low + by, high + by) if by.any() else box


def _pulled_trace(trace: Trace, handle: Handle, by_lps_mm: FloatArray, geometry: Geometry) -> Trace:
    points = np.asarray(trace.points_lps_mm, dtype=np.float64)
    index = geometry.index_kji(points)
    by = geometry.index_kji(points[0] + by_lps_mm) - index[0]
    last = np.asarray(geometry.shape_kji) - 0.5
    if handle.point is not None:
        index[handle.point] = np.clip(index[handle.point] + by, -0.5, last)
    else:
        room = np.minimum(0.0, -0.5 - index.min(axis=0)), np.maximum(0.0, last - index.max(axis=0))
        index = index + np.clip(by, *room)
    return trace.with_points(geometry.point_lps_mm(index))


def _faces(box: BoxAnnotation, faces: Sequence[Face] | set[Face] | frozenset[Face]) -> tuple[Face, ...]:
    return tuple(sorted(face for face in faces if face[0] != box.flat_edge))


def _between(a: FloatArray, b: FloatArray, low: float, high: float) -> tuple[float, float] | None:
    """Return which part of a piece lies between two positions across, as parts of its length; None when none does."""
    start, rise = float(a[0]), float(b[0] - a[0])
    if abs(rise) <= _ROUNDING:
        return (0.0, 1.0) if low - _ROUNDING <= start <= high + _ROUNDING else None
    one, other = (low - start) / rise, (high - start) / rise
    first, last = max(0.0, min(one, other)), min(1.0, max(one, other))
    return (first, last) if last > first else None


def _place(screen: FloatArray) -> Place:
    return float(screen[1]), float(screen[2])


class _Reach:
    """Distances from a pointer in logical pixels."""

    def __init__(self, pointer: Pointer, geometry: Geometry) -> None:
        self._at = np.asarray((pointer.row, pointer.column))
        self._px = np.asarray(pointer.plane.screen_spacing_mm(geometry)) / pointer.mm_per_px

    def px(self, place: Place) -> float:
        """To a place."""
        return float(np.linalg.norm((np.asarray(place) - self._at) * self._px))

    def line_px(self, start: Place, end: Place) -> float:
        """To a straight piece."""
        a, b, at = (np.asarray(place) * self._px for place in (start, end, self._at))
        length = float((b - a) @ (b - a))
        part = min(1.0, max(0.0, float((at - a) @ (b - a)) / length)) if length else 0.0
        return float(np.linalg.norm(a + part * (b - a) - at))
