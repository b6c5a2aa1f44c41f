"""What is said of cases: how far they are, which are left out, what annotators are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from medview.core.errors import MedViewError
from medview.core.language import _, plural
from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import ReadingStatus, Role
from medview.workspace.case_words import STATUS, case_title
from medview.workspace.case_writing import Waiting, Write, WriteCases
from medview.workspace.events import Severity
from medview.workspace.jobs import Outcome
from medview.workspace.review_words import who_text

if TYPE_CHECKING:
    from medview.store.cases import CaseRow
    from medview.store.project import Project
    from medview.store.reading_state import ReadingState
    from medview.workspace.case_list import CaseList
    from medview.workspace.workspace import Workspace


class CaseChanges:
    """Everything goes into the project in a job, in order; a project that is only read refuses and says why."""

    def __init__(self, workspace: Workspace, cases: CaseList) -> None:
        self._workspace, self._cases = workspace, cases
        self._waiting = Waiting()

    @property
    def refusal(self) -> str:
        """Why nothing can be changed, or empty."""
        services = self._workspace.services
        if services.project is None:
            return services.project_problem or _("No project is open.")
        return services.project.read_only_reason

    def set_status(self, row: CaseRow, status: ReadingStatus, reading: ReadingState | None = None) -> bool:
        """Say how far a reading of a case is; False where that cannot be kept.

        Parameters
        ----------
        reading : ReadingState, optional
            That of whoever works here unless given.
        """
        if self._is_refused():
            return False
        reading = reading or self._cases.who.reading(row)
        self._say_status(((row, reading),), status)
        title = case_title(row, hidden=self._workspace.bench.identity_hidden)
        if reading is not None and reading.role is not Role.READER:
            title = _("{title}, {whose}").format(title=title, whose=who_text(reading))
        text = _("{title}: {status}.").format(title=title, status=STATUS[status])
        self._workspace.say(text)
        return True

    def set_statuses(self, rows: Sequence[CaseRow], status: ReadingStatus) -> None:
        """Say how far whoever works here is with cases, all at once."""
        if len(rows) == 1:
            self.set_status(rows[0], status)
        elif rows and not self._is_refused():
            self._say_status([(row, self._cases.who.reading(row)) for row in rows], status)
            text = plural("{n} case: {status}.", "{n} cases: {status}.", len(rows))
            self._workspace.say(text.format(n=len(rows), status=STATUS[status]))

    def begun(self, row: CaseRow) -> None:
        """Show that somebody has begun to label a case; the journal notes it by itself."""
        reading = self._cases.who.reading(row)
        if reading is not None and reading.status is ReadingStatus.TO_DO and not self.refusal:
            self._cases.put([(row, replace(reading, status=ReadingStatus.IN_WORK))])

    def exclude(self, case_ids: Sequence[int], reason: str) -> None:
        """Leave cases out for a reason; their labels stay."""
        if case_ids and not self._is_refused():
            self._write(partial(_exclude, tuple(case_ids), reason))
            n = len(case_ids)
            text = plural("{n} case is left out; its labels stay.", "{n} cases are left out; their labels stay.", n)
            self._workspace.say(text.format(n=n))

    def include(self, case_ids: Sequence[int]) -> None:
        """Take cases in again that were left out."""
        if case_ids and not self._is_refused():
            self._write(partial(_include, tuple(case_ids)))

    def set_split(self, case_ids: Sequence[int], split: str) -> None:
        """Say which part of a dataset cases belong to."""
        if case_ids and not self._is_refused():
            self._write(partial(_set_split, tuple(case_ids), split))

    def put_first(self, case_ids: Sequence[int]) -> None:
        """Put cases first in the list, in this order."""
        if not case_ids or self._is_refused():
            return
        before = next((row.case_id for row in self._cases.rows if row.case_id not in case_ids), None)
        self._write(partial(_move, tuple(case_ids), before))
        text = plural("{n} case stands first in the list now.", "{n} cases stand first in the list now.", len(case_ids))
        self._workspace.say(text.format(n=len(case_ids)))

    def tell(self, instructions: str) -> None:
        """Say what annotators are told, in Markdown."""
        if instructions != self._cases.instructions and not self._is_refused():
            self._write(partial(_tell, instructions))

    def use_rule(self, rule: ReadingRule) -> None:
        """Say who reads which case."""
        if rule != self._cases.rule and not self._is_refused():
            self._write(partial(_use_rule, rule))

    def write(self, change: Write) -> None:
        """Have something written that nobody asked for, as time that was spent; without a project nothing is."""
        if not self.refusal:
            self._write(change)

    def write_now(self) -> None:
        """Write what waits at once. Raises MedViewError."""
        project = self._workspace.services.project
        if project is not None and not self._waiting.empty:
            self._waiting.write(project)

    def _is_refused(self) -> bool:
        if self.refusal:
            self._workspace.say(self.refusal, Severity.WARNING)
        return bool(self.refusal)

    def _write(self, change: Write, then: Callable[[], None] = lambda: None) -> None:
        project = self._workspace.services.project
        if project is None:
            return

        def done(_value: object) -> None:
            self._cases.reload()
            then()

        self._waiting.add(change)
        outcome = Outcome(done, failed=self._on_unwritten)
        self._workspace.runner.submit(WriteCases(project, self._waiting), outcome)

    def _say_status(self, of: Sequence[tuple[CaseRow, ReadingState | None]], status: ReadingStatus) -> None:
        """Show and write how far readings are; those of cases that nobody here has begun are begun."""
        self._cases.put([(row, replace(reading, status=status)) for row, reading in of if reading is not None])
        for _row, reading in of:
            if reading is not None:
                self._workspace.reviewing.put(reading.reading_id, status)
        said = tuple((row.case_id, None if reading is None else reading.reading_id) for row, reading in of)
        self._write(partial(_set_statuses, said, status), self._after_status)

    def _after_status(self) -> None:
        self._workspace.reviewing.refresh()
        # What correcting took counts once a case is done.
        self._workspace.efforts.read()

    def _on_unwritten(self, error: MedViewError) -> None:
        self._workspace.report(error)
        self._cases.reload()


def _set_statuses(said: Sequence[tuple[int, int | None]], status: ReadingStatus, project: Project) -> None:
    """Write how far readings of cases are; one without a number is begun."""
    for case_id, reading_id in said:
        if reading_id is None:
            images = project.worklist.images(case_id)
            reading_id = project.reading(images.key, images.geometry, images.sources).reading_id
        project.set_status(reading_id, status)


def _exclude(case_ids: Sequence[int], reason: str, project: Project) -> None:
    project.worklist.exclude(case_ids, reason)


def _include(case_ids: Sequence[int], project: Project) -> None:
    project.worklist.include(case_ids)


def _set_split(case_ids: Sequence[int], split: str, project: Project) -> None:
    project.worklist.set_split(case_ids, split)


def _move(case_ids: Sequence[int], before: int | None, project: Project) -> None:
    project.worklist.move(case_ids, before)


def _tell(instructions: str, project: Project) -> None:
    project.worklist.keep_instructions(instructions)


def _use_rule(rule: ReadingRule, project: Project) -> None:
    project.worklist.keep_reading_rule(rule)
