"""Find and open series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from medview.core.case_labels import CaseLabels
from medview.core.errors import MedViewError
from medview.core.study import ScanResult, Series, Verdict, VolumeEntry
from medview.io.fill import SliceReport
from medview.workspace.events import LabelsChanged, Severity
from medview.workspace.history import History
from medview.workspace.jobs import Job, Outcome
from medview.workspace.keeping import keep
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.presets import auto_window, needs_auto_window, opening_window
from medview.workspace.requests import OpenedSeries, OpenSeries, ReadSeries, ScanPlace
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace

STILL_READING = "The series is still being read; labels can be changed once it is complete."


def open_path(workspace: Workspace, path: Path) -> Job:
    """Scan a folder, file or zip; when it holds exactly one volume, open it at once."""

    def done(value: object) -> None:
        if not isinstance(value, ScanResult):
            return
        openable = [s for s in value.series if s.best is not None]
        if not value.series:
            workspace.say(_nothing_found(path, value), Severity.WARNING)
            return
        workspace.add_scan(str(path), value)
        workspace.remember(str(path))
        if len(openable) == 1:
            open_series(workspace, openable[0])
            if value.damaged:
                workspace.say(_damaged(value), Severity.WARNING)
        elif not openable:
            workspace.say(f"{path.name} holds no image that can be shown.", Severity.WARNING)
        else:
            workspace.say(_found(value), Severity.WARNING if value.damaged else Severity.INFO)

    return workspace.runner.submit(ScanPlace(path, workspace.services.pool), Outcome(done, failed=workspace.report))


def open_series(
    workspace: Workspace,
    series: Series,
    entry: VolumeEntry | None = None,
    then: Callable[[OpenCase], None] = lambda _case: None,
) -> Job | None:
    """Open one series, or show it when it is open already. The picture stands once its middle slice is read.

    Parameters
    ----------
    then : callable
        Called with the case once every slice has arrived.
    """
    if series.series_uid in workspace.cases:
        workspace.show(series.series_uid)
        return None
    chosen = entry or series.best
    if chosen is None or chosen.verdict is Verdict.REFUSED:
        reasons = [r.text for v in series.volumes for r in v.reasons]
        workspace.say(reasons[0] if reasons else "This series holds no image that can be shown.", Severity.WARNING)
        return None
    if series.series_uid in workspace.opening:
        return None
    workspace.opening.add(series.series_uid)
    request = OpenSeries(series, chosen, workspace.services.pool, workspace.services.project)
    opened: list[OpenCase] = []
    jobs: list[Job] = []

    def stop() -> None:
        for job in jobs:
            job.cancel()

    def partial(value: object) -> None:
        if isinstance(value, OpenedSeries):
            workspace.opening.discard(series.series_uid)
            case = make_case(series, chosen, value)
            opened.append(case)
            case.stop_reading = stop
            keep(case, workspace.services.project, value.stored)
            problem = " ".join(case.losses) or case.read_only
            # Until every slice is there and known to be those the labels were drawn on.
            case.read_only = case.read_only or STILL_READING
            workspace.add_case(case)
            if problem:
                workspace.say(problem, Severity.WARNING)
        elif isinstance(value, SliceReport) and opened:
            _arrived(opened[0], [value])
        elif isinstance(value, list) and opened:
            _arrived(opened[0], [report for report in value if isinstance(report, SliceReport)])

    def done(value: object) -> None:
        case = opened[0] if opened else None
        if case is None:
            return
        if case.read_only == STILL_READING:
            case.read_only = ""
        if isinstance(value, ReadSeries) and value.problem:
            withhold_labels(case, value.problem)
            workspace.say(value.problem, Severity.ERROR)
        if case.load.damaged:
            workspace.say(case.load.sentence(), Severity.WARNING)
        case.load_changed.emit()
        case.history_changed.emit()
        then(case)

    def failed(error: MedViewError) -> None:
        workspace.opening.discard(series.series_uid)
        workspace.report(error)

    def cancelled() -> None:
        workspace.opening.discard(series.series_uid)

    job = workspace.runner.submit(request, Outcome(done, partial, failed, cancelled))
    jobs.append(job)
    return job


def make_case(series: Series, entry: VolumeEntry, opened: OpenedSeries) -> OpenCase:
    """Return the case of a series that is being read, with the labels it already has."""
    volume = opened.volume
    middle = tuple(n // 2 for n in volume.geometry.shape_kji)
    view = CaseView((middle[0], middle[1], middle[2]), opening_window(volume))
    stored = opened.stored.loaded
    case = OpenCase(
        series=series,
        entry=entry,
        volume=volume,
        load=LoadState(volume.geometry.shape_kji[0]),
        labels=stored.labels if stored else CaseLabels.empty(volume.geometry),
        view=view,
        history=History(stored.undo, stored.redo) if stored else History(),
        losses=tuple(stored.losses) if stored else (),
    )
    segments = case.labels.segmentation.segments
    if segments:
        view.active_segment_id = segments[0].segment_id
    return case


def withhold_labels(case: OpenCase, problem: str) -> None:
    """Take the stored labels off pixels they were not made on; nothing is written to the project."""
    case.record = None
    case.read_only = problem
    case.labels = CaseLabels.empty(case.volume.geometry)
    case.history = History()
    case.labels_changed.emit(LabelsChanged(case.key, ()))
    case.history_changed.emit()


def _arrived(case: OpenCase, reports: list[SliceReport]) -> None:
    first = case.load.arrived == 0
    for report in reports:
        case.mark_loaded(report.k, ok=report.ok, reason=report.reason)
    if first and reports and needs_auto_window(case.volume):
        case.view.window = auto_window(case.volume.values((reports[0].k,)))
    case.load_changed.emit()


def _nothing_found(path: Path, result: ScanResult) -> str:
    if result.damaged:
        first = result.damaged[0]
        return f"{Path(first.path).name} could not be read: {first.reason}"
    if result.seen == 0:
        return f"The folder {path.name} is empty; choose a folder with DICOM, NIfTI or NRRD files."
    return f"{path.name} holds no image that MedView can read; choose a folder with DICOM, NIfTI or NRRD files."


def _found(result: ScanResult) -> str:
    studies = len({s.study_uid for s in result.series})
    text = f"Found {len(result.series)} series in {studies} {'study' if studies == 1 else 'studies'}."
    return f"{text} {_damaged(result)}" if result.damaged else text


def _damaged(result: ScanResult) -> str:
    first = result.damaged[0]
    name = Path(first.path).name
    rest = len(result.damaged) - 1
    more = f" {rest} more files are damaged." if rest else ""
    return f"{name} could not be read: {first.reason}{more}"
