"""Drag: up comes closer, down goes away."""

from __future__ import annotations

import math

from medview.workspace.pointer import Pointer
from medview.workspace.stage import Drag, Stage

_PIXELS_PER_E = 150.0


def drag(stage: Stage, press: Pointer) -> Drag:
    """Zoom around the middle of the pane."""
    view, plane = stage.case.view, press.plane.plane
    start = view.cameras[plane]
    while (move := (yield None)) is not None:
        view.set_camera(plane, start.zoomed(math.exp((press.y_px - move.y_px) / _PIXELS_PER_E)))
