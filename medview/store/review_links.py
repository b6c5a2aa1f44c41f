"""Whose labels a review is of, and which of the readers' labels a consensus has seen, by the activity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from medview.store import schema
from medview.store.activity import ActivityEntry, ActivityKind, activity_entries
from medview.store.entry import EntryKind
from medview.store.reading_state import Role


def reviewed_readings(connection: Connection) -> dict[int, int]:
    """Return the reading that each review is of, by numbers; reviews of which that is not known are left out."""
    state, readers = schema.reading_state.c, schema.readers.c
    joined = schema.reading_state.outerjoin(schema.readers, state.reader_id == readers.reader_id)
    statement = select(state.reading_id, state.case_id, state.role, state.copy, readers.reader_uid).select_from(joined)
    rows = connection.execute(statement).all()
    read = {row.reading_id: row.case_id for row in rows if row.role == Role.READER.value}
    first = {(row.case_id, row.reader_uid): row.reading_id for row in rows if row.reading_id in read and not row.copy}
    reviews = {row.reading_id: row.case_id for row in rows if row.role == Role.REVIEW.value}
    found: dict[int, int] = {}
    for entry in activity_entries(connection, schema.activity.c.kind == ActivityKind.REVIEWED.value):
        case_id = reviews.get(entry.reading_id)
        if case_id is None:
            continue
        named = _number(entry.details.get("reading"))
        # Older entries name the reader alone.
        of = named if read.get(named) == case_id else first.get((case_id, entry.details.get("of")))
        if of is not None:
            found[entry.reading_id] = of
    return found


def gestures_of_people(connection: Connection, case_id: int = 0) -> dict[int, int]:
    """Return how many rows of each reading a person made, in one case or all; what models proposed is not counted."""
    journal, state = schema.journal.c, schema.reading_state.c
    statement = select(journal.reading_id, func.count()).where(journal.kind != EntryKind.NOTE.value)
    if case_id:
        of_case = select(state.reading_id).where(state.case_id == case_id)
        statement = statement.where(journal.reading_id.in_(of_case))
    return {int(row[0]): int(row[1]) for row in connection.execute(statement.group_by(journal.reading_id))}


def gone_on(connection: Connection, case_id: int = 0) -> dict[int, list[str]]:
    """Return who went on with their labels after a consensus was last worked on, by number of the consensus.

    What a consensus has seen is what was there when it was opened; that counts once somebody changed it or said how far it
    is. Of consensuses of before this was written down nothing is known.
    """
    activity, state, readers = schema.activity.c, schema.reading_state.c, schema.readers.c
    kinds = [kind.value for kind in (ActivityKind.CONSENSUS, ActivityKind.STATUS, ActivityKind.APPROVED)]
    where = [activity.kind.in_(kinds), *([activity.case_id == case_id] if case_id else [])]
    joined = schema.reading_state.outerjoin(schema.readers, state.reader_id == readers.reader_id)
    statement = select(state.reading_id, state.case_id, state.role, readers.name).select_from(joined)
    rows = connection.execute(statement.order_by(state.reading_id)).all()
    agreed = {row.reading_id: row.case_id for row in rows if row.role == Role.CONSENSUS.value}
    if not agreed:
        return {}
    of: dict[int, list[ActivityEntry]] = {}
    for entry in activity_entries(connection, *where):
        if entry.reading_id in agreed:
            of.setdefault(entry.reading_id, []).append(entry)
    made = gestures_of_people(connection, case_id)
    found: dict[int, list[str]] = {}
    for consensus, entries in of.items():
        seen = _seen(entries, made.get(consensus, 0))
        if seen is None:
            continue
        names = [
            row.name or ""
            for row in rows
            if row.case_id == agreed[consensus] and row.role == Role.READER.value
            if made.get(row.reading_id, 0) > seen.rows.get(row.reading_id, 0)
        ]
        if names:
            found[consensus] = list(dict.fromkeys(names))
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was there when a consensus was opened: rows of readings by number, and its own."""

    rows: Mapping[int, int]
    own: int


def _seen(entries: list[ActivityEntry], own: int) -> _Seen | None:
    """Return what the consensus had seen when it was last worked on; None where that is not known."""
    counts: _Seen | None = None
    opened: _Seen | None = None
    for entry in entries:
        if entry.kind != ActivityKind.CONSENSUS.value:
            counts = opened or counts
            continue
        now = _saw(entry.details)
        if opened is not None and now is not None and now.own > opened.own:
            counts = opened
        opened = now
    return opened if opened is not None and own > opened.own else counts


def _saw(details: Mapping[str, Any]) -> _Seen | None:
    try:
        return _Seen({int(number): int(rows) for number, rows in details["saw"]}, int(details["own"]))
    except (KeyError, TypeError, ValueError):
        return None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def moved(details: Mapping[str, Any], readings: Mapping[int, int]) -> dict[str, Any]:
    """Return what an entry of another copy says, with the numbers that its readings have here."""
    found = dict(details)
    if isinstance(details.get("reading"), int):
        found["reading"] = readings.get(details["reading"], 0)
    if (seen := _saw(details)) is not None:
        found["saw"] = [[readings.get(number, 0), rows] for number, rows in seen.rows.items()]
    return found
