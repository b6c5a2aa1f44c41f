"""Tables of ``project.db``."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

APPLICATION_ID = 0x4D564957
"""``MVIW`` in the SQLite header: the file is a MedView project."""

SCHEMA_VERSION = 5
"""``user_version`` of the databases this program writes. A database with a higher one is only read.

1: the first. 2: documents know marks and the role, absence, group and look of segments; ``migrations``.
3: ``queue``; documents know what became of accepted segments.
4: ``worklist``, ``patients``, ``reading_state`` and ``activity``: several readers label a case, each with a journal.
5: ``model_versions`` and ``model_choices``: the models a project trained, and which of them counts.
"""

metadata = MetaData()

facts = Table(
    "facts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""One row each for ``project_uid``, ``name``, ``created_utc``; ``label_set`` and ``label_set_before``, ``instructions``
(Markdown) and ``reading_rule`` (JSON) where there are."""

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

readings = Table(
    "cases",
    metadata,
    Column("case_id", Integer, key="reading_id", primary_key=True),
    Column("study_uid", Text, nullable=False),
    Column("series_uid", Text, nullable=False),
    Column("geometry", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("identity_sha256", Text, nullable=False),
    Column("pixels_sha256", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
)
"""The labels of one reader on one series: a journal, and the images it was drawn on.

On disk it is called ``cases``, and its key ``case_id``, as in version 1, when a case had one reader: what is left of
damaged databases and of backups of any version is known again by its columns. ``status`` is that of version 3;
``reading_state`` has the present one.
"""

journal = Table(
    "journal",
    metadata,
    Column("row_id", Integer, primary_key=True),
    Column("case_id", Integer, ForeignKey("cases.reading_id"), key="reading_id", nullable=False),
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
    UniqueConstraint("reading_id", "seq"),
)
"""Every gesture ever made; rows are only ever appended. ``seq`` counts 1, 2, 3 ... within a reading."""

snapshots = Table(
    "snapshots",
    metadata,
    Column("snapshot_id", Integer, primary_key=True),
    Column("case_id", Integer, ForeignKey("cases.reading_id"), key="reading_id", nullable=False),
    Column("seq", Integer, nullable=False),
    Column("blob_sha256", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
    UniqueConstraint("reading_id", "seq"),
)
"""State of a reading after row ``seq``; a shortcut for loading, never the only copy of anything."""

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

patients = Table(
    "patients",
    metadata,
    Column("patient_id", Integer, primary_key=True),
    Column("pseudonym", Text, nullable=False, unique=True),
    Column("key_sha256", Text, nullable=False, unique=True),
    Column("identity", Text, nullable=False),
)
"""The key between people and their pseudonyms: ``identity`` holds what the headers say.

It stays in the project and is in nothing that is written out of it.
"""

worklist = Table(
    "worklist",
    metadata,
    Column("case_id", Integer, primary_key=True),
    Column("identity_sha256", Text, nullable=False, unique=True),
    Column("study_uid", Text, nullable=False),
    Column("series_uid", Text, nullable=False),
    Column("modality", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("patient_id", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("split", Text, nullable=False),
    Column("excluded", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
    Column("geometry", Text, nullable=False),
    Column("sources", Text, nullable=False),
)
"""The cases there are to label, whether anybody has begun or not; a case is read once by each reader.

``patient_id`` is 0 where nothing tells the patient. What is long comes last: a list of the cases does not read it.
"""

reading_state = Table(
    "reading_state",
    metadata,
    Column("reading_id", Integer, primary_key=True),
    Column("case_id", Integer, nullable=False),
    Column("reader_id", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("copy", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("changed_utc", Text, nullable=False),
)
"""Whose a reading is and how far, and what is counted of its journal: a list of the cases reads nothing else.

``copy`` is 0, or more where two copies of a project went different ways. ``reader_id`` is 0 until the reader's first row.
"""

activity = Table(
    "activity",
    metadata,
    Column("activity_id", Integer, primary_key=True),
    Column("activity_uid", Text, nullable=False, unique=True),
    Column("case_id", Integer, nullable=False),
    Column("reading_id", Integer, nullable=False),
    Column("reader_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
)
"""What was done beside labelling: added, opened, sent back, approved, excluded, exported; rows are only ever appended.

``case_id`` and ``reading_id`` are 0 where it is about none.
"""

model_versions = Table(
    "model_versions",
    metadata,
    Column("version_id", Integer, primary_key=True),
    Column("version_uid", Text, nullable=False, unique=True),
    Column("line", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("compared", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("gate", Text, nullable=False),
    Column("learnt", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
    UniqueConstraint("line", "version"),
)
"""Every model that was trained on the project and judged, refused ones too; rows are only ever appended.

``version`` counts 1, 2, 3 ... within a line; ``compared`` is that of the version it was compared with, 0 for none.
``digest`` names its pack in ``models/``. ``gate`` and ``learnt`` are JSON, or empty.
"""

model_choices = Table(
    "model_choices",
    metadata,
    Column("choice_id", Integer, primary_key=True),
    Column("choice_uid", Text, nullable=False, unique=True),
    Column("line", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
)
"""Which version of a line counted from when on, and who said so; rows are only ever appended, the newest counts."""
