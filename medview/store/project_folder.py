"""Making a project folder, and getting at its database: live with the lock, or a copy to read."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from medview.core.atomic import sync_folder
from medview.core.errors import DamagedError, NewerVersionError, StoreError, WriteError
from medview.store import schema
from medview.store.backups import backup_files
from medview.store.blobs import BlobStore
from medview.store.clock import Clock, iso
from medview.store.copying import detached_copy
from medview.store.database import Database, newer_version
from medview.store.faults import SQLITE_FAULTS, damaged_database, explain
from medview.store.lock import ProjectLock
from medview.store.migrate import bring_up_copy, migrate
from medview.store.model_files import ModelFiles
from medview.store.place import place_of
from medview.store.salvage import is_project, is_sound, salvage
from medview.store.silence import Silence

_GROWING = ".medview-new-"
"""Begins the name of a project folder that is not whole yet."""

_ABANDONED_S = 3600.0

DATABASE_NAME = "project.db"

CHECKED_BYTES = 64 * 1024 * 1024
"""Databases up to this size are looked through whenever they are opened, larger ones before they are first written."""

_COPIES = 3
"""Times a copy to read is made before the original is taken to be damaged."""


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """A project folder with its database.

    Attributes
    ----------
    lock : ProjectLock or None
        None when ``database`` is a copy to read.
    copy : TemporaryDirectory or None
        Where the copy is.
    why_copy : str
        Why a copy is read, one sentence; empty when somebody only wants to read, or for the live database.
    salvaged : bool
        The copy holds what is left of a damaged database.
    notices : tuple of str
        What a person should know about how it was opened, one sentence each.
    """

    path: Path
    database: Database
    lock: ProjectLock | None = None
    copy: tempfile.TemporaryDirectory[str] | None = None
    why_copy: str = ""
    salvaged: bool = False
    notices: tuple[str, ...] = ()

    @property
    def blobs(self) -> BlobStore:
        """Large payloads; also those of a copied database are read in place."""
        return BlobStore(self.path / "blobs")

    def close(self) -> None:
        """Let go of everything."""
        self.database.close()
        if self.lock is not None:
            self.lock.release()
        if self.copy is not None:
            self.copy.cleanup()


def _sweep(parent: Path) -> None:
    """Remove what programs that were killed while they made a project left behind; nothing in it was anybody's work."""
    for left in parent.glob(f"{_GROWING}{'[0-9a-f]' * 32}"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(left)


def create_folder(path: Path, name: str, clock: Clock) -> None:
    """Make a project folder; it is whole or absent.

    Raises
    ------
    StoreError
        When something is there already.
    WriteError
        When it cannot be made.
    """
    with explained(path):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StoreError(f"{path.name} exists already; open it, or choose another name for the new project.")
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        growing = path.parent / f"{_GROWING}{uuid.uuid4().hex}"
        growing.mkdir()
        try:
            _fill(growing, name.strip() or path.stem, clock)
            if path.exists():
                path.rmdir()
            growing.rename(path)
        except BaseException:  # also an interrupt: half a project must not stay; raised again below
            shutil.rmtree(growing, ignore_errors=True)
            raise
        sync_folder(path.parent)


def open_live(path: Path, clock: Clock, silence: Silence | None = None) -> OpenFolder:
    """Take the lock of a project and open its database. Raises as ``Project.open``."""
    file = _existing(path)
    if place_of(path).read_only:
        raise WriteError(
            f"{path.name} lies on a medium that cannot be written, so a copy of it is read; "
            "copy the project to a disk to go on labelling."
        )
    lock = ProjectLock(path, clock, silence)
    with explained(path):
        lock.acquire()
        opened = OpenFolder(path, Database(file, path.name), lock=lock)
        try:
            _check(opened.database)
            opened.blobs.sweep()
            ModelFiles(path).sweep()
            opened = replace(opened, notices=(*migrate(opened.database, path, clock), *_about_place(path, lock)))
        except BaseException:  # also an interrupt: lock and database are let go of; raised again below
            opened.close()
            raise
        lock.start_heartbeat()
    return opened


def open_copy(path: Path, why: str = "") -> OpenFolder:
    """Open a consistent copy of a project's database. Raises as ``Project.open``.

    Parameters
    ----------
    why : str
        Why it cannot be written, one sentence.
    """
    file = _existing(path)
    with explained(path):
        folder, salvaged = _sound_copy(file, path)
        bring_up_copy(Path(folder.name) / DATABASE_NAME, path.name)
        database = Database(Path(folder.name) / DATABASE_NAME, path.name, read_only=True)
        opened = OpenFolder(path, database, copy=folder, why_copy=why, salvaged=salvaged)
        try:
            if database.check() > schema.SCHEMA_VERSION and not why:
                opened = replace(opened, why_copy=newer_version(path.name))
        except BaseException:  # also an interrupt: lock and database are let go of; raised again below
            opened.close()
            raise
    return opened


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of the disk and the database into one sentence about ``path``."""
    try:
        yield
    except (OSError, SQLAlchemyError, *SQLITE_FAULTS) as error:
        raise explain(error, path.name) from error


def _check(database: Database) -> None:
    """A damaged database is not written to: what is left of it could be lost that way. Large ones are looked at later."""
    # The first look lets SQLite roll back what a dead writer left half done.
    try:
        database.check()
    except StoreError as error:
        if not isinstance(error, NewerVersionError | DamagedError) and is_project(database.path):
            raise damaged_database(database.title, error.detail) from error
        raise
    if database.path.stat().st_size <= CHECKED_BYTES and not is_sound(database.path):
        raise damaged_database(database.title)


def _sound_copy(file: Path, path: Path) -> tuple[tempfile.TemporaryDirectory[str], bool]:
    """Return a copy of a database, and whether it is damaged; then it is a copy of what is left."""
    folder = _checked_copy(file, path.name)
    if folder is not None:
        return folder, False
    folder = tempfile.TemporaryDirectory(prefix="medview-", ignore_cleanup_errors=True)
    try:
        salvage(file, backup_files(path), Path(folder.name) / DATABASE_NAME, path.name)
    except BaseException:  # also an interrupt: half a copy must not stay; raised again below
        folder.cleanup()
        raise
    return folder, True


def _checked_copy(file: Path, title: str) -> tempfile.TemporaryDirectory[str] | None:
    """Return a copy that SQLite finds sound, or one of a file that is no project; None when a project is damaged."""
    # Where locks do not reach, somebody may have been writing meanwhile.
    for _ in range(_COPIES):
        try:
            folder = detached_copy(file, title)
        except (StoreError, *SQLITE_FAULTS):
            if not is_project(file):
                raise
            continue
        if is_sound(Path(folder.name) / DATABASE_NAME) or not is_project(file):
            return folder
        folder.cleanup()
    return None


def _about_place(path: Path, lock: ProjectLock) -> list[str]:
    place = place_of(path)
    said: list[str] = []
    if not lock.works:
        said.append(
            f"{path.name} lies on a disk where locks do not work; open it on one computer at a time, "
            "MedView then notices another writer only by its signs of life."
        )
    if place.remote:
        said.append(
            f"{path.name} lies on a network drive ({place.kind or 'shared'}); one person at a time can write it, "
            "and saving waits while the connection is gone."
        )
    return said


def _existing(path: Path) -> Path:
    file = path / DATABASE_NAME
    if not path.exists():
        raise StoreError(f"{path.name} is not there; choose the folder of a project, or make a new project.")
    if not file.is_file():
        raise StoreError(f"{path.name} is not a MedView project; choose a folder that MedView made.")
    return file


def _fill(growing: Path, name: str, clock: Clock) -> None:
    database = Database.create(growing / DATABASE_NAME, name)
    facts = {"project_uid": uuid.uuid4().hex, "name": name, "created_utc": iso(clock.utc())}
    try:
        with database.writing() as connection:
            connection.execute(insert(schema.facts), [{"key": key, "value": value} for key, value in facts.items()])
    finally:
        database.close()
