"""Comparing what a model proposes with a segment: worked out in a job, kept up with what is drawn, gone through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from medview.analysis.mask_difference import ADDED, MaskDifference, mask_difference
from medview.analysis.segment_figures import volume_ml
from medview.core.box import Box
from medview.core.changes import ProposalChange, SegmentChange
from medview.core.errors import MedViewError
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import PredictedMask, PredictedSegment, Proposal
from medview.core.segmentation import LabelArray, Segment
from medview.edit.take_over import proposed_in
from medview.workspace.difference_state import Difference
from medview.workspace.events import LabelsChanged
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.review import counterpart, take_into

if TYPE_CHECKING:
    from medview.workspace.open_case import OpenCase
    from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class CompareMasks:
    """Request: one class of a proposed mask beside one segment.

    Attributes
    ----------
    drawn : ndarray of uint8, shape ``drawn_box.shape_kji``, or None
        A copy of the layer around the segment; None of a segment without voxels.
    """

    mask: PredictedMask
    value: int
    drawn: LabelArray | None
    drawn_value: int
    drawn_box: Box
    geometry: Geometry
    title: str = _("Comparing with the proposal")
    lane: Lane = Lane.COMPUTE

    def run(self, context: JobContext) -> MaskDifference:
        """Compare in a worker."""
        held = self.mask.voxels == self.value
        inner = Box.around(held)
        boxes = [self.drawn_box] if self.drawn is not None else []
        boxes += [] if inner is None else [inner.shifted(self.mask.box.min_kji)]
        box = Box.union_of(boxes) or Box((0, 0, 0), (0, 0, 0))
        context.raise_if_cancelled()
        drawn = np.zeros(box.shape_kji, dtype=np.bool_)
        if self.drawn is not None:
            drawn[self.drawn_box.within(box).slices] = self.drawn == self.drawn_value
        return mask_difference(proposed_in(self.mask, box) == self.value, drawn, box, self.geometry, context)


class Differences:
    """At most one class is compared, on the active case; ``bench.review.difference`` tells panels and panes."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._job: Job | None = None
        self._serial = 0
        workspace.active_changed.connect(self._on_active)
        workspace.labels_changed.connect(self._on_labels)

    @property
    def state(self) -> Difference:
        """What is compared."""
        return self._workspace.bench.review.difference

    def open(self, proposal_id: str, value: int) -> None:
        """Compare a class with the segment it belongs to."""
        case = self._workspace.active
        found = self._class(case, proposal_id, value)
        if case is None or found is None:
            return
        segment = counterpart(case, self._workspace.bench, *found)
        segment = segment or case.active_segment
        self._set(Difference(case.key, proposal_id, value, segment.segment_id if segment is not None else ""))
        self.refresh()

    def choose(self, segment_id: str) -> None:
        """Compare with another segment; hands take the class over into it from now on, too."""
        state = self.state
        if state.open:
            take_into(self._workspace.bench, (state.proposal_id, state.value), segment_id)
            self._set(replace(self.state, segment_id=segment_id, found=None))
            self.refresh()

    def refresh(self) -> None:
        """Work it out on the voxels as they are; not while a hand draws."""
        case, state = self._workspace.active, self.state
        found = self._class(case, state.proposal_id, state.value) if state.open else None
        if case is None or found is None or case.in_gesture or case.pouring is not None:
            return
        self._stop()
        segmentation, mask = case.labels.segmentation, found[0].prediction.mask
        segment = segmentation.find(state.segment_id)
        if segment is None or mask is None:
            problem = _("There is no segment to compare with; draw one or choose it here.")
            self._set(replace(state, found=None, working=False, problem=problem))
            return
        stamp, box = segmentation.stamp(segment), segmentation.box(segment)
        drawn = None if box is None else segmentation.layer(segment.layer_id).voxels[box.slices].copy()
        self._set(replace(state, working=True, problem=""))
        request = CompareMasks(
            mask, state.value, drawn, segment.value, box or Box((0, 0, 0), (0, 0, 0)), case.volume.geometry
        )
        self._serial += 1
        serial = self._serial

        def done(value: object) -> None:
            if serial == self._serial and isinstance(value, MaskDifference) and self.state.open:
                self._set(replace(self.state, found=value, stamp=stamp, working=False))

        def failed(error: MedViewError) -> None:
            if serial == self._serial and self.state.open:
                self._set(replace(self.state, found=None, working=False, problem=error.sentence))

        def cancelled() -> None:
            if serial == self._serial:
                self.close()

        job = self._workspace.runner.submit(request, Outcome(done, failed=failed, cancelled=cancelled))
        if serial == self._serial and self.state.working:
            self._job = job

    def close(self) -> bool:
        """Compare no longer; False when nothing was compared."""
        self._stop()
        was_open = self.state.open
        if was_open:
            self._set(Difference())
        return was_open

    @property
    def stale(self) -> bool:
        """Whether the segment has changed since it was compared."""
        case, state = self._workspace.active, self.state
        segment = case.labels.segmentation.find(state.segment_id) if case is not None else None
        if case is None or segment is None or state.found is None:
            return False
        return case.labels.segmentation.stamp(segment) != state.stamp

    def go(self, step: int) -> None:
        """Look at the next smaller (1) or next larger (-1) place of difference; from elsewhere, at the largest."""
        case, found = self._workspace.active, self.state.found
        if case is None or found is None:
            return
        spots = found.spots
        if not spots:
            self._workspace.say(_("Both are the same everywhere."))
            return
        here = next((n for n, spot in enumerate(spots) if spot.at_kji == case.view.crosshair_kji), None)
        self.look_at((0 if step > 0 else len(spots) - 1) if here is None else (here + step) % len(spots))

    def look_at(self, number: int) -> None:
        """Look at a place of difference, by its number from 0."""
        case, found = self._workspace.active, self.state.found
        if case is None or found is None or number >= len(found.spots):
            return
        spot = found.spots[number]
        case.view.focus_kji = None
        case.view.crosshair_kji = spot.at_kji
        ml = volume_ml(spot.voxels, case.volume.geometry)
        size = _("{n} voxels").format(n=spot.voxels) if ml is None else _("{ml:.2f} mL").format(ml=ml)
        text = _("Place {number} of {count}: the proposal has {size} more.")
        if spot.kind != ADDED:
            text = _("Place {number} of {count}: the proposal has {size} less.")
        self._workspace.say(text.format(number=number + 1, count=len(found.spots), size=size))

    def segments(self) -> list[Segment]:
        """Return what the class can be compared with."""
        case = self._workspace.active
        return [] if case is None else list(case.labels.segmentation.segments)

    def _class(self, case: OpenCase | None, proposal_id: str, value: int) -> tuple[Proposal, PredictedSegment] | None:
        proposal = case.labels.proposals.get(proposal_id) if case is not None else None
        mask = proposal.prediction.mask if proposal is not None else None
        found = next((s for s in mask.segments if s.value == value), None) if mask is not None else None
        return None if proposal is None or found is None else (proposal, found)

    def _on_active(self) -> None:
        case = self._workspace.active
        if self.state.open and (case is None or case.key != self.state.case_key):
            self.close()

    def _on_labels(self, event: LabelsChanged) -> None:
        case, state = self._workspace.active, self.state
        if not state.open or event.series_uid != state.case_key:
            return
        if self._class(case, state.proposal_id, state.value) is None:
            self.close()
        elif any(isinstance(change, ProposalChange | SegmentChange) for change in event.changes) and case is not None:
            segment = case.labels.segmentation.find(state.segment_id)
            if segment is None and state.found is not None:
                self._set(replace(state, found=None))

    def _stop(self) -> None:
        job, self._job = self._job, None
        self._serial += 1
        if job is not None:
            job.cancel()

    def _set(self, state: Difference) -> None:
        review = self._workspace.bench.review
        if state != review.difference:
            self._workspace.bench.review = replace(review, difference=state)
