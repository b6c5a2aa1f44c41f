"""Has segments measured in the background: one at a time, only inside their boxes, the newest wish first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.segment_figures import SegmentFigures, segment_figures
from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.segmentation import Segment
from medview.core.volume import Volume
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

_NOTHING = SegmentFigures(0, None, None, (), 0)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureSegment:
    """Request: the figures of a mask.

    Attributes
    ----------
    mask : ndarray of bool, shape ``box.shape_kji``
        A copy: drawing goes on.
    damaged : tuple of int
        Slices k of the volume that could not be read.
    """

    mask: npt.NDArray[np.bool_]
    box: Box
    volume: Volume
    damaged: tuple[int, ...] = ()
    title: str = _("Measuring the segment")
    lane: Lane = Lane.COMPUTE

    def run(self, context: JobContext) -> SegmentFigures:
        """Measure in a worker."""
        return segment_figures(self.mask, self.box, self.volume, context, self.damaged)


def want_figures(workspace: Workspace, case: OpenCase, segment: Segment) -> SegmentFigures | None:
    """Return the figures of a segment if they were measured on its present voxels; else have it measured next.

    ``case.figures.changed`` tells when that is done. The newest wish wins: where the same segment is being measured as it
    was before, that job is cancelled. Nothing is begun while a hand draws or slices still arrive.
    """
    segmentation, book = case.labels.segmentation, case.figures
    known = book.current(segmentation, segment)
    busy = case.in_gesture or case.pouring is not None
    if known is not None or busy or case.reading or not case.anchor.load.complete:
        return known
    if book.measuring not in ("", segment.segment_id):
        book.queue = [segment.segment_id, *(one for one in book.queue if one != segment.segment_id)]
        return None
    book.stop()
    _measure(workspace, case, segment)
    return book.current(segmentation, segment)


def want_all(workspace: Workspace, case: OpenCase) -> int:
    """Have all segments measured, one after the other; return how many are still to come."""
    segmentation = case.labels.segmentation
    for segment in reversed([s for s in segmentation.segments if case.figures.current(segmentation, s) is None]):
        want_figures(workspace, case, segment)
    return sum(case.figures.current(segmentation, s) is None for s in segmentation.segments)


def _measure(workspace: Workspace, case: OpenCase, segment: Segment) -> None:
    segmentation, book = case.labels.segmentation, case.figures
    stamp, box, segment_id = segmentation.stamp(segment), segmentation.box(segment), segment.segment_id
    number = book.begin(segment_id)

    def ended(value: object = None) -> None:
        if book.end(number) and workspace.cases.get(case.key) is case:
            if isinstance(value, SegmentFigures):
                book.put(segment_id, stamp, value)
            _next(workspace, case)

    def cancelled() -> None:
        # By the person: the others are not wanted either.
        if book.end(number):
            book.queue.clear()

    if box is None:
        ended(_NOTHING)
        return
    mask = segmentation.layer(segment.layer_id).voxels[box.slices] == segment.value
    request = MeasureSegment(mask, box, case.anchor.volume, case.anchor.load.damaged)
    book.runs(number, workspace.runner.submit(request, Outcome(ended, failed=ended, cancelled=cancelled)))


def _next(workspace: Workspace, case: OpenCase) -> None:
    book, segmentation = case.figures, case.labels.segmentation
    while book.queue and not book.measuring:
        segment = segmentation.find(book.queue.pop(0))
        if segment is not None and book.current(segmentation, segment) is None:
            _measure(workspace, case, segment)
