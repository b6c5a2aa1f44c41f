"""Opens cases of the list, one in place of the other, and reads the next one while somebody works on this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from medview.core.errors import MedViewError
from medview.core.language import _, in_language, plural
from medview.core.study import Series, VolumeEntry
from medview.workspace.case_adding import AddCases, Addition
from medview.workspace.case_words import case_title
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Outcome
from medview.workspace.label_sets import apply_label_set
from medview.workspace.new_project import wanted_places
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.open import open_series
from medview.workspace.requests import ReadyVolume
from medview.workspace.requests_cases import FindCase, ListCases, Listed, ReadCaseAhead
from medview.workspace.workspace import Workspace


@dataclass(eq=False)
class _Reading:
    """A case that is being read, or looked for."""

    case_id: int
    job: Job | None = None


class CaseOpener:
    """One case of the list is open, and memory holds one more that nobody looks at yet."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._opening: _Reading | None = None
        self._ahead: _Reading | None = None
        self._ready: tuple[int, ReadyVolume | None] | None = None
        self._own = ""
        """Key of the case that was opened from the list last."""
        workspace.active_changed.connect(self._on_active)

    @property
    def at_hand(self) -> int | None:
        """Number of the case that was read ahead, or None."""
        return self._ready[0] if self._ready is not None and self._ready[1] is not None else None

    def load(self) -> None:
        """Read the list of the project."""
        project = self._workspace.services.project
        if project is None:
            return

        def done(value: object) -> None:
            if isinstance(value, Listed) and self._workspace.services.project is project:
                cases = self._workspace.worklist
                cases.show(project, value)
                self.read_ahead()

        self._workspace.runner.submit(ListCases(project), Outcome(done, failed=self._workspace.report))

    def open(self, case_id: int) -> None:
        """Open a case, in place of the one that was opened from the list before."""
        cases = self._workspace.worklist
        row = cases.row(case_id)
        if row is None:
            return
        known = cases.open_case(row)
        if known is not None:
            self._own = known.key
            self._workspace.show(known.key)
            return
        if self._opening is not None:
            self._stop(self._opening)
        self._leave_unread()
        ready = self._ready[1] if self._ready is not None and self._ready[0] == case_id else None
        self._ready = None
        if ready is not None:
            self._show((ready.series, ready.entry), ready)
            return
        if self._ahead is not None:
            self._stop(self._ahead)
            self._ahead = None
        self._opening = None
        request = self._find(case_id)
        if request is None:
            return
        opening = self._opening = _Reading(case_id)

        def done(value: object) -> None:
            if self._opening is opening and isinstance(value, tuple):
                self._opening = None
                self._show(value)

        def stopped() -> None:
            if self._opening is opening:
                self._opening = None

        def failed(error: MedViewError) -> None:
            stopped()
            self._workspace.report(error)

        opening.job = self._workspace.runner.submit(request, Outcome(done, failed=failed, cancelled=stopped))

    def read_ahead(self) -> None:
        """Read the case that comes next while this one is open, where there is room for it."""
        cases = self._workspace.worklist
        case, current = self._workspace.active, cases.current
        # Who opens a series by another way is not working through the list.
        from_list = case is not None and case.key == self._own and current is not None
        row = cases.following(current.case_id) if from_list and current is not None else None
        wanted = row.case_id if row is not None and cases.open_case(row) is None else None
        if self._ready is not None and self._ready[0] != wanted:
            self._ready = None
        if self._ahead is not None and self._ahead.case_id != wanted:
            self._stop(self._ahead)
            self._ahead = None
        at_hand = self._ready is not None or self._ahead is not None
        if wanted is None or at_hand or self._opening is not None or case is None or not case.ready:
            return
        find = self._find(wanted)
        if find is None:
            return
        ahead = self._ahead = _Reading(wanted)

        def done(value: object) -> None:
            if self._ahead is ahead:
                self._ahead = None
                # None, where it does not fit, is not asked for again.
                self._ready = wanted, value if isinstance(value, ReadyVolume) else None

        def stopped() -> None:
            if self._ahead is ahead:
                self._ahead = None
                self._ready = wanted, None

        # Why it cannot be read is said when somebody opens it.
        outcome = Outcome(done, failed=lambda _error: stopped(), cancelled=stopped)
        ahead.job = self._workspace.runner.submit(ReadCaseAhead(find), outcome)

    def let_go(self) -> None:
        """Stop what is being read; the project is about to be closed."""
        self._stop(self._opening)
        self._stop(self._ahead)
        self._opening = self._ahead = self._ready = None

    def _find(self, case_id: int) -> FindCase | None:
        services = self._workspace.services
        row = self._workspace.worklist.row(case_id)
        if services.project is None or row is None:
            return None
        called = case_title(row, hidden=self._workspace.bench.identity_hidden)
        title = _("Reading {case}").format(case=called)
        scanned = tuple(self._workspace.series)
        return FindCase(services.project, case_id, title, scanned, services.pool, services.library)

    def _show(self, found: tuple[Series, VolumeEntry], ready: ReadyVolume | None = None) -> None:
        before = self._own
        open_series(
            self._workspace,
            *found,
            shown=partial(self._on_shown, before),
            then=self._on_read,
            ready=ready,
        )

    def _on_shown(self, before: str, case: OpenCase) -> None:
        self._own = case.key
        left = self._workspace.cases.get(before)
        # One that stands beside it in a pane of its own was put there to be compared with.
        if left is not None and left is not case and left not in self._workspace.shown_cases:
            self._workspace.close_case(before)

    def _on_read(self, case: OpenCase) -> None:
        cases = self._workspace.worklist
        if not cases.personal and case.editable and not case.labels.segmentation.segments:
            # What the project labels is there to be drawn, in every case under the same names.
            apply_label_set(case, self._workspace.forms.label_set, by_itself=True)
        self.read_ahead()

    def _leave_unread(self) -> None:
        """Close the case before while it is still being read: the next one would wait for it."""
        case = self._workspace.cases.get(self._own)
        if case is not None and case.reading:
            self._workspace.close_case(case.key)

    def _on_active(self) -> None:
        case = self._workspace.active
        row = self._workspace.worklist.current
        begun = row is not None and self._workspace.worklist.who.reading(row) is not None
        if case is not None and self._workspace.services.project is not None and not begun:
            # Opening it may have put it on the list, or begun a reading of it.
            self.load()
        # What was read ahead of a case that is no longer worked on is let go of.
        self.read_ahead()

    def _stop(self, reading: _Reading | None) -> None:
        if reading is not None and reading.job is not None:
            reading.job.cancel()


