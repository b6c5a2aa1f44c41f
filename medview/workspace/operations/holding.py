"""Open cases while something else writes into their readings: nobody draws, and afterwards they show what came."""

from __future__ import annotations

from collections.abc import Collection

from medview.core.errors import MedViewError
from medview.core.language import _
from medview.store.project import Project
from medview.store.recover import LoadedCase
from medview.workspace.events import LabelsChanged
from medview.workspace.history import History
from medview.workspace.jobs import JobStatus, Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.project import all_read, read_again
from medview.workspace.requests_merge import ReadReadings
from medview.workspace.workspace import Workspace

ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


def why_not_now(workspace: Workspace) -> str:
    """Return why open cases cannot be held right now; empty where they can."""
    if not all_read(workspace):
        return _("A series is still being read; try again once it is.")
    if any(case.in_gesture or case.pouring is not None for case in workspace.cases.values()):
        return _("Labels are being changed right now; try again once that is done.")
    jobs = getattr(workspace.runner, "jobs", ())
    if any(job.status in ACTIVE and job.lane in (Lane.MODEL, Lane.EDIT) for job in jobs):
        return _("A model or an effect is at work; try again once it is done.")
    return ""


_Sign = tuple[int, tuple[str, ...], int | None]


class Hold:
    """Keeps open cases, and those opened meanwhile, from being changed while rows are added to their readings.

    Parameters
    ----------
    why : str
        What a person reads who wants to change one.
    """

    def __init__(self, workspace: Workspace, project: Project, why: str) -> None:
        self._workspace, self._project, self._why = workspace, project, why
        self._held: dict[str, tuple[OpenCase, _Sign]] = {}
        self._opened: dict[str, OpenCase] = {}
        for case in workspace.cases.values():
            if not case.read_only:
                self._held[case.key] = case, self._sign_of(case)
                self._stop(case)
        workspace.cases_changed.connect(self._on_cases)

    def let_go(self, extended: Collection[int] = ()) -> None:
        """Let labels be changed again, those of readings that go on further read anew."""
        self._workspace.cases_changed.disconnect(self._on_cases)
        again: dict[int, OpenCase] = {}
        for case, sign in self._held.values():
            case.held = False
            # Somebody may have closed it, or looked at the labels of another in it.
            if self._workspace.cases.get(case.key) is not case or case.read_only != self._why:
                continue
            # What a model found meanwhile is on the picture and in no journal.
            if case.reading_id is not None and (case.reading_id in extended or self._sign_of(case) != sign):
                again[case.reading_id], case.held = case, True
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
        case.read_only, case.held = self._why, True
        case.load_changed.emit()

    def _sign_of(self, case: OpenCase) -> _Sign:
        """Return what tells whether anything was put on a case, or written into its journal."""
        head = None if case.reading_id is None else self._project.journal.head(case.reading_id)
        return case.labels.revision, tuple(case.labels.proposals), head

    def _read(self, again: dict[int, OpenCase]) -> None:
        workspace = self._workspace

        def done(value: object) -> None:
            for reading_id, loaded in value.items() if isinstance(value, dict) else ():
                case = again[reading_id]
                case.held = False
                if workspace.cases.get(case.key) is case and case.reading_id == reading_id:
                    _put(workspace, case, loaded)

        def failed(error: MedViewError) -> None:
            for case in again.values():
                case.read_only, case.held = error.sentence, False
                case.load_changed.emit()
            workspace.report(error)

        workspace.runner.submit(ReadReadings(self._project, tuple(again)), Outcome(done, failed=failed))


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
