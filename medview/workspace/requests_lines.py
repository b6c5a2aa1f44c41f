"""Frozen descriptions of what is done with the model lines of the open project."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from medview.core.job import JobContext
from medview.core.language import _
from medview.store.project import Project
from medview.workspace.jobs import Lane
from medview.workspace.model_line import ModelLines, ModelVersion
from medview.workspace.training.line_of_run import take_run
from medview.workspace.training.line_view import LineView, line_views


@dataclass(frozen=True, slots=True, eq=False)
class ReadLines:
    """Request: the model lines of the open project."""

    project: Project
    lane: Lane = field(default=Lane.FOLLOW)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading the versions of the models")

    def run(self, _context: JobContext) -> tuple[LineView, ...]:
        """Read them. Raises StoreError."""
        return line_views(ModelLines(self.project))


@dataclass(frozen=True, slots=True, eq=False)
class TakeRun:
    """Request: the model of a finished training taken into the project as a version."""

    project: Project
    path: Path
    lane: Lane = field(default=Lane.TRAIN)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Taking the model of {name} in").format(name=self.path.name)

    def run(self, context: JobContext) -> ModelVersion:
        """Take it; where another version counts by now both are compared first. Raises MedViewError."""
        return take_run(ModelLines(self.project), self.project, self.path, context)


@dataclass(frozen=True, slots=True, eq=False)
class UseVersion:
    """Request: another version of a line counts from now on, because a person says so.

    Attributes
    ----------
    version : int or None
        None goes back to the one that counted before.
    """

    project: Project
    line: str
    version: int | None
    lane: Lane = field(default=Lane.FOLLOW)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Choosing a version")

    def run(self, _context: JobContext) -> ModelVersion:
        """Write it down. Raises MedViewError."""
        lines = ModelLines(self.project)
        if self.version is None:
            return lines.roll_back(self.line)
        return lines.choose(self.line, self.version)
