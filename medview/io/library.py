"""The index of files that were looked at before: a second scan of a known folder opens none of them.

It lies in the user's cache folder and may be deleted at any time. Whatever is wrong with it (damaged, locked by another
window, on a full disk, written by another version) only makes the next scan as slow as the first: nothing here raises.
Names of patients are in it, so nobody else may read it. It is read without unpickling: a forged one can give wrong answers,
and runs no code.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from medview.io.known_files import Known, KnownFiles
from medview.io.listing import Source

LOG = logging.getLogger("medview.io")

MAX_BYTES = 256 << 20
"""Above this size the folders that were not looked into for longest are forgotten."""
BUSY_S = 0.25
"""How long another window that is writing is waited for."""
_LAYOUT = 1
"""Of the table; part of the file's name, so that versions do not undo each other's work."""
_USED_STEP_S = 86_400
"""How exactly it is known when a folder was last looked into."""

_TABLE = """
CREATE TABLE IF NOT EXISTS folder (
    path BLOB PRIMARY KEY, used INTEGER NOT NULL, bytes INTEGER NOT NULL, content BLOB NOT NULL
)
"""


def _nothing() -> None:
    """Do nothing between two steps."""


@dataclass(frozen=True, slots=True)
class Library:
    """The index in one folder; several windows may use it at once. See the module.

    Attributes
    ----------
    folder : Path
        Made when there is something to write.
    """

    folder: Path

    @property
    def file(self) -> Path:
        """The database."""
        return self.folder / f"scans-{_LAYOUT}.sqlite"

    def read(self, folders: Collection[str], between: Callable[[], None] = _nothing) -> dict[str, KnownFiles]:
        """Return what is known of the files in folders, by the folder's absolute path.

        ``between`` is called before each; what it raises ends the reading.
        """
        found: dict[str, KnownFiles] = {}

        def read(database: sqlite3.Connection) -> None:
            for folder in folders:
                between()
                row = database.execute("SELECT content, used FROM folder WHERE path = ?", (os.fsencode(folder),)).fetchone()
                known = KnownFiles.unpacked(folder, row[0]) if row is not None and isinstance(row[0], bytes) else None
                if known is not None:
                    known.used_s = row[1] if isinstance(row[1], int) else 0
                    found[folder] = known

        if self.file.exists():
            self._with_database(read)
        return found

    def write(self, known: Mapping[str, KnownFiles], used: Collection[str] = ()) -> None:
        """Replace what is known of the files in folders.

        Parameters
        ----------
        used : collection of str
            Folders that were looked into and had not changed, so that they are not forgotten soon.
        """
        now_s = int(time.time())
        packed = {folder: files.packed(folder) for folder, files in known.items()}
        rows = [(os.fsencode(f), now_s, len(content), content) for f, content in packed.items() if content is not None]
        touched = [(now_s, os.fsencode(folder)) for folder in used]

        def write(database: sqlite3.Connection) -> None:
            database.execute("PRAGMA auto_vacuum = FULL")
            with database:
                database.execute(_TABLE)
                database.execute("BEGIN IMMEDIATE")
                database.executemany("UPDATE folder SET used = ? WHERE path = ?", touched)
                database.executemany("INSERT OR REPLACE INTO folder VALUES (?, ?, ?, ?)", rows)
                _shrink(database)

        if rows or touched:
            self._with_database(write, make=True)

    def _with_database(self, work: Callable[[sqlite3.Connection], None], *, make: bool = False) -> None:
        """Do something with the database; where that fails, it was not done."""
        try:
            if make:
                self._make()
            with closing(sqlite3.connect(self.file, timeout=BUSY_S, isolation_level=None)) as database:
                # What a power cut takes is looked at again; no need to wait for the disk.
                database.execute("PRAGMA synchronous = OFF")
                work(database)
        except sqlite3.OperationalError as error:
            LOG.info("The index of known files is not used now: %s", error)
        except sqlite3.DatabaseError as error:
            LOG.info("The index of known files is damaged and is made anew: %s", error)
            self._unlink()
        except OSError as error:
            LOG.info("The index of known files cannot be used: %s", type(error).__name__)

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        # Made here and not by the database library, which would let others read it; its journals take over these rights.
        os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
        self.file.chmod(0o600)

    def _unlink(self) -> None:
        try:
            self.file.unlink()
        except OSError as error:
            LOG.info("The index of known files cannot be removed: %s", type(error).__name__)


class Visit:
    """One scan's use of the index.

    Parameters
    ----------
    library : Library or None
        Nothing is known and nothing kept without one.
    between : callable
        Called before each folder that is looked up; what it raises ends the scan.
    """

    def __init__(self, library: Library | None, between: Callable[[], None] = _nothing) -> None:
        self._library = library
        self._between = between
        self._sources: dict[str, list[Source]] = {}
        self._whole: set[str] = set()
        self._rows: dict[str, KnownFiles] = {}
        self._recalled: dict[str, Known] = {}

    def recall(self, sources: Sequence[Source], *, whole: bool) -> dict[str, Known]:
        """Return what is known, by path, of those sources that have not changed since.

        Parameters
        ----------
        whole : bool
            The sources are all there is in their folders: whatever else was known there is to be forgotten.
        """
        if self._library is None:
            return {}
        folders: dict[str, list[Source]] = {}
        for source in sources:
            folders.setdefault(source.folder, []).append(source)
        rows = self._library.read(folders, self._between)
        found: dict[str, Known] = {}
        for folder, row in rows.items():
            self._between()
            for source in folders[folder]:
                known = row.of(source)
                if known is not None:
                    found[source.path] = known
        self._sources |= folders
        self._whole |= set(folders) if whole else set()
        self._rows |= rows
        self._recalled |= found
        return found

    def keep(self, known: Mapping[str, Known]) -> None:
        """Write down what is known now, by path, of the sources that were asked for; nothing stays of the others."""
        if self._library is None:
            return
        changed: dict[str, KnownFiles] = {}
        used: list[str] = []
        long_ago_s = time.time() - _USED_STEP_S
        for folder, sources in self._sources.items():
            files = [(s, known[s.path]) for s in sources if s.stamp is not None and s.path in known]
            row = self._rows.get(folder)
            count = 0 if row is None else len(row)
            same = all(now is self._recalled.get(source.path) for source, now in files)
            if not same or (count != len(files) and folder in self._whole):
                changed[folder] = KnownFiles.made_of(files, None if folder in self._whole else row)
            elif row is not None and row.used_s < long_ago_s:
                used.append(folder)
        self._library.write(changed, used)


def user_library() -> Library:
    """Return the index of this user; ``MEDVIEW_CACHE`` moves it."""
    chosen = os.environ.get("MEDVIEW_CACHE")
    folder = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("medview", appauthor=False))
    return Library(folder / "scans")


def _shrink(database: sqlite3.Connection) -> None:
    """Forget the folders that were not looked into for longest, until the rest is small enough."""
    (size,) = database.execute("SELECT COALESCE(SUM(bytes), 0) FROM folder").fetchone()
    if size <= MAX_BYTES:
        return
    oldest = database.execute("SELECT path, bytes FROM folder ORDER BY used").fetchall()
    for path, count in oldest:
        if size <= MAX_BYTES:
            break
        database.execute("DELETE FROM folder WHERE path = ?", (path,))
        size -= count
