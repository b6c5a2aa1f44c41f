"""Tables of ``project.db``."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

APPLICATION_ID = 0x4D564957
"""``MVIW`` in the SQLite header: the file is a MedView project."""

SCHEMA_VERSION = 3
"""``user_version`` of the databases this program writes. A database with a higher one is only read.

1: the first. 2: documents know marks and the role, absence, group and look of segments; ``migrations``.
3: ``queue``; documents know what became of accepted segments.
"""

metadata = MetaData()

facts = Table(
    "facts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""One row each for ``project_uid``, ``name``, ``created_utc``; ``label_set`` and ``label_set_before`` where there are."""

readers = Table(
    "readers",
    metadata,
    Column("reader_id", Integer, primary_key=True),
    Column("reader_uid", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("rows", Integer, nullable=False),
    Column("head_sha256", Text, nullable=False),
)
"""People who label. ``head_sha256`` is the hash of the reader's newest row, so that rows lost at the end are noticed."""

cases = Table(
    "cases",
    metadata,
    Column("case_id", Integer, primary_key=True),
    Column("study_uid", Text, nullable=False),
    Column("series_uid", Text, nullable=False),
    Column("geometry", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("identity_sha256", Text, nullable=False),
    Column("pixels_sha256", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("row_id", Integer, primary_key=True),
    Column("case_id", Integer, ForeignKey("cases.case_id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("reader_id", Integer, ForeignKey("readers.reader_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("target_seq", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_utc", Text, nullable=False),
    Column("pixels_sha256", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("previous_sha256", Text, nullable=False),
    Column("row_sha256", Text, nullable=False),
    UniqueConstraint("case_id", "seq"),
)
"""Every gesture ever made; rows are only ever appended. ``seq`` counts 1, 2, 3 ... within a case."""

snapshots = Table(
    "snapshots",
    metadata,
    Column("snapshot_id", Integer, primary_key=True),
    Column("case_id", Integer, ForeignKey("cases.case_id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("blob_sha256", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
    UniqueConstraint("case_id", "seq"),
)
"""State of a case after row ``seq``; a shortcut for loading, never the only copy of anything."""

migrations = Table(
    "migrations",
    metadata,
    Column("migration_id", Integer, primary_key=True),
    Column("from_version", Integer, nullable=False),
    Column("to_version", Integer, nullable=False),
    Column("made_utc", Text, nullable=False),
    Column("backup", Text, nullable=False),
)
"""When the project was brought to a newer version; ``backup`` names the file in ``backups/`` with the state before."""

queue = Table(
    "queue",
    metadata,
    Column("task_uid", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("changed_utc", Text, nullable=False),
)
"""What models are still to run on, and how it went: a list of work, not labels, so its rows are changed and deleted."""
