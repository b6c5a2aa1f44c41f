"""What each reader answered, beside the consensus of a case; what all of them said alike is taken over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from medview.core.answer import Answer, AnswerKey, answer_to, standing
from medview.core.changes import AnswerChange, Command
from medview.core.form import Level
from medview.core.job import JobContext
from medview.core.language import _, plural
from medview.core.reading_status import Role
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.open_case import OpenCase

if TYPE_CHECKING:
    from medview.store.project import Project
    from medview.workspace.workspace import Workspace

ReadersAnswers = dict[str, dict[AnswerKey, Answer]]
"""By reader. Lesions are each reader's own, so only what was said of the study, the series and slices can be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadReadersAnswers:
    """Request: what every reader of a case answered."""

    project: Project
    reading_id: int
    title: str = _("Looking up what was answered")
    lane: Lane = Lane.COMPUTE

    def run(self, _context: JobContext) -> ReadersAnswers:
        """Read in a worker, once what waits is written."""
        states = [row.state for row in self.project.review.beside(self.reading_id)]
        readers = {one.reading_id: one.reader for one in states if one.role is Role.READER and one.worked_on}
        said = self.project.answers(readers)
        return {
            reader: {key: one for key, one in said.get(reading_id, {}).items() if one.target.level is not Level.LESION}
            for reading_id, reader in readers.items()
        }


class ReadersBook:
    """What readers answered of the cases whose consensus is open, by the number of the consensus."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._of: dict[int, ReadersAnswers] = {}

    def of(self, case: OpenCase) -> ReadersAnswers:
        """Return what readers answered where the consensus of a case is open and they were looked up; else nothing."""
        return self._of.get(case.reading_id or 0, {}) if self._is_consensus(case) else {}

    def look_up(self, case: OpenCase) -> None:
        """Have it looked up where the consensus of a case was just opened; ``forms.changed`` tells when it is there."""
        if not self._is_consensus(case):
            # They may go on before it is opened again.
            self._of.clear()
            return
        project, reading_id = self._workspace.services.project, case.reading_id
        if project is None or reading_id is None or reading_id in self._of:
            return
        self._of = {reading_id: {}}

        def done(value: object) -> None:
            if isinstance(value, dict) and reading_id in self._of:
                self._of[reading_id] = value
                self._workspace.forms.changed.emit()

        request = ReadReadersAnswers(project, reading_id)
        self._workspace.runner.submit(request, Outcome(done, failed=self._workspace.report))

    def words(self, case: OpenCase, key: AnswerKey) -> str:
        """Return what each reader answered to a question about a target: ``Ada: Left; Grace: Right``, or nothing."""
        said = self.of(case)
        found = {reader: answers[key].words for reader, answers in said.items() if key in answers}
        none = _("no answer")
        return "; ".join(f"{reader}: {found.get(reader, none)}" for reader in said) if found else ""

    def agreed(self, case: OpenCase) -> list[AnswerChange]:
        """Return what takes over the answers that two or more readers all gave alike and the consensus lacks."""
        said, mine = self.of(case), case.labels.answers
        if len(said) < 2:
            return []
        project = self._workspace.services.project
        by, now = "" if project is None else project.reader, datetime.now(UTC).isoformat(timespec="milliseconds")
        first, *others = said.values()
        changes: list[AnswerChange] = []
        for form, question in self._workspace.forms.asked_of(case):
            for key, answer in first.items():
                alike = all(key in given and _alike(answer, given[key]) for given in others)
                wanted = key[1] == question.uid and standing(question, answer).settled
                if wanted and alike and not standing(question, mine.get(key)).settled:
                    taken = answer_to(form, question, answer.target, answer.value, by, now)
                    changes.append(AnswerChange(mine.get(key), taken))
        return changes

    def take_agreed(self, case: OpenCase) -> int:
        """Take over what all readers answered alike, in one step; return how many answers that are."""
        changes = self.agreed(case)
        if not changes or not case.do(Command("Answers of all readers", tuple(changes), "form")):
            return 0
        said = plural("{n} answer was taken over.", "{n} answers were taken over.", len(changes))
        self._workspace.say(said.format(n=len(changes)), undo=True)
        return len(changes)

    def _is_consensus(self, case: OpenCase) -> bool:
        shown = self._workspace.reviewing.shown
        mine = shown is not None and case is self._workspace.active and shown.reading_id == case.reading_id
        return mine and shown is not None and shown.role is Role.CONSENSUS


def _alike(one: Answer, other: Answer) -> bool:
    if isinstance(one.value, tuple) and isinstance(other.value, tuple):
        return {option.uid for option in one.value} == {option.uid for option in other.value}
    if isinstance(one.value, str) and isinstance(other.value, str):
        return one.value.casefold() == other.value.casefold()
    return (one.value, one.unit) == (other.value, other.unit)
