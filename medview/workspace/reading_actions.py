"""Helps for reading: the picture at its own size."""

from __future__ import annotations

from medview.core.language import _
from medview.workspace.action import Action, has_case
from medview.workspace.view_state import Camera
from medview.workspace.workspace import Workspace


def _actual(workspace: Workspace) -> None:
    """Show one voxel of the finer axis as one pixel of the screen, on every plane."""
    case = workspace.looked_at
    if case is not None:
        case.view.cameras = {
            plane: Camera(camera.center_offset_mm, actual=True) for plane, camera in case.view.cameras.items()
        }


READING_ACTIONS: tuple[Action, ...] = (
    Action("view.actual", _("One voxel on one pixel (1:1)"), _actual, "mdi6.relation-one-to-one", has_case),
)
"""In the order menus and search show them."""
