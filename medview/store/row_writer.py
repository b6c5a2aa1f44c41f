"""What the writer thread does with one gesture: blobs, row, and now and then a snapshot."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from medview.core.errors import StoreError
from medview.core.reading_status import ReadingStatus
from medview.store import schema
from medview.store.activity import ActivityKind, add_entry
from medview.store.blobs import BlobStore
from medview.store.clock import Clock, iso
from medview.store.codec import Encoded, encode
from medview.store.database import Database
from medview.store.entry import Entry, EntryKind
from medview.store.readings import begin_work, get_reading
from medview.store.recover import replay
from medview.store.rows import JournalRow, append_row, reader_id
from medview.store.snapshots import SNAPSHOT_BYTES, SNAPSHOT_ROWS, write_snapshot

log = logging.getLogger("medview.store")


@dataclass(frozen=True, slots=True)
class Gesture:
    """An entry with its place: row ``seq`` of a case, made at ``created_utc``."""

    reading_id: int
    seq: int
    target_seq: int
    created_utc: str
    entry: Entry


@dataclass(slots=True)
class _Since:
    """What was written for a case since its last snapshot."""

    rows: int
    size_bytes: int


class RowWriter:
    """Writes gestures with one connection. Belongs to one thread.

    Parameters
    ----------
    reader : tuple of str
        Name and uid of who labels; the uid is used when the project does not know the name yet.
    """

    def __init__(self, database: Database, blobs: BlobStore, reader: tuple[str, str], clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._reader = reader
        self._clock = clock
        self._since: dict[int, _Since] = {}
        self._connection: Connection | None = None

    def write(self, gesture: Gesture) -> None:
        """Put a gesture on the disk; once this returns it survives a power cut.

        Raises
        ------
        OSError, SQLAlchemyError, MedViewError
            When it could not be written; it may be tried again after ``reset``.
        """
        connection = self._connect()
        entry, kind = gesture.entry, gesture.entry.kind
        encoded = encode(entry.command) if kind.carries_command else Encoded("", b"", {}, 0)
        for data in encoded.blobs.values():
            self._blobs.put(data)
        with connection.begin():
            if _is_there(connection, gesture):
                return
            readings = schema.readings.c
            pixels = connection.execute(
                select(readings.pixels_sha256).where(readings.reading_id == gesture.reading_id)
            ).scalar_one()
            row = JournalRow(
                reading_id=gesture.reading_id,
                seq=gesture.seq,
                kind=kind,
                target_seq=gesture.target_seq,
                name=entry.command.name.encode("utf-8", "replace").decode(),
                tool=entry.command.tool,
                revision=entry.revision,
                created_utc=gesture.created_utc,
                pixels_sha256=pixels,
                document=encoded.document,
                payload=encoded.payload,
                size_bytes=encoded.size_bytes,
            )
            reader = reader_id(connection, *self._reader)
            append_row(connection, row, reader)
            # What a model proposes by itself is no work of a person yet.
            if kind is not EntryKind.NOTE and begin_work(connection, gesture.reading_id):
                # What was approved is no longer what stands there. It is written down, so that copies know what came later.
                _say_lapsed(connection, gesture, reader)
        since = self._since.get(gesture.reading_id)
        if since is not None:
            since.rows += 1
            since.size_bytes += encoded.size_bytes

    def snapshot_if_due(self, reading_id: int) -> None:
        """Write a snapshot of a case when enough has come together; a failure is only logged."""
        try:
            connection = self._connect()
            since = self._since.get(reading_id)
            if since is None:
                since = self._since[reading_id] = _measure(connection, reading_id)
            if since.rows < SNAPSHOT_ROWS and since.size_bytes < SNAPSHOT_BYTES:
                return
            # Counting starts anew whatever happens: a snapshot is a shortcut and must not be tried for every row.
            self._since[reading_id] = _Since(0, 0)
            with self._database.reading() as reading:
                case = replay(reading, reading_id, get_reading(reading, reading_id).geometry, self._blobs)
            if case.losses:
                # What could not be read today may be read tomorrow; a snapshot would put the gap in its place.
                log.warning("no snapshot of case %d: not all of its changes can be read", reading_id)
                return
            with connection.begin():
                outdated = write_snapshot(connection, reading_id, case, self._blobs, iso(self._clock.utc()))
            for digest in outdated:
                self._blobs.discard(digest)
        except Exception:  # the rows are on disk; without the shortcut loading only takes longer
            log.exception("a snapshot of case %d could not be written", reading_id)

    def reset(self) -> None:
        """Let go of a connection that failed; the next write opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.connect()
        return self._connection


def _say_lapsed(connection: Connection, gesture: Gesture, reader: int) -> None:
    state = schema.reading_state.c
    case_id = connection.execute(select(state.case_id).where(state.reading_id == gesture.reading_id)).scalar() or 0
    details = {"status": ReadingStatus.IN_WORK.value, "lapsed": ReadingStatus.APPROVED.value}
    about = int(case_id), gesture.reading_id
    add_entry(connection, ActivityKind.STATUS, about, reader, gesture.created_utc, details)


def _is_there(connection: Connection, gesture: Gesture) -> bool:
    """Whether a write that was reported as failed had reached the disk after all."""
    journal = schema.journal.c
    found = connection.execute(
        select(journal.kind, journal.target_seq, journal.created_utc).where(
            journal.reading_id == gesture.reading_id, journal.seq == gesture.seq
        )
    ).one_or_none()
    if found is None:
        return False
    if tuple(found) != (gesture.entry.kind.value, gesture.target_seq, gesture.created_utc):
        raise StoreError("Someone else has changed this case meanwhile; export your labels, then open the project again.")
    return True


def _measure(connection: Connection, reading_id: int) -> _Since:
    journal, snapshots = schema.journal.c, schema.snapshots.c
    with connection.begin():
        last = connection.execute(select(func.max(snapshots.seq)).where(snapshots.reading_id == reading_id)).scalar() or 0
        rows, size = connection.execute(
            select(func.count(), func.coalesce(func.sum(journal.size_bytes), 0)).where(
                journal.reading_id == reading_id, journal.seq > last
            )
        ).one()
    return _Since(int(rows), int(size))
