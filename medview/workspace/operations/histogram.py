"""The histogram of an open series, counted once its slices have arrived."""

from __future__ import annotations

from dataclasses import dataclass

from medview.analysis.histogram import Histogram, histogram
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.volume import Volume
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class CountValues:
    """Request: the histogram of some slices."""

    volume: Volume
    slices: tuple[int, ...]
    title: str = _("Counting values")
    lane: Lane = Lane.LOOK

    def run(self, context: JobContext) -> Histogram | None:
        """Count in a worker."""
        return histogram(self.volume, self.slices, context.raise_if_cancelled)


def time_of(case: OpenCase, volume: Volume) -> int | None:
    """Return the time point whose voxels these are, or None."""
    return next((n for n, time in enumerate(case.times) if time.volume is volume), None)


def want_histogram(workspace: Workspace, case: OpenCase) -> Histogram | None:
    """Return the histogram of a case at the time shown if it was counted; else have it counted, one time after the other.

    ``case.histogram_changed`` tells when one is counted, though another time may be shown by then.
    """
    volume = case.volume
    if case.histogram is not None and case.histogram[0] is volume:
        return case.histogram[1]
    if volume.colour or not case.load.complete or case.counting is not None:
        return None
    case.counting = volume

    def done(value: object) -> None:
        case.counting = None
        if isinstance(value, Histogram) and workspace.cases.get(case.key) is case:
            if volume is case.volume or time_of(case, volume) is not None:
                case.histogram = (volume, value)
            case.histogram_changed.emit()

    def ended() -> None:
        case.counting = None

    damaged = set(case.load.damaged)
    slices = tuple(k for k in range(volume.geometry.shape_kji[0]) if k not in damaged)
    workspace.runner.submit(CountValues(volume, slices), Outcome(done, failed=lambda _error: ended(), cancelled=ended))
    return case.histogram[1] if case.histogram is not None and case.histogram[0] is volume else None
