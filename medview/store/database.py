"""The one door to ``project.db``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from medview.core.errors import NewerVersionError, StoreError
from medview.store import schema
from medview.store.faults import explain

BUSY_TIMEOUT_S = 5.0


class Database:
    """SQLite with a rollback journal; see ``docs/adr/0002-rollback-journal-sqlite.md``.

    Connections are opened per use and may be used from any thread, one thread each.

    Parameters
    ----------
    path : Path
        The database file; it has to exist.
    title : str
        How the project is called in sentences.
    """

    def __init__(self, path: Path, title: str, *, read_only: bool = False) -> None:
        self.path = path
        self.title = title
        self.read_only = read_only
        self._engine = _engine(path, read_only=read_only)

    @classmethod
    def create(cls, path: Path, title: str) -> Database:
        """Make an empty database with all tables."""
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION}")
        finally:
            connection.close()
        database = cls(path, title)
        with database.writing() as opened:
            schema.metadata.create_all(opened)
        return database

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state.

        Raises
        ------
        MedViewError
            One sentence, when the database cannot be read.
        """
        try:
            with self._engine.connect().execution_options(medview_reading=True) as connection:
                yield connection
        except (SQLAlchemyError, OSError, UnicodeDecodeError) as error:
            raise explain(error, self.title) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed at the end, or rolled back when anything is raised."""
        with self._engine.begin() as connection:
            yield connection

    def connect(self) -> Connection:
        """Return a connection to keep; close it."""
        return self._engine.connect()

    def check(self) -> int:
        """Return the schema version.

        Raises
        ------
        StoreError
            When this is not a MedView project, or damaged.
        NewerVersionError
            When it was written by a newer MedView and is not opened read-only.
        """
        with self.reading() as connection:
            application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
        if application != schema.APPLICATION_ID or version < 1:
            raise StoreError(
                f"{self.title} is not a MedView project; choose a folder that MedView made.",
                detail=f"application_id {application}, user_version {version}",
            )
        if version > schema.SCHEMA_VERSION and not self.read_only:
            raise NewerVersionError(
                newer_version(self.title),
                detail=f"schema {version}, this program writes {schema.SCHEMA_VERSION}",
            )
        return version

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the whole database, also while someone else is writing it."""
        source = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
        try:
            copy = sqlite3.connect(target, isolation_level=None)
            try:
                source.backup(copy)
            finally:
                copy.close()
        finally:
            source.close()

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "replace")


def newer_version(title: str) -> str:
    """Return the sentence for a project that a newer MedView wrote."""
    return f"{title} was written by a newer MedView and can only be read; install the newest one to change it."


def _engine(path: Path, *, read_only: bool) -> Engine:
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        # One damaged byte of a text must not keep everything beside it from being read; its row's hash tells.
        connection.text_factory = _text
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if not read_only:
            # TRUNCATE with FULL flushes the journal's end too; DELETE would need the folder flushed (EXTRA).
            connection.execute("PRAGMA journal_mode=TRUNCATE").fetchall()
            connection.execute("PRAGMA synchronous=FULL")
        return connection

    # What is bound to a statement may name a patient's folder and must not get into an error's text.
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("medview_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
