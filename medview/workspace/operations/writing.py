"""What follows when something of a case was written to a file: it is said, and noted in the project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medview.core.errors import MedViewError
from medview.core.job import JobContext
from medview.core.language import _, in_language
from medview.workspace.events import Severity
from medview.workspace.jobs import Lane, Outcome, Request
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.project import Project


@dataclass(frozen=True, slots=True)
class Written:
    """Value: a file was written, and what the person has to know about it."""

    path: Path
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """Request: a file of a case is written, and the project's list of what was done says so.

    Attributes
    ----------
    write : Request
        Returns a Written.
    form : str
        What was written, as ``project export --format`` names it, or ``report``, ``key-images``, ``boxes``,
        ``answers``.
    """

    write: Request
    project: Project
    reading_id: int
    form: str

    @property
    def title(self) -> str:
        """What the person reads."""
        return self.write.title

    @property
    def lane(self) -> Lane:
        """As the writing."""
        return self.write.lane

    def run(self, context: JobContext) -> object:
        """Write; that it could not be noted is said beside what was written."""
        from medview.store.activity import ActivityKind

        value = self.write.run(context)
        if not isinstance(value, Written):
            return value
        try:
            self.project.activity.add(ActivityKind.EXPORTED, reading_id=self.reading_id, format=self.form, cases=1)
        except MedViewError as error:
            lost = _("The project could not note this export. {reason}").format(reason=in_language(error.sentence))
            return replace(value, notes=(*value.notes, lost))
        return value


def noted(workspace: Workspace, case: OpenCase, write: Request, form: str) -> Request:
    """Return a request that is noted in the project, where the case is kept in one that can be written."""
    project = workspace.services.project
    if project is None or project.read_only or case.reading_id is None:
        return write
    return Noted(write, project, case.reading_id, form)


def reader_of(workspace: Workspace, case: OpenCase) -> str:
    """Return who drew the labels of a case, for files that can say so; empty where no project knows."""
    project = workspace.services.project
    return case.reader or (project.reader if project is not None else "")


def written(workspace: Workspace) -> Outcome:
    """Say what was written, with its notes."""

    def done(value: object) -> None:
        if isinstance(value, Written):
            severity = Severity.WARNING if value.notes else Severity.INFO
            workspace.say(" ".join((_("Wrote {path}.").format(path=value.path), *map(in_language, value.notes))), severity)

    return Outcome(done, failed=workspace.report)
