"""Dividing the centre: layouts, which plane a pane looks along, maximised and detached panes."""

from __future__ import annotations

from dataclasses import replace

from medview.core.axes import Axes
from medview.core.geometry import Calibration
from medview.core.language import _
from medview.core.plane import Plane
from medview.workspace.action import Action, Run, has_case
from medview.workspace.layout import LAYOUTS, Layout, layout_of
from medview.workspace.workspace import Workspace

_ICONS = {
    "1x1": "mdi6.square-outline",
    "1x2": "mdi6.view-split-vertical",
    "2x2": "mdi6.view-grid-outline",
    "planes": "mdi6.view-quilt-outline",
    "planes-3d": "mdi6.cube-outline",
}


def use_layout(workspace: Workspace, layout: Layout) -> None:
    """Divide the centre anew. Panes that hold cases get the active one, then those shown now, then the other open ones."""
    bench = workspace.bench
    if not layout.follows:
        first = [workspace.active] if workspace.active is not None else []
        cases = {case.key: case for case in (*first, *workspace.shown_cases, *workspace.cases.values())}
        layout = layout.holding(cases)
    bench.maximised, bench.detached = "", ()
    bench.layout = layout
    bench.pointed = bench.chosen = layout.slices[0].pane_id


def _layout(layout_id: str) -> Run:
    return lambda workspace: use_layout(workspace, layout_of(layout_id))


def _maximise(workspace: Workspace) -> None:
    workspace.bench.toggle_maximised(workspace.bench.pointed)


def look_along(workspace: Workspace, pane_id: str, plane: Plane | None) -> None:
    """Turn a pane to another plane; None is the one the series was acquired in."""
    layout = workspace.bench.layout
    if (cell := layout.cell(pane_id)) is not None:
        workspace.bench.layout = layout.with_cell(replace(cell, plane=plane))


def _plane(plane: Plane | None) -> Run:
    return lambda workspace: look_along(workspace, workspace.bench.pointed, plane)


def _has_volume(workspace: Workspace) -> bool:
    case = workspace.looked_at
    return case is not None and case.volume.geometry.calibration is Calibration.VOLUME


def _straight(workspace: Workspace) -> None:
    if (case := workspace.looked_at) is not None:
        case.view.axes = None


def _of_patient(workspace: Workspace) -> None:
    if (case := workspace.looked_at) is not None:
        case.view.axes = Axes()


def _detach(workspace: Workspace) -> None:
    bench = workspace.bench
    pane = bench.pointed
    others = tuple(one for one in bench.detached if one != pane)
    bench.maximised = ""
    bench.detached = others if pane in bench.detached else (*others, pane)


def _toggle_crosshair(workspace: Workspace) -> None:
    workspace.bench.crosshair_visible = not workspace.bench.crosshair_visible


LAYOUT_ACTIONS: tuple[Action, ...] = (
    *(Action(f"layout.{key}", title, _layout(key), _ICONS[key]) for key, title in LAYOUTS.items()),
    Action("view.maximise", _("Maximise the pane"), _maximise, "mdi6.fullscreen", has_case),
    Action("view.detach", _("Pane in a window of its own, or back"), _detach, "mdi6.open-in-new", has_case),
    Action("plane.acquired", _("Plane: as acquired"), _plane(None), "", has_case),
    *(
        Action(f"plane.{plane.value}", _("Plane: {plane}").format(plane=plane.title.lower()), _plane(plane), "", has_case)
        for plane in Plane
    ),
    Action("planes.grid", _("Planes along the slices"), _straight, "mdi6.axis-arrow", _has_volume),
    Action("planes.patient", _("Planes of the patient, interpolated"), _of_patient, "mdi6.human", _has_volume),
    Action("view.crosshair", _("Show or hide the crosshair"), _toggle_crosshair, "", has_case),
)
