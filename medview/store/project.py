"""A project folder: cases and every gesture ever made on them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from medview.core.errors import DiskFullError, LockedError, MedViewError, StoreError, WriteError
from medview.store import schema
from medview.store.ballast import Ballast
from medview.store.blobs import BlobStore
from medview.store.clock import Clock, SystemClock
from medview.store.copying import copy_project
from medview.store.database import Database
from medview.store.holder import read_holder, user_name
from medview.store.live_verify import verify_beside_writer
from medview.store.lock_watch import LockWatch
from medview.store.merge import merge_copy
from medview.store.merge_report import MergeReport
from medview.store.project_folder import DATABASE_NAME, OpenFolder, create_folder, explained, open_copy, open_live
from medview.store.project_info import project_info
from medview.store.reading_book import ReadingBook
from medview.store.recovery import recover_project
from medview.store.row_writer import RowWriter
from medview.store.silence import Silence
from medview.store.verify import VerifyReport, writer_document

log = logging.getLogger("medview.store")


class Project(ReadingBook):
    """An open project. Made by ``create`` or ``open``; has to be closed.

    Its cases are in the methods of ReadingBook. Methods may be called from any thread.

    Attributes
    ----------
    lock_watch : LockWatch or None
        Waits for whoever writes it, after ``open_or_read``.
    refusal : MedViewError or None
        Why it could not be opened for writing, after ``open_or_read``.
    """

    lock_watch: LockWatch | None = None
    refusal: MedViewError | None = None

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
        create_folder(path, name, clock)
        return cls.open(path, reader=reader, clock=clock)

    @classmethod
    def open(
        cls,
        path: Path,
        read_only: bool = False,
        *,
        reader: str = "",
        clock: Clock | None = None,
        silence: Silence | None = None,
    ) -> Project:
        """Open a project for writing, or read a consistent copy of it.

        A crash of the last writer is recovered from on the way. With ``read_only`` the live file is never used: a copy
        is made in a temporary folder and recovered there, so that projects on read-only media, of newer versions and in
        use by others can be read.

        Parameters
        ----------
        silence : Silence, optional
            Has watched the writer; needed to take over from another computer that died.

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
        folder = open_copy(path) if read_only else _open_live(path, clock, silence)
        return cls(folder, reader or user_name(), clock)

    @classmethod
    def open_or_read(cls, path: Path, *, reader: str = "", clock: Clock | None = None) -> Project:
        """Open a project for writing, or where that cannot be a copy to read; ``read_only_reason`` says why then.

        While somebody else writes it, ``lock_watch`` tells when they are gone.

        Raises
        ------
        MedViewError
            When it can be neither written nor read.
        """
        try:
            return cls.open(path, reader=reader, clock=clock)
        except (StoreError, WriteError) as error:
            log.warning("a project is only read: %s", error.detail or type(error).__name__)
            try:
                folder = open_copy(path, error.sentence)
            except MedViewError:
                raise error from None
            project = cls(folder, reader or user_name(), clock or SystemClock())
            project.refusal = error
            if isinstance(error, LockedError):
                project.lock_watch = LockWatch(path, clock)
                project.lock_watch.start()
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
        if self.lock_watch is not None:
            self.lock_watch.stop()
        self._folder.close()

    @property
    def damaged(self) -> bool:
        """Whether what is read is only what is left of its database; ``repair_project`` puts a sound one in its place."""
        return self._folder.salvaged

    @property
    def name(self) -> str:
        """What people call the project."""
        with self._database.reading() as connection:
            return str(connection.execute(select(schema.facts.c.value).where(schema.facts.c.key == "name")).scalar_one())

    def info(self) -> dict[str, Any]:
        """Return what the project is, ready for JSON: as ``project_info``, whether it is ``read_only`` and ``damaged``."""
        with self._database.reading() as connection:
            return {**project_info(connection, self.path), "read_only": self.read_only, "damaged": self.damaged}

    def rename(self, name: str) -> None:
        """Give the project another name for people; the folder keeps its own."""
        with self._changing() as connection:
            facts = schema.facts
            connection.execute(update(facts).where(facts.c.key == "name").values(value=name.strip() or self.path.stem))

    def verify(self, progress: Callable[[float], None] = lambda _fraction: None) -> VerifyReport:
        """Check everything in the project against its checksums."""
        self.journal.flush()
        with explained(self.path):
            report = verify_beside_writer(self._database.path, self.path, progress)
        return replace(report, writer=writer_document(read_holder(self.path)))

    def merge(self, other: Path, progress: Callable[[float], None] = lambda _fraction: None) -> MergeReport:
        """Take everything that is new in another copy of this project into it, all or nothing; that one is only read.

        Readings that are open somewhere have to be loaded again where ``extended`` of the report names them.

        Raises
        ------
        StoreError
            When it is no copy of this project, or either is damaged; nothing was changed then.
        """
        if not self.journal.flush():
            raise StoreError(f"Changes of {self.path.name} are not saved yet; it can be merged once they are.")
        if other.resolve() == self.path.resolve():
            raise StoreError(f"{other.name} is this very project; choose a copy of it.")
        # A row that got its number before those of the copy came would be taken for one of them.
        with self.journal.held("Copies of the project are being merged; labels can be changed again once that is done."):
            report = merge_copy(self._changing, self._blobs, self.activity, other, progress)
            self.journal.forget(report.extended)
        return report

    def save_copy(self, target: Path) -> list[str]:
        """Write a complete copy of the project to a new folder; it is checked before it gets its name.

        Changes that cannot be written here are written there, so that this is the way out of a full or failing disk. Of a
        project that is damaged, or can no longer be read whole, the copy holds what can be had.

        Returns
        -------
        list of str
            What the copy lacks, one sentence each.

        Raises
        ------
        MedViewError
            When something is there already, or the copy cannot be written; nothing is left behind then.
        """
        self.journal.flush()
        gestures = self.journal.waiting()

        def write_waiting(copy: Database, blobs: BlobStore) -> None:
            writer = RowWriter(copy, blobs, self._reader, self._clock)
            try:
                for gesture in gestures:
                    writer.write(gesture)
            finally:
                writer.reset()

        try:
            with explained(target):
                copy_project(self._database, self._blobs, self.models.files, target, DATABASE_NAME, write_waiting)
        except StoreError as error:
            if target.exists() and any(target.iterdir()):
                raise
            log.warning("a copy is made of what can be read: %s", error.detail or error.sentence)
            return recover_project(self.path, target, self._clock, extra=write_waiting).losses
        return []


def verify_folder(path: Path, progress: Callable[[float], None] = lambda _fraction: None) -> VerifyReport:
    """Check a project that need not be open, and may be too damaged for that; nothing in it is changed.

    Raises
    ------
    MedViewError
        When it is no project, or cannot be read at all.
    """
    with Project.open(path, read_only=True) as project:
        if project.damaged:
            problem = "The database itself is damaged; what is left of it can be read and recovered."
            return VerifyReport(problems=(problem,), writer=writer_document(read_holder(path)))
        return project.verify(progress)


def _open_live(path: Path, clock: Clock, silence: Silence | None) -> OpenFolder:
    try:
        return open_live(path, clock, silence)
    except DiskFullError:
        # A crash left the ballast, and nothing else fits any more: this is what it is for.
        if not Ballast(path).give_up():
            raise
    return open_live(path, clock, silence)
