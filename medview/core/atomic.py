"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from medview.core.errors import DiskFullError, WriteError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Give a temporary file in the same folder that takes the place of ``path`` once it is safely on disk.

    Parameters
    ----------
    durable : bool
        Wait for the disk, so that a power cut costs nothing. False for what can be made again at any time.

    Raises
    ------
    DiskFullError
        When the disk has no room.
    WriteError
        When the folder is missing or may not be written. In both cases what stood at ``path`` is untouched.
    """
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=".medview-", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.chmod(0o666 & ~umask())
        temporary.replace(path)
        temporary = None
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_error(path: Path, error: OSError) -> WriteError:
    """Return the sentence for an OSError while writing ``path``."""
    if error.errno in _NO_ROOM:
        return DiskFullError(
            f"{path.name} was not written: the disk is full; free some room and save again.", detail=repr(error)
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return WriteError(
            f"{path.name} was not written: the folder {path.parent.name} may not be written; choose another one.",
            detail=repr(error),
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return WriteError(
            f"{path.name} was not written: the folder {path.parent.name} is not there; choose another one.",
            detail=repr(error),
        )
    return WriteError(f"{path.name} was not written; check the disk it goes to.", detail=repr(error))


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` last through a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def umask() -> int:
    """Return what this process leaves out of the rights of new files."""
    # There is no way to read the mask without setting it; a private file is what mkstemp makes.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
