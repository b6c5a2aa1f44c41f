"""Frozen descriptions of writing a project out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medview.core.errors import MedViewError
from medview.core.job import JobContext
from medview.core.language import _
from medview.io.reader_pool import Pool
from medview.store.project import Project
from medview.workspace.export_selection import ExportRun
from medview.workspace.exporting import Exported, export_as, note_export, told_before
from medview.workspace.jobs import Lane


@dataclass(frozen=True, slots=True)
class SayLosses:
    """Request: what is left out when a project is written in a format."""

    project: Project
    form: ExportRun
    pool: Pool
    lane: Lane = field(default=Lane.READ)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Looking at what would be written")

    def run(self, context: JobContext) -> tuple[str, ...]:
        """Look at a copy: labelling goes on meanwhile."""
        self.project.journal.flush()
        with Project.open(self.project.path, read_only=True) as copy:
            return told_before(self.form, copy, context, self.pool)


@dataclass(frozen=True, slots=True)
class ExportDone:
    """Value: what was written, and why the project could not note it, or nothing."""

    exported: Exported
    output: Path
    not_noted: str = ""


@dataclass(frozen=True, slots=True)
class ExportProject:
    """Request: a project written in a format."""

    project: Project
    form: ExportRun
    output: Path
    pool: Pool
    lane: Lane = field(default=Lane.WRITE)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Exporting {name}").format(name=self.project.name)

    def run(self, context: JobContext) -> ExportDone:
        """Write from a copy, then note it in the project itself."""
        self.project.journal.flush()
        with Project.open(self.project.path, read_only=True) as copy:
            exported = export_as(self.form, copy, self.output, context, self.pool, _silent)
        try:
            note_export(self.project, exported)
        except MedViewError as error:
            return ExportDone(exported, self.output, error.sentence)
        return ExportDone(exported, self.output)


def _silent(_sentences: Sequence[str]) -> None:
    """The person has read them in the dialog."""
