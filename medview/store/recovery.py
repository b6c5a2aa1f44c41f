"""A new project with everything that can be had of a damaged one."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from medview.core.atomic import sync_folder
from medview.core.changes import Command
from medview.core.errors import NewerVersionError, StoreError
from medview.store import schema
from medview.store.backups import backup_files
from medview.store.blobs import BlobStore
from medview.store.clock import Clock, SystemClock, iso
from medview.store.codec import decode, encode
from medview.store.copying import copy_models
from medview.store.database import Database, newer_version
from medview.store.durable import write_durably
from medview.store.entry import EntryKind
from medview.store.faults import SQLITE_FAULTS
from medview.store.migrate import bring_up_copy
from medview.store.model_files import ModelFiles
from medview.store.parts import blobs_of
from medview.store.project_folder import DATABASE_NAME, explained
from medview.store.readings import ReadingRow, get_reading
from medview.store.recover import described, in_words, last_of_unplaced, newest_missing, replay
from medview.store.replay import LOST_TOOL, ReplayedCase
from medview.store.rows import UNKNOWN_READER, JournalRow, StoredRow, append_row, read_rows
from medview.store.salvage import is_sound, salvage
from medview.store.snapshots import write_snapshot
from medview.store.verify import verify_project

REPORT_NAME = "recovery.json"

_FRAME: tuple[tuple[Table, dict[str, object]], ...] = (
    (schema.facts, {}),
    (schema.readers, {"rows": 0, "head_sha256": ""}),
    (schema.readings, {}),
    (schema.patients, {}),
    (schema.worklist, {}),
    (schema.reading_state, {"rows": 0}),
    (schema.activity, {}),
    (schema.queue, {}),
    (schema.model_versions, {}),
    (schema.model_choices, {}),
)
"""What the rows stand in, and what is counted anew while they are written."""

log = logging.getLogger("medview.store")


@dataclass(slots=True)
class RecoveryReport:
    """What a recovery brought back.

    Attributes
    ----------
    cases, gestures : int
        How many are in the new project; gestures that stand in for lost ones not counted.
    lost : int
        Gestures that could not be brought back.
    partly : int
        Gestures that met labels which had been damaged, and were kept as far as they fit.
    losses : list of str
        Each of them in one sentence: which case, what, when, with which tool.
    """

    cases: int = 0
    gestures: int = 0
    lost: int = 0
    partly: int = 0
    losses: list[str] = field(default_factory=list)

    def document(self, source: Path, target: Path) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {
            "source": source.name,
            "project": str(target),
            "complete": not self.losses,
            "cases": self.cases,
            "gestures": self.gestures,
            "lost": self.lost,
            "partly": self.partly,
            "losses": list(self.losses),
        }


def recover_project(
    source: Path,
    target: Path,
    clock: Clock | None = None,
    progress: Callable[[float], None] = lambda _fraction: None,
    extra: Callable[[Database, BlobStore], None] = lambda _database, _blobs: None,
) -> RecoveryReport:
    """Write a new project with everything that can be had of a damaged one, which is only read.

    Gestures that are gone stay in the history as gestures that change nothing, named as lost; what came after them is kept
    as far as it fits. The new project is checked before it gets its name, and ``recovery.json`` in it says what is missing.

    Parameters
    ----------
    progress : callable
        Called with the part that is done, 0 to 1.
    extra : callable
        Writes into the new project what never reached the damaged one.

    Raises
    ------
    StoreError
        When nothing of a project is there, or the target exists.
    NewerVersionError
        When a newer MedView wrote it.
    WriteError
        When the new project cannot be written; nothing is left behind then.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StoreError(f"{target.name} exists already; choose another name for the recovered project.")
    if not source.is_dir():
        raise StoreError(f"{source.name} is not a folder; choose the folder of a MedView project.")
    with explained(target), tempfile.TemporaryDirectory(prefix="medview-", ignore_cleanup_errors=True) as room:
        found, losses = _readable_copy(source, Path(room))
        target.parent.mkdir(parents=True, exist_ok=True)
        growing = target.parent / f".medview-{uuid.uuid4().hex}"
        growing.mkdir()
        try:
            report = _write_new(found, source, growing, clock or SystemClock(), progress, extra)
            report.losses[:0] = losses
            text = json.dumps(report.document(source, target), indent=2, ensure_ascii=False)
            write_durably(growing / REPORT_NAME, text.encode())
            if target.exists():
                target.rmdir()
            growing.rename(target)
        except BaseException:  # also an interrupt: half a project must not stay; raised again below
            shutil.rmtree(growing, ignore_errors=True)
            raise
        sync_folder(target.parent)
    return report


