"""Find and open series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from medview.core.case_labels import CaseLabels
from medview.core.errors import MedViewError
from medview.core.language import _, in_language, plural
from medview.core.study import ScanResult, Series, Verdict, VolumeEntry
from medview.io.fill import SliceReport
from medview.workspace.events import LabelsChanged, Severity
from medview.workspace.hanging import hang
from medview.workspace.history import History
from medview.workspace.jobs import Job, Outcome
from medview.workspace.keeping import StoredCase, keep
from medview.workspace.open_case import OpenCase, case_key
from medview.workspace.operations.graphics import show_graphics
from medview.workspace.operations.headings import show_headings
from medview.workspace.operations.padding import follow_padding
from medview.workspace.operations.times import read_times
from medview.workspace.presets import auto_window, needs_auto_window, opening_window
from medview.workspace.requests import OpenedSeries, OpenSeries, ReadSeries, ReadyVolume, ScanPlace
from medview.workspace.run_rules import run_rules_on
from medview.workspace.services import Services
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace


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
            workspace.say(_("{name} holds no image that can be shown.").format(name=path.name), Severity.WARNING)
        else:
            workspace.say(_found(value), Severity.WARNING if value.damaged else Severity.INFO)

    services = workspace.services
    request = ScanPlace(path, services.pool, services.library)
    return workspace.runner.submit(request, Outcome(done, failed=workspace.report))


def open_series(
    workspace: Workspace,
    series: Series,
    entry: VolumeEntry | None = None,
    pane_id: str = "",
    shown: Callable[[OpenCase], None] = lambda _case: None,
    then: Callable[[OpenCase], None] = lambda _case: None,
    ready: ReadyVolume | None = None,
) -> Job | None:
    """Open one series, or show it when it is open already. The picture stands once its middle slice is read.

    Parameters
    ----------
    pane_id : str
        The pane it is to stand in, where panes hold series of their own.
    shown : callable
        Called with the case once it stands in its pane.
    then : callable
        Called with the case once every slice has arrived.
    ready : ReadyVolume, optional
        The volume, where it was read before.
    """
    chosen = entry or series.best
    if chosen is None or chosen.verdict is Verdict.REFUSED:
        reasons = [r.text for v in series.volumes for r in v.reasons]
        workspace.say(reasons[0] if reasons else _("This series holds no image that can be shown."), Severity.WARNING)
        return None
    key = case_key(series, chosen)
    if key in workspace.cases:
        workspace.show(key, pane_id)
        return None
    if key in workspace.opening:
        return None
    workspace.opening.add(key)
    project = workspace.services.project
    opened: list[tuple[OpenCase, StoredCase]] = []
    jobs: list[Job] = []

    def stop() -> None:
        for job in jobs:
            job.cancel()

    def over() -> bool:
        """Whether another project is open by now, in which labels of this one have no place."""
        return workspace.services.project is not project

    def partial(value: object) -> None:
        if over():
            stop()
        elif isinstance(value, OpenedSeries):
            workspace.opening.discard(key)
            case = make_case(series, chosen, value)
            case.stop_reading = stop
            opened.append((case, value.stored))
            rule = hang(workspace, case)
            workspace.add_case(case, pane_id)
            shown(case)
            if rule is not None and rule.prior:
                hang_prior(workspace, case)
        elif isinstance(value, SliceReport) and opened:
            _arrived(opened[0][0], value)

    def done(value: object) -> None:
        if not opened or not isinstance(value, ReadSeries) or workspace.cases.get(key) is not opened[0][0]:
            return
        case, stored = opened[0]
        case.reading = False
        problem = restore(case, workspace.services, stored, value)
        if problem:
            workspace.say(problem, Severity.ERROR if value.other_pixels else Severity.WARNING)
        if case.load.damaged:
            workspace.say(case.load.sentence(), Severity.WARNING)
        case.load_changed.emit()
        show_graphics(workspace, case)
        show_headings(workspace, case)
        follow_padding(workspace, case)
        others = read_times(workspace, case)
        jobs.extend([others] if others is not None else [])
        run_rules_on(workspace, case)
        then(case)

    def ended_early() -> None:
        if over():
            return
        workspace.opening.discard(key)
        # Half a series would look like a whole one with dark slices.
        if opened and workspace.cases.get(key) is opened[0][0]:
            workspace.close_case(key)
        elif not opened:
            # What waits for the series, as a result of the queue does, has to hear that it does not come.
            workspace.cases_changed.emit()

    def failed(error: MedViewError) -> None:
        ended_early()
        if not over():
            workspace.report(error)

    request = OpenSeries(series, chosen, workspace.services.pool, project, ready)
    job = workspace.runner.submit(request, Outcome(done, partial, failed, ended_early))
    jobs.append(job)
    return job


def hang_prior(workspace: Workspace, case: OpenCase) -> None:
    """Put the earlier study beside a case that was just opened, where there is one."""
    # It opens series itself.
    from medview.workspace.operations.compare import compare_with_prior, find_prior

    if workspace.active is case and find_prior(workspace, case) is not None:
        compare_with_prior(workspace)


def make_case(series: Series, entry: VolumeEntry, opened: OpenedSeries) -> OpenCase:
    """Return the case of a series that is being read, without labels: they wait until its pixels are known."""
    volume = opened.volume
    middle = tuple(n // 2 for n in volume.geometry.shape_kji)
    view = CaseView((middle[0], middle[1], middle[2]), opening_window(volume))
    load = opened.load

    def look(kji: tuple[int, int, int]) -> None:
        load.wanted_k = kji[0]

    view.events.crosshair_kji.connect(look)
    if load.complete and needs_auto_window(volume):
        view.window = auto_window(volume, middle[0])
    return OpenCase(
        series=series,
        entry=entry,
        volume=volume,
        load=load,
        labels=CaseLabels.empty(volume.geometry),
        view=view,
        reading=True,
    )


def restore(case: OpenCase, services: Services, stored: StoredCase, read: ReadSeries) -> str:
    """Put the stored labels on a case whose pixels are known, and keep what follows; return what the person has to know.

    Labels made on other pixels stay in the project and are not shown.
    """
    if read.other_pixels:
        case.read_only = read.other_pixels
        return read.other_pixels
    if stored.loaded is not None:
        case.labels = stored.loaded.labels
        case.history = History(stored.loaded.undo, stored.loaded.redo)
        case.losses = tuple(stored.loaded.losses)
        segments = case.labels.segmentation.segments
        if segments:
            case.view.active_segment_id = segments[0].segment_id
    keep(case, services.project, stored)
    if services.project is None or services.project.read_only:
        # Why the project could not be opened for writing says more than that it was not.
        case.read_only = services.project_problem or case.read_only
    case.read_only = case.read_only or read.unsure
    case.labels_changed.emit(LabelsChanged(case.key, ()))
    case.history_changed.emit()
    return " ".join((*_losses(case), in_language(case.read_only))).strip()


def _losses(case: OpenCase) -> tuple[str, ...]:
    """Return what is missing from the labels, as long as one line can be; the Check panel lists all of it."""
    more = len(case.losses) - 1
    if more < 1:
        return tuple(map(in_language, case.losses))
    rest = plural("{n} more loss is listed under Check.", "{n} more losses are listed under Check.", more)
    return in_language(case.losses[0]), rest.format(n=more)


def _arrived(case: OpenCase, report: SliceReport) -> None:
    first = case.load.arrived == 0
    case.mark_loaded(report.k, ok=report.ok, reason=report.reason)
    if first and needs_auto_window(case.volume):
        case.view.window = auto_window(case.volume, report.k)
    case.load_changed.emit()


def _nothing_found(path: Path, result: ScanResult) -> str:
    if result.damaged:
        first = result.damaged[0]
        return _("{name} could not be read: {reason}").format(name=Path(first.path).name, reason=in_language(first.reason))
    if result.seen == 0:
        return _("The folder {name} is empty; choose a folder with DICOM, NIfTI or NRRD files.").format(name=path.name)
    return _("{name} holds no image that MedView can read; choose a folder with DICOM, NIfTI or NRRD files.").format(
        name=path.name
    )


def _found(result: ScanResult) -> str:
    studies = len({s.study_uid for s in result.series})
    text = plural("Found {series} series in {n} study.", "Found {series} series in {n} studies.", studies)
    text = text.format(series=len(result.series), n=studies)
    return f"{text} {_damaged(result)}" if result.damaged else text


def _damaged(result: ScanResult) -> str:
    first = result.damaged[0]
    name = Path(first.path).name
    rest = len(result.damaged) - 1
    more = _(" {rest} more files are damaged.").format(rest=rest) if rest else ""
    return _("{name} could not be read: {reason}{more}").format(name=name, reason=in_language(first.reason), more=more)
