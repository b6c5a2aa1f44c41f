"""Whether everything in a project is as it was written."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from medview.core.errors import StoreError
from medview.store import schema
from medview.store.backups import backup_files
from medview.store.blobs import BlobStore
from medview.store.bricks import Brick
from medview.store.case_images import identity
from medview.store.database import Database
from medview.store.holder import Holder
from medview.store.model_book import model_problems
from medview.store.model_files import ModelFiles
from medview.store.parts import blobs_of
from medview.store.readings import ReadingRow, list_readings
from medview.store.recover import replay
from medview.store.replay import ReplayedCase
from medview.store.rows import read_rows
from medview.store.salvage import is_sound
from medview.store.snapshots import snapshot_blobs, stored_snapshots


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a check of a project found.

    Attributes
    ----------
    rows, cases, blobs, snapshots, backups, models : int
        How much was checked.
    problems : tuple of str
        One sentence each; empty when all is well.
    recorded : tuple of str
        What an earlier recovery of the project had to leave out; no problem of this project.
    writer : dict or None
        Who holds the project: ``user``, ``host``, ``since_utc`` and ``here`` (whether this very system runs it); None when
        nobody does.
    """

    rows: int = 0
    cases: int = 0
    blobs: int = 0
    snapshots: int = 0
    backups: int = 0
    problems: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    writer: dict[str, Any] | None = field(default=None)
    models: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def document(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {
            "ok": self.ok,
            "rows": self.rows,
            "cases": self.cases,
            "blobs": self.blobs,
            "snapshots": self.snapshots,
            "backups": self.backups,
            "models": self.models,
            "writer": self.writer,
            "problems": list(self.problems),
            "recorded": list(self.recorded),
        }


def writer_document(holder: Holder | None) -> dict[str, Any] | None:
    """Return who holds a project, ready for JSON."""
    if holder is None:
        return None
    return {
        "user": holder.user,
        "host": holder.host,
        "since_utc": holder.since_utc,
        "heartbeat_utc": holder.heartbeat_utc,
        "here": holder.on_this_system and holder.alive,
    }


def verify_project(
    database: Database,
    blobs: BlobStore,
    folder: Path | None = None,
    progress: Callable[[float], None] = lambda _fraction: None,
) -> VerifyReport:
    """Check the database, every row's hash and chain, every blob and snapshot, and replay every case from its first row.

    Parameters
    ----------
    folder : Path, optional
        Of the project; its backups and the packs of its models are checked too.
    progress : callable
        Called with the part that is done, 0 to 1.

    Raises
    ------
    MedViewError
        When the database cannot be opened at all.
    """
    with database.reading() as connection:
        problems = _database_problems(connection)
        if problems:
            # What a damaged database says about itself cannot be relied on.
            return VerifyReport(problems=tuple(problems))
        readings = list_readings(connection)
        titles = _titles(readings)
        rows, needed, found = _chain_problems(connection, titles)
        problems += found
        snapshot_files = snapshot_blobs(connection)
        problems += _blob_problems(blobs, needed, snapshot_files)
        recorded: list[str] = []
        for number, reading in enumerate(readings):
            progress(number / len(readings))
            problems += _reading_problems(connection, reading, titles[reading.reading_id], blobs, recorded)
        snapshots = connection.execute(select(func.count()).select_from(schema.snapshots)).scalar_one()
        models = 0
        if folder is not None:
            models = connection.execute(select(func.count()).select_from(schema.model_versions)).scalar_one()
            problems += model_problems(connection, ModelFiles(folder))
    backups = backup_files(folder) if folder is not None else []
    problems += [f"The backup {backup.name} is damaged." for backup in backups if not is_sound(backup)]
    cases = len({reading.case_id for reading in readings})
    return VerifyReport(
        rows, cases, len(needed), int(snapshots), len(backups), tuple(problems), tuple(recorded), models=int(models)
    )


def _database_problems(connection: Connection) -> list[str]:
    try:
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    except SQLAlchemyError as error:
        return [f"The database itself is damaged; recover the project into a new one ({error.__cause__})."]
    return [] if found == ["ok"] else [f"The database itself is damaged: {line}." for line in found[:5]]


def _titles(readings: Sequence[ReadingRow]) -> dict[int, str]:
    """Return what readings are called: by their case, and where several people read it by who did."""
    together = Counter(reading.case_id for reading in readings)
    return {
        reading.reading_id: f"case {reading.case_id}"
        if together[reading.case_id] == 1
        else f"case {reading.case_id} ({reading.reader or 'nobody'}, {reading.state.role.value})"
        for reading in readings
    }


def _chain_problems(connection: Connection, titles: Mapping[int, str]) -> tuple[int, set[str], list[str]]:
    problems: list[str] = []
    needed: set[str] = set()
    heads: dict[int, str] = {}
    counts: dict[int, int] = {}
    for stored in read_rows(connection):
        row = stored.row
        where = f"Change {row.seq} of {titles.get(row.reading_id, 'no case')}"
        if not stored.intact:
            problems.append(f"{where} does not match its checksum.")
        if stored.previous_sha256 != heads.get(stored.reader_id, ""):
            problems.append(f"{where} does not follow its reader's change before it; rows are missing or were exchanged.")
        heads[stored.reader_id] = stored.row_sha256
        counts[stored.reader_id] = counts.get(stored.reader_id, 0) + 1
        if row.document:
            try:
                needed |= blobs_of(json.loads(row.document))
            except ValueError:
                problems.append(f"{where} cannot be understood.")
    problems += [
        f"The newest changes of reader {reader.reader_id} are missing."
        for reader in connection.execute(select(schema.readers))
        if heads.get(reader.reader_id, "") != reader.head_sha256 or counts.get(reader.reader_id, 0) != reader.rows
    ]
    return sum(counts.values()), needed, problems


def _blob_problems(blobs: BlobStore, needed: set[str], snapshots: set[str]) -> list[str]:
    problems: list[str] = []
    # Blobs that nothing refers to are looked at as well: what was discarded may still be wanted by a backup.
    for digest in sorted(needed | (set(blobs) - snapshots)):
        try:
            blobs.get(digest)
        except StoreError as error:
            use = "" if digest in needed else " Nothing needs it."
            problems.append(f"{error.sentence[:-1]}: {digest[:12]}.{use}")
    return problems


def _reading_problems(
    connection: Connection, reading: ReadingRow, title: str, blobs: BlobStore, recorded: list[str]
) -> list[str]:
    own_id, key, geometry = reading.reading_id, reading.key, reading.geometry
    stored = connection.execute(
        select(schema.readings.c.geometry).where(schema.readings.c.reading_id == own_id)
    ).scalar_one()
    problems: list[str] = []
    if identity(key.study_uid, key.series_uid, stored, reading.sources.sop_instance_uids) != reading.identity_sha256:
        problems.append(f"What {title} was drawn on has been changed.")
    snapshots = stored_snapshots(connection, own_id, geometry, blobs)
    problems += [
        f"The snapshot of {title} after change {seq} is damaged; it is not needed while the rows are good."
        for seq, snapshot in snapshots.items()
        if snapshot is None
    ]
    different: list[int] = []

    def compare(replayed: ReplayedCase) -> None:
        snapshot = snapshots.get(replayed.seq)
        if snapshot is not None and not replayed.losses and not _same(replayed, snapshot):
            different.append(replayed.seq)

    whole = replay(connection, own_id, geometry, blobs, from_start=True, after_row=compare)
    heading = f"{title[0].upper()}{title[1:]}"
    problems += [f"{heading}: {loss}" for loss in whole.losses]
    problems += [f"The snapshot of {title} after change {seq} does not agree with its changes." for seq in different]
    recorded += [f"{heading}: {loss}" for loss in whole.recorded]
    counted = connection.execute(
        select(func.count()).select_from(schema.journal).where(schema.journal.c.reading_id == own_id)
    ).scalar_one()
    if counted != reading.gestures:
        problems.append(f"{heading}: {counted} changes are there, {reading.gestures} were counted.")
    return problems


def _same(one: ReplayedCase, other: ReplayedCase) -> bool:
    if one.labels.segmentation.segments != other.labels.segmentation.segments:
        return False
    if one.labels.annotations != other.labels.annotations or set(one.labels.proposals) != set(other.labels.proposals):
        return False
    if (one.labels.marks, one.labels.efforts) != (other.labels.marks, other.labels.efforts):
        return False
    if (one.labels.prompts, one.labels.answers) != (other.labels.prompts, other.labels.answers):
        return False
    if (one.stacks.undo, one.stacks.redo) != (other.stacks.undo, other.stacks.redo):
        return False
    return _bricks(one) == _bricks(other)


def _bricks(case: ReplayedCase) -> dict[tuple[int, Brick], bytes]:
    """Return the hash of every brick's voxels; compressed bytes may differ between versions of zlib."""
    return {
        (layer_id, brick): hashlib.sha256(layer.read(layer.box(brick)).tobytes()).digest()
        for layer_id, layer in case.layers.items()
        for brick in layer.packed()
    }
