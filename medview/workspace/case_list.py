"""The cases of the project that is open, and what is looked for among them."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from medview.core.form import Forms
from medview.core.language import _
from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import Role
from medview.workspace.agreeing import Agreeing
from medview.workspace.case_changes import CaseChanges
from medview.workspace.case_filter import FINISHED, CaseFilter, Which, Who, chosen, counted, next_open
from medview.workspace.case_time import CaseTime
from medview.workspace.events import LabelsChanged
from medview.workspace.finishing import Finishing
from medview.workspace.importing import Importing
from medview.workspace.merging import Merging

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.cases import CaseRow
    from medview.store.project import Project
    from medview.store.reading_state import ReadingState
    from medview.workspace.open_case import OpenCase
    from medview.workspace.requests_cases import Listed
    from medview.workspace.workspace import Workspace


class Opener(Protocol):
    """Who reads the list and opens its cases."""

    def load(self) -> None:
        """Read the list of the project."""

    def open(self, case_id: int) -> None:
        """Open a case, in place of the one that was opened from the list before."""

    def read_ahead(self) -> None:
        """Read what comes next while another case is open."""

    def let_go(self) -> None:
        """Stop what is being read."""


class CaseList:
    """Holds the list, as it was read last; what is to be changed in it goes through ``changes``.

    Attributes
    ----------
    rows : tuple of CaseRow
        All cases, in the order of the list.
    who : Who
        Whose eyes they are seen with.
    rule : ReadingRule
        Who reads which case.
    instructions : str
        What annotators are told, in Markdown.
    name : str
        Of the project; empty where none is open.
    lacking : mapping of int to int
        How many required answers readings lack, by their number.
    reviewed : mapping of int to int
        Number of a review -> that of the reading it went on from.
    finishing : Finishing
        Says that the open case is done.
    merging : Merging
        Brings copies of the project into it.
    agreeing : Agreeing
        How far its readers go together.
    importing : Importing
        A labelled dataset on its way into it.
    wanted : CaseFilter
        What is looked for.
    """

    changed = Signal()
    """The list, or what is looked for in it, changed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._opener: Opener | None = None
        self._shown: list[CaseRow] | None = None
        self._of: Project | None = None
        self._by_series: dict[str, list[CaseRow]] = {}
        self.rows: tuple[CaseRow, ...] = ()
        self.who = Who()
        self.rule = ReadingRule()
        self.instructions = self.name = ""
        self.lacking: Mapping[int, int] = {}
        self.reviewed: Mapping[int, int] = {}
        self.wanted = CaseFilter()
        self.changes = CaseChanges(workspace, self)
        self.time = CaseTime(workspace, self.changes.write)
        self.finishing = Finishing(workspace, self)
        self.merging = Merging(workspace)
        self.agreeing = Agreeing(workspace)
        self.importing = Importing(workspace)
        self._forms: Forms = ()
        workspace.labels_changed.connect(self._on_labels)
        workspace.forms.changed.connect(self._on_forms)

    @property
    def shown(self) -> list[CaseRow]:
        """The cases that are looked for, in the order asked for."""
        if self._shown is None:
            self._shown = chosen(self.rows, self.wanted, self.who, self.rule)
        return self._shown

    @property
    def counted(self) -> tuple[int, int]:
        """How many of the cases that are theirs whoever works here has finished, and how many those are."""
        return counted(self.rows, self.who, self.rule)

    @property
    def done_and_lacking(self) -> int:
        """How many cases whoever works here has finished though they lack required answers."""
        readings = (self.who.reading(row) for row in self.rows if not row.excluded)
        return sum(one is not None and one.status in FINISHED and self.lacks(one) > 0 for one in readings)

    def lacks(self, reading: ReadingState | None) -> int:
        """Return how many required answers a reading lacks, as far as the project was read."""
        return 0 if reading is None else self.lacking.get(reading.reading_id, 0)

    @property
    def personal(self) -> bool:
        """Whether it is the list of what was labelled without a project."""
        return self._of is not None and self._of.one_person

    @property
    def current(self) -> CaseRow | None:
        """The line of the active case, or None."""
        case = self._workspace.active
        return None if case is None else self.row_of(case)

    @property
    def in_hand(self) -> ReadingState | None:
        """The reading of the active case that is worked on: a review or the consensus while it is open, else one's own."""
        case, row, shown = self._workspace.active, self.current, self._workspace.reviewing.shown
        if case is not None and not case.read_only and shown is not None and shown.role is not Role.READER:
            return shown
        return None if row is None else self.who.reading(row)

    def row(self, case_id: int) -> CaseRow | None:
        """Return the line of a case, or None."""
        return next((row for row in self.rows if row.case_id == case_id), None)

    def row_of(self, case: OpenCase) -> CaseRow | None:
        """Return the line of an open case, or None while it is not on the list."""
        shape = case.entry.shape_kji
        same = [row for row in self._by_series.get(case.series.series_uid, ()) if row.shape_kji == shape]
        own = (row for row in same if any(one.reading_id == case.reading_id for one in row.readings))
        return next(own, None) or next(iter(same), None)

    def open_case(self, row: CaseRow) -> OpenCase | None:
        """Return the open case of a line, or None."""
        found = (case for case in self._workspace.cases.values() if case.series.series_uid == row.series_uid)
        return next((case for case in found if self.row_of(case) == row), None)

    def show(self, project: Project, listed: Listed) -> None:
        """Take over the list of a project as it was read."""
        self._take(listed.rows)
        self.rule, self.instructions, self.name = listed.rule, listed.instructions, listed.name
        self.lacking, self.reviewed = listed.lacking, listed.reviewed
        switched, self._of = project is not self._of, project
        readers = {one.reader for row in self.rows for one in row.readings}
        self.who = Who(project.reader, project.one_person or (project.read_only and len(readers) <= 1))
        if switched:
            self.merging.forget()
            self.agreeing.forget()
            self.importing.put_aside()
            self.wanted = replace(self.wanted, text="", which=Which.ALL)
        self.changed.emit()

    def put(self, changes: Iterable[tuple[CaseRow, ReadingState]]) -> None:
        """Show readings of cases as they will be once they are written, all at once."""
        changed = {}
        for row, after in changes:
            of = after.reading_id
            readings = tuple(after if one.reading_id == of else one for one in row.readings)
            changed[row.case_id] = replace(row, readings=readings)
        if changed:
            self._take(changed.get(row.case_id, row) for row in self.rows)
            self.changed.emit()

    def look_for(self, wanted: CaseFilter) -> None:
        """Look for other cases, or in another order."""
        if wanted != self.wanted:
            self.wanted, self._shown = wanted, None
            self.changed.emit()

    def following(self, after: int | None) -> CaseRow | None:
        """Return the next case to do behind one, in the order of the list and among those the search finds."""
        among = chosen(self.rows, replace(self.wanted, which=Which.ALL), self.who, self.rule)
        return next_open(among, self.who, self.rule, after)

    def open(self, case_id: int) -> None:
        """Open a case, in place of the one that was opened from the list before."""
        self.opener.open(case_id)

    def open_next(self) -> None:
        """Open the next case nobody has begun, or say that none is left."""
        row = self.following(self.current.case_id if self.current is not None else None)
        if row is not None:
            self.open(row.case_id)
        elif self.wanted.text:
            self._workspace.say(_("No other case that the search finds is left to do."))
        else:
            self._workspace.say(_("No other case is left to do."))

    def load(self) -> None:
        """Read the list of the project that is open."""
        self.opener.load()

    def reload(self) -> None:
        """Read the list again, where it was read before."""
        if self._of is not None:
            self.load()

    def let_go(self) -> None:
        """Get ready for the project to be closed: what waits is written at once.

        Raises
        ------
        MedViewError
            When it cannot be written.
        """
        if self._opener is not None:
            self._opener.let_go()
        self.time.note_all()
        self.changes.write_now()

    @property
    def opener(self) -> Opener:
        """Who reads the list and opens its cases; made when it is asked for the first time."""
        if self._opener is None:
            # It reads files and the database, whose libraries the window does not wait for.
            module = importlib.import_module("medview.workspace.operations.cases")
            self._opener = module.CaseOpener(self._workspace)
        assert self._opener is not None
        return self._opener

    def _on_forms(self) -> None:
        if self._workspace.forms.forms != self._forms:
            self._forms = self._workspace.forms.forms
            self.reload()

    def _take(self, rows: Iterable[CaseRow]) -> None:
        self.rows, self._shown, self._by_series = tuple(rows), None, {}
        for row in self.rows:
            self._by_series.setdefault(row.series_uid, []).append(row)

    def _on_labels(self, event: LabelsChanged) -> None:
        if event.changes and not event.by_itself and self.rows:
            case = self._workspace.cases.get(event.series_uid)
            row = self.row_of(case) if case is not None else None
            if row is not None:
                self.changes.begun(row)
