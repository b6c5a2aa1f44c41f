"""How far the readers of the open project go together: whom to compare, and what came of it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from psygnal import Signal

from medview.analysis.agreement.segments import Conventions
from medview.core.language import _
from medview.core.reading_status import Role
from medview.workspace.reader_names import CONSENSUS, corrected, readings_by_name

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.cases import CaseRow
    from medview.workspace.jobs import Job
    from medview.workspace.project_agreement import ProjectAgreement
    from medview.workspace.workspace import Workspace

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Readers who can be compared.

    Attributes
    ----------
    pairs : tuple of Pair, or None
        The first of each is the reference; None for all pairs of readers.
    """

    title: str
    pairs: tuple[Pair, ...] | None = None


class Agreeing:
    """What was compared last stays until the readers, the conventions or the project are others.

    Attributes
    ----------
    chosen : Comparison
        Who is compared.
    conventions : Conventions
        Tolerance and overlap.
    found : ProjectAgreement or None
        Of ``chosen`` and ``conventions``.
    job : Job or None
        While readers are being compared.
    problem : str
        Why there is nothing to show, or empty.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.chosen = Comparison(_("All pairs of readers"))
        self.conventions = Conventions()
        self.found: ProjectAgreement | None = None
        self.job: Job | None = None
        self.problem = ""

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Who can be compared in the project that is open."""
        cases = self._workspace.worklist
        return comparisons(cases.rows, cases.reviewed)

    def choose(self, chosen: Comparison) -> None:
        """Compare others from now on."""
        if chosen != self.chosen:
            self.chosen = chosen
            self._put_off()

    def use(self, conventions: Conventions) -> None:
        """Compare by other conventions from now on."""
        if conventions != self.conventions:
            self.conventions = conventions
            self._put_off()

    def compare(self) -> None:
        """Have it worked out."""
        self._operations().compare_readers(self._workspace)

    def cancel(self) -> None:
        """Stop."""
        if self.job is not None:
            self.job.cancel()

    def export(self, folder: Path) -> None:
        """Have the tables written into a new folder in this one."""
        self._operations().export_agreement(self._workspace, folder)

    def forget(self) -> None:
        """Another project is open."""
        self.chosen = Comparison(_("All pairs of readers"))
        self._put_off()

    def is_at(self, job: Job | None, problem: str = "") -> None:
        """Say which job compares, or why none does."""
        self.job, self.problem = job, problem
        self.changed.emit()

    def show(self, found: ProjectAgreement) -> None:
        """Take over what came of it."""
        self.found, self.job, self.problem = found, None, ""
        self.changed.emit()

    def _put_off(self) -> None:
        self.cancel()
        self.found, self.job, self.problem = None, None, ""
        self.changed.emit()

    def _operations(self) -> ModuleType:
        return importlib.import_module("medview.workspace.operations.agreement")


def comparisons(rows: Iterable[CaseRow], reviewed: Mapping[int, int]) -> tuple[Comparison, ...]:
    """Return who can be compared over some cases: all readers, the consensus with each of them, any two, and reviews.

    Parameters
    ----------
    reviewed : mapping of int to int
        As in ``readings_by_name``.
    """
    roles: dict[str, Role] = {}
    for row in rows:
        for name, state in readings_by_name(row, reviewed).items():
            roles.setdefault(name, state.role)
    readers = [name for name, role in roles.items() if role is Role.READER]
    found = [Comparison(_("All pairs of readers"))]
    first: list[Pair] = []
    if CONSENSUS in roles:
        first = [(CONSENSUS, name) for name in readers]
        found.append(Comparison(_("Consensus with each reader"), tuple(first)))
    pairs = [*first, *combinations(readers, 2), *((name, corrected(name)) for name in readers if corrected(name) in roles)]
    found += [Comparison(f"{_title(one)} / {_title(other)}", ((one, other),)) for one, other in pairs]
    return tuple(found)


def _title(name: str) -> str:
    return _("Consensus") if name == CONSENSUS else name
