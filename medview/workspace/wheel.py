"""What a step of the wheel does: slices, zoom, or the size of the tool in hand."""

from __future__ import annotations

from dataclasses import replace

from medview.core.plane import Plane, SlicePlane
from medview.workspace.focus import stepped
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.scheme import Scheme, wheel_chord
from medview.workspace.toolbox import entry_of
from medview.workspace.view_state import Camera
from medview.workspace.workspace import Workspace

_RADIUS_STEP = 1.15
_ZOOM_STEP = 1.1


def turn(workspace: Workspace, scheme: Scheme, pointer: Pointer, steps: float) -> Pointer | None:
    """Turn the wheel by ``steps`` notches; away from the person is positive.

    Returns
    -------
    Pointer or None
        Where the pointer is then, where something else is to be drawn under it.
    """
    case = workspace.case_in(pointer.pane)
    if case is None:
        return None
    bench, plane = workspace.bench, pointer.plane.plane
    action = scheme.wheel.get(wheel_chord(pointer.modifiers), "slice")
    if action == "radius" and entry_of(bench.tool).sized:
        bench.set_radius(bench.brush_radius_mm * _RADIUS_STEP**steps)
        return pointer
    if action == "zoom":
        case.view.set_camera(plane, case.view.cameras[plane].zoomed(_ZOOM_STEP**steps))
        return None
    step_slice(case, plane, round(steps) or (1 if steps > 0 else -1))
    return replace(pointer, slice_index=case.position_on(pointer.plane))


def step_slice(case: OpenCase, plane: Plane, steps: int) -> None:
    """Move ``steps`` slices towards head, back or left (positive) on a plane, stopping at the ends."""
    layout, geometry = case.slice_plane(plane), case.volume.geometry
    if isinstance(layout, SlicePlane):
        direction = -1 if layout.normal_flip else 1
        now = case.view.crosshair_kji[layout.normal_axis]
        case.view.set_slice(layout.normal_axis, min(layout.count(geometry) - 1, max(0, now + direction * steps)))
        return
    case.view.look_at(stepped(geometry, layout, case.view.at_kji, steps), geometry.shape_kji)


def fit(case: OpenCase, plane: Plane) -> None:
    """Show the whole slice of a plane."""
    case.view.set_camera(plane, Camera())
