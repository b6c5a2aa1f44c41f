"""What is looked up of answers away from the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medview.core.answer import STUDY, Answer
from medview.core.form import Forms
from medview.core.job import JobContext
from medview.core.language import _
from medview.workspace.jobs import Lane

if TYPE_CHECKING:
    from medview.store.project import Project


@dataclass(frozen=True, slots=True, eq=False)
class ReadAnswers:
    """Request: what was answered in each reading of a project."""

    project: Project
    title: str = _("Looking up what was answered")
    lane: Lane = Lane.COMPUTE

    def run(self, _context: JobContext) -> tuple[tuple[Answer, ...], ...]:
        """Read in a worker, once what waits is written."""
        return tuple(tuple(answers.values()) for answers in self.project.answers().values())


@dataclass(frozen=True, slots=True)
class SaidOfStudy:
    """Value: an answer about a study, and the series it was given on."""

    series_uid: str
    description: str
    answer: Answer


@dataclass(frozen=True, slots=True, eq=False)
class ReadStudyAnswers:
    """Request: what the reader said of a study on any of its series; what others said of it stays theirs."""

    project: Project
    study_uid: str
    title: str = _("Looking up what was answered")
    lane: Lane = Lane.COMPUTE

    def run(self, _context: JobContext) -> tuple[SaidOfStudy, ...]:
        """Read in a worker, once what waits is written."""
        project = self.project
        rows = [row for row in project.cases() if row.study_uid == self.study_uid]
        mine = {
            state.reading_id: row
            for row in rows
            for state in row.readings
            if state.reader == project.reader or project.one_person
        }
        said = project.answers(mine) if mine else {}
        return tuple(
            SaidOfStudy(mine[reading_id].series_uid, mine[reading_id].description, answer)
            for reading_id, answers in said.items()
            for answer in answers.values()
            if answer.target.key == STUDY.key
        )


@dataclass(frozen=True, slots=True, eq=False)
class CountMissing:
    """Request: how many required answers each reading of a project lacks."""

    project: Project
    forms: Forms
    title: str = _("Looking up what was answered")
    lane: Lane = Lane.COMPUTE

    def run(self, _context: JobContext) -> dict[int, int]:
        """Read in a worker, once what waits is written."""
        # Late: the database library is imported when a project is opened.
        from medview.workspace.project_forms import missing_by_reading

        return missing_by_reading(self.project, self.forms)
