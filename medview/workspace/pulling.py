"""The gesture that changes a box, a point or a line that is there: what is under the hand moves with it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.changes import AnnotationChange, Command, ProposalChange
from medview.core.language import _
from medview.core.trace import TraceKind
from medview.workspace.accepting import placed_box
from medview.workspace.drawn import TOOL, on_image, title
from medview.workspace.handles import Handle, held, pulled
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import GripPreview
from medview.workspace.proposed_boxes import held_proposed, proposal_with, without_box
from medview.workspace.stage import Drag, Stage

SLACK_PX = 3.0
"""A hand that moves less does not mean to."""
_TINY = 1e-12


def refused(stage: Stage) -> bool:
    """Whether nothing can be drawn now; says why."""
    case = stage.case
    if not case.editable:
        stage.say(case.read_only or _("Wait until the slices have arrived; then boxes and marks can be drawn."))
    elif not stage.bench.overlay_visible:
        stage.say(_("Boxes and marks are hidden with the labels; show them again to draw (V)."))
    return not case.editable or not stage.bench.overlay_visible


def grip(stage: Stage, press: Pointer) -> tuple[Drawn, Handle] | None:
    """Return what of the things that are there is under the hand; of proposed boxes only handles, after all others."""
    if not stage.bench.overlay_visible:
        return None
    return held(stage.case, press) or held_proposed(stage.case, press)


def hover(stage: Stage, pointer: Pointer) -> GripPreview | None:
    """Show what a press would take hold of; nothing where it would draw something new."""
    case = stage.case
    if not case.editable or case.slice_plane(pointer.plane.plane) != pointer.plane:
        return None
    # The slice may have been turned under a hand that rests.
    held_now = grip(stage, replace(pointer, slice_index=case.position_on(pointer.plane)))
    if held_now is None:
        return None
    _, handle = held_now
    return GripPreview(pointer.pane, *handle.at, whole=handle.whole)


def pull(stage: Stage, press: Pointer, one: Drawn, handle: Handle) -> Drag:
    """Move what was taken hold of. With Ctrl a point of a line goes, or a new one comes where the line was pressed.

    A box that a model proposes is taken over as it becomes, corrected; it stays proposed where the hand does not move.
    """
    case = stage.case
    if isinstance(one, BoxAnnotation) and one.annotation_id not in case.labels.annotations:
        case.view.proposed_box_id = one.annotation_id
        yield from _taken_over(stage, press, one, handle)
        return
    case.view.active_annotation_id = one.annotation_id
    if isinstance(one, Trace) and Modifiers.CTRL in press.modifiers and one.kind is not TraceKind.POINT:
        if handle.point is not None:
            _remove_point(stage, one, handle.point)
            return
        yield from _dragged(stage, press, *_with_point(case, press, one), before=one)
        return
    yield from _dragged(stage, press, one, handle, before=one)


def _dragged(stage: Stage, press: Pointer, start: Drawn, handle: Handle, *, before: Drawn) -> Drag:
    """Follow the hand from ``start``; it is put in place of ``before`` at once."""
    case, first = stage.case, before
    gesture = case.gesture(TOOL)
    moving = False
    try:
        if start != before:
            gesture.apply(AnnotationChange(before, corrected(case, first, start)))
            before = corrected(case, first, start)
        while (move := (yield None)) is not None:
            moving = moving or apart_px(press, move) > SLACK_PX
            if not moving:
                continue
            after = corrected(case, first, _moved(case, press, move, start, handle))
            if after != before:
                gesture.apply(AnnotationChange(before, after))
                before = after
    except GeneratorExit:
        gesture.abort()
        raise
    gesture.commit(f"{'Bend' if start != first else 'Change'} {title(first)}")


def _taken_over(stage: Stage, press: Pointer, box: BoxAnnotation, handle: Handle) -> Drag:
    """Follow the hand with a proposed box, which becomes the person's with the first move."""
    case = stage.case
    while (move := (yield None)) is not None and apart_px(press, move) <= SLACK_PX:
        pass
    proposal = proposal_with(case, box.annotation_id)
    if move is None or proposal is None:
        return
    gesture = case.gesture(TOOL)
    fresh = case.labels.revision == proposal.labels_revision
    left = without_box(proposal, box.annotation_id)
    first = placed_box(case, box)
    now: Drawn = first
    try:
        gesture.apply(AnnotationChange(None, first), ProposalChange(proposal, left))
        case.view.proposed_box_id, case.view.active_annotation_id = "", box.annotation_id
        while move is not None:
            after = corrected(case, first, _moved(case, press, move, first, handle))
            if after != now:
                gesture.apply(AnnotationChange(now, after))
                now = after
            move = yield None
        if left is not None and fresh:
            # What is left of a proposal is not stale because a part of it was taken over.
            gesture.apply(ProposalChange(left, replace(left, labels_revision=case.labels.revision)))
    except GeneratorExit:
        gesture.abort()
        case.view.active_annotation_id, case.view.proposed_box_id = "", box.annotation_id
        raise
    gesture.commit(f"Adjust {title(first)} from {proposal.prediction.model_name}")


def _moved(case: OpenCase, press: Pointer, move: Pointer, start: Drawn, handle: Handle) -> Drawn:
    """Return a thing whose handle was pulled from a press as far as the hand is now."""
    geometry = case.volume.geometry
    by = geometry.point_lps_mm(move.index_kji(geometry)) - geometry.point_lps_mm(press.index_kji(geometry))
    return pulled(start, handle, by, press.plane, geometry, press.slice_index)


def corrected(case: OpenCase, before: Drawn, after: Drawn) -> Drawn:
    """Return a thing as a person changed it: on the image it lies on now, a model's marked as corrected."""
    if after == before:
        return before
    return on_image(case, replace(after, source=before.source.by_hand()), case.images.time(before))


def _remove_point(stage: Stage, one: Trace, number: int) -> None:
    if len(one.points_lps_mm) <= one.kind.least:
        stage.say(_("{title} needs the points it has; Delete removes it.").format(title=title(one)))
        return
    points = [point for n, point in enumerate(one.points_lps_mm) if n != number]
    after = corrected(stage.case, one, one.with_points(points))
    stage.case.do(Command(f"Remove a point of {title(one)}", (AnnotationChange(one, after),), TOOL))


def _with_point(case: OpenCase, press: Pointer, one: Trace) -> tuple[Trace, Handle]:
    """Return a line with one more point where it was pressed, and the handle of that point."""
    geometry = case.volume.geometry
    at = geometry.point_lps_mm(press.index_kji(geometry))
    points = np.asarray(one.points_lps_mm)
    ends = np.vstack([points[1:], points[:1]]) if one.kind is TraceKind.CLOSED else points[1:]
    starts = points[: len(ends)]
    ways = ends - starts
    squared = np.maximum(np.einsum("ab,ab->a", ways, ways), _TINY)
    parts = np.clip(np.einsum("ab,ab->a", at - starts, ways) / squared, 0.0, 1.0)
    nearest = starts + parts[:, np.newaxis] * ways
    piece = int(np.argmin(np.linalg.norm(nearest - at, axis=1)))
    # On the line itself: it takes its bend from the hand.
    longer = one.with_points(np.insert(points, piece + 1, nearest[piece], axis=0))
    return longer, Handle((press.row, press.column), point=piece + 1)


def apart_px(a: Pointer, b: Pointer) -> float:
    """Return how far the hand moved."""
    return math.hypot(a.x_px - b.x_px, a.y_px - b.y_px)
