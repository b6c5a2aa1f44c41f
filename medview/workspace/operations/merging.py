"""Brings copies into the project that is open; meanwhile nobody can draw, and afterwards open cases show what came."""

from __future__ import annotations

from medview.core.errors import MedViewError
from medview.core.language import _, in_language, plural
from medview.store.project import Project
from medview.store.recover import LoadedCase
from medview.workspace.events import LabelsChanged, Severity
from medview.workspace.history import History
from medview.workspace.jobs import JobStatus, Lane, Outcome
from medview.workspace.merging import MergedCopy, Merging
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.project import all_read, read_again
from medview.workspace.requests_merge import MergeCopies, ReadReadings
from medview.workspace.workspace import Workspace

_HELD = _("Copies of the project are being merged; labels can be changed again once that is done.")
_ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


def merge_copies(workspace: Workspace) -> bool:
    """Merge the chosen copies; False where that cannot be now, and why is said there."""
    merging, project = workspace.worklist.merging, workspace.services.project
    why = _why_not(workspace)
    if why or project is None:
        merging.refuse(in_language(why))
        return False
    hold = _Hold(workspace, project)
    before = len(merging.results)

    def partial(value: object) -> None:
        if isinstance(value, MergedCopy):
            merging.took(value)

    def over() -> None:
        merging.is_at(None)
        came = merging.results[before:]
        extended = {number for one in came if one.report is not None for number in one.report.extended}
        hold.let_go(extended)
        if workspace.services.project is project:
            _look_again(workspace)
        _say(workspace, merging, came)

    def failed(error: MedViewError) -> None:
        over()
        workspace.report(error)

    outcome = Outcome(lambda _value: over(), partial, failed, over)
    # Told of before it begins: where jobs are done at once it is over when it is known.
    job = workspace.runner.submit(MergeCopies(project, merging.chosen), outcome)
    if job.status in _ACTIVE:
        merging.is_at(job)
    return True


def _why_not(workspace: Workspace) -> str:
    merging = workspace.worklist.merging
    if workspace.worklist.changes.refusal:
        return workspace.worklist.changes.refusal
    if merging.working:
        return _("Copies are being merged already.")
    if not merging.chosen:
        return _("Choose the copies first.")
    if not all_read(workspace):
        return _("A series is still being read; try again once it is.")
    if any(case.in_gesture or case.pouring is not None for case in workspace.cases.values()):
        return _("Labels are being changed right now; try again once that is done.")
    jobs = getattr(workspace.runner, "jobs", ())
    if any(job.status in _ACTIVE and job.lane in (Lane.MODEL, Lane.EDIT) for job in jobs):
        return _("A model or an effect is at work; merge once it is done.")
    return ""


_Sign = tuple[int, tuple[str, ...]]


class _Hold:
    """Keeps open cases, and those opened meanwhile, from being changed while rows are added to their readings."""

    def __init__(self, workspace: Workspace, project: Project) -> None:
        self._workspace, self._project = workspace, project
        self._held: dict[str, tuple[OpenCase, _Sign]] = {}
        self._opened: dict[str, OpenCase] = {}
        for case in workspace.cases.values():
            if not case.read_only:
                self._held[case.key] = case, _sign_of(case)
                self._stop(case)
        workspace.cases_changed.connect(self._on_cases)

    def let_go(self, extended: set[int]) -> None:
        """Let labels be changed again, those of readings that go on further read anew."""
        self._workspace.cases_changed.disconnect(self._on_cases)
        again: dict[int, OpenCase] = {}
        for case, sign in self._held.values():
            # Somebody may have closed it, or looked at the labels of another in it.
            if self._workspace.cases.get(case.key) is not case or case.read_only != _HELD:
                continue
            # What a model found meanwhile is on the picture and in no journal.
            if case.reading_id is not None and (case.reading_id in extended or _sign_of(case) != sign):
                again[case.reading_id] = case
            else:
                case.read_only = ""
                case.load_changed.emit()
        if again:
            self._read(again)
        for case in self._opened.values():
            if self._workspace.cases.get(case.key) is case:
                read_again(self._workspace, self._project, case)

    def _on_cases(self) -> None:
        for case in self._workspace.cases.values():
            if case.key not in self._held and case.key not in self._opened and not case.reader:
                self._opened[case.key] = case
                self._stop(case)

    def _stop(self, case: OpenCase) -> None:
        case.read_only = _HELD
        case.load_changed.emit()

    def _read(self, again: dict[int, OpenCase]) -> None:
        workspace = self._workspace

        def done(value: object) -> None:
            for reading_id, loaded in value.items() if isinstance(value, dict) else ():
                case = again[reading_id]
                if workspace.cases.get(case.key) is case and case.reading_id == reading_id:
                    _put(workspace, case, loaded)

        def failed(error: MedViewError) -> None:
            for case in again.values():
                case.read_only = error.sentence
                case.load_changed.emit()
            workspace.report(error)

        workspace.runner.submit(ReadReadings(self._project, tuple(again)), Outcome(done, failed=failed))


def _sign_of(case: OpenCase) -> _Sign:
    """Return what tells whether anything was put on a case."""
    return case.labels.revision, tuple(case.labels.proposals)


def _put(workspace: Workspace, case: OpenCase, loaded: LoadedCase) -> None:
    """Show the labels of the same reading as they stand now."""
    workspace.differences.close()
    case.figures.forget()
    workspace.forms.pieces.forget(case.key)
    case.labels = loaded.labels
    case.history = History(loaded.undo, loaded.redo)
    case.losses = tuple(loaded.losses)
    segments = case.labels.segmentation.segments
    if case.active_segment is None:
        case.view.active_segment_id = segments[0].segment_id if segments else ""
    case.read_only = ""
    for signal in (case.load_changed, case.history_changed):
        signal.emit()
    case.labels_changed.emit(LabelsChanged(case.key, ()))


def _look_again(workspace: Workspace) -> None:
    """Read anew what the window knows of the project."""
    workspace.forms.read_again()
    workspace.worklist.load()
    workspace.efforts.read()
    workspace.reviewing.refresh()


def _say(workspace: Workspace, merging: Merging, came: tuple[MergedCopy, ...]) -> None:
    reports = [one.report for one in came if one.report is not None]
    if not came:
        workspace.say(_("Nothing was merged."))
        return
    gestures, conflicts = sum(one.gestures for one in reports), sum(len(one.conflicts) for one in reports)
    text = plural("{n} copy was merged", "{n} copies were merged", len(reports)).format(n=len(reports))
    new = plural("{n} gesture came", "{n} gestures came", gestures).format(n=gestures)
    parts = [f"{text}; {new}."]
    if conflicts:
        beside = plural("{n} thing stays side by side.", "{n} things stay side by side.", conflicts)
        parts.append(beside.format(n=conflicts))
    parts += [in_language(one.problem) for one in came if one.problem][:1]
    wrong = bool(conflicts) or len(reports) < len(came)
    workspace.say(" ".join(parts), Severity.WARNING if wrong else Severity.INFO)
