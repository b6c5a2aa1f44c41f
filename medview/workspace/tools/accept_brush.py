"""A brush that takes over what a model proposes, under its strokes only. Ctrl gives it back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medview.core.box import Box
from medview.core.language import _
from medview.core.prediction import PredictedMask, PredictedSegment, Proposal
from medview.core.segmentation import Segment
from medview.core.source import Source
from medview.edit.paint import stroke_mask
from medview.edit.rules import Mask
from medview.edit.take_over import Taken, begin, first_taken, give_back, proposed_in, take_over, would_take
from medview.workspace.gesture import Gesture
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import BrushPreview
from medview.workspace.review import NOTHING_PROPOSED, counterpart, in_hand
from medview.workspace.stage import Drag, Stage

_ALL_CLASSES = (235, 235, 235)
"""Of the circle where no class is under it."""


def drag(stage: Stage, press: Pointer) -> Drag:
    """Take over along the way what the proposal holds of the wanted classes, or give it back."""
    case = stage.case
    if case.read_only:
        stage.say(case.read_only)
        return
    if case.reading:
        # What the project knows of the series comes with the last slice, and takes the place of what is drawn till then.
        stage.say(_("Wait until the slices have arrived; then it can be labelled."))
        return
    found = in_hand(case, stage.bench)
    if found is None:
        stage.say(NOTHING_PROPOSED)
        return
    proposal, mask, wanted = found
    back = Modifiers.CTRL in press.modifiers
    gesture = case.gesture("accept")
    stroke = _Stroke(stage, gesture, proposal, mask, wanted, back=back)
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
    names, model = ", ".join(stroke.names), proposal.prediction.model_name
    if back:
        gesture.commit(f"Give {names} back to {model}")
    else:
        gesture.commit(f"Accept a part of {names} from {model}")
    if why := stroke.why_nothing():
        stage.say(why)


def hover(stage: Stage, pointer: Pointer) -> BrushPreview:
    """Return the circle under the pointer, in the colour of what is proposed there."""
    case, bench = stage.case, stage.bench
    found, colour = in_hand(case, bench), _ALL_CLASSES
    at = pointer.voxel_kji(case.volume.geometry)
    if found is not None:
        _proposal, mask, wanted = found
        under = mask.value_at(at) if at is not None else 0
        one = next((s for s in wanted if s.value == under or len(wanted) == 1), None)
        colour = one.colour if one is not None else colour
    back = Modifiers.CTRL in pointer.modifiers
    return BrushPreview(pointer.pane, pointer.row, pointer.column, bench.brush_radius_mm, colour, erasing=back)


class _Stroke:
    """What one stroke has come to so far."""

    def __init__(
        self,
        stage: Stage,
        gesture: Gesture,
        proposal: Proposal,
        mask: PredictedMask,
        wanted: Sequence[PredictedSegment],
        *,
        back: bool,
    ) -> None:
        self._stage, self._gesture, self._proposal = stage, gesture, proposal
        self._mask, self._wanted, self._back = mask, wanted, back
        self._names: dict[str, None] = {}
        self._targets: dict[int, str] = {}
        self._met = False
        """Something is proposed along the way."""
        self._vain: tuple[Segment, Box, Mask] | None = None
        """What a rule may have kept out."""
        self._changed = False

    @property
    def names(self) -> list[str]:
        """Of the classes it took over or gave back."""
        return list(self._names)

    def paint(self, way: Sequence[Pointer]) -> None:
        """Go on along a way, all at once."""
        stage, geometry = self._stage, self._stage.case.volume.geometry
        way_kji = np.stack([at.index_kji(geometry) for at in way])
        plane = None if stage.bench.brush_sphere else way[-1].plane
        swept = stroke_mask(geometry, way_kji, stage.bench.brush_radius_mm, plane)
        if swept is None:
            return
        box, mask = swept
        taken = self._taken(box, mask)
        if not taken:
            return
        writer = stage.writer(box)
        if self._back:
            changes = give_back(writer, self._mask, mask, taken)
        else:
            exactly = stage.bench.review.exactly
            changes = take_over(writer, self._mask, mask, taken, self._source, exactly=exactly)
        self._gesture.apply(*changes)
        self._changed = self._changed or bool(changes)
        if not self._changed:
            hits = mask & (proposed_in(self._mask, box) == taken[0].predicted.value)
            self._vain = taken[0].segment, box, hits

    def _taken(self, box: Box, mask: Mask) -> list[Taken]:
        """Return the classes under the stroke with their segments; what is taken over for the first time begins one."""
        case, found, exactly = self._stage.case, [], self._stage.bench.review.exactly
        proposed = proposed_in(self._mask, box)
        under = np.bincount(proposed[mask], minlength=256)
        for predicted in self._wanted:
            # Of a class that is to be exactly as proposed, what is drawn beside it goes too.
            if not under[predicted.value] and not exactly:
                continue
            segment = self._target(predicted)
            if not under[predicted.value] and segment is None:
                continue
            self._met = True
            if segment is None and not self._back:
                segment, changes = begin(case.labels.segmentation, predicted, self._source)
                hits = mask & (proposed == predicted.value)
                if not would_take(self._stage.writer(box), segment, hits):
                    # Nothing is begun that would stay empty.
                    self._vain = self._vain or (segment, box, hits)
                    continue
                self._gesture.apply(*changes)
                self._targets[predicted.value] = segment.segment_id
                if case.active_segment is None:
                    case.view.active_segment_id = segment.segment_id
            elif segment is not None and not self._back:
                noted = first_taken(case.labels.segmentation, case.labels.efforts, predicted, segment, self._source)
                if noted and would_take(self._stage.writer(box), segment, mask & (proposed == predicted.value)):
                    self._gesture.apply(*noted)
            if segment is not None:
                self._names[predicted.name] = None
                found.append(Taken(predicted, segment))
        return found

    def _target(self, predicted: PredictedSegment) -> Segment | None:
        """Return the segment a class goes to, looked for once in a stroke."""
        case = self._stage.case
        if predicted.value not in self._targets:
            segment = counterpart(case, self._stage.bench, self._proposal, predicted)
            self._targets[predicted.value] = segment.segment_id if segment is not None else ""
        # Asked for anew: where segments overlap it may move to another layer in the middle of a stroke.
        return case.labels.segmentation.find(self._targets[predicted.value])

    @property
    def _source(self) -> Source:
        return self._proposal.prediction.source

    def why_nothing(self) -> str:
        """Return why the whole stroke changed nothing, in one sentence, or nothing."""
        case = self._stage.case
        if self._changed:
            return ""
        if not self._met:
            return _("{model} proposes nothing under this stroke.").format(model=self._proposal.prediction.model_name)
        if self._vain is None:
            return _("Nothing of this was taken over, so there is nothing to give back.") if self._back else ""
        segment, box, hits = self._vain
        # As it is now: another stroke may have moved it to another layer.
        segment = case.labels.segmentation.find(segment.segment_id) or segment
        return self._stage.why_nothing(segment, box, hits, erase=self._back)
