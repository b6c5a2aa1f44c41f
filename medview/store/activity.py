"""What was done in a project beside labelling: an append-only list."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select

from medview.store import schema
from medview.store.clock import Clock, iso
from medview.store.codec import canonical
from medview.store.database import Database
from medview.store.rows import reader_id


class ActivityKind(Enum):
    """What is written down; what its ``details`` hold stands beside it."""

    ADDED = "added"
    """A case came onto the list."""
    OPENED = "opened"
    CLOSED = "closed"
    """``seconds``: of work, idle time not counted."""
    STATUS = "status"
    """``status``: of the reading from now on; ``lapsed`` where an approval ended because the labels were changed."""
    EXCLUDED = "excluded"
    """``reason``: why the case is left out."""
    INCLUDED = "included"
    SPLIT = "split"
    """``split``: where the case belongs from now on."""
    COMMENTED = "commented"
    """``text``; ``point_lps_mm`` and ``index_kji`` where it is pinned to a place."""
    SENT_BACK = "sent back"
    """``text``, and the place as in ``COMMENTED``; the reading's status with it."""
    APPROVED = "approved"
    """``with_edit``: of a reader's labels, that those count as the reviewer corrected them."""
    REVIEWED = "reviewed"
    """A review was begun; ``of``: uid of the reader whose labels it begins with; ``reading``: which."""
    CONSENSUS = "consensus"
    """Somebody opened the consensus; ``saw``: number and gestures of each reader's reading then, ``own``: its gestures."""
    MERGED = "merged"
    """``other``, and counts of what came from it."""
    IMPORTED = "imported"
    """``format``, ``file``, ``labels_sha256`` and ``gesture``: labels of a dataset came into a reading, which is done."""
    EXPORTED = "exported"
    """``cases``: how many; ``format``."""
    EVALUATED = "evaluated"
    """The locked test cases were opened: ``model``, ``version``, ``sha256`` and ``cases``, how many."""
    MODEL = "model"
    """A model was trained on the project, or came to count: ``line``, ``version``, ``model``, ``verdict``, ``reason``."""
    CHANGED = "changed"
    """``fact``: which of the project's facts was put in place of another, as the label set."""


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """One line of the list.

    Attributes
    ----------
    uid : str
        The same in all copies of a project.
    kind : str
        A value of ``ActivityKind``, or of a kind that a newer program knows.
    who : str
        The reader's name.
    when_utc : str
        ISO 8601.
    case_id, reading_id : int
        What it is about; 0 for none.
    """

    uid: str
    kind: str
    who: str
    when_utc: str
    case_id: int = 0
    reading_id: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the entry ready for JSON."""
        return {
            "entry": self.uid,
            "kind": self.kind,
            "who": self.who,
            "when_utc": self.when_utc,
            "case": self.case_id or None,
            "reading": self.reading_id or None,
            "details": dict(self.details),
        }


class ActivityBook:
    """Reads and continues the list. Its methods may be called from any thread.

    Parameters
    ----------
    changing : callable
        Gives a connection in a transaction, or raises where the project cannot be written.
    reader : tuple of str
        Name and uid of who does it; the uid is used when the project does not know the name yet.
    """

    def __init__(
        self,
        database: Database,
        changing: Callable[[], AbstractContextManager[Connection]],
        reader: tuple[str, str],
        clock: Clock,
    ) -> None:
        self._database, self._changing = database, changing
        self._reader, self._clock = reader, clock

    def entries(self, case_id: int = 0, reading_id: int = 0) -> list[ActivityEntry]:
        """Return all entries, or those about one case or reading; oldest first."""
        activity = schema.activity.c
        wanted: list[ColumnElement[bool]] = []
        wanted += [activity.case_id == case_id] if case_id else []
        wanted += [activity.reading_id == reading_id] if reading_id else []
        with self._database.reading() as connection:
            return activity_entries(connection, *wanted)

    def add(self, kind: ActivityKind, case_id: int = 0, reading_id: int = 0, **details: object) -> str:
        """Write an entry down and return its uid.

        Raises
        ------
        MedViewError
            When the project cannot be written.
        """
        with self._changing() as connection:
            return self.note(connection, kind, case_id, reading_id, **details)

    def note_each(self, connection: Connection, kind: ActivityKind, case_ids: Iterable[int], **details: object) -> None:
        """Write down the same about each of several cases, in the transaction of what it is about."""
        said, now = canonical(details), iso(self._clock.utc())
        reader = reader_id(connection, *self._reader)
        rows = [
            {
                "activity_uid": uuid.uuid4().hex,
                "case_id": case_id,
                "reading_id": 0,
                "reader_id": reader,
                "kind": kind.value,
                "document": said,
                "created_utc": now,
            }
            for case_id in case_ids
        ]
        if rows:
            connection.execute(insert(schema.activity), rows)

    def note(
        self, connection: Connection, kind: ActivityKind, case_id: int = 0, reading_id: int = 0, **details: object
    ) -> str:
        """Write an entry down in the transaction of what it is about, and return its uid.

        The case of a reading need not be given.
        """
        if reading_id and not case_id:
            state = schema.reading_state.c
            case_id = connection.execute(select(state.case_id).where(state.reading_id == reading_id)).scalar() or 0
        reader, now = reader_id(connection, *self._reader), iso(self._clock.utc())
        return add_entry(connection, kind, (case_id, reading_id), reader, now, details)


def add_entry(
    connection: Connection,
    kind: ActivityKind,
    about: tuple[int, int],
    reader: int,
    created_utc: str,
    details: Mapping[str, object],
) -> str:
    """Append an entry and return its uid.

    Parameters
    ----------
    about : tuple of int
        Numbers of the case and the reading; 0 for none.
    reader : int
        Number of who did it.
    """
    uid, (case_id, reading_id) = uuid.uuid4().hex, about
    connection.execute(
        insert(schema.activity).values(
            activity_uid=uid,
            case_id=case_id,
            reading_id=reading_id,
            reader_id=reader,
            kind=kind.value,
            document=canonical(dict(details)),
            created_utc=created_utc,
        )
    )
    return uid


def activity_entries(connection: Connection, *where: ColumnElement[bool]) -> list[ActivityEntry]:
    """Return all entries, or those that meet the conditions, oldest first; what a damaged one says is left out.

    Entries that came from another copy of the project stand where their time puts them.
    """
    activity, readers = schema.activity.c, schema.readers.c
    joined = schema.activity.outerjoin(schema.readers, activity.reader_id == readers.reader_id)
    statement = select(schema.activity, readers.name).select_from(joined).where(*where)
    return [
        ActivityEntry(
            row.activity_uid, row.kind, row.name or "", row.created_utc, row.case_id, row.reading_id, _details(row.document)
        )
        for row in connection.execute(statement.order_by(activity.created_utc, activity.activity_id))
    ]


def _details(stored: str) -> dict[str, Any]:
    try:
        found = json.loads(stored)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
