"""What a tool writes with one gesture into the active segment, at once."""

from __future__ import annotations

from collections.abc import Iterable

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.language import _
from medview.core.segmentation import Segment
from medview.edit.rules import Mask
from medview.edit.segments import new_segment
from medview.workspace.stage import Stage

AT_ONCE_VOXELS = 1 << 21
"""Masks with more voxels are written by a job, so that the window never waits."""


def may_write(stage: Stage, *, erase: bool) -> bool:
    """Whether labels can be changed now; says why not."""
    case, segment = stage.case, stage.case.active_segment
    if case.read_only:
        stage.say(case.read_only)
    elif case.in_gesture or case.pouring is not None:
        stage.say(_("Wait until what was done before is written."))
    elif not case.editable:
        stage.say(_("Wait until the slices have arrived; then it can be labelled."))
    elif segment is None and erase:
        stage.say(_("There is no segment to erase from; add one or paint first."))
    elif segment is not None and segment.locked:
        stage.say(_("{name} is locked; unlock it in the segment list to change it.").format(name=segment.name))
    else:
        return True
    return False


class LabelWriting:
    """One gesture of masks; the first of a case makes its first segment.

    Parameters
    ----------
    tool : str
        For the record.
    """

    def __init__(self, stage: Stage, tool: str, *, erase: bool) -> None:
        self._stage, self._erase = stage, erase
        case = stage.case
        self._gesture = case.gesture("eraser" if erase else tool)
        segment = case.active_segment
        if segment is None:
            segment = new_segment(case.labels.segmentation)
            self._gesture.apply(SegmentChange(None, segment, len(case.labels.segmentation.segments)))
            case.view.active_segment_id = segment.segment_id
        self._segment_id, self._name = segment.segment_id, segment.name
        self._vain: tuple[Box, Mask] | None = None

    @property
    def name(self) -> str:
        """Of the segment."""
        return self._name

    def write(self, pieces: Iterable[tuple[Box, Mask]]) -> None:
        """Add voxels to the segment, or take them away; boxes lie inside the grid."""
        for box, mask in pieces:
            writer = self._stage.writer(box)
            if self._erase:
                writer.erase(self._segment, mask)
            else:
                writer.add(self._segment, mask)
            self._gesture.apply(*writer.changes())
            self._vain = box, mask

    def commit(self, name: str) -> Command | None:
        """End the gesture; where a rule kept it from changing anything, that is said."""
        done = self._gesture.commit(name)
        if done is None and self._vain is not None:
            why = self._stage.why_nothing(self._segment, *self._vain, erase=self._erase)
            if why:
                self._stage.say(why)
        return done

    @property
    def _segment(self) -> Segment:
        # Asked for anew: where segments overlap it may move to another layer.
        return self._stage.case.labels.segmentation.segment(self._segment_id)
