"""Files below the folder of a dataset, and names in its lists that must not lead out of it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from medview.core.errors import ReadError, RefusedError
from medview.core.job import JobContext
from medview.core.study import DamagedFile
from medview.io.listing import files_below

PICTURES = (".png", ".jpg", ".jpeg")
VOLUMES = (".nii.gz", ".nii", ".nrrd")
MOST_FILES = 2_000_000


def named(path: str) -> str:
    """Return a name from a file for a sentence: short, and without what is no text."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in path)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def files_of(folder: Path, endings: Collection[str], context: JobContext) -> Iterator[tuple[str, Path]]:
    """Yield (path inside the folder with ``/`` between, path) of files below it with certain endings, in a fixed order.

    What the system keeps beside files (``._name``, ``.DS_Store``) is left out.

    Raises
    ------
    ReadError
        When the folder, or one in it, cannot be listed.
    """
    if not folder.is_dir():
        raise ReadError(f"{named(folder.name)} is no folder; choose the folder with the files of the dataset.")
    damaged: list[DamagedFile] = []
    wanted = tuple(endings)
    for count, source in enumerate(files_below(folder, context.raise_if_cancelled, damaged)):
        if damaged:
            break
        if count >= MOST_FILES:
            raise RefusedError(f"{named(folder.name)} holds more than {MOST_FILES} files; choose a folder further down.")
        if not source.name.startswith(".") and source.name.lower().endswith(wanted):
            yield os.path.relpath(source.path, folder).replace(os.sep, "/"), Path(source.path)
    if damaged:
        raise ReadError(damaged[0].reason)


def stem_of(name: str) -> str:
    """Return the last part of a path without its ending; of ``a.nii.gz`` both endings."""
    name = name.rpartition("/")[2]
    if name.lower().endswith(".nii.gz"):
        return name[:-7]
    return name.rpartition(".")[0] or name


def inside(folder: Path, name: str, said_in: str) -> Path:
    """Return the file that a name in a list of a dataset stands for; it lies below ``folder``, or nothing is returned.

    Parameters
    ----------
    said_in : str
        Name of the list, for sentences.

    Raises
    ------
    RefusedError
        When the name is absolute or leads out of the folder by ``..``.
    """
    parts = relative_parts(name)
    if parts is None:
        raise RefusedError(f"{said_in} names a file outside of its own folder ({named(name)}); it was not opened.")
    return folder.joinpath(*parts)


def relative_parts(name: str) -> tuple[str, ...] | None:
    """Return the parts of a relative path, whichever way its strokes lean; None when it is absolute or goes up."""
    if not name or "\0" in name or len(name) > 4096:
        return None
    windows = PureWindowsPath(name)
    if windows.drive or windows.root or PurePosixPath(name).is_absolute():
        return None
    parts = tuple(part for part in windows.parts if part != ".")
    return None if ".." in parts or not parts else parts


def only_file(folder: Path, name: str) -> Path | None:
    """Return the one file of a name below a folder, at most three folders down; None when there is none or several."""
    found = [path for depth in range(4) for path in sorted(folder.glob("/".join(["*"] * depth + [name])))]
    return found[0] if len(found) == 1 else None


def short_list(names: Collection[str], most: int = 5) -> str:
    """Return names for a sentence, the first few of many."""
    shown = [named(name) for name in list(names)[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
