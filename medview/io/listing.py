"""What lies below a folder, with the size and the times of each file, in one pass over the disk."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from medview.core.errors import ReadError
from medview.core.study import DamagedFile
from medview.io.sources import MEMBER_MARK, name_of

SETTLED_NS = 2_000_000_000
"""A file that was changed less than this before it was looked at may change again without its time changing: disks count
time in steps of up to two seconds."""


class Stamp(NamedTuple):
    """By what a file that was not changed is known again."""

    size: int
    modified_ns: int
    changed_ns: int
    """When anything but the content changed, e.g. its name; on Windows, when it was made."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a member of an archive, that was found.

    Attributes
    ----------
    path : str
        For ``open_source``.
    folder : str
        Absolute path of the folder, or of the archive.
    name : str
        In the folder; the number of a member.
    stamp : Stamp or None
        Of the file or the archive; None while it may be written to, and when it could not be asked for.
    """

    path: str
    folder: str
    name: str
    stamp: Stamp | None = None


def source_of(path: str) -> Source:
    """Return a single file as a source."""
    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - links are not to be followed
    try:
        stamp = _stamp(Path(path).stat(), time.time_ns())
    except OSError:
        stamp = None
    return Source(path, folder, name, stamp)


def members_of(archive: Source, paths: Sequence[str]) -> list[Source]:
    """Return members of an archive as sources; they change with it."""
    whole = f"{archive.folder}{os.sep}{archive.name}"
    return [Source(path, whole, path.rpartition(MEMBER_MARK)[2], archive.stamp) for path in paths]


def files_below(folder: Path, between: Callable[[], None], damaged: list[DamagedFile]) -> Iterator[Source]:
    """Yield the files below a folder in a fixed order: its own by name, then those of the folders in it.

    Links are followed, each folder once. Pipes and devices are left out, since reading them would wait; a link that leads
    nowhere is yielded without a stamp. Folders that cannot be listed are added to ``damaged``.

    Parameters
    ----------
    between : callable
        Called before each folder; what it raises ends the listing.

    Raises
    ------
    ReadError
        When ``folder`` itself cannot be listed.
    """
    been: set[tuple[int, int]] = set()
    waiting = [str(folder)]
    while waiting:
        between()
        path = waiting.pop()
        try:
            status = os.stat(path)  # noqa: PTH116 - a Path per folder is slow for very many
            if (status.st_dev, status.st_ino) in been:
                continue
            been.add((status.st_dev, status.st_ino))
            folders, files = _entries(path)
        except OSError as error:
            sentence = _unlisted(path, error)
            if path == str(folder):
                raise ReadError(sentence, detail=repr(error)) from error
            damaged.append(DamagedFile(path, sentence))
            continue
        yield from files
        waiting += reversed(folders)


def _entries(folder: str) -> tuple[list[str], list[Source]]:
    """Return the paths of the folders in a folder and its files, both by name. Raises OSError."""
    folders: list[str] = []
    files: list[Source] = []
    absolute = os.path.abspath(folder)  # noqa: PTH100 - links are not to be followed
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    now_ns = time.time_ns()
    for entry in found:
        try:
            status = entry.stat()
        except OSError:
            # It is looked at all the same: opening it says what is wrong.
            files.append(Source(entry.path, absolute, entry.name))
            continue
        if stat.S_ISDIR(status.st_mode):
            folders.append(entry.path)
        elif stat.S_ISREG(status.st_mode):
            files.append(Source(entry.path, absolute, entry.name, _stamp(status, now_ns)))
    return folders, files


def _stamp(status: os.stat_result, now_ns: int) -> Stamp | None:
    if now_ns - status.st_mtime_ns < SETTLED_NS:
        return None
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _unlisted(folder: str, error: OSError) -> str:
    name = name_of(folder)
    if isinstance(error, FileNotFoundError):
        return f"The folder {name} is no longer there; scan again."
    return f"The folder {name} cannot be listed; ask for access to it."
