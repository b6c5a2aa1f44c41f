"""Files that are whole or absent, whatever happens to the power."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from medview.core.atomic import sync_folder


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
