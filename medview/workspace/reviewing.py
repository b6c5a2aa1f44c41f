"""The readings of the open case: whose labels are shown, what reviewers said of them, and what several readers come to."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from medview.core.language import _
from medview.core.reading_rule import ReadingRule
from medview.core.reading_status import ReadingStatus, Role
from medview.workspace.events import LabelsChanged, Severity

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.reading_state import ReadingState
    from medview.store.review_book import ReviewComment
    from medview.workspace.open_case import OpenCase
    from medview.workspace.workspace import Workspace

FINISHED = frozenset({ReadingStatus.DONE, ReadingStatus.APPROVED})
_APPROVALS = {Role.REVIEW: "approve_edit", Role.CONSENSUS: "approve_consensus"}
"""What is said of a reading that is no reader's own."""


@dataclass(frozen=True, slots=True)
class CaseReview:
    """The readings of a case as they were read from the project last.

    Attributes
    ----------
    case_key : str
        Of the open case.
    own : int
        Number of the reading of whoever works here; 0 for none.
    readings : tuple of ReadingState
        Oldest first, empty ones of others left out.
    comments : tuple of ReviewComment
        Oldest first.
    gone_on : mapping of int to sequence of str
        Who went on after a consensus was last worked on, by number of the consensus.
    reviewed : mapping of int to int
        The reading that each review is of.
    """

    case_key: str
    case_id: int
    own: int
    readings: tuple[ReadingState, ...]
    comments: tuple[ReviewComment, ...]
    rule: ReadingRule
    gone_on: Mapping[int, Sequence[str]] = field(default_factory=dict)
    reviewed: Mapping[int, int] = field(default_factory=dict)

    def reading(self, reading_id: int) -> ReadingState | None:
        """Return a reading by its number."""
        return next((one for one in self.readings if one.reading_id == reading_id), None)

    def why_hidden(self, reading_id: int) -> str:
        """Return why the labels of a reading, and what was said of them, are not shown; empty where they are."""
        own = self.reading(self.own)
        if not self.rule.blinded or reading_id == self.own or own is None:
            return ""
        if own.worked_on and own.status not in FINISHED:
            return _("What others labelled is shown once your own labels of this case are marked as done.")
        return ""


class Hands(Protocol):
    """Who carries out what is asked here."""

    def load(self, case: OpenCase) -> None:
        """Read the readings of a case."""

    def look_at(self, case: OpenCase, reading_id: int) -> None:
        """Show the labels of a reading, to be looked at."""

    def go_back(self, case: OpenCase) -> None:
        """Show one's own labels again."""

    def edit(self, case: OpenCase, reading_id: int) -> None:
        """Go on, as a reviewer, from the labels of a reading."""

    def say(self, case: OpenCase, what: str, reading_id: int, text: str) -> None:
        """Approve, send back or comment on a reading."""

    def adjudicate(self, case: OpenCase) -> None:
        """Open the consensus with what each reader labelled beside it."""

    def propose(self, case: OpenCase, method: str) -> None:
        """Put up what several readers come to by a rule."""

    def side_by_side(self, case: OpenCase) -> None:
        """Show the labels of all readers in panes of their own."""


