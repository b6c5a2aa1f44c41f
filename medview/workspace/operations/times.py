"""The further time points of a 4-D series: read once the first stands."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.errors import MedViewError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.study import Series, VolumeEntry
from medview.io.reader_pool import Pool
from medview.io.times_reader import ReadTimePoint, TimesReader
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.time_axis import take_time
from medview.workspace.time_points import TimePoint
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ReadTimes:
    """Request: all time points of a series after the first. Parts: a ReadTimePoint each, in their order."""

    series: Series
    entry: VolumeEntry
    pool: Pool

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading {description}").format(description=self.series.description or self.series.modality or "series")

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> None:
        """Read in reader processes. Raises ReadError when they do not fit into memory or cannot be read."""
        TimesReader(self.pool).read(self.series, self.entry, context)


def read_times(workspace: Workspace, case: OpenCase) -> Job | None:
    """Read the time points that are not there yet; the first stays shown, also when the others cannot be had."""
    if case.entry.time_points == len(case.times):
        return None

    def partial(value: object) -> None:
        if isinstance(value, ReadTimePoint) and value.time_point == len(case.times):
            take_time(case, TimePoint(value.volume, _load_of(value)))

    def done(_value: object) -> None:
        damaged = [n for n, time in enumerate(case.times) if n and time.load.damaged]
        if damaged and workspace.cases.get(case.key) is case:
            more = _(" and {count} more").format(count=len(damaged) - 1) if len(damaged) > 1 else ""
            workspace.say(
                _("Time point {damaged}{more} holds damaged slices.").format(damaged=damaged[0] + 1, more=more),
                Severity.WARNING,
            )

    def failed(error: MedViewError) -> None:
        if workspace.cases.get(case.key) is case:
            workspace.say(error.sentence, Severity.WARNING)

    request = ReadTimes(case.series, case.entry, workspace.services.pool)
    return workspace.runner.submit(request, Outcome(done, partial, failed))


def _load_of(read: ReadTimePoint) -> LoadState:
    load = LoadState(read.volume.geometry.shape_kji[0])
    load.mark_all_ready()
    for report in read.damaged:
        load.mark(report.k, ok=False, reason=report.reason)
    return load
