"""Whose a reading is, how far it is, and what is counted of its journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, func, insert, select, update

from medview.core.reading_status import ReadingStatus, Role
from medview.store import schema
from medview.store.worklist import list_images

__all__ = [
    "ReadingState",
    "ReadingStatus",
    "Role",
    "add_state",
    "count_row",
    "counting_consensus",
    "mend_states",
    "reading_states",
    "state_of",
]

_Kind = TypeVar("_Kind", bound=Enum)


@dataclass(frozen=True, slots=True)
class ReadingState:
    """A reading as a list of cases shows it.

    Attributes
    ----------
    reader : str
        Whose it is; empty while they have not changed anything and nobody was told.
    copy : int
        0, or more for what the same reader labelled in another copy of the project.
    seconds : int
        Of work, idle time not counted.
    gestures : int
        Rows in its journal, undo and redo included.
    changed_utc : str
        ISO 8601 time of the newest row, or of the creation.
    """

    reading_id: int
    case_id: int
    reader: str
    role: Role
    copy: int
    status: ReadingStatus
    seconds: int
    gestures: int
    changed_utc: str

    @property
    def worked_on(self) -> bool:
        """Whether a person did anything in it: that something was proposed in it, or that it was opened, is no work."""
        return bool(self.gestures) and self.status is not ReadingStatus.TO_DO

    def document(self) -> dict[str, Any]:
        """Return the reading ready for JSON."""
        return {
            "reading": self.reading_id,
            "reader": self.reader,
            "role": self.role.value,
            "copy": self.copy,
            "status": self.status.value,
            "seconds": self.seconds,
            "gestures": self.gestures,
            "changed_utc": self.changed_utc,
        }


def counting_consensus(states: Iterable[ReadingState]) -> ReadingState | None:
    """Return the consensus among readings, None where there is none.

    After a merge there may be two, each begun in a copy of its own: the one that was worked on last counts.
    """
    found = [state for state in states if state.role is Role.CONSENSUS]
    return max(found, key=lambda one: (one.worked_on, one.changed_utc, one.reader, -one.copy), default=None)


def reading_states(connection: Connection) -> list[ReadingState]:
    """Return all readings, oldest first, without looking at their images or journals."""
    state, readers = schema.reading_state.c, schema.readers.c
    joined = schema.reading_state.outerjoin(schema.readers, state.reader_id == readers.reader_id)
    statement = select(schema.reading_state, readers.name).select_from(joined).order_by(state.reading_id)
    return [state_of(row) for row in connection.execute(statement)]


def state_of(row: Row[Any]) -> ReadingState:
    """Return a row of ``reading_state``, joined with the reader's name. What is damaged in it has a default."""
    return ReadingState(
        reading_id=row.reading_id,
        case_id=row.case_id,
        reader=row.name or "",
        role=_one_of(Role, row.role, Role.READER),
        copy=row.copy,
        status=_one_of(ReadingStatus, row.status, ReadingStatus.IN_WORK),
        seconds=row.seconds,
        gestures=row.rows,
        changed_utc=row.changed_utc,
    )


def add_state(
    connection: Connection,
    reading_id: int,
    case_id: int,
    reader: int,
    created_utc: str,
    role: Role = Role.READER,
    copy: int = 0,
) -> None:
    """Say whose a new reading is."""
    connection.execute(
        insert(schema.reading_state).values(
            reading_id=reading_id,
            case_id=case_id,
            reader_id=reader,
            role=role.value,
            copy=copy,
            status=ReadingStatus.TO_DO.value,
            seconds=0,
            rows=0,
            changed_utc=created_utc,
        )
    )


def count_row(connection: Connection, reading_id: int, created_utc: str) -> None:
    """Count a row that was appended to the journal of a reading."""
    state = schema.reading_state
    counted = connection.execute(
        update(state).where(state.c.reading_id == reading_id).values(rows=state.c.rows + 1, changed_utc=created_utc)
    )
    if not counted.rowcount:
        mend_states(connection)


def mend_states(connection: Connection) -> None:
    """Make the lines that are missing, of a project of an older version or a damaged one, from images and journals.

    A reading belongs to who wrote the most of it.
    """
    readings, state, journal = schema.readings.c, schema.reading_state.c, schema.journal.c
    missing = select(schema.readings).where(readings.reading_id.not_in(select(state.reading_id)))
    for row in connection.execute(missing.order_by(readings.reading_id)).all():
        case_id = list_images(connection, row, wanted_id=row.reading_id)
        written = connection.execute(
            select(journal.reader_id, func.count().label("rows"), func.max(journal.created_utc).label("newest"))
            .where(journal.reading_id == row.reading_id)
            .group_by(journal.reader_id)
            .order_by(func.count().desc(), func.min(journal.row_id))
        ).all()
        reader = int(written[0].reader_id) if written else 0
        taken = connection.execute(
            select(func.max(state.copy)).where(
                state.case_id == case_id, state.reader_id == reader, state.role == Role.READER.value
            )
        ).scalar()
        connection.execute(
            insert(schema.reading_state).values(
                reading_id=row.reading_id,
                case_id=case_id,
                reader_id=reader,
                role=Role.READER.value,
                copy=0 if taken is None else int(taken) + 1,
                status=row.status,
                seconds=0,
                rows=sum(part.rows for part in written),
                changed_utc=max((part.newest for part in written), default=row.created_utc),
            )
        )


def _one_of(kinds: type[_Kind], value: object, default: _Kind) -> _Kind:
    try:
        return kinds(value)
    except ValueError:
        return default
