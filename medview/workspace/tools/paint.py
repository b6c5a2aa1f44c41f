"""Brush and eraser: a disc on the slice or a sphere, radius in millimetres. Ctrl swaps the two."""

from __future__ import annotations

from medview.core.changes import Change, SegmentChange
from medview.core.language import _
from medview.core.oblique import ObliquePlane
from medview.edit.paint import capsule_mask
from medview.edit.segments import new_segment
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import BrushPreview
from medview.workspace.stage import Drag, Stage
from medview.workspace.view_state import Tool


def drag(stage: Stage, press: Pointer) -> Drag:
    """Paint or erase the active segment along the way; the first stroke of a case makes its first segment."""
    case, bench = stage.case, stage.bench
    if case.read_only:
        stage.say(case.read_only)
        return
    if isinstance(press.plane, ObliquePlane) and not bench.brush_sphere:
        stage.say(
            _(
                "The disc paints on slices, and this plane lies at an angle to them: use the "
                "sphere, or straighten the planes."
            )
        )
        return
    erase = _erases(stage, press)
    segment = case.active_segment
    if segment is None and erase:
        stage.say(_("There is no segment to erase from; add one or paint first."))
        return
    if segment is not None and segment.locked:
        stage.say(_("{name} is locked; unlock it in the segment list to change it.").format(name=segment.name))
        return
    gesture = case.gesture("eraser" if erase else "brush")
    if segment is None:
        segment = new_segment(case.labels.segmentation)
        gesture.apply(SegmentChange(None, segment, len(case.labels.segmentation.segments)))
        case.view.active_segment_id = segment.segment_id
    before, at = press, press
    try:
        while True:
            gesture.apply(*_stamp(stage, segment.segment_id, before, at, erase=erase))
            before = at
            move = yield None
            if move is None:
                break
            at = move
    except GeneratorExit:
        gesture.abort()
        raise
    gesture.commit(f"{'Erase' if erase else 'Brush'} {segment.name}")


def hover(stage: Stage, pointer: Pointer) -> BrushPreview:
    """Return the circle under the pointer."""
    case, bench = stage.case, stage.bench
    segment = case.active_segment
    colour = segment.colour if segment else case.labels.segmentation.free_colour()
    return BrushPreview(
        pointer.pane, pointer.row, pointer.column, bench.brush_radius_mm, colour, erasing=_erases(stage, pointer)
    )


def _erases(stage: Stage, pointer: Pointer) -> bool:
    return (stage.bench.tool is Tool.ERASER) != (Modifiers.CTRL in pointer.modifiers)


def _stamp(stage: Stage, segment_id: str, before: Pointer, at: Pointer, *, erase: bool) -> list[Change]:
    geometry = stage.case.volume.geometry
    swept = capsule_mask(
        geometry,
        before.index_kji(geometry),
        at.index_kji(geometry),
        stage.bench.brush_radius_mm,
        None if stage.bench.brush_sphere or isinstance(at.plane, ObliquePlane) else at.plane,
    )
    if swept is None:
        return []
    box, mask = swept
    writer = stage.writer(box)
    segment = stage.case.labels.segmentation.segment(segment_id)
    if erase:
        writer.erase(segment, mask)
    else:
        writer.add(segment, mask)
    return writer.changes()
