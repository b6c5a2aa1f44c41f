"""A project as the first MedView wrote it, made without the code that writes projects now."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SHAPE_KJI = (7, 20, 30)

_TABLES = """
CREATE TABLE facts ("key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE readers (reader_id INTEGER NOT NULL, reader_uid TEXT NOT NULL, name TEXT NOT NULL, "rows" INTEGER NOT NULL,
    head_sha256 TEXT NOT NULL, PRIMARY KEY (reader_id), UNIQUE (reader_uid), UNIQUE (name));
CREATE TABLE cases (case_id INTEGER NOT NULL, study_uid TEXT NOT NULL, series_uid TEXT NOT NULL, geometry TEXT NOT NULL,
    sources TEXT NOT NULL, identity_sha256 TEXT NOT NULL, pixels_sha256 TEXT NOT NULL, status TEXT NOT NULL,
    created_utc TEXT NOT NULL, PRIMARY KEY (case_id));
CREATE TABLE journal (row_id INTEGER NOT NULL, case_id INTEGER NOT NULL, seq INTEGER NOT NULL, reader_id INTEGER NOT NULL,
    kind TEXT NOT NULL, target_seq INTEGER NOT NULL, name TEXT NOT NULL, tool TEXT NOT NULL, revision INTEGER NOT NULL,
    created_utc TEXT NOT NULL, pixels_sha256 TEXT NOT NULL, document TEXT NOT NULL, payload BLOB NOT NULL,
    size_bytes INTEGER NOT NULL, previous_sha256 TEXT NOT NULL, row_sha256 TEXT NOT NULL, PRIMARY KEY (row_id),
    UNIQUE (case_id, seq), FOREIGN KEY(case_id) REFERENCES cases (case_id),
    FOREIGN KEY(reader_id) REFERENCES readers (reader_id));
CREATE TABLE snapshots (snapshot_id INTEGER NOT NULL, case_id INTEGER NOT NULL, seq INTEGER NOT NULL,
    blob_sha256 TEXT NOT NULL, created_utc TEXT NOT NULL, PRIMARY KEY (snapshot_id), UNIQUE (case_id, seq),
    FOREIGN KEY(case_id) REFERENCES cases (case_id));
