"""Checking a project that somebody may be writing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from medview.core.errors import MedViewError
from medview.store.blobs import BlobStore
from medview.store.copying import detached_copy
from medview.store.database import Database
from medview.store.project_folder import DATABASE_NAME
from medview.store.snapshots import snapshot_blobs
from medview.store.verify import VerifyReport, verify_project

_AGAIN = 3
"""How often a project that is written meanwhile is checked anew."""


def verify_beside_writer(
    database: Path, folder: Path, progress: Callable[[float], None] = lambda _fraction: None
) -> VerifyReport:
    """Check copies of a project's database, so that a long check keeps no gesture from being saved.

    Parameters
    ----------
    database : Path
        What is checked: the file of the project, or a copy that was made of it.
    folder : Path
        Of the project.

    Raises
    ------
    MedViewError, OSError, sqlite3.Error
        When it cannot be read at all.
    """
    blobs, file = BlobStore(folder / "blobs"), folder / DATABASE_NAME
    report, snapshots = _check(database, folder, blobs, progress)
    for _ in range(_AGAIN):
        if report.ok or _listed(file, folder.name) == snapshots:
            break
        # Meanwhile whoever writes has made a snapshot and discarded the file of an older one.
        report, snapshots = _check(file, folder, blobs, progress)
    return report


def _check(file: Path, folder: Path, blobs: BlobStore, progress: Callable[[float], None]) -> tuple[VerifyReport, set[str]]:
    """Check a copy; return also which snapshots it lists."""
    with detached_copy(file, folder.name) as room:
        copy = Database(Path(room) / DATABASE_NAME, folder.name, read_only=True)
        try:
            return verify_project(copy, blobs, folder, progress), _snapshots(copy)
        finally:
            copy.close()


def _listed(file: Path, title: str) -> set[str]:
    with detached_copy(file, title) as room:
        copy = Database(Path(room) / DATABASE_NAME, title, read_only=True)
        try:
            return _snapshots(copy)
        finally:
            copy.close()


def _snapshots(database: Database) -> set[str]:
    try:
        with database.reading() as connection:
            return snapshot_blobs(connection)
    except MedViewError:
        # Too damaged to be asked; the report says so.
        return set()
