"""Frozen descriptions of bringing copies of a project into it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from medview.core.errors import CancelledError, MedViewError
from medview.core.job import JobContext, JobPart
from medview.core.language import _
from medview.store.project import Project
from medview.store.recover import LoadedCase
from medview.workspace.jobs import Lane
from medview.workspace.merging import MergedCopy


@dataclass(frozen=True, slots=True)
class MergeCopies:
    """Request: take what is new in copies of a project into it, one after the other; each is a partial result."""

    project: Project
    others: tuple[Path, ...]
    lane: Lane = field(default=Lane.WRITE)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Merging copies into {name}").format(name=self.project.name)

    def run(self, context: JobContext) -> int:
        """Merge; a copy that cannot be taken leaves the project as it was and the next ones are taken all the same."""
        for number, other in enumerate(self.others):
            part = JobPart(context, number / len(self.others), (number + 1) / len(self.others))
            text = _("Merging {name}").format(name=other.name)

            def progress(fraction: float, part: JobPart = part, text: str = text) -> None:
                part.raise_if_cancelled()
                part.progress(fraction, text)

            progress(0.0)
            try:
                context.partial(MergedCopy(other.name, self.project.merge(other, progress)))
            except CancelledError:
                raise
            except MedViewError as error:
                context.partial(MergedCopy(other.name, problem=error.sentence))
        return len(self.others)


@dataclass(frozen=True, slots=True)
class ReadReadings:
    """Request: the labels of readings as they stand in a project now."""

    project: Project
    reading_ids: Collection[int]
    title: str = field(default=_("Reading the labels again"))
    lane: Lane = field(default=Lane.READ)

    def run(self, context: JobContext) -> dict[int, LoadedCase]:
        """Load each."""
        found: dict[int, LoadedCase] = {}
        for reading_id in self.reading_ids:
            context.raise_if_cancelled()
            found[reading_id] = self.project.load_reading(reading_id)
        return found
