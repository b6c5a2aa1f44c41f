"""Arrow keys move what is chosen by a voxel."""

from __future__ import annotations

from medview.core.annotations import Drawn
from medview.core.changes import AnnotationChange, Command
from medview.workspace.drawn import TOOL, chosen, shows_on, title
from medview.workspace.handles import nudged
from medview.workspace.open_case import OpenCase
from medview.workspace.pulling import corrected
from medview.workspace.toolbox import ToolGroup, entry_of
from medview.workspace.workspace import Workspace


def takes_arrows(workspace: Workspace, pane_id: str) -> bool:
    """Whether arrow keys over a pane move something there: a tool for marks is in hand and what is chosen shows there."""
    marking = entry_of(workspace.bench.tool).group is ToolGroup.MARK
    return marking and movable(workspace, pane_id) is not None


def movable(workspace: Workspace, pane_id: str) -> tuple[OpenCase, Drawn] | None:
    """Return what is chosen and the case it belongs to, where it shows on the slice of a pane and can be changed."""
    case = workspace.case_in(pane_id)
    one = chosen(case) if case is not None else None
    if case is None or one is None or not case.editable or not one.visible or not workspace.bench.overlay_visible:
        return None
    return (case, one) if shows_on(case, one, workspace.plane_in(pane_id)) else None


def nudge(workspace: Workspace, pane_id: str, down: int, right: int) -> bool:
    """Move what is chosen as its pane lies on the screen; False when there is nothing to move, or no room."""
    found = movable(workspace, pane_id)
    if found is None:
        return False
    case, one = found
    layout = case.slice_plane(workspace.plane_in(pane_id))
    after = corrected(case, one, nudged(one, down, right, layout, case.volume.geometry))
    return after != one and case.do(Command(f"Move {title(one)}", (AnnotationChange(one, after),), TOOL))
