"""Bringing projects of older versions to the present one: a checked backup first, then one transaction.

Rows of the journal are never rewritten: their hashes would change. What a document of an older version leaves out has a
default in the codec.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from medview.store import schema
from medview.store.backups import FOLDER_NAME, keep_backup, sweep_backups
from medview.store.clock import Clock, iso
from medview.store.database import Database
from medview.store.reading_state import mend_states

log = logging.getLogger("medview.store")


def migrate(database: Database, folder: Path, clock: Clock) -> tuple[str, ...]:
    """Bring a database to the present version; return what a person should know, one sentence each.

    Parameters
    ----------
    folder : Path
        Of the project; its lock has to be held. The backup goes to ``backups/`` in it.

    Raises
    ------
    StoreError
        When the database is damaged; it is left as it was.
    OSError, sqlite3.Error, SQLAlchemyError
        When backup or migration cannot be written; the database is left as it was.
    """
    version = database.check()
    if version >= schema.SCHEMA_VERSION:
        return ()
    sweep_backups(folder)
    backup = keep_backup(database, folder, version, clock.utc())
    with database.writing() as connection:
        _bring_up(connection, version)
        connection.execute(
            insert(schema.migrations).values(
                from_version=version, to_version=schema.SCHEMA_VERSION, made_utc=iso(clock.utc()), backup=backup
            )
        )
    log.info("a project of version %d was brought to version %d", version, schema.SCHEMA_VERSION)
    return (
        f"{database.title} was made by an older MedView and was brought to the present version; "
        f"it is kept as it was in {FOLDER_NAME}/{backup}.",
    )


def bring_up_copy(file: Path, title: str) -> None:
    """Bring a copy that is only read to the present version and complete it, so that there is one way of reading."""
    database = Database(file, title)
    try:
        with database.writing() as connection:
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            if 0 < version < schema.SCHEMA_VERSION:
                _bring_up(connection, version)
            if 0 < version <= schema.SCHEMA_VERSION:
                mend_states(connection)
    finally:
        database.close()


def _bring_up(connection: Connection, version: int) -> None:
    for step in range(version, schema.SCHEMA_VERSION):
        _STEPS[step](connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {schema.SCHEMA_VERSION}")


def past_migrations(connection: Connection) -> list[dict[str, Any]]:
    """Return the migrations a project went through, oldest first, ready for JSON."""
    rows = connection.execute(select(schema.migrations).order_by(schema.migrations.c.migration_id))
    return [
        {"from": row.from_version, "to": row.to_version, "made_utc": row.made_utc, "backup": row.backup} for row in rows
    ]


def _from_1(connection: Connection) -> None:
    schema.migrations.create(connection)


def _from_2(connection: Connection) -> None:
    schema.queue.create(connection)


def _from_3(connection: Connection) -> None:
    for table in (schema.patients, schema.worklist, schema.reading_state, schema.activity):
        table.create(connection)
    mend_states(connection)


def _from_4(connection: Connection) -> None:
    for table in (schema.model_versions, schema.model_choices):
        table.create(connection)


_STEPS: dict[int, Callable[[Connection], None]] = {1: _from_1, 2: _from_2, 3: _from_3, 4: _from_4}
"""What makes a database of a version one of the next."""
