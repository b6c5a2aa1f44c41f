"""Draw a box on a slice, or one that reaches through slices too, with one drag; pull at one that is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from medview.core.annotations import BoxAnnotation
from medview.core.changes import AnnotationChange
from medview.workspace.drawn import TOOL, middle_kji, title
from medview.workspace.handles import box_around
from medview.workspace.new_drawn import meets_grid, new_box
from medview.workspace.pointer import Pointer
from medview.workspace.proposed_boxes import choose_around
from medview.workspace.pulling import apart_px, grip, pull, refused
from medview.workspace.stage import Drag, Stage

_LEAST_PX = 4.0
"""A drag shorter than this draws nothing."""


def flat(stage: Stage, press: Pointer) -> Drag:
    """Draw a box on the slice."""
    yield from _drag(stage, press, solid=False)


def solid(stage: Stage, press: Pointer) -> Drag:
    """Draw a box that is as deep as the bench says; the other planes show it, to be pulled there."""
    yield from _drag(stage, press, solid=True)


def _drag(stage: Stage, press: Pointer, *, solid: bool) -> Drag:
    if refused(stage):
        return
    held = grip(stage, press)
    if held is not None:
        yield from pull(stage, press, *held)
    else:
        yield from _draw(stage, press, solid=solid)


def _draw(stage: Stage, press: Pointer, *, solid: bool) -> Drag:
    case = stage.case
    gesture = case.gesture(TOOL)
    now: BoxAnnotation | None = None
    try:
        while (move := (yield None)) is not None:
            if now is None and apart_px(press, move) < _LEAST_PX:
                continue
            if not meets_grid(case.volume.geometry, press, move):
                continue
            after = new_box(stage.bench, case, press, move, solid=solid)
            if now is not None:
                after = replace(after, annotation_id=now.annotation_id, source=now.source)
            if after != now:
                gesture.apply(AnnotationChange(now, after))
                now = after
    except GeneratorExit:
        gesture.abort()
        raise
    if now is None:
        gesture.abort()
        around = box_around(case, press)
        case.view.active_annotation_id = "" if around is None else around.annotation_id
        if around is None:
            choose_around(case, press)
        return
    gesture.commit(f"Draw {title(now)}")
    case.view.active_annotation_id = now.annotation_id
    if solid:
        # What the other planes show is where its depth is pulled.
        case.view.look_at(_through(stage, press, now), case.volume.geometry.shape_kji)


def _through(stage: Stage, press: Pointer, box: BoxAnnotation) -> npt.NDArray[np.float64]:
    """Return the middle of a box on the picture it was drawn on, so that this picture stays."""
    geometry = stage.case.volume.geometry
    _, row, column = press.plane.screen(geometry, middle_kji(stage.case, box))
    return press.plane.index_kji(geometry, press.slice_index, row, column)