"""
_WHEN = "2026-10-01T08:30:00.000+00:00"
_NOBODY = {"kind": "hand", "model_id": "", "model_version": "", "model_sha256": "", "job_id": "", "created_utc": ""}


def write_version_1(folder: Path, *, snapshot: bool = False) -> npt.NDArray[np.uint8]:
    """Make a closed project with a segment and two strokes, the second undone and redone; return its voxels (k, j, i)."""
    folder.mkdir()
    (folder / "blobs").mkdir()
    connection = sqlite3.connect(folder / "project.db", isolation_level=None)
    connection.executescript(f"PRAGMA application_id = {0x4D564957}; PRAGMA user_version = 1; {_TABLES}")
    connection.execute(
        "INSERT INTO facts VALUES ('project_uid', ?), ('name', 'Old'), ('created_utc', ?)", ("ab" * 16, _WHEN)
    )
    affine = [[0.0, 0.0, 0.7, -10.0], [0.0, 0.9, 0.0, 20.0], [3.0, 0.0, 0.0, -50.0], [0.0, 0.0, 0.0, 1.0]]
    geometry = _json(
        {
            "shape_kji": SHAPE_KJI,
            "affine_lps": affine,
            "frame_of_reference_uid": "1.9",
            "calibration": "volume",
            "key_frame_of_reference_uid": "1.9",
        }
    )
    uids = [f"1.8.{k}" for k in range(SHAPE_KJI[0])]
    sources = _json({"sop_instance_uids": uids, "paths": [], "modality": "CT", "description": "Old series"})
    identity = hashlib.sha256(_json(["1.7", "1.8", geometry, uids]).encode()).hexdigest()
    case = (1, "1.7", "1.8", geometry, sources, identity, "", "in work", _WHEN)
    connection.execute("INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", case)
    _Rows(connection, identity).write()
    voxels = np.zeros(SHAPE_KJI, dtype=np.uint8)
    voxels[1:3, 4:9, 5:15] = 1
    voxels[2:5, 6:12, 10:25] = 1
    if snapshot:
        _snapshot(connection, folder, voxels)
    connection.close()
    return voxels


class _Rows:
    def __init__(self, connection: sqlite3.Connection, identity: str) -> None:
        self._connection, self._identity = connection, identity
        self._head, self._count = "", 0
        self._uid = uuid.UUID(int=7).hex

    def write(self) -> None:
        name = ("INSERT INTO readers VALUES (1, ?, 'Ada', 0, '')", (self._uid,))
        self._connection.execute(*name)
        segment = [{"kind": "segment", "position": 0, "before": None, "after": _segment()}]
        self._row("do", 0, "Add Liver", "segments", segment, b"")
        first = np.zeros((2, 5, 10), dtype=np.uint8)
        self._patch("Brush Liver", (1, 4, 5), first, np.ones_like(first))
        second = np.zeros((3, 6, 15), dtype=np.uint8)
        second[0, :3, :5] = 1  # where the first stroke lies
        self._patch("Brush Liver again", (2, 6, 10), second, np.ones_like(second))
        self._row("undo", 3, "Brush Liver again", "brush", None, b"")
        self._row("redo", 3, "Brush Liver again", "brush", None, b"")
        self._connection.execute("UPDATE readers SET rows = ?, head_sha256 = ?", (self._count, self._head))

    def _patch(
        self, name: str, low: tuple[int, int, int], before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]
    ) -> None:
        payload, parts = b"", []
        for voxels in (before, after):
            data = zlib.compress(voxels.tobytes(), 1)
            parts.append({"at": len(payload), "size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
            payload += data
        high = [start + size for start, size in zip(low, before.shape, strict=True)]
        change = {"kind": "patch", "layer": 0, "box": [list(low), high], "before": parts[0], "after": parts[1]}
        self._row("do", 0, name, "brush", [change], payload)

    def _row(self, kind: str, target: int, name: str, tool: str, changes: list[Any] | None, payload: bytes) -> None:
        self._count += 1
        document = "" if changes is None else _json({"v": 1, "name": name, "tool": tool, "changes": changes})
        facts = [
            self._uid,
            self._identity,
            self._head,
            self._count,
            kind,
            target,
            name,
            tool,
            self._count,
            _WHEN,
            "",
            document,
        ]
        digest = hashlib.sha256(_json(facts).encode())
        digest.update(payload)
        row = (self._count, 1, self._count, 1, kind, target, name, tool, self._count, _WHEN, "", document, payload)
        values = (*row, len(payload), self._head, digest.hexdigest())
        self._connection.execute(f"INSERT INTO journal VALUES ({', '.join('?' * len(values))})", values)
        self._head = digest.hexdigest()


def _snapshot(connection: sqlite3.Connection, folder: Path, voxels: npt.NDArray[np.uint8]) -> None:
    packed = zlib.compress(voxels.tobytes(), 1)
    header = {
        "v": 1,
        "shape_kji": SHAPE_KJI,
        "seq": 5,
        "revision": 5,
        "segments": [_segment()],
        "annotations": [],
        "proposals": [],
        "undo": [1, 2, 3],
        "redo": [],
        "losses": [],
        "layers": [{"layer": 0, "bricks": [[0, 0, 0, 0, len(packed), hashlib.sha256(packed).hexdigest()]]}],
    }
    text = _json(header).encode()
    data = b"MVSNAP1\n" + len(text).to_bytes(8, "big") + text + packed
    digest = hashlib.sha256(data).hexdigest()
    (folder / "blobs" / digest[:2]).mkdir()
    (folder / "blobs" / digest[:2] / digest).write_bytes(data)
    connection.execute("INSERT INTO snapshots VALUES (1, 1, 5, ?, ?)", (digest, _WHEN))


def _segment() -> dict[str, Any]:
    return {
        "id": "s1",
        "name": "Liver",
        "colour": [10, 200, 1],
        "layer": 0,
        "value": 1,
        "code": None,
        "locked": False,
        "visible": True,
        "status": "to do",
        "source": _NOBODY,
    }


def _json(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), sort_keys=True)
