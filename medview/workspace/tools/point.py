"""Put a point with a click; pull at one that is there."""

from __future__ import annotations

from dataclasses import replace

from medview.core.changes import AnnotationChange
from medview.core.trace import TraceKind
from medview.core.vector import triple
from medview.workspace.drawn import TOOL, title
from medview.workspace.new_drawn import new_trace
from medview.workspace.pointer import Pointer
from medview.workspace.pulling import SLACK_PX, apart_px, grip, pull, refused
from medview.workspace.stage import Drag, Stage


def drag(stage: Stage, press: Pointer) -> Drag:
    """Put a point where the hand presses; it follows until the hand lets go."""
    if refused(stage):
        return
    held = grip(stage, press)
    if held is not None:
        yield from pull(stage, press, *held)
        return
    case, geometry = stage.case, stage.case.volume.geometry
    if press.voxel_kji(geometry) is None:
        return
    now = new_trace(stage.bench, case, TraceKind.POINT, [press.index_kji(geometry)])
    gesture = case.gesture(TOOL)
    gesture.apply(AnnotationChange(None, now))
    try:
        while (move := (yield None)) is not None:
            if apart_px(press, move) <= SLACK_PX or move.voxel_kji(geometry) is None:
                continue
            after = replace(now, points_lps_mm=(triple(geometry.point_lps_mm(move.index_kji(geometry))),))
            gesture.apply(AnnotationChange(now, after))
            now = after
    except GeneratorExit:
        gesture.abort()
        raise
    gesture.commit(f"Put {title(now)}")
    case.view.active_annotation_id = now.annotation_id
