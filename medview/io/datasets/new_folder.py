"""Folders that are there whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medview.core.atomic import sync_folder, write_error
from medview.core.errors import WriteError


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path`` that takes its place when all went well, and is removed otherwise.

    Raises
    ------
    WriteError, DiskFullError
        When something is at ``path`` already, but for an empty folder, or the disk does not take it.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise WriteError(f"{path.name} is there already and is not empty; choose another folder.")
    draft: Path | None = None
    try:
        draft = Path(tempfile.mkdtemp(prefix=".medview-", dir=path.parent))
        yield draft
        draft.chmod(0o777 & ~_umask(draft))
        if path.exists():
            path.rmdir()
        draft.rename(path)
        draft = None
        sync_folder(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _umask(folder: Path) -> int:
    """Return what the system takes from new folders: a draft of our own is private, what comes of it is not."""
    probe = folder / ".probe"
    probe.mkdir()
    mask = 0o777 & ~probe.stat().st_mode
    probe.rmdir()
    return mask
