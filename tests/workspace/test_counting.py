"""Which reading of a case is written out: consensus, approved edit, approved or only reader."""

from __future__ import annotations

import pytest

from medview.core.errors import StoreError
from medview.store.cases import CaseRow
from medview.store.reading_state import ReadingState, ReadingStatus, Role
from medview.workspace.counting import Counting, counting, settled, waiting_edits

DONE, APPROVED, RETURNED, TO_DO = (
    ReadingStatus.DONE,
    ReadingStatus.APPROVED,
    ReadingStatus.RETURNED,
    ReadingStatus.TO_DO,
)
EDIT, CONSENSUS = Role.REVIEW, Role.CONSENSUS


def _state(
    number: int, reader: str, status: ReadingStatus = DONE, role: Role = Role.READER, day: int = 1, rows: int = 3
) -> ReadingState:
    return ReadingState(number, 1, reader, role, 0, status, 0, rows, f"2026-01-{day:02}")


def _case(*states: ReadingState) -> CaseRow:
    return CaseRow(1, "", "", "", "CT", "", (1, 1, 1), "P0001", 1, "", "", "", states)


def _told(found: Counting | None) -> tuple[int, str, str] | None:
    return None if found is None else (found.state.reading_id, found.drawn_by, found.corrected_by)


def test_a_consensus_comes_before_an_edit_and_that_before_what_was_drawn() -> None:
    ada, edit = _state(1, "Ada", APPROVED), _state(2, "Eve", APPROVED, EDIT)
    agreed = _state(3, "Rosa", DONE, CONSENSUS)
    assert _told(counting(_case(ada, edit, agreed), "", {2: 1})) == (3, "Rosa", "")
    # One that was only opened says nothing.
    opened = _state(3, "Rosa", TO_DO, CONSENSUS)
    assert _told(counting(_case(ada, edit, opened), "", {2: 1})) == (2, "Ada", "Eve")
    assert _told(counting(_case(ada), "", {})) == (1, "Ada", "")
    found = counting(_case(ada, edit), "", {2: 1})
    assert found is not None
    assert found.who == "Ada, corrected by Eve"
    assert found.document == {"reader": "Ada", "corrected_by": "Eve", "role": "review"}


@pytest.mark.parametrize(("reader", "edit"), [(APPROVED, DONE), (DONE, APPROVED), (RETURNED, APPROVED)])
def test_an_edit_counts_only_while_both_are_approved(reader: ReadingStatus, edit: ReadingStatus) -> None:
    case = _case(_state(1, "Ada", reader), _state(2, "Eve", edit, EDIT))
    found = counting(case, "", {2: 1})
    assert found is not None
    assert _told(found) == (1, "Ada", "")
    assert [one.reading_id for one in waiting_edits(case, found, {2: 1})] == [2]


def test_of_two_readers_the_approved_one_counts_and_of_two_approved_a_person_decides() -> None:
    ada, ben = _state(1, "Ada", APPROVED), _state(2, "Ben")
    assert _told(counting(_case(ada, ben), "", {})) == (1, "Ada", "")
    both = _case(ada, _state(2, "Ben", APPROVED))
    with pytest.raises(StoreError, match="was read by Ada, Ben and has no consensus"):
        counting(both, "", {})
    assert _told(counting(both, "Ben", {})) == (2, "Ben", "")
    assert counting(both, "consensus", {}) is None
    assert counting(both, "Nobody", {}) is None


def test_a_reader_who_is_named_has_their_own_and_a_reviewer_their_edits() -> None:
    case = _case(_state(1, "Ada", APPROVED), _state(2, "Eve", APPROVED, EDIT))
    assert _told(counting(case, "Ada", {2: 1})) == (1, "Ada", "")
    assert _told(counting(case, "Eve, review", {2: 1})) == (2, "Ada", "Eve")
    assert counting(case, "Eve", {2: 1}) is None


def test_of_two_approved_edits_of_one_reader_the_later_one_counts() -> None:
    case = _case(
        _state(1, "Ada", APPROVED), _state(2, "Eve", APPROVED, EDIT, day=3), _state(3, "Rosa", APPROVED, EDIT, day=2)
    )
    assert _told(counting(case, "", {2: 1, 3: 1})) == (2, "Ada", "Eve")


def test_where_every_reader_is_written_an_approved_edit_stands_in_place_of_theirs() -> None:
    states = [
        _state(1, "Ada", APPROVED),
        _state(2, "Ben"),
        _state(3, "Eve", APPROVED, EDIT),
        _state(4, "Cleo", TO_DO, rows=0),
    ]
    assert [_told(one) for one in settled(states, {3: 1})] == [(3, "Ada", "Eve"), (2, "Ben", "")]
    agreed = _state(5, "Rosa", DONE, CONSENSUS)
    assert [_told(one) for one in settled([*states, agreed], {3: 1})] == [(5, "Rosa", "")]
