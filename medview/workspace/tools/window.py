"""Drag: right widens, down raises the centre."""

from __future__ import annotations

from medview.workspace.pointer import Pointer
from medview.workspace.stage import Drag, Stage

_PIXELS_PER_DOUBLING = 250.0
"""A drag of this length changes the window by its own width: fine on brain, quick on bone."""


def drag(stage: Stage, press: Pointer) -> Drag:
    """Change centre and width from where the drag began."""
    start = stage.case.view.window
    scale = max(start.width, 1e-3) / _PIXELS_PER_DOUBLING
    while (move := (yield None)) is not None:
        width = start.width + (move.x_px - press.x_px) * scale
        center = start.center + (move.y_px - press.y_px) * scale
        stage.case.view.window = start.adjusted(center, max(width, start.width * 1e-3))
