"""Whether everything in a project is as it was written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from medview.core.errors import StoreError
from medview.store import schema
from medview.store.blobs import BlobStore
from medview.store.bricks import Brick
from medview.store.cases import CaseRow, identity, list_cases
from medview.store.database import Database
from medview.store.parts import blobs_of
from medview.store.recover import replay
from medview.store.replay import ReplayedCase
from medview.store.rows import read_rows
from medview.store.snapshots import problems as snapshot_problems


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a check of a project found.

    Attributes
    ----------
    rows, cases, blobs, snapshots : int
        How much was checked.
    problems : tuple of str
        One sentence each; empty when all is well.
    """

    rows: int
    cases: int
    blobs: int
    snapshots: int
    problems: tuple[str, ...]

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
            "problems": list(self.problems),
        }


def verify_project(database: Database, blobs: BlobStore) -> VerifyReport:
    """Check the database, every row's hash and chain, every blob and snapshot, and replay every case from its first row.

    Raises
    ------
    MedViewError
        When the database cannot be opened at all.
    """
    with database.reading() as connection:
        problems = _database_problems(connection)
        if problems:
            # What a damaged database says about itself cannot be relied on.
            return VerifyReport(0, 0, 0, 0, tuple(problems))
        cases = list_cases(connection)
        rows, needed, found = _chain_problems(connection)
        problems += found
        problems += _blob_problems(blobs, needed)
        for case in cases:
            problems += _case_problems(connection, case, blobs)
        snapshots = connection.execute(select(func.count()).select_from(schema.snapshots)).scalar_one()
    return VerifyReport(rows, len(cases), len(needed), int(snapshots), tuple(problems))


def _database_problems(connection: Connection) -> list[str]:
    try:
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    except SQLAlchemyError as error:
        return [f"The database itself is damaged; restore the project from a copy ({error.__cause__})."]
    return [] if found == ["ok"] else [f"The database itself is damaged: {line}." for line in found[:5]]


def _chain_problems(connection: Connection) -> tuple[int, set[str], list[str]]:
    problems: list[str] = []
    needed: set[str] = set()
    heads: dict[int, str] = {}
    counts: dict[int, int] = {}
    for stored in read_rows(connection):
        row = stored.row
        where = f"Change {row.seq} of case {row.case_id}"
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


def _blob_problems(blobs: BlobStore, needed: set[str]) -> list[str]:
    problems: list[str] = []
    for digest in sorted(needed):
        try:
            blobs.get(digest)
        except StoreError as error:
            problems.append(f"{error.sentence[:-1]}: {digest[:12]}.")
    return problems


def _case_problems(connection: Connection, case: CaseRow, blobs: BlobStore) -> list[str]:
    problems = snapshot_problems(connection, case.case_id, case.geometry, blobs)
    stored = connection.execute(select(schema.cases.c.geometry).where(schema.cases.c.case_id == case.case_id)).scalar_one()
    uids = case.sources.sop_instance_uids
    if identity(case.key.study_uid, case.key.series_uid, stored, uids) != case.identity_sha256:
        problems.append(f"What case {case.case_id} was drawn on has been changed.")
    whole = replay(connection, case.case_id, case.geometry, blobs, from_start=True)
    problems += [f"Case {case.case_id}: {loss}" for loss in whole.losses]
    if not whole.losses and not problems:
        short = replay(connection, case.case_id, case.geometry, blobs)
        if not _same(whole, short):
            problems.append(f"The snapshots of case {case.case_id} do not agree with its changes.")
    return problems


def _same(one: ReplayedCase, other: ReplayedCase) -> bool:
    if one.labels.segmentation.segments != other.labels.segmentation.segments:
        return False
    if one.labels.annotations != other.labels.annotations or set(one.labels.proposals) != set(other.labels.proposals):
        return False
    return _bricks(one) == _bricks(other)


def _bricks(case: ReplayedCase) -> dict[tuple[int, Brick], bytes]:
    """Return the hash of every brick's voxels; compressed bytes may differ between versions of zlib."""
    return {
        (layer_id, brick): hashlib.sha256(layer.read(layer.box(brick)).tobytes()).digest()
        for layer_id, layer in case.layers.items()
        for brick in layer.packed()
    }
