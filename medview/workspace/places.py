"""Where a change is, and going there when it is taken back or done again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from medview.core.annotations import BoxAnnotation
from medview.core.box import Box
from medview.core.changes import AnnotationChange, Change, Command
from medview.core.geometry import Geometry
from medview.core.key_image import KeyImage
from medview.core.label_patch import LabelPatch
from medview.core.measurement import Measurement
from medview.core.oblique import PlaneLayout
from medview.core.plane import SlicePlane
from medview.core.trace import Trace
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

FloatArray = npt.NDArray[np.float64]

_ROUNDING = 1e-6


def go_back_and_forth(workspace: Workspace, case: OpenCase, steps: int) -> Command | None:
    """Undo (negative) or redo so many commands of a case and show where the last of them was; None when there was none."""
    command = case.travel(steps)
    if command is not None:
        show_place(workspace, case, command)
    return command


def show_place(workspace: Workspace, case: OpenCase, command: Command) -> None:
    """Look at the nearest place a command changed, unless a pane shows one already; nothing moves for names and colours."""
    places = [place for change in command.changes if (place := place_of(change, case.volume.geometry)) is not None]
    if not places or any(_is_seen(workspace, case, place) for place in places):
        return
    spacing = case.volume.geometry.spacing_kji_mm
    at = np.asarray(case.view.at_kji)
    nearest = min(
        (np.clip(at, place.min_kji, np.subtract(place.max_kji, 1)) for place in places),
        key=lambda index: float(np.linalg.norm((index - at) * spacing)),
    )
    case.view.look_at(nearest, case.volume.geometry.shape_kji)
    _pan(case, nearest)


def place_of(change: Change, geometry: Geometry) -> Box | None:
    """Return the voxels around what a change changed, inside the grid, or None where it has no place."""
    if isinstance(change, LabelPatch):
        return change.box
    if not isinstance(change, AnnotationChange):
        return None
    annotation = change.after or change.before
    if isinstance(annotation, BoxAnnotation):
        # The voxels inside, not those that only touch its faces: a box on one slice is seen on that slice alone.
        outer = annotation.bounds_kji(geometry)
        points = np.stack([np.floor(outer[0] + _ROUNDING), np.ceil(outer[1] - _ROUNDING) - 1.0])
    elif isinstance(annotation, Measurement | Trace):
        points = annotation.points_kji(geometry)
    elif isinstance(annotation, KeyImage):
        points = np.atleast_2d(geometry.index_kji(annotation.point_lps_mm))
    else:
        return None
    last = np.subtract(geometry.shape_kji, 1)
    low = np.clip(np.round(points.min(axis=0)), 0, last).astype(int)
    high = np.clip(np.round(points.max(axis=0)), 0, last).astype(int) + 1
    return Box((int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2])))


def _is_seen(workspace: Workspace, case: OpenCase, place: Box) -> bool:
    bench = workspace.bench
    alone = bench.layout.cell(bench.maximised)
    for cell in bench.layout.slices:
        seen = alone is None or cell is alone or cell.pane_id in bench.detached
        if seen and workspace.case_in(cell.pane_id) is case:
            plane = workspace.plane_in(cell.pane_id)
            layout = case.slice_plane(plane)
            if _cuts(case, layout, place) and _on_screen(case, layout, place):
                return True
    return False


def _cuts(case: OpenCase, layout: PlaneLayout, place: Box) -> bool:
    if isinstance(layout, SlicePlane):
        return place.touches_slice(layout.normal_axis, case.view.crosshair_kji[layout.normal_axis])
    across = [layout.screen(case.volume.geometry, corner)[0] for corner in _corners(place)]
    return min(across) - 0.5 <= case.position_on(layout) <= max(across) + 0.5


def _on_screen(case: OpenCase, layout: PlaneLayout, place: Box) -> bool:
    """Whether a part of it lies in what a magnified pane shows of its slice, whatever the shape of the pane."""
    down, right = _reach_mm(case, layout)
    if np.isinf(down):
        return True
    offsets = np.asarray([_offset_mm(case, layout, corner) for corner in _corners(place)])
    centre = np.asarray(case.view.cameras[layout.plane].center_offset_mm)
    low, high = offsets.min(axis=0) - centre, offsets.max(axis=0) - centre
    return bool(np.all(low <= (down, right)) and np.all(high >= (-down, -right)))


def _pan(case: OpenCase, index_kji: FloatArray) -> None:
    """Bring the place into the middle of those magnified pictures that do not show it."""
    for plane, camera in list(case.view.cameras.items()):
        layout = case.slice_plane(plane)
        offset = _offset_mm(case, layout, index_kji)
        if bool(np.any(np.abs(np.subtract(offset, camera.center_offset_mm)) > _reach_mm(case, layout))):
            case.view.set_camera(plane, replace(camera, center_offset_mm=offset))


def _reach_mm(case: OpenCase, layout: PlaneLayout) -> tuple[float, float]:
    """Return how far from the middle of a pane what it surely shows of its slice reaches, down and to the right."""
    camera = case.view.cameras[layout.plane]
    if camera.zoom <= 1.0 and not camera.actual:
        return np.inf, np.inf
    height, width = layout.fit_mm(case.volume.geometry)
    return height / camera.zoom / 2.0, width / camera.zoom / 2.0


def _offset_mm(case: OpenCase, layout: PlaneLayout, index_kji: npt.ArrayLike) -> tuple[float, float]:
    geometry = case.volume.geometry
    _, row, column = layout.screen(geometry, index_kji)
    rows, columns = layout.screen_shape(geometry)
    high, wide = layout.screen_spacing_mm(geometry)
    return (row - (rows - 1) / 2.0) * high, (column - (columns - 1) / 2.0) * wide


def _corners(place: Box) -> list[tuple[int, int, int]]:
    (k0, j0, i0), (k1, j1, i1) = place.min_kji, np.subtract(place.max_kji, 1).tolist()
    return [(k, j, i) for k in (k0, k1) for j in (j0, j1) for i in (i0, i1)]
