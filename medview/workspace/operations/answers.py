"""Answers as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.core.job import JobContext
from medview.core.language import _
from medview.workspace.answers_table import AnsweredCase, answer_records, write_answers
from medview.workspace.events import Severity
from medview.workspace.jobs import Job, Lane
from medview.workspace.operations.files import may_write
from medview.workspace.operations.writing import Written, noted, written
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ExportAnswers:
    """Request: answers in the format the name of the file asks for, a table or JSON.

    Attributes
    ----------
    records : tuple of dict
        As ``answer_records`` makes them.
    """

    path: Path
    records: tuple[dict[str, Any], ...]

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing answers")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, _context: JobContext) -> Written:
        """Write the file. Raises WriteError or DiskFullError."""
        write_answers(self.path, self.records)
        return Written(self.path)


def export_answers(workspace: Workspace, path: Path) -> Job | None:
    """Write the answers of the active case to a new file."""
    case = workspace.active
    if case is None:
        return None
    if not case.labels.answers:
        workspace.say(_("No question is answered yet."), Severity.WARNING)
        return None
    if not may_write(workspace, case, path):
        return None
    of = AnsweredCase("", case.volume.study_uid, case.volume.series_uid, case.labels)
    request = ExportAnswers(path, tuple(answer_records(of, workspace.forms.forms)))
    return workspace.runner.submit(noted(workspace, case, request, "answers"), written(workspace))
