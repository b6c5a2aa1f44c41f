"""Frozen descriptions of comparing the readers of a project."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from medview.analysis.agreement.segments import Conventions
from medview.core.errors import StoreError
from medview.core.job import JobContext
from medview.core.language import _, plural
from medview.core.reading_status import ReadingStatus
from medview.store.cases import CaseRow
from medview.store.project import Project
from medview.workspace.agreeing import Pair
from medview.workspace.agreement_files import write_agreement
from medview.workspace.jobs import Lane
from medview.workspace.project_agreement import ProjectAgreement, project_agreement

_FINISHED = (ReadingStatus.DONE, ReadingStatus.APPROVED)


@dataclass(frozen=True, slots=True)
class CompareReaders:
    """Request: how far readers go together over the cases of a project.

    Attributes
    ----------
    pairs : tuple of Pair, or None
        All pairs of readers where none are given.
    """

    project: Project
    pairs: tuple[Pair, ...] | None
    conventions: Conventions
    lane: Lane = field(default=Lane.COMPUTE)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Comparing the readers of {name}").format(name=self.project.name)

    def run(self, context: JobContext) -> ProjectAgreement:
        """Compare on a copy: labelling goes on meanwhile.

        Raises
        ------
        StoreError
            When there is nothing to compare.
        """
        project = self.project
        if not project.journal.flush():
            raise StoreError(f"Changes of {project.path.name} are not saved yet; readers can be compared once they are.")
        rows = project.cases()
        blinded = project.worklist.reading_rule().blinded
        hidden = {row.case_id for row in rows if blinded and _is_hidden(row, project.reader)}
        context.raise_if_cancelled()
        found = project_agreement(project.path, self.pairs, context, self.conventions, hidden)
        if not hidden:
            return found
        text = plural(
            "{n} case is left out: your own labels of it are not done, and readers are blinded.",
            "{n} cases are left out: your own labels of them are not done, and readers are blinded.",
            len(hidden),
        )
        return replace(found, warnings=(text.format(n=len(hidden)), *found.warnings))


def _is_hidden(row: CaseRow, reader: str) -> bool:
    """Whether somebody is still at work on a case that others read too: figures would tell what those drew."""
    own = row.of(reader)
    at_work = own is not None and own.worked_on and own.status not in _FINISHED and not row.excluded
    return at_work and sum(one.worked_on for one in row.readings) > 1


@dataclass(frozen=True, slots=True)
class WriteAgreement:
    """Request: the tables of an agreement as files in a folder."""

    found: ProjectAgreement
    folder: Path
    title: str = field(default=_("Writing the agreement"))
    lane: Lane = field(default=Lane.WRITE)

    def run(self, _context: JobContext) -> tuple[Path, tuple[str, ...]]:
        """Write; return the folder and the names of the files."""
        return self.folder, tuple(write_agreement(self.found, self.folder, overwrite=False))