def add_cases(workspace: Workspace, paths: Sequence[Path], scanned: Sequence[Series] = ()) -> Job | None:
    """Put what is in folders, files and tables of places on the list of the project; None without one.

    Parameters
    ----------
    scanned : sequence of Series
        Found before: added as they are, without looking again.

    Raises
    ------
    ReadError
        When a table cannot be read.
    """
    services = workspace.services
    if services.project is None:
        return None

    def done(value: object) -> None:
        if isinstance(value, Addition):
            workspace.say(said_of(value), Severity.WARNING if value.found.refused or value.found.damaged else Severity.INFO)
            workspace.worklist.load()

    places = wanted_places(paths)
    request = AddCases(services.project, places, services.pool, services.library, scanned=tuple(scanned))
    return workspace.runner.submit(request, Outcome(done, failed=workspace.report))


def said_of(addition: Addition) -> str:
    """Return what came of adding cases in one line."""
    added, found = addition.added, addition.found
    parts = [plural("{n} case was added.", "{n} cases were added.", added.added).format(n=added.added)]
    if added.known:
        parts.append(plural("{n} was there already.", "{n} were there already.", added.known).format(n=added.known))
    if found.nameless:
        text = plural("Nothing tells the patient of {n}.", "Nothing tells the patient of {n} of them.", found.nameless)
        parts.append(text.format(n=found.nameless))
    parts += [in_language(one.sentence()) for one in found.refused[:1]]
    more = len(found.refused) - 1
    if more > 0:
        parts.append(plural("{n} more series was left out.", "{n} more series were left out.", more).format(n=more))
    if found.damaged:
        text = plural("{n} file could not be read.", "{n} files could not be read.", len(found.damaged))
        parts.append(text.format(n=len(found.damaged)))
    return " ".join(parts)
