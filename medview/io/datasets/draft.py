"""Temporary folders beside the one that is to come, and what is left of them when a program was killed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class Draft:
    """A folder beside ``path`` whose name nobody takes for what is written; the operating system knows while it is used.

    Parameters
    ----------
    path : Path
        What it is to become.

    Raises
    ------
    OSError
        When it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=_prefix(path), dir=path.parent))
        self._held = _held(self.folder)

    def release(self) -> None:
        """Use it no more, under whatever name it is now. Safe to call again."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


def clear_abandoned(path: Path) -> None:
    """Remove drafts of ``path`` whose program was killed; those that another one still writes stay."""
    for folder in _drafts(path):
        held = _held(folder)
        if held is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _drafts(path: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if entry.name.startswith(_prefix(path)) and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def _prefix(path: Path) -> str:
    """Return how names of drafts begin: by a hash, since a name may be as long as names can be."""
    return f".medview-{hashlib.sha256(path.name.encode(errors='surrogateescape')).hexdigest()[:12]}-"


def _held(folder: Path) -> int | None:
    """Return an open lock on a folder; None where another program holds it, or the system knows no such locks."""
    if sys.platform == "win32":
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
