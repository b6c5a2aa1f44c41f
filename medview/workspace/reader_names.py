"""What readings, cases and patients are called where readers are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from medview.core.reading_status import Role

if TYPE_CHECKING:
    # The database library is imported when a project is opened, which is after the window stands.
    from medview.store.cases import CaseRow
    from medview.store.reading_state import ReadingState

CONSENSUS = "consensus"
"""Named as a reader: the consensus, and nothing where there is none."""


def case_name(case: CaseRow) -> str:
    """Return what a case is called in tables: its number, since headers may name people."""
    return f"case-{case.case_id:04d}"


def patient_of(case: CaseRow) -> str:
    """Return the pseudonym of the patient; a case of which nobody knows whose it is counts as a patient of its own."""
    return case.patient or case_name(case)


def readings_by_name(case: CaseRow, reviewed: Mapping[int, int]) -> dict[str, ReadingState]:
    """Return the readings of a case in which anything was done, by what they are called; the edit of a review twice.

    Parameters
    ----------
    reviewed : mapping of int to int
        Number of a review -> that of the reading it went on from (``ReviewBook.reviewed``).
    """
    found: dict[str, ReadingState] = {}
    for state in case.readings:
        if not state.worked_on:
            continue
        name = state.reader or f"reading {state.reading_id}"
        if state.role is Role.CONSENSUS and case.consensus != state:
            continue
        if state.role is Role.CONSENSUS:
            name = CONSENSUS
        elif state.role is Role.REVIEW:
            name = f"{name}, review"
        if state.copy and state.role is not Role.CONSENSUS:
            name = f"{name} ({state.copy + 1})"
        found[name] = state
    drawn = {state.reading_id: name for name, state in found.items() if state.role is Role.READER}
    # Where several reviewers went on from one reader's labels, that of the last one.
    for state in sorted(found.values(), key=lambda one: one.changed_utc):
        if (of := drawn.get(reviewed.get(state.reading_id, 0))) is not None:
            found[corrected(of)] = state
    return found


def corrected(reader: str) -> str:
    """Return what the labels of a reader are called after reviews."""
    return f"{reader}, corrected"
