"""Marking slices as done, on the plane of the pane under the pointer."""

from __future__ import annotations

from medview.core.language import _
from medview.core.plane import SlicePlane
from medview.workspace.action import Action, can_change, has_case
from medview.workspace.open_case import OpenCase
from medview.workspace.slice_marks import go_to_open, is_done, set_done
from medview.workspace.workspace import Workspace


def _pointed(workspace: Workspace) -> tuple[OpenCase, SlicePlane] | None:
    """Return the active case and the plane the pointer is over; None, and why, where there are no slices to mark."""
    case = workspace.active
    if case is None:
        return None
    layout = case.slice_plane(workspace.plane_in(workspace.bench.pointed))
    if isinstance(layout, SlicePlane):
        return case, layout
    workspace.say(_("This plane lies at an angle to the slices; lay the planes along them to mark slices."))
    return None


def _toggle(workspace: Workspace) -> None:
    if (found := _pointed(workspace)) is not None:
        case, layout = found
        set_done(case, layout, done=not is_done(case, layout))


def _done_and_on(workspace: Workspace) -> None:
    if (found := _pointed(workspace)) is not None:
        case, layout = found
        set_done(case, layout, done=True)
        _go(workspace, case, layout)


def _next_open(workspace: Workspace) -> None:
    if (found := _pointed(workspace)) is not None:
        _go(workspace, *found)


def _go(workspace: Workspace, case: OpenCase, layout: SlicePlane) -> None:
    if not go_to_open(case, layout):
        workspace.say(_("All slices of this plane are marked done."))


MARK_ACTIONS: tuple[Action, ...] = (
    Action("mark.done", _("The slice is done, or not"), _toggle, "mdi6.checkbox-marked-circle-outline", can_change),
    Action("mark.done_next", _("The slice is done: on to the next"), _done_and_on, "mdi6.check-underline", can_change),
    Action("mark.next_open", _("Next slice that is not done"), _next_open, "mdi6.page-next-outline", has_case),
)
"""In the order menus and search show them."""
