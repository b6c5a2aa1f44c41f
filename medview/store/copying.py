"""Copies of projects: one to read beside the live file, one to keep."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from medview.core.atomic import sync_folder
from medview.core.errors import DiskFullError, StoreError
from medview.store.blobs import BlobStore
from medview.store.database import Database
from medview.store.faults import SQLITE_FAULTS, explain
from medview.store.model_book import version_rows
from medview.store.model_files import ModelFiles
from medview.store.verify import verify_project


def detached_copy(file: Path, title: str) -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder with a consistent copy of a database, taken without writing beside the original.

    Raises
    ------
    DiskFullError
        When the folder for temporary files has no room.
    OSError, sqlite3.Error
        When the original cannot be read.
    """
    try:
        return _detached_copy(file, title)
    except (OSError, *SQLITE_FAULTS) as error:
        if isinstance(explain(error, title), DiskFullError):
            raise DiskFullError(
                f"The folder for temporary files has no room for a copy of {title}; free some space there.",
                detail=type(error).__name__,
            ) from error
        raise


def _detached_copy(file: Path, title: str) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="medview-", ignore_cleanup_errors=True)
    copy = Path(folder.name) / file.name
    try:
        database = Database(file, title, read_only=True)
        try:
            database.copy_to(copy)
        except sqlite3.OperationalError:
            # A writer died here and left a journal, and this place may not be written: recover in the copy. Nobody is
            # writing then, or SQLite would have waited for them.
            copy.unlink(missing_ok=True)
            shutil.copyfile(file, copy)
            left = file.with_name(file.name + "-journal")
            if left.is_file():
                shutil.copyfile(left, copy.with_name(left.name))
            _roll_back(copy)
        finally:
            database.close()
    except BaseException:  # also an interrupt: half a copy must not stay; raised again below
        folder.cleanup()
        raise
    return folder


def _roll_back(file: Path) -> None:
    """Let SQLite roll back what a dead writer left half done."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    finally:
        connection.close()


def copy_project(
    database: Database,
    blobs: BlobStore,
    models: ModelFiles,
    target: Path,
    database_name: str,
    waiting: Callable[[Database, BlobStore], None],
) -> None:
    """Copy database, blobs and models to a new folder, check the copy, then give it its name.

    Parameters
    ----------
    waiting : callable
        Writes into the copy what could not be written into the original.

    Raises
    ------
    StoreError
        When something is there already, or the copy differs from the original.
    OSError, sqlite3.Error
        When it cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StoreError(f"{target.name} exists already; choose another name for the copy.")
    growing = target.parent / f".medview-{uuid.uuid4().hex}"
    growing.mkdir()
    try:
        database.copy_to(growing / database_name)
        copied = BlobStore(growing / "blobs")
        for digest in blobs:
            copied.put(blobs.get(digest))
        copy = Database(growing / database_name, target.name)
        try:
            waiting(copy, copied)
            copy_models(copy, models, growing)
            report = verify_project(copy, copied, growing)
        finally:
            copy.close()
        if not report.ok:
            raise StoreError(f"{target.name} was not written, because the project is damaged: {report.problems[0]}")
        if target.exists():
            target.rmdir()
        growing.rename(target)
    except BaseException:  # also an interrupt: half a copy must not stay; raised again below
        shutil.rmtree(growing, ignore_errors=True)
        raise
    sync_folder(target.parent)


def copy_models(copy: Database, models: ModelFiles, folder: Path) -> None:
    """Copy the packs that a copied database knows into its folder; what is damaged is left out. Raises OSError."""
    with copy.reading() as connection:
        digests = {row.made.digest for row in version_rows(connection)}
    kept = ModelFiles(folder)
    for digest in sorted(digests):
        with contextlib.suppress(StoreError):
            kept.put(models.folder(digest), digest)
