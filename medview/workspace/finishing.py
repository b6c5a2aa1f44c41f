"""Saying that the open case is done: once with a word about what is unanswered, then all the same."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from medview.core.answer import AnswerKey
from medview.core.language import _, plural
from medview.core.reading_status import ReadingStatus
from medview.workspace.answering import go_to_missing
from medview.workspace.asked import missing_now
from medview.workspace.events import Message, Severity, WayOut

if TYPE_CHECKING:
    from medview.workspace.case_list import CaseList
    from medview.workspace.workspace import Workspace


class Finishing:
    """Where required questions are unanswered, the first wish says so, with a way there; the second one is carried out."""

    def __init__(self, workspace: Workspace, cases: CaseList) -> None:
        self._workspace, self._cases = workspace, cases
        self._warned: tuple[str, frozenset[AnswerKey]] | None = None
        self._told: Message | None = None
        workspace.active_changed.connect(self._forget)

    def finish(self) -> bool:
        """Mark what is worked on of the open case done; False where it is not, or something was said instead."""
        case, row = self._workspace.active, self._cases.current
        if case is None or row is None:
            return False
        missing = frozenset((one.target.key, one.question.uid) for one in missing_now(self._workspace, case))
        known = self._warned[1] if self._warned is not None and self._warned[0] == case.key else frozenset()
        # Who answered some of them and left the others was told of those, too.
        if missing - known and not self._cases.changes.refusal:
            self._warned = case.key, missing
            self._warn(len(missing))
            return False
        self._forget()
        return self._cases.changes.set_status(row, ReadingStatus.DONE, self._cases.in_hand)

    def _warn(self, count: int) -> None:
        text = plural(
            "{n} required question is unanswered. Say once more that the case is done to leave it so.",
            "{n} required questions are unanswered. Say once more that the case is done to leave them so.",
            count,
        )
        way = WayOut(_("Go there"), _("Shows the first of them in the form"), partial(go_to_missing, self._workspace))
        self._told = self._workspace.say(text.format(n=count), Severity.WARNING, way_out=way)

    def _forget(self) -> None:
        self._warned = None
        if self._told is not None:
            self._workspace.unsay(self._told)
            self._told = None
