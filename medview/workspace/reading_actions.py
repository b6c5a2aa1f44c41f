"""Helps for reading: the polygon, the magnifier, and the picture at its own size."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.action import Action, Run, has_case
from medview.workspace.view_state import Camera, Tool
from medview.workspace.workspace import Workspace


def _tool(tool: Tool) -> Run:
    def run(workspace: Workspace) -> None:
        workspace.bench.tool = tool

    return run


def _actual(workspace: Workspace) -> None:
    """Show one voxel of the finer axis as one pixel of the screen, on every plane."""
    case = workspace.looked_at
    if case is not None:
        case.view.cameras = {
            plane: Camera(camera.center_offset_mm, actual=True) for plane, camera in case.view.cameras.items()
        }


READING_ACTIONS: tuple[Action, ...] = (
    Action("tool.polygon", _("Polygon with mean and area"), _tool(Tool.POLYGON), "mdi6.vector-polygon", has_case),
    Action("tool.magnifier", _("Magnifier"), _tool(Tool.MAGNIFIER), "mdi6.magnify-scan", has_case),
    Action("view.actual", _("One voxel on one pixel (1:1)"), _actual, "mdi6.relation-one-to-one", has_case),
)
"""In the order menus and search show them."""
