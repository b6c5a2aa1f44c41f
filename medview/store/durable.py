"""Files that are whole or absent, whatever happens to the power."""

from __future__ import annotations

import contextlib
import os
import sys
import uuid
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that after a crash it holds all of ``data`` or does not exist.

    Temporary file in the same folder, flushed to the disk, renamed, folder flushed.

    Raises
    ------
    OSError
        When it could not be written; no temporary file is left behind.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a power cut. Windows does this by itself and cannot open folders."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
