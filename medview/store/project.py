"""A project folder: cases and every gesture ever made on them."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from medview.core.atomic import sync_folder
from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.store import recover, schema
from medview.store.blobs import BlobStore
from medview.store.cases import (
    CaseKey,
    CaseRow,
    CaseSources,
    CaseStatus,
    add_case,
    find_case,
    get_case,
    list_cases,
    move_sources,
    other_pixels,
)
from medview.store.clock import Clock, SystemClock, iso
from medview.store.copying import copy_project, detached_copy
from medview.store.database import Database
from medview.store.faults import explain
from medview.store.journal import Journal
from medview.store.lock import ProjectLock, user_name
from medview.store.recover import LoadedCase
from medview.store.verify import VerifyReport, verify_project

DATABASE_NAME = "project.db"


class Project:
    """An open project. Made by ``create`` or ``open``; has to be closed.

    Methods may be called from any thread.

    Attributes
    ----------
    path : Path
        The project folder.
    journal : Journal
        Where gestures go.
    read_only : bool
        A copy is read; nothing can be changed.
    read_only_reason : str
        One sentence, or empty.
    """

    def __init__(self, path: Path, database: Database, lock: ProjectLock | None, reader: str, clock: Clock) -> None:
        self.path = path
        self.read_only = lock is None
        self.read_only_reason = (
            f"{path.name} is open for reading only, so its labels cannot be changed." if lock is None else ""
        )
        self._database = database
        self._lock = lock
        self._clock = clock
        self._blobs = BlobStore(path / "blobs")
        self.journal = Journal(database, self._blobs, (reader, uuid.uuid4().hex), self._check_writable, clock)
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def create(cls, path: Path, name: str = "", *, reader: str = "", clock: Clock | None = None) -> Project:
        """Make a new project folder and open it.

        Parameters
        ----------
        path : Path
            Must not exist, or be an empty folder.
        name : str
            Shown to people; the folder's name when empty.
        reader : str
            Who labels; the login name when empty.

        Raises
        ------
        StoreError
            When something is there already.
        WriteError
            When the folder cannot be made.
        """
        clock = clock or SystemClock()
        with _explained(path):
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise StoreError(f"{path.name} exists already; open it, or choose another name for the new project.")
            path.parent.mkdir(parents=True, exist_ok=True)
            growing = path.parent / f".medview-{uuid.uuid4().hex}"
            growing.mkdir()
            try:
                _fill(growing, name.strip() or path.stem, clock)
                if path.exists():
                    path.rmdir()
                growing.rename(path)
            except BaseException:
                shutil.rmtree(growing, ignore_errors=True)
                raise
            sync_folder(path.parent)
        return cls.open(path, reader=reader, clock=clock)

    @classmethod
    def open(cls, path: Path, read_only: bool = False, *, reader: str = "", clock: Clock | None = None) -> Project:
        """Open a project for writing, or read a consistent copy of it.

        A crash of the last writer is recovered from on the way. With ``read_only`` the live file is never used: a copy
        is made in a temporary folder and recovered there, so that projects on read-only media, of newer versions and in
        use by others can be read.

        Raises
        ------
        LockedError
            When someone else is writing it, naming them; it can be opened with ``read_only``.
        NewerVersionError
            When a newer MedView wrote it; it can be opened with ``read_only``.
        StoreError
            When it is no project, or damaged.
        WriteError
            When the folder may not be written; it can be opened with ``read_only``.
        """
        clock = clock or SystemClock()
        file = path / DATABASE_NAME
        if not file.is_file():
            raise StoreError(f"{path.name} is not a MedView project; choose a folder that MedView made.")
        if read_only:
            return cls._open_copy(path, clock)
        lock = ProjectLock(path, clock)
        with _explained(path):
            lock.acquire()
            database = Database(file, path.name)
            try:
                database.check()
            except BaseException:
                database.close()
                lock.release()
                raise
            lock.start_heartbeat()
        return cls(path, database, lock, reader or user_name(), clock)

    @classmethod
    def _open_copy(cls, path: Path, clock: Clock) -> Project:
        with _explained(path):
            folder = detached_copy(path / DATABASE_NAME, path.name)
            database = Database(Path(folder.name) / DATABASE_NAME, path.name, read_only=True)
            try:
                database.check()
            except BaseException:
                database.close()
                folder.cleanup()
                raise
        project = cls(path, database, None, user_name(), clock)
        project._copy = folder
        return project

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, *, discard: bool = False) -> None:
        """Write what is waiting and let go of the project.

        Raises
        ------
        MedViewError
            When changes cannot be written; the project stays open and goes on trying. ``discard`` closes it all the same.
        """
        self.journal.close(discard=discard)
        self._database.close()
        if self._lock is not None:
            self._lock.release()
        if self._copy is not None:
            self._copy.cleanup()

    @property
    def name(self) -> str:
        """What people call the project."""
        with self._database.reading() as connection:
            return str(connection.execute(select(schema.facts.c.value).where(schema.facts.c.key == "name")).scalar_one())

    def info(self) -> dict[str, Any]:
        """Return what the project is, ready for JSON.

        Returns
        -------
        dict
            ``name``, ``path``, ``project_uid``, ``created_utc``, ``schema_version``, ``cases`` and ``gestures`` (counts;
            undo and redo are gestures too), ``readers`` (names), ``size_bytes``, ``read_only``.
        """
        with self._database.reading() as connection:
            facts = {row.key: row.value for row in connection.execute(select(schema.facts))}
            return {
                "name": facts["name"],
                "path": str(self.path),
                "project_uid": facts["project_uid"],
                "created_utc": facts["created_utc"],
                "schema_version": int(connection.exec_driver_sql("PRAGMA user_version").scalar_one()),
                "cases": _count(connection, schema.cases),
                "gestures": _count(connection, schema.journal),
                "readers": list(connection.execute(select(schema.readers.c.name)).scalars()),
                "size_bytes": sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file()),
                "read_only": self.read_only,
            }

    def rename(self, name: str) -> None:
        """Give the project another name for people; the folder keeps its own."""
        with self._changing() as connection:
            facts = schema.facts
            connection.execute(update(facts).where(facts.c.key == "name").values(value=name.strip() or self.path.stem))

    def cases(self) -> list[CaseRow]:
        """Return all cases, oldest first."""
        with self._database.reading() as connection:
            return list_cases(connection)

    def find_case(self, key: CaseKey, geometry: Geometry) -> CaseRow | None:
        """Return the case of a series on a grid, or None when nobody has worked on it."""
        with self._database.reading() as connection:
            return find_case(connection, key, geometry)

    def case(self, key: CaseKey, geometry: Geometry, sources: CaseSources, create: bool = True) -> CaseRow:
        """Return the case of a series on a grid, adding it when it is new.

        Raises
        ------
        StoreError
            When it is new and may not be added, or when the images are not those it was labelled on.
        """
        found = self.find_case(key, geometry)
        if found is None and not create:
            raise StoreError(f"{self.path.name} holds no labels of this series.")
        if found is not None:
            if found.sources.sop_instance_uids != sources.sop_instance_uids:
                raise other_pixels()
            if found.sources == sources or self.read_only:
                return found
        with self._changing() as connection:
            if found is None:
                return add_case(connection, key, geometry, sources, iso(self._clock.utc()))
            move_sources(connection, found, sources)
            return get_case(connection, found.case_id)

    def set_status(self, case_id: int, status: CaseStatus) -> None:
        """Say how far the work on a case is."""
        with self._changing() as connection:
            cases = schema.cases
            connection.execute(update(cases).where(cases.c.case_id == case_id).values(status=status.value))

    def attach_pixels(self, case_id: int, sha256: str) -> None:
        """Record the hash of the complete voxels a case is drawn on, or compare with the one recorded.

        Raises
        ------
        StoreError
            When the labels were drawn on other voxels.
        """
        with self._database.reading() as connection:
            recorded = get_case(connection, case_id).pixels_sha256
        if recorded and recorded != sha256:
            raise other_pixels()
        if not recorded and not self.read_only:
            with self._changing() as connection:
                cases = schema.cases
                connection.execute(update(cases).where(cases.c.case_id == case_id).values(pixels_sha256=sha256))

    def load_case(self, case_id: int) -> LoadedCase:
        """Return the labels and undo stacks of a case as they were after its newest gesture.

        Raises
        ------
        StoreError
            When gestures wait that cannot be written, or there is no such case.
        """
        if not self.journal.flush():
            raise StoreError(f"Changes of {self.path.name} are not saved yet; the case can be opened once they are.")
        with self._database.reading() as connection:
            case = get_case(connection, case_id)
            loaded = recover.load_case(connection, case_id, case.geometry, self._blobs)
        self.journal.adopt(case_id, loaded.seq, loaded.stacks)
        return loaded

    def verify(self) -> VerifyReport:
        """Check everything in the project against its checksums."""
        self.journal.flush()
        # A copy is checked, so that a long check keeps no gesture from being saved.
        with _explained(self.path), detached_copy(self._database.path, self.path.name) as folder:
            copy = Database(Path(folder) / DATABASE_NAME, self.path.name, read_only=True)
            try:
                return verify_project(copy, self._blobs)
            finally:
                copy.close()

    def save_copy(self, target: Path) -> None:
        """Write a complete copy of the project to a new folder; it is checked before it gets its name.

        Raises
        ------
        MedViewError
            When something is there already, or the copy cannot be written; nothing is left behind then.
        """
        if not self.journal.flush():
            raise StoreError(f"Changes of {self.path.name} are not saved yet; copy it once they are.")
        with _explained(target):
            copy_project(self._database, self._blobs, target, DATABASE_NAME)

    def _check_writable(self) -> None:
        if self._lock is None:
            raise StoreError(self.read_only_reason)
        if not self._lock.mine:
            raise self._lock.refusal()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Connection]:
        self._check_writable()
        with _explained(self.path), self._database.writing() as connection:
            yield connection


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise explain(error, path.name) from error


def _fill(growing: Path, name: str, clock: Clock) -> None:
    database = Database.create(growing / DATABASE_NAME, name)
    facts = {"project_uid": uuid.uuid4().hex, "name": name, "created_utc": iso(clock.utc())}
    try:
        with database.writing() as connection:
            connection.execute(insert(schema.facts), [{"key": key, "value": value} for key, value in facts.items()])
    finally:
        database.close()


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
