"""Copies of the database kept inside the project, checked before anything relies on them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import uuid
from datetime import datetime
from pathlib import Path

from medview.core.atomic import sync_folder
from medview.core.errors import StoreError
from medview.store.database import Database
from medview.store.faults import damaged_database

FOLDER_NAME = "backups"
"""In the project's folder. Blobs are never changed and need no copy; those of old snapshots may go, and were shortcuts."""


def keep_backup(database: Database, folder: Path, version: int, moment: datetime) -> str:
    """Write a copy of the database that is equal to it row by row and safely on disk; return its name.

    Parameters
    ----------
    folder : Path
        Of the project.
    version : int
        Schema version of the database, for the name.

    Raises
    ------
    StoreError
        When the copy differs from the original, or the original is damaged.
    OSError, sqlite3.Error
        When it cannot be written. Nothing is left behind then.
    """
    backups = folder / FOLDER_NAME
    made = not backups.is_dir()
    backups.mkdir(exist_ok=True)
    if made:
        sync_folder(folder)
    name = _free_name(backups, f"project-v{version}-{moment:%Y%m%dT%H%M%SZ}")
    growing = backups / f".{uuid.uuid4().hex}.part"
    try:
        database.copy_to(growing)
        _check_equal(database.path, growing, database.title)
        _sync(growing)
        growing.replace(backups / name)
    except BaseException:  # also an interrupt: half a copy must not stay; raised again below
        with contextlib.suppress(OSError):
            growing.unlink(missing_ok=True)
        raise
    sync_folder(backups)
    return name


def backup_files(folder: Path) -> list[Path]:
    """Return the backups in a project's folder, newest first."""
    return sorted(
        (folder / FOLDER_NAME).glob("project-v*.db"), key=lambda path: (path.stat().st_mtime, path.name), reverse=True
    )


def sweep_backups(folder: Path) -> None:
    """Remove what a killed program had begun and not finished. Only for the one who holds the project's lock."""
    for left in (folder / FOLDER_NAME).glob(".*.part*"):
        with contextlib.suppress(OSError):
            left.unlink(missing_ok=True)


def content_hashes(file: Path) -> dict[str, str]:
    """Return the SHA-256 of the rows of every table of a database.

    Raises
    ------
    sqlite3.Error
        When it cannot be read.
    """
    with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
        found: dict[str, str] = {}
        for table in tables:
            digest = hashlib.sha256()
            quoted = table.replace('"', '""')
            for row in connection.execute(f'SELECT * FROM "{quoted}" ORDER BY rowid'):
                digest.update(repr(row).encode("utf-8", "surrogatepass"))
            found[table] = digest.hexdigest()
        return found


def _check_equal(original: Path, copy: Path, title: str) -> None:
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        sound = [line for (line,) in connection.execute("PRAGMA integrity_check")]
    if sound != ["ok"]:
        raise damaged_database(title, str(sound[:5]))
    if content_hashes(original) != content_hashes(copy):
        raise StoreError(f"The backup of {title} differs from it, so nothing was changed; check the disk.")


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _free_name(backups: Path, stem: str) -> str:
    number = 1
    while (name := f"{stem}.db" if number == 1 else f"{stem}-{number}.db") and (backups / name).exists():
        number += 1
    return name
