"""Brings what models of the queue found to the cases: to those that are open, else into the project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from medview.core.changes import Change, Command, ProposalChange
from medview.core.errors import MedViewError
from medview.core.prediction import Proposal
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.workspace.jobs import Outcome
from medview.workspace.open_case import case_key
from medview.workspace.operations.labels import propose, told_apart
from medview.workspace.queue import TaskState
from medview.workspace.requests_queue import ReadProposals, ReadVolume, StoredProposals
from medview.workspace.workspace import Workspace

Ended = Callable[[str, TaskState, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a model found, on its way to its case.

    Attributes
    ----------
    stored : StoredProposals or None
        What the project knew of the case when it was read; None where it was open.
    sentence : str
        For the task once it is done.
    """

    task_uid: str
    read: ReadVolume
    proposal: Proposal
    stored: StoredProposals | None
    sentence: str

    @property
    def key(self) -> str:
        """Of the case."""
        return case_key(self.read.series, self.read.entry)


class QueueResults:
    """Parameters are the workspace and who is told how a task ended: its uid, state and sentence."""

    def __init__(self, workspace: Workspace, ended: Ended) -> None:
        self._workspace, self._ended = workspace, ended
        self._held: list[Result] = []
        self._opened_since: set[str] = set()
        workspace.cases_changed.connect(self._on_cases)

    def read(self, key: str) -> None:
        """Note that what the project knows of a case was read just now."""
        if key not in self._workspace.cases:
            self._opened_since.discard(key)

    def deliver_held(self) -> None:
        """Bring what waited for a series to arrive."""
        held, self._held = self._held, []
        for result in held:
            self.deliver(result)

    def deliver(self, result: Result) -> None:
        """Put a proposal up where the case is open, else into the project; it waits while the case is opened or held."""
        key, found = result.key, not result.proposal.empty
        case, project = self._workspace.cases.get(key), self._project
        if key in self._workspace.opening or (case is not None and (case.reading or case.held)):
            self._held.append(result)
            return
        try:
            if case is not None:
                if case.read_only and found:
                    # It would be on the picture, and gone with it.
                    raise MedViewError(case.read_only)
                propose(case, result.proposal)
            elif project is None and found:
                raise MedViewError("The project can no longer be written, so what the model found is lost; retry it.")
            elif project is not None and (result.stored is None or key in self._opened_since):
                self._look_again(project, result)
                return
            elif project is not None and result.stored is not None:
                note(project, result.stored, result.proposal)
        except MedViewError as error:
            self._ended(result.task_uid, TaskState.FAILED, error.sentence)
            return
        self._ended(result.task_uid, TaskState.DONE, result.sentence)

    @property
    def _project(self) -> Project | None:
        project = self._workspace.services.project
        return None if project is None or project.read_only else project

    def _look_again(self, project: Project, result: Result) -> None:
        """Ask the project what it knows of the case now: it was open meanwhile, and somebody may have drawn in it."""
        self._opened_since.discard(result.key)

        def known(value: object) -> None:
            if isinstance(value, StoredProposals):
                self.deliver(replace(result, stored=value))

        def failed(error: MedViewError) -> None:
            self._ended(result.task_uid, TaskState.FAILED, error.sentence)

        cancelled = partial(self._ended, result.task_uid, TaskState.CANCELLED, "")
        self._workspace.runner.submit(
            ReadProposals(project, result.read), Outcome(known, failed=failed, cancelled=cancelled)
        )

    def _on_cases(self) -> None:
        self._opened_since.update(self._workspace.cases)


def note(project: Project, stored: StoredProposals, proposal: Proposal) -> None:
    """Put a proposal into the journal of a case that is not open, in place of an earlier one of its model.

    An empty one is not put in: the earlier one gives way to nothing.
    """
    earlier = [one for one in stored.proposals.values() if one.model_id == proposal.model_id]
    parts = told_apart(proposal, stored.proposals.values(), stored.colours)
    changes: list[Change] = [
        *(ProposalChange(one, None) for one in earlier),
        *(ProposalChange(None, one) for one in reversed(parts)),
    ]
    if not changes:
        return
    command = Command(f"Run {proposal.prediction.model_name}", tuple(changes), "predict")
    project.journal.append(stored.reading_id, Entry(EntryKind.NOTE, command, stored.revision))
    for one in earlier:
        del stored.proposals[one.proposal_id]
    for one in parts:
        stored.proposals[one.proposal_id] = one
