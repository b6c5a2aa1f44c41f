"""A project with very many cases, and rows of journals, made quickly: the same rows as are written one by one."""

from __future__ import annotations

import uuid
from dataclasses import astuple

import numpy as np
from sqlalchemy import insert, select, update

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import Change, Command, SegmentChange
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.reading_status import ReadingStatus, Role
from medview.core.segmentation import Segment
from medview.store import schema
from medview.store.case_images import CaseKey, CaseSources
from medview.store.codec import encode
from medview.store.entry import EntryKind
from medview.store.patients import PatientIdentity
from medview.store.project import Project
from medview.store.rows import JournalRow, reader_id, row_hash
from medview.store.worklist_book import NewCase

_SHARED = ("study_uid", "series_uid", "geometry", "sources", "identity_sha256")
_UTC = "2026-11-20T10:00:00.000+00:00"


def grid(slices: int = 40) -> Geometry:
    """Return the grid of the cases."""
    return Geometry.from_spacing((slices, 64, 64), (3.0, 1.0, 1.0), (0.0, 0.0, 0.0))


def add_many_cases(project: Project, count: int, slices: int = 40) -> None:
    """Put cases on the list as adding folders does, each of as many files as slices; four series of a patient."""
    geometry, cases = grid(slices), []
    for n in range(count):
        uids = tuple(f"1.2.840.99.{n}.{k}" for k in range(slices))
        paths = tuple(f"/images/study-{n}/{k:04d}.dcm" for k in range(slices))
        sources = CaseSources(uids, paths, "CT" if n % 2 else "MR", f"Series {n}")
        key = CaseKey(f"1.2.840.99.{n}", f"1.2.840.98.{n}", "1.2.3")
        cases.append(NewCase(key, geometry, sources, PatientIdentity(f"many-{n // 4}")))
    project.worklist.add(cases)


def strokes(count: int) -> list[Command]:
    """Return the commands of somebody who adds a segment and draws."""
    labels = CaseLabels.empty(grid())
    segment = Segment("s1", "Nodule", (200, 60, 60), 0, 1)
    found: list[Command] = []

    def do(name: str, *changes: Change) -> None:
        labels.apply(changes)
        found.append(Command(name, changes, "brush"))

    do("Add a segment", SegmentChange(None, segment, 0))
    for n in range(count - 1):
        low = (n % 30, (5 * n) % 50, (7 * n) % 50)
        box = Box(low, (low[0] + 2, low[1] + 8, low[2] + 9))
        voxels = np.full(box.shape_kji, 1 - n % 2, dtype=np.uint8)
        patch = LabelPatch.between(labels.segmentation.layer(0), box, voxels)
        do(f"Stroke {n}", *([patch] if patch is not None else []))
    return found


def add_many_rows(project: Project, per_case: int, reader: str = "Ada") -> int:
    """Give every case of a project a reading with so many rows; return how many rows were written."""
    encoded = [(command, encode(command)) for command in strokes(per_case)]
    assert not any(one.blobs for _command, one in encoded)
    uid, head, written = uuid.uuid4().hex, "", 0
    with project._database.writing() as connection:
        who = reader_id(connection, reader, uid)
        uid = connection.execute(select(schema.readers.c.reader_uid).where(schema.readers.c.reader_id == who)).scalar_one()
        for case in connection.execute(select(schema.worklist).order_by(schema.worklist.c.case_id)).all():
            number = case.case_id
            same = {
                name: getattr(case, name) for name in ("study_uid", "series_uid", "geometry", "sources", "identity_sha256")
            }
            connection.execute(
                insert(schema.readings).values(
                    reading_id=number, **same, pixels_sha256="", status=ReadingStatus.TO_DO.value, created_utc=_UTC
                )
            )
            rows = []
            for seq, (command, one) in enumerate(encoded, start=1):
                row = JournalRow(
                    number, seq, EntryKind.DO, 0, command.name, command.tool, seq, _UTC, "", one.document, one.payload,
                    one.size_bytes,
                )  # fmt: skip
                digest = row_hash(row, uid, case.identity_sha256, head)
                columns = dict(zip(row.__dataclass_fields__, astuple(row), strict=True)) | {"kind": row.kind.value}
                rows.append({**columns, "reader_id": who, "previous_sha256": head, "row_sha256": digest})
                head = digest
            connection.execute(insert(schema.journal), rows)
            written += len(rows)
            connection.execute(
                insert(schema.reading_state).values(
                    reading_id=number, case_id=number, reader_id=who, role=Role.READER.value, copy=0,
                    status=(ReadingStatus.DONE if number % 3 else ReadingStatus.IN_WORK).value, seconds=60 * (number % 20),
                    rows=len(rows), changed_utc=_UTC,
                )
            )  # fmt: skip
        mine = schema.readers.c.reader_id == who
        connection.execute(update(schema.readers).where(mine).values(rows=written, head_sha256=head))
    return written
