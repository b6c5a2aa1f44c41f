"""The operating system's lock on a file. It goes away with the process that holds it."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})
"""What file systems say that know no locks."""


class OsLock:
    """An exclusive lock on one file, held until ``release``.

    Attributes
    ----------
    works : bool
        Whether the lock keeps anybody out; some network drives know none, or only pretend. Known after ``take``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.works = True

    def take(self) -> bool:
        """Take the lock; False when somebody else has it.

        Raises
        ------
        OSError
            When the file may not be written.
        """
        file = self._path.open("ab")
        try:
            taken = self._try(file)
            if taken and self.works:
                # A lock that can be taken twice is none.
                with self._path.open("ab") as second:
                    self.works = not self._try(second)
        except BaseException:  # also an interrupt: a lock that nobody holds on to must not stay; raised again below
            file.close()
            raise
        if taken:
            self._file = file
        else:
            file.close()
        return taken

    def release(self) -> None:
        """Let go. Safe to call again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _try(self, file: BinaryIO) -> bool:
        try:
            return _lock(file)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            self.works = False
            return True


if sys.platform == "win32":

    def _lock(file: BinaryIO) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
