"""Rows of the journal: appended with a chain of hashes, read with every hash checked."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from medview.store import schema
from medview.store.codec import canonical
from medview.store.entry import EntryKind
from medview.store.reading_state import count_row

UNKNOWN_READER = "Unknown reader"
"""Begins what readers are called whose names are lost."""

_AT_ONCE = 400
"""Keys in one question."""


@dataclass(frozen=True, slots=True)
class JournalRow:
    """What one row says, without its place in the chain.

    Attributes
    ----------
    seq : int
        1, 2, 3 ... within the reading.
    target_seq : int
        The row an undo or redo refers to; 0 for a new command.
    pixels_sha256 : str
        Of the voxels it was drawn on, as far as known then.
    document, payload
        Of the codec; empty for undo and redo.
    """

    reading_id: int
    seq: int
    kind: EntryKind
    target_seq: int
    name: str
    tool: str
    revision: int
    created_utc: str
    pixels_sha256: str
    document: str
    payload: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as found.

    Attributes
    ----------
    intact : bool
        Whether its hash agrees with what it holds.
    """

    row: JournalRow
    row_id: int
    reader_id: int
    previous_sha256: str
    row_sha256: str
    intact: bool


def reader_id(connection: Connection, name: str, uid: str) -> int:
    """Return the number of the reader called ``name``, adding it with ``uid`` when it is new."""
    readers = schema.readers.c
    known = connection.execute(select(readers.reader_id).where(readers.name == name)).scalar()
    if known is not None:
        return int(known)
    if connection.execute(select(readers.reader_id).where(readers.reader_uid == uid)).scalar() is not None:
        # They are called otherwise here since a merge, or since damage: who is called so now is somebody else.
        uid = uuid.uuid4().hex
    connection.execute(insert(schema.readers).values(reader_uid=uid, name=name, rows=0, head_sha256=""))
    return int(connection.execute(select(readers.reader_id).where(readers.name == name)).scalar_one())


def append_row(connection: Connection, row: JournalRow, reader: int) -> None:
    """Append a row to the chain of a reader."""
    readers = schema.readers.c
    uid, count, previous = connection.execute(
        select(readers.reader_uid, readers.rows, readers.head_sha256).where(readers.reader_id == reader)
    ).one()
    case_identity = connection.execute(
        select(schema.readings.c.identity_sha256).where(schema.readings.c.reading_id == row.reading_id)
    ).scalar_one()
    digest = row_hash(row, uid, case_identity, previous)
    connection.execute(insert(schema.journal).values(**_columns(row, reader, previous, digest)))
    connection.execute(update(schema.readers).where(readers.reader_id == reader).values(rows=count + 1, head_sha256=digest))
    count_row(connection, row.reading_id, row.created_utc)


def append_rows(connection: Connection, rows: Iterable[tuple[JournalRow, int]]) -> int:
    """Append many rows, each to the chain of a reader, in few statements; return how many."""
    readers, readings, state = schema.readers.c, schema.readings.c, schema.reading_state
    known = connection.execute(select(schema.readers)).all()
    uids = {row.reader_id: row.reader_uid for row in known}
    ends: dict[int, tuple[int, str]] = {row.reader_id: (row.rows, row.head_sha256) for row in known}
    stored = connection.execute(select(readings.reading_id, readings.identity_sha256))
    identities = {row.reading_id: row.identity_sha256 for row in stored}
    counted: dict[int, tuple[int, str]] = {}
    touched: set[int] = set()
    waiting: list[dict[str, object]] = []
    for row, reader in rows:
        count, previous = ends[reader]
        digest = row_hash(row, uids[reader], identities[row.reading_id], previous)
        waiting.append(_columns(row, reader, previous, digest))
        ends[reader] = count + 1, digest
        touched.add(reader)
        counted[row.reading_id] = counted.get(row.reading_id, (0, ""))[0] + 1, row.created_utc
        if len(waiting) >= _AT_ONCE:
            connection.execute(insert(schema.journal), waiting)
            waiting = []
    if waiting:
        connection.execute(insert(schema.journal), waiting)
    for reader in touched:
        count, head = ends[reader]
        ended = update(schema.readers).where(readers.reader_id == reader).values(rows=count, head_sha256=head)
        connection.execute(ended)
    for reading_id, (number, newest) in counted.items():
        more = update(state).where(state.c.reading_id == reading_id)
        connection.execute(more.values(rows=state.c.rows + number, changed_utc=newest))
    return sum(number for number, _newest in counted.values())


def _columns(row: JournalRow, reader: int, previous: str, digest: str) -> dict[str, object]:
    return {
        "reading_id": row.reading_id,
        "seq": row.seq,
        "reader_id": reader,
        "kind": row.kind.value,
        "target_seq": row.target_seq,
        "name": row.name,
        "tool": row.tool,
        "revision": row.revision,
        "created_utc": row.created_utc,
        "pixels_sha256": row.pixels_sha256,
        "document": row.document,
        "payload": row.payload,
        "size_bytes": row.size_bytes,
        "previous_sha256": previous,
        "row_sha256": digest,
    }


