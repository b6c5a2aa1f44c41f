"""What was measured of the segments of a case, kept until their voxels change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from psygnal import Signal

from medview.analysis.segment_figures import SegmentFigures
from medview.core.segmentation import Segment, Segmentation
from medview.workspace.jobs import Job

Stamp = tuple[int, int, int]
"""As of ``Segmentation.stamp``."""


@dataclass(eq=False)
class FigureBook:
    """Figures by segment, each with the stamp of the voxels it was measured on.

    ``workspace.operations.figures.want_figures`` has them measured; ``changed`` tells when some are there.

    Attributes
    ----------
    queue : list of str
        Ids of segments to be measured after the one that is being measured.
    """

    queue: list[str] = field(default_factory=list)
    _found: dict[str, tuple[Stamp, SegmentFigures]] = field(default_factory=dict)
    _serial: int = 0
    _measured: str = ""
    _job: Job | None = None

    changed: ClassVar[Signal] = Signal(str)
    """Id of the segment that was measured."""

    def current(self, segmentation: Segmentation, segment: Segment) -> SegmentFigures | None:
        """Return the figures of a segment; None when its voxels changed since, or were never measured."""
        found = self._found.get(segment.segment_id)
        return found[1] if found is not None and found[0] == segmentation.stamp(segment) else None

    def last(self, segment: Segment) -> SegmentFigures | None:
        """Return what was measured last, whatever happened since."""
        found = self._found.get(segment.segment_id)
        return found[1] if found is not None else None

    @property
    def measuring(self) -> str:
        """Id of the segment that is being measured, or empty."""
        return self._measured

    def begin(self, segment_id: str) -> int:
        """Take notice that a segment is being measured; return the number by which ``end`` knows it."""
        self._serial += 1
        self._measured, self._job = segment_id, None
        return self._serial

    def runs(self, number: int, job: Job) -> None:
        """Take the job that measures, unless it is over already."""
        if self._measured and number == self._serial:
            self._job = job

    def end(self, number: int) -> bool:
        """Take notice that a measurement is over; False when another one was begun since, and this one is too late."""
        if number != self._serial:
            return False
        self._measured, self._job = "", None
        return True

    def stop(self) -> None:
        """Cancel what is being measured."""
        job, self._job = self._job, None
        self._measured = ""
        self._serial += 1
        if job is not None:
            job.cancel()

    def forget(self) -> None:
        """Forget everything: other labels stand in the place of those that were measured."""
        self.stop()
        self.queue.clear()
        self._found.clear()

    def put(self, segment_id: str, stamp: Stamp, figures: SegmentFigures) -> None:
        """Keep what was measured on the voxels that had this stamp."""
        self._found[segment_id] = (stamp, figures)
        self.changed.emit(segment_id)
