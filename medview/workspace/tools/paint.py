"""The brushes and the eraser: a disc on the plane or a sphere, radius in millimetres. Ctrl swaps painting and erasing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medview.core.box import Box
from medview.core.changes import SegmentChange
from medview.core.language import _
from medview.core.segmentation import Segment
from medview.edit.hang_together import hanging_together
from medview.edit.paint import stroke_mask
from medview.edit.rules import Mask
from medview.edit.sampled_range import Range
from medview.edit.segments import new_segment
from medview.workspace.brush_range import brush_range, learn
from medview.workspace.gesture import Gesture
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import BrushPreview
from medview.workspace.stage import Drag, Stage
from medview.workspace.view_state import Tool

_LOOKED_AT = 0.35
"""Part of the brush's radius that an adapting brush looks at where the stroke begins."""
_LEAST_VOXELS = 1.5


def drag(stage: Stage, press: Pointer) -> Drag:
    """Paint or erase the active segment along the way; the first stroke of a case makes its first segment."""
    case = stage.case
    if case.read_only:
        stage.say(case.read_only)
        return
    if case.reading:
        # What the project knows of the series comes with the last slice, and takes the place of what is drawn till then.
        stage.say(_("Wait until the slices have arrived; then it can be labelled."))
        return
    erase = _erases(stage, press)
    segment = case.active_segment
    if segment is None and erase:
        stage.say(_("There is no segment to erase from; add one or paint first."))
        return
    if segment is not None and segment.locked:
        stage.say(_("{name} is locked; unlock it in the segment list to change it.").format(name=segment.name))
        return
    within = None if erase else _range(stage, press)
    gesture = case.gesture("eraser" if erase else "brush")
    if segment is None:
        segment = new_segment(case.labels.segmentation)
        gesture.apply(SegmentChange(None, segment, len(case.labels.segmentation.segments)))
        case.view.active_segment_id = segment.segment_id
    core_mm = _core_mm(stage, press) if within is not None and stage.bench.brush_adapts else 0.0
    stroke = _Stroke(stage, gesture, segment.segment_id, within, erase=erase, core_mm=core_mm)
    way = [press]
    try:
        while True:
            stroke.paint(way)
            move = yield None
            if move is None:
                break
            way = [way[-1], *move.before, move]
    except GeneratorExit:
        gesture.abort()
        raise
    gesture.commit(f"{'Erase' if erase else 'Brush'} {segment.name}")
    if why := stroke.why_nothing():
        stage.say(why)


def hover(stage: Stage, pointer: Pointer) -> BrushPreview:
    """Return the circle under the pointer."""
    case, bench = stage.case, stage.bench
    segment = case.active_segment
    colour = segment.colour if segment else case.labels.segmentation.free_colour()
    return BrushPreview(
        pointer.pane, pointer.row, pointer.column, bench.brush_radius_mm, colour, erasing=_erases(stage, pointer)
    )


class _Stroke:
    """What one stroke has come to so far.

    Parameters
    ----------
    within : tuple of float, or None
        The values that are painted.
    core_mm : float
        Of an adapting brush: only what hangs together with what lies this near to the way is painted. Else 0.
    """

    def __init__(
        self, stage: Stage, gesture: Gesture, segment_id: str, within: Range | None, *, erase: bool, core_mm: float
    ) -> None:
        self._stage, self._gesture = stage, gesture
        self._segment_id, self._within, self._erase = segment_id, within, erase
        self._core_mm = core_mm
        self._vain: tuple[Box, Mask] | None = None
        self._changed = False

    def paint(self, way: Sequence[Pointer]) -> None:
        """Go on along a way, all at once."""
        bench, geometry = self._stage.bench, self._stage.case.volume.geometry
        way_kji = np.stack([at.index_kji(geometry) for at in way])
        plane = None if bench.brush_sphere else way[-1].plane
        swept = stroke_mask(geometry, way_kji, bench.brush_radius_mm, plane)
        if swept is None:
            return
        box, mask = swept
        core = stroke_mask(geometry, way_kji, self._core_mm, plane) if self._core_mm else None
        if core is not None and self._within is not None:
            mask = self._like_the_core(box, mask, *core)
        writer = self._stage.writer(box, self._within)
        if self._erase:
            writer.erase(self._segment, mask)
        else:
            writer.add(self._segment, mask)
        changes = writer.changes()
        self._gesture.apply(*changes)
        self._changed = self._changed or bool(changes)
        if not self._changed:
            self._vain = swept

    def _like_the_core(self, box: Box, mask: Mask, core_box: Box, core: Mask) -> Mask:
        low, high = self._within or (-np.inf, np.inf)
        values = self._stage.case.anchor.volume.values(box.slices)
        near = np.zeros_like(mask)
        near[core_box.within(box).slices] = core
        return hanging_together(mask & (values >= low) & (values <= high), near)

    def why_nothing(self) -> str:
        """Return which rule kept the whole stroke from changing anything, in one sentence, or nothing."""
        if self._changed or self._vain is None or self._stage.case.labels.segmentation.find(self._segment_id) is None:
            return ""
        return self._stage.why_nothing(self._segment, *self._vain, erase=self._erase, within=self._within)

    @property
    def _segment(self) -> Segment:
        # Asked for anew: where segments overlap it may move to another layer in the middle of a stroke.
        return self._stage.case.labels.segmentation.segment(self._segment_id)


def _erases(stage: Stage, pointer: Pointer) -> bool:
    return (stage.bench.tool is Tool.ERASER) != (Modifiers.CTRL in pointer.modifiers)


def _range(stage: Stage, press: Pointer) -> Range | None:
    """Return the values that are painted, None for all; an adapting brush learns them here."""
    case, bench = stage.case, stage.bench
    if bench.tool is not Tool.THRESHOLD_BRUSH or case.anchor.volume.colour:
        return None
    geometry = case.volume.geometry
    if bench.brush_adapts:
        learn(bench, case, press.index_kji(geometry), _core_mm(stage, press), press.plane)
    return brush_range(bench, case)


def _core_mm(stage: Stage, press: Pointer) -> float:
    """Return the radius of what an adapting brush looks at."""
    radius_mm = stage.bench.brush_radius_mm
    voxel_mm = max(press.plane.screen_spacing_mm(stage.case.volume.geometry))
    return min(radius_mm, max(_LOOKED_AT * radius_mm, _LEAST_VOXELS * voxel_mm))