def _readable_copy(source: Path, room: Path) -> tuple[Path, list[str]]:
    """Return a sound database in ``room`` with the rows of a project, and what is missing from it."""
    original, copy = source / DATABASE_NAME, room / "copy.db"
    title = source.name
    if original.is_file():
        _copy(original, copy, title)
        version = _version(copy)
        if version > schema.SCHEMA_VERSION:
            raise NewerVersionError(newer_version(title))
        if version > 0 and is_sound(copy):
            bring_up_copy(copy, title)
            return copy, []
    salvaged = room / "salvaged.db"
    return salvaged, salvage(copy, backup_files(source), salvaged, title)


def _copy(original: Path, copy: Path, title: str) -> None:
    """Copy a database consistently while somebody may be writing it, or else as it lies there."""
    database = Database(original, title, read_only=True)
    try:
        database.copy_to(copy)
        if is_sound(copy):
            return
    except (OSError, *SQLITE_FAULTS):
        log.warning("SQLite cannot copy the database of %s; its file is copied", title)
    finally:
        database.close()
    with contextlib.suppress(OSError):
        shutil.copyfile(original, copy)
        left = original.with_name(original.name + "-journal")
        if left.is_file():
            shutil.copyfile(left, copy.with_name(copy.name + "-journal"))
    with contextlib.suppress(*SQLITE_FAULTS), contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as opened:
        # Rolls back what a dead writer left half done.
        opened.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def _version(file: Path) -> int:
    """Return the schema version of a project's database; 0 when it is none, or cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    except SQLITE_FAULTS:
        return 0
    return int(version) if application == schema.APPLICATION_ID else 0


def _write_new(
    found: Path,
    source: Path,
    growing: Path,
    clock: Clock,
    progress: Callable[[float], None],
    extra: Callable[[Database, BlobStore], None],
) -> RecoveryReport:
    report, blobs = RecoveryReport(), BlobStore(source / "blobs")
    old = Database(found, "the project", read_only=True)
    new = Database.create(growing / DATABASE_NAME, "the recovered project")
    kept = BlobStore(growing / "blobs")
    try:
        with old.reading() as reading:
            reading_ids = list(
                reading.execute(select(schema.readings.c.reading_id).order_by(schema.readings.c.reading_id)).scalars()
            )
            with new.writing() as writing:
                _copy_frame(reading, writing, clock)
            for number, reading_id in enumerate(reading_ids):
                progress(number / len(reading_ids))
                try:
                    case = get_reading(reading, reading_id)
                except StoreError:
                    report.losses.append(
                        f"What case {reading_id} was drawn on is damaged, so its labels could not be kept."
                    )
                    with new.writing() as writing:
                        # Nobody could list the cases beside it.
                        for table in (schema.reading_state, schema.readings):
                            writing.execute(delete(table).where(table.c.reading_id == reading_id))
                    continue
                with new.writing() as writing:
                    _Case(case, reading, writing, blobs, kept, report).write()
                    end = replay(writing, reading_id, case.geometry, kept)
                    if end.seq:
                        write_snapshot(writing, reading_id, end, kept, iso(clock.utc()))
                report.cases += 1
            report.losses += newest_missing(reading)
        extra(new, kept)
        copy_models(new, ModelFiles(source), growing)
        report.losses += verify_project(new, kept, growing).problems
    finally:
        old.close()
        new.close()
    return report


def _copy_frame(reading: Connection, writing: Connection, clock: Clock) -> None:
    """Copy what the rows stand in: facts, readers and readings with no rows yet, the worklist, the queue, the activity."""
    for table, anew in _FRAME:
        for row in reading.execute(select(table)):
            # By column: a name on the disk may be another than that in the program.
            values = {column.key: row._mapping[column] for column in table.c} | anew
            writing.execute(insert(table).values(**values))
    recovered = {"key": "recovered_utc", "value": iso(clock.utc())}
    writing.execute(insert(schema.facts).prefix_with("OR REPLACE").values(**recovered))


class _Case:
    """Takes one case over, row by row."""

    def __init__(
        self,
        case: ReadingRow,
        reading: Connection,
        writing: Connection,
        blobs: BlobStore,
        kept: BlobStore,
        report: RecoveryReport,
    ) -> None:
        self._case = case
        self._reading, self._writing = reading, writing
        self._blobs, self._kept = blobs, kept
        self._report = report
        self._state = ReplayedCase(case.geometry)
        self._newest: StoredRow | None = None

    def write(self) -> None:
        """Write all rows into the new project."""
        unplaced: list[StoredRow] = []
        for stored in read_rows(self._reading, self._case.reading_id):
            if not stored.intact and stored.row.seq != self._state.seq + 1:
                # Its number may be what is damaged; the next sound row tells which one is missing.
                unplaced.append(stored)
                continue
            for seq in range(self._state.seq + 1, stored.row.seq):
                self._stand_in(seq, stored.row.created_utc)
            self._newest = stored
            self._take(stored)
        newest = self._newest.row_id if self._newest is not None else 0
        for seq in range(self._state.seq + 1, last_of_unplaced(unplaced, newest, self._state.seq) + 1):
            self._stand_in(seq, "")

    def _take(self, stored: StoredRow) -> None:
        row = stored.row
        try:
            command = self._command(stored)
        except StoreError as error:
            log.warning("row %d of case %d is lost: %s", row.seq, row.reading_id, error.detail)
            self._lose(stored, row.name, f"{described(row)} is damaged and could not be brought back.")
            return
        stacks = self._state.stacks.copy()
        meant = command.inverse().changes if row.kind is EntryKind.UNDO else command.changes
        changed = self._state.follow(row.kind, row.seq, row.target_seq, command, row.revision)
        self._report.gestures += 1
        if changed is None and stacks.is_next(row.kind, row.target_seq):
            self._append(stored, row)
            return
        # What really changed takes the place of what was meant, as a step of its own: so all rows fit each other again, and
        # each can be undone once those after it are.
        kind = row.kind if row.kind.carries_command else EntryKind.DO
        stacks.advance(kind, row.seq, 0)
        self._state.stacks = stacks
        undo = {EntryKind.UNDO: "Undo of ", EntryKind.REDO: "Redo of "}.get(row.kind, "")
        name = f"{undo}{row.name}"
        encoded = encode(Command(name, meant if changed is None else changed, row.tool))
        for data in encoded.blobs.values():
            self._kept.put(data)
        document, payload, size = encoded.document, encoded.payload, encoded.size_bytes
        step = replace(row, kind=kind, target_seq=0, name=name, document=document, payload=payload, size_bytes=size)
        self._append(stored, step)
        if changed is not None:
            self._report.partly += 1
            self._say(f"{described(row)} met labels that had been damaged; it was kept as far as it fits.")

    def _command(self, stored: StoredRow) -> Command:
        """Return what a row does, with its blobs taken over. Raises StoreError when it is damaged."""
        if not stored.intact:
            raise StoreError("The row does not match its checksum.")
        row = stored.row
        if row.kind.carries_command:
            return self._decoded(row, self._blobs)
        # As it stands in the new project: the target may have been kept in part, or as lost.
        for target in read_rows(self._writing, self._case.reading_id, only=[row.target_seq]):
            return self._decoded(target.row, self._kept)
        raise StoreError("The change this step refers to is gone.")

    def _decoded(self, row: JournalRow, blobs: BlobStore) -> Command:
        command = decode(row.document, row.payload, blobs.get)
        if blobs is not self._kept:
            for digest in blobs_of(json.loads(row.document)):
                self._kept.put(blobs.get(digest))
        return command

    def _stand_in(self, seq: int, before_utc: str) -> None:
        """Fill the place of a row of which nothing is left."""
        base = self._newest or next(iter(read_rows(self._reading, self._case.reading_id)))
        row = replace(base.row, seq=seq, created_utc=before_utc or base.row.created_utc, revision=-1)
        times = [f"after {in_words(self._newest.row.created_utc)}"] if self._newest is not None else []
        times += [f"before {in_words(before_utc)}"] if before_utc else []
        sentence = f"Change {seq}, made {' and '.join(times)}, is gone and could not be brought back."
        self._lose(replace(base, row=row), "a change", sentence)

    def _lose(self, stored: StoredRow, name: str, sentence: str) -> None:
        empty = Command(f"Lost: {name}", (), LOST_TOOL)
        encoded = encode(empty)
        row = replace(
            stored.row,
            kind=EntryKind.DO,
            target_seq=0,
            name=empty.name,
            tool=LOST_TOOL,
            document=encoded.document,
            payload=b"",
            size_bytes=0,
        )
        self._append(stored, row)
        self._state.follow(EntryKind.DO, row.seq, 0, empty, -1)
        self._report.lost += 1
        self._say(sentence)

    def _append(self, stored: StoredRow, row: JournalRow) -> None:
        readers = schema.readers.c
        known = self._writing.execute(select(readers.reader_id).where(readers.reader_id == stored.reader_id)).scalar()
        if known is None:
            self._writing.execute(
                insert(schema.readers).values(
                    reader_id=stored.reader_id,
                    reader_uid=uuid.uuid4().hex,
                    name=f"{UNKNOWN_READER} {stored.reader_id}",
                    rows=0,
                    head_sha256="",
                )
            )
        append_row(self._writing, row, stored.reader_id)

    def _say(self, sentence: str) -> None:
        self._report.losses.append(f"Case {self._case.reading_id} ({self._title()}): {sentence}")

    def _title(self) -> str:
        # Neither description nor path: reports are passed on, and people name both after patients.
        shape = " x ".join(map(str, self._case.geometry.shape_kji))
        return f"{self._case.sources.modality or 'images'}, {shape} voxels"
