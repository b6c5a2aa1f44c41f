"""What the files of a dataset were when they were written, as ``sha256sum --check`` reads it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath

from medview.core.errors import ReadError

CHECKSUMS = "checksums.sha256"
_STEP = 1 << 20
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of every file below a folder into ``checksums.sha256``."""
    lines = [f"{digest_of(folder / name)}  {name}\n" for name in _names(folder) if name != CHECKSUMS]
    (folder / CHECKSUMS).write_text("".join(lines), "utf-8")


def read_checksums(folder: Path) -> dict[str, str]:
    """Return SHA-256 by the name of the file, ``/`` between its folders.

    Raises
    ------
    ReadError
        When there are none, or they speak of files elsewhere.
    """
    try:
        lines = (folder / CHECKSUMS).read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ReadError(f"{folder.name} has no readable {CHECKSUMS}; export it again.", detail=str(error)) from error
    found: dict[str, str] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or ".." in PurePosixPath(match[2]).parts or PurePosixPath(match[2]).is_absolute():
            raise ReadError(f"{CHECKSUMS} of {folder.name} is damaged; export it again.")
        found[match[2]] = match[1]
    return found


def changed_files(folder: Path) -> tuple[str, ...]:
    """Return the names of files that are gone, new or other than when they were written. Raises ReadError."""
    known = read_checksums(folder)
    there = set(_names(folder)) - {CHECKSUMS}
    other = {name for name in there & set(known) if digest_of(folder / name) != known[name]}
    return tuple(sorted((there ^ set(known)) | other))


def written_here(folder: Path) -> bool:
    """Whether a folder holds an export as it was written and nothing else, so that nothing of anybody's is lost with it."""
    try:
        return folder.is_dir() and not changed_files(folder)
    except (ReadError, OSError):
        return False


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_STEP):
            digest.update(part)
    return digest.hexdigest()


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink())
