"""Folders that are there whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medview.core.atomic import sync_folder, write_error
from medview.core.errors import WriteError
from medview.io.datasets.checksums import written_here
from medview.io.datasets.draft import Draft, clear_abandoned


@contextmanager
def new_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside ``path`` that takes its place when all went well, and is removed otherwise.

    What an earlier program left half written for ``path`` when it was killed is removed.

    Parameters
    ----------
    overwrite : bool
        What an earlier export wrote at ``path`` gives way to the new one; a folder that holds anything else does not.

    Raises
    ------
    WriteError, DiskFullError
        When something is at ``path`` already, but for an empty folder, or the disk does not take it.
    """
    old = path.exists() and (not path.is_dir() or any(path.iterdir()))
    if old and not overwrite:
        raise WriteError(f"{path.name} is there already and is not empty; choose another folder.")
    if old and not written_here(path):
        raise WriteError(
            f"{path.name} holds more than an earlier export, or files that were changed since; choose another folder."
        )
    draft: Draft | None = None
    aside: Draft | None = None
    try:
        clear_abandoned(path)
        draft = Draft(path)
        yield draft.folder
        draft.folder.chmod(0o777 & ~_umask(draft.folder))
        if old:
            aside = Draft(path)
            path.rename(aside.folder / path.name)
        elif path.exists():
            path.rmdir()
        draft.folder.rename(path)
        draft.release()
        draft = None
        sync_folder(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft.folder, ignore_errors=True)
            draft.release()
        if aside is not None:
            if not path.exists():
                (aside.folder / path.name).rename(path)
            shutil.rmtree(aside.folder, ignore_errors=True)
            aside.release()


def _umask(folder: Path) -> int:
    """Return what the system takes from new folders: a draft of our own is private, what comes of it is not."""
    probe = folder / ".probe"
    probe.mkdir()
    mask = 0o777 & ~probe.stat().st_mode
    probe.rmdir()
    return mask
