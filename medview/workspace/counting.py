"""Which reading of a case counts where labels leave the project, and who has a part in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medview.core.errors import StoreError
from medview.core.reading_status import ReadingStatus, Role
from medview.store.cases import CaseRow
from medview.store.reading_state import ReadingState, counting_consensus
from medview.workspace.reader_names import CONSENSUS

REVIEW_ENDING = ", review"
"""After the name of a reviewer: their edits, whether approved or not."""


@dataclass(frozen=True, slots=True)
class Counting:
    """A reading that counts.

    Attributes
    ----------
    drawn_by : str
        Whose labels they are; of a consensus, who adjudicated: its segments say from whom they were taken.
    corrected_by : str
        The reviewer whose edit of them it is; empty where it is none.
    """

    state: ReadingState
    drawn_by: str
    corrected_by: str = ""

    @property
    def who(self) -> str:
        """Who is named where a format has room for one name."""
        return f"{self.drawn_by}, corrected by {self.corrected_by}" if self.corrected_by else self.drawn_by

    @property
    def document(self) -> dict[str, str | None]:
        """Whose they are, ready for JSON."""
        role = self.state.role.value
        return {"reader": self.drawn_by, "corrected_by": self.corrected_by or None, "role": role}


def approved_edit(states: Sequence[ReadingState], of: ReadingState, reviewed: Mapping[int, int]) -> Counting | None:
    """Return the reviewer's edit of a reader's labels that was approved with them, None where there is none.

    Both have to be approved still: labels that were sent back or changed since are no longer what the edit corrects.

    Parameters
    ----------
    states : sequence of ReadingState
        All of the case.
    reviewed : mapping of int to int
        The reading that each review is of.
    """
    if of.status is not ReadingStatus.APPROVED:
        return None
    edits = [one for one in states if reviewed.get(one.reading_id) == of.reading_id and _approved(one)]
    # Two reviewers may have approved edits of their own: the one changed last has seen the most.
    edit = max(edits, key=lambda one: (one.changed_utc, one.reader), default=None)
    return None if edit is None else Counting(edit, of.reader, edit.reader)


def counting(row: CaseRow, reader: str, reviewed: Mapping[int, int]) -> Counting | None:
    """Return the reading of a case that counts, None where there is none.

    That of the reader who is named; else the consensus; else a reader's labels as a reviewer corrected and approved
    them; else the only labels that are approved; else the only ones there are.

    Parameters
    ----------
    reader : str
        Name of a reader, ``consensus``, ``NAME, review`` for the edits of a reviewer, or empty.

    Raises
    ------
    StoreError
        When several readers' labels are left and nothing says which count.
    """
    if reader == CONSENSUS:
        return None if row.agreed is None else Counting(row.agreed, row.agreed.reader)
    if reader and (own := row.of(reader)) is not None:
        return Counting(own, own.reader)
    if reader.endswith(REVIEW_ENDING):
        edit = row.of(reader.removesuffix(REVIEW_ENDING), Role.REVIEW)
        return None if edit is None else _edit(row, edit, reviewed)
    if reader:
        return None
    if row.agreed is not None:
        return Counting(row.agreed, row.agreed.reader)
    drawn = [state for state in row.readings if state.role is Role.READER and state.worked_on]
    approved = [state for state in drawn if _approved(state)]
    edits = [found for state in approved if (found := approved_edit(row.readings, state, reviewed)) is not None]
    for some in (edits, [Counting(state, state.reader) for state in approved], [Counting(s, s.reader) for s in drawn]):
        names = sorted({one.drawn_by for one in some})
        if len(names) > 1:
            raise StoreError(
                f"Case {row.case_id} was read by {', '.join(names)} and has no consensus; "
                "say whose labels count (--reader)."
            )
        if some:
            return some[0]
    return None


def waiting_edits(row: CaseRow, counts: Counting, reviewed: Mapping[int, int]) -> list[ReadingState]:
    """Return the reviewers' edits of the labels that count which do not count, since they are not approved with them."""
    of = counts.state.reading_id
    return [
        one
        for one in row.readings
        if reviewed.get(one.reading_id) == of and one.worked_on and counts.state.role is Role.READER
    ]


def settled(readings: Sequence[ReadingState], reviewed: Mapping[int, int]) -> list[Counting]:
    """Return what counts of one case where several readings may: its consensus, or each reader's with its approved edit."""
    agreed = counting_consensus(readings)
    if agreed is not None and agreed.worked_on:
        return [Counting(agreed, agreed.reader)]
    own = [state for state in readings if state.role is Role.READER and state.worked_on]
    return [approved_edit(readings, state, reviewed) or Counting(state, state.reader) for state in own]


def _edit(row: CaseRow, edit: ReadingState, reviewed: Mapping[int, int]) -> Counting:
    of = next((one for one in row.readings if one.reading_id == reviewed.get(edit.reading_id)), None)
    return Counting(edit, "" if of is None else of.reader, edit.reader)


def _approved(state: ReadingState) -> bool:
    return state.worked_on and state.status is ReadingStatus.APPROVED