class Reviewing:
    """What can be asked about the readings of the active case."""

    changed = Signal()
    """Other readings or comments are there, or others are shown."""
    comment_wanted = Signal()
    """Somebody wants to say why labels are sent back."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._hands: Hands | None = None
        self.state: CaseReview | None = None
        self._ending = 0
        """Number of the reading whose approval ends with a change that is being made."""
        workspace.active_changed.connect(self.refresh)
        workspace.labels_changed.connect(self._on_labels)
        workspace.case_closing.connect(self._on_closing)

    @property
    def wanted(self) -> bool:
        """Whether there is anything to be shown beside one's own labels."""
        state = self.state
        return state is not None and (bool(state.comments) or any(one.reading_id != state.own for one in state.readings))

    @property
    def shown(self) -> ReadingState | None:
        """The reading whose labels are on the active case."""
        case, state = self._workspace.active, self.state
        return None if case is None or state is None or case.reading_id is None else state.reading(case.reading_id)

    def refresh(self) -> None:
        """Read the readings of the active case anew."""
        case = self._workspace.active
        if case is not None and case.reader:
            # A pane beside: what is known is that of the case it stands beside.
            self._for_case(self.hands.load)
            self.changed.emit()
            return
        # A case that is kept nowhere may be open without any services.
        project = None if case is None or case.reading_id is None else self._workspace.services.project
        if case is None or project is None or project.one_person or project.read_only:
            self.show(None)
            return
        if self.state is not None and self.state.case_key != case.key:
            self.show(None)
        self.hands.load(case)

    def show(self, state: CaseReview | None) -> None:
        """Take over what was read."""
        self.state = state
        self.changed.emit()

    def put(self, reading_id: int, status: ReadingStatus) -> None:
        """Show how far a reading will be once it is written."""
        if self.state is not None and self.state.reading(reading_id) is not None:
            readings = self.state.readings
            changed = (replace(one, status=status) if one.reading_id == reading_id else one for one in readings)
            self.show(replace(self.state, readings=tuple(changed)))

    def look_at(self, reading_id: int) -> None:
        """Show the labels of a reading on the active case: one's own to go on with, those of others to be looked at."""
        state = self.state
        if state is not None and reading_id == state.own:
            self._for_case(lambda case: self.hands.go_back(case))
        elif self._may_see(reading_id):
            self._for_case(lambda case: self.hands.look_at(case, reading_id))

    def look_at_next(self, step: int = 1) -> None:
        """Show the labels of the next reading of the case."""
        state, shown = self.state, self.shown
        if state is None or not state.readings:
            return
        order = [one.reading_id for one in state.readings]
        at = order.index(shown.reading_id) if shown is not None else -1
        self.look_at(order[(at + step) % len(order)])

    def edit(self) -> None:
        """Go on from the labels that are shown, as a reviewer: the reader's own stay as they are."""
        shown = self._others()
        if shown is not None:
            self._for_case(lambda case: self.hands.edit(case, shown.reading_id))

    def approve(self) -> None:
        """Say that the labels shown are good: a reader's, as drawn or as corrected in a review, or the consensus."""
        shown, case = self.shown, self._workspace.active
        what = _APPROVALS.get(shown.role) if shown is not None else None
        if shown is not None and case is not None and what is not None:
            self.hands.say(case, what, shown.reading_id, "")
        else:
            self._say("approve", "")

    def send_back(self, text: str) -> None:
        """Ask for the labels that are shown to be worked on again; the comment is pinned to where the crosshair is."""
        self._say("send_back", text)

    def comment(self, text: str) -> None:
        """Say something of the labels that are shown, at the place of the crosshair."""
        self._say("comment", text)

    def go_to(self, comment: ReviewComment) -> None:
        """Look at the place a comment is pinned to."""
        case = self._workspace.active
        if case is None or comment.pin is None:
            return
        shape = case.volume.geometry.shape_kji
        k, j, i = (min(max(n, 0), size - 1) for n, size in zip(comment.pin.index_kji, shape, strict=True))
        case.view.focus_kji = None
        case.view.crosshair_kji = (k, j, i)

    def adjudicate(self) -> None:
        """Open the consensus of the case, with what each reader labelled as a proposal on it."""
        state = self.state
        if state is not None and self._may_see(0):
            self._for_case(lambda case: self.hands.adjudicate(case))

    def side_by_side(self) -> None:
        """Show the labels of all readers in panes beside the case, which scroll together."""
        if self.state is not None and self._may_see(0):
            self._for_case(lambda case: self.hands.side_by_side(case))

    def propose(self, method: str) -> None:
        """Put up what the readers come to by a rule: ``majority`` or ``staple``; for the consensus that is shown."""
        shown = self.shown
        if shown is None or shown.role is not Role.CONSENSUS:
            self._workspace.say(_("Open the consensus of this case first."), Severity.WARNING)
            return
        self._for_case(lambda case: self.hands.propose(case, method))

    @property
    def hands(self) -> Hands:
        """Who carries it out; made when it is asked for the first time, since it knows the database."""
        if self._hands is None:
            module = importlib.import_module("medview.workspace.operations.reviewing")
            self._hands = module.ReviewHands(self._workspace)
        assert self._hands is not None
        return self._hands

    def _say(self, what: str, text: str) -> None:
        shown, case = self._others(), self._workspace.active
        if shown is not None and case is not None:
            # Of the pane that is looked at: its crosshair is the place.
            self.hands.say(case, what, shown.reading_id, text)

    def _others(self) -> ReadingState | None:
        """Return the reading that is shown, or say that it is one's own."""
        shown, state = self.shown, self.state
        if shown is None or state is None:
            return None
        if shown.reading_id == state.own or shown.role is not Role.READER:
            self._workspace.say(_("Look at the labels of another reader first."), Severity.WARNING)
            return None
        return shown

    def _may_see(self, reading_id: int) -> bool:
        why = "" if self.state is None else self.state.why_hidden(reading_id)
        if why:
            self._workspace.say(why, Severity.WARNING)
        return self.state is not None and not why

    def _for_case(self, do: Callable[[OpenCase], None]) -> None:
        case = self._workspace.cases.get(self.state.case_key) if self.state is not None else None
        if case is not None:
            do(case)

    def _on_closing(self, case: OpenCase) -> None:
        # What stands beside a case goes with it.
        if not case.reader:
            beside = [one.key for one in self._workspace.cases.values() if one.reader and one.volume is case.anchor.volume]
            for key in beside:
                self._workspace.close_case(key)

    def _end_approval(self, case: OpenCase) -> None:
        """Say once that what was approved is no longer so, and read how it stands once the change is kept."""
        shown = self.shown
        approved = shown is not None and shown.status is ReadingStatus.APPROVED and shown.reading_id == case.reading_id
        if shown is None or not approved or case.record is None or self._ending == shown.reading_id:
            return
        self._ending = shown.reading_id
        self._workspace.say(_("These labels were approved; changed, they have to be approved again."), Severity.WARNING)

        def again() -> None:
            self._ending = 0
            self._workspace.worklist.reload()
            self.refresh()

        case.after_gesture(again)

    def _on_labels(self, event: LabelsChanged) -> None:
        # All labels were exchanged: they were read, or others are shown.
        case = self._workspace.active
        if case is None or event.series_uid != case.key:
            return
        if not event.changes:
            self.refresh()
        elif not event.by_itself:
            self._end_approval(case)
