"""Drag the picture."""

from __future__ import annotations

from medview.workspace.pointer import Pointer
from medview.workspace.stage import Drag, Stage


def drag(stage: Stage, press: Pointer) -> Drag:
    """Move the picture with the hand."""
    view, plane = stage.case.view, press.plane.plane
    start = view.cameras[plane]
    while (move := (yield None)) is not None:
        down_mm = (move.y_px - press.y_px) * press.mm_per_px
        right_mm = (move.x_px - press.x_px) * press.mm_per_px
        view.set_camera(plane, start.panned(down_mm, right_mm))