def row_hash(row: JournalRow, reader_uid: str, case_identity: str, previous_sha256: str) -> str:
    """Return the SHA-256 of everything a row says, whose it is, what it was drawn on and the reader's row before it."""
    # Not by astuple: it copies whatever it meets, for each of hundreds of thousands of rows.
    said = (row.seq, row.kind.value, row.target_seq, row.name, row.tool, row.revision, row.created_utc, row.pixels_sha256)
    facts = [reader_uid, case_identity, previous_sha256, *said, row.document]
    digest = hashlib.sha256(canonical(facts).encode())
    digest.update(row.payload)
    return digest.hexdigest()


def read_rows(
    connection: Connection, reading_id: int | None = None, after_seq: int = 0, only: Collection[int] | None = None
) -> Iterator[StoredRow]:
    """Yield rows in the order they were written: those of one case after a row, or only some of them, or all."""
    journal, statement = schema.journal.c, _whole_rows()
    if reading_id is None:
        statement = statement.order_by(journal.row_id)
    else:
        statement = statement.where(journal.reading_id == reading_id, journal.seq > after_seq).order_by(journal.seq)
    if only is not None:
        statement = statement.where(journal.seq.in_(only))
    for found in connection.execute(statement.execution_options(yield_per=16)):
        yield _stored(found)


def numbered_rows(connection: Connection, row_ids: Sequence[int]) -> Iterator[StoredRow]:
    """Yield rows by their keys, smallest first, a few hundred at a time."""
    wanted = sorted(row_ids)
    for start in range(0, len(wanted), _AT_ONCE):
        journal = schema.journal.c
        some = _whole_rows().where(journal.row_id.in_(wanted[start : start + _AT_ONCE])).order_by(journal.row_id)
        for found in connection.execute(some.execution_options(yield_per=16)):
            yield _stored(found)


def readers_cut_short(connection: Connection) -> list[str]:
    """Return the names of readers whose newest row is not the one they wrote last."""
    readers, journal = schema.readers.c, schema.journal.c
    found = []
    for reader in connection.execute(select(readers.reader_id, readers.name, readers.head_sha256)).all():
        newest = select(journal.reading_id, journal.seq, journal.row_sha256).where(journal.reader_id == reader.reader_id)
        row = connection.execute(newest.order_by(journal.row_id.desc()).limit(1)).one_or_none()
        if row is None:
            found += [reader.name] if reader.head_sha256 else []
        elif row.row_sha256 != reader.head_sha256:
            # Where the newest row is damaged its hash may be what is, and it the last one after all.
            sound = all(stored.intact for stored in read_rows(connection, row.reading_id, only=[row.seq]))
            if sound or _end_is_missing(connection):
                found.append(reader.name)
    return found


def _whole_rows() -> Select[Any]:
    """Rows with the uid of who wrote them and the identity of what they were drawn on."""
    readers, readings = schema.readers.c, schema.readings.c
    return select(schema.journal, readers.reader_uid, readings.identity_sha256).select_from(
        schema.journal.outerjoin(schema.readers).outerjoin(schema.readings)
    )


def _end_is_missing(connection: Connection) -> bool:
    """Whether fewer rows are there than were written, those not counted whose absence the rows after them tell."""
    journal = schema.journal.c
    written = int(connection.execute(select(func.sum(schema.readers.c.rows))).scalar() or 0)
    # A number beyond all that were written is a damaged one.
    newest = select(func.max(journal.seq)).where(journal.seq <= written).group_by(journal.reading_id)
    return sum(int(seq) for seq in connection.execute(newest).scalars()) < written


def last_seq(connection: Connection, reading_id: int) -> int:
    """Return the number of the newest row of a case; 0 when there is none."""
    journal = schema.journal.c
    return int(connection.execute(select(func.max(journal.seq)).where(journal.reading_id == reading_id)).scalar() or 0)


def _stored(found: Row[Any]) -> StoredRow:
    row = JournalRow(
        reading_id=_number(found.reading_id),
        seq=_number(found.seq),
        kind=_kind(found.kind),
        target_seq=_number(found.target_seq),
        name=str(found.name),
        tool=str(found.tool),
        revision=_number(found.revision),
        created_utc=str(found.created_utc),
        pixels_sha256=str(found.pixels_sha256),
        document=str(found.document),
        payload=found.payload if isinstance(found.payload, bytes) else b"",
        size_bytes=_number(found.size_bytes),
    )
    digest = row_hash(row, str(found.reader_uid), str(found.identity_sha256), str(found.previous_sha256))
    intact = digest == found.row_sha256
    return StoredRow(row, found.row_id, found.reader_id, found.previous_sha256, found.row_sha256, intact)


# What is damaged must not hide the row: its hash disagrees then, whatever stands in place of it.


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1


def _kind(value: str) -> EntryKind:
    try:
        return EntryKind(value)
    except ValueError:
        return EntryKind.DO
