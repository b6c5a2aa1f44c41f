"""Where bytes come from: a file, or a member of a zip archive that is never unpacked to disk."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from medview.core.errors import ReadError, RefusedError

MEMBER_MARK = "::"
"""``archive.zip::12`` is the thirteenth member of an archive. Names inside an archive are never used."""

WHOLE_HASH_BYTES = 512 << 20
HASH_SAMPLES = 64

MAX_MEMBERS = 200_000
MAX_MEMBER_BYTES = 1 << 30
"""Largest unpacked member."""
MAX_ZIP_RATIO = 200
"""Unpacked to packed; pixels of an empty image reach about 1000, but only below ``FREE_BYTES``."""
FREE_BYTES = 16 << 20
"""Below this unpacked size no ratio is suspicious."""


def name_of(path: str) -> str:
    """Return the name of a source for a sentence: the last part of its path, with a mark for what is no text in it."""
    archive, member = _split(path)
    name = os.path.basename(archive)  # noqa: PTH119 - a Path would be built for every slice
    if not name.isprintable():
        # Bytes in another encoding, or line ends: neither a window nor a log takes them.
        name = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    return f"item {member} of {name}" if member is not None else name


def in_archive(path: str) -> bool:
    """Whether a source is a member of a zip archive."""
    return MEMBER_MARK in path and _split(path)[1] is not None


def open_source(path: str) -> BinaryIO:
    """Open a file or a zip member for reading from its start.

    Raises
    ------
    ReadError
        When it is gone, may not be read, or the archive is damaged.
    RefusedError
        When a member would unpack to more than the budget.
    """
    archive, member = _split(path)
    try:
        if member is None:
            return Path(archive).open("rb")
        stat = Path(archive).stat()
        return io.BytesIO(_member_bytes(archive, stat.st_mtime_ns, stat.st_size, member))
    except FileNotFoundError as error:
        raise ReadError(f"{name_of(path)} is no longer there; scan the folder again.", detail=repr(error)) from error
    except PermissionError as error:
        raise ReadError(f"{name_of(path)} may not be read; ask for access to it.", detail=repr(error)) from error
    except OSError as error:
        raise ReadError(f"{name_of(path)} could not be read; check the disk it is on.", detail=repr(error)) from error


def content_sha256(path: str) -> bytes:
    """Return the SHA-256 of a source's content. Raises ReadError.

    Of a file over ``WHOLE_HASH_BYTES`` it covers the size and a megabyte of every 64th part, ends included, so that a large
    volume on a slow disk is not read twice to be opened once.
    """
    digest = hashlib.sha256()
    with open_source(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size <= WHOLE_HASH_BYTES:
            while part := file.read(1 << 20):
                digest.update(part)
            return digest.digest()
        digest.update(str(size).encode())
        for number in range(HASH_SAMPLES):
            file.seek((size - (1 << 20)) * number // (HASH_SAMPLES - 1))
            digest.update(file.read(1 << 20))
    return digest.digest()


def zip_members(path: str) -> list[str]:
    """Return the sources inside a zip archive, folders left out.

    Raises
    ------
    ReadError
        When the archive is damaged.
    RefusedError
        When it lists more members than the budget.
    """
    try:
        stat = Path(path).stat()
        members = _archive(path, stat.st_mtime_ns, stat.st_size).infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ReadError(f"{name_of(path)} is not a complete zip archive; copy it again.", detail=repr(error)) from error
    if len(members) > MAX_MEMBERS:
        raise RefusedError(f"{name_of(path)} lists {len(members)} files, more than {MAX_MEMBERS}; unpack it first.")
    return [f"{path}{MEMBER_MARK}{number}" for number, info in enumerate(members) if not info.is_dir()]


def _split(path: str) -> tuple[str, int | None]:
    archive, mark, member = path.rpartition(MEMBER_MARK)
    if mark and member.isdigit() and not os.path.lexists(path):
        return archive, int(member)
    return path, None


@lru_cache(maxsize=2)
def _archive(path: str, mtime_ns: int, size: int) -> zipfile.ZipFile:
    # Time and size are part of the key: an archive that was replaced is opened again.
    return zipfile.ZipFile(path)


def _member_bytes(path: str, mtime_ns: int, size: int, number: int) -> bytes:
    name = name_of(f"{path}{MEMBER_MARK}{number}")
    try:
        archive = _archive(path, mtime_ns, size)
        info = archive.infolist()[number]
        too_dense = info.file_size > FREE_BYTES and info.file_size > MAX_ZIP_RATIO * max(info.compress_size, 1)
        if info.file_size > MAX_MEMBER_BYTES or too_dense:
            raise RefusedError(
                f"{name} would unpack to {info.file_size >> 20} MB; unpack the archive first if you trust it."
            )
        with archive.open(info) as member:
            # The declared size is a claim; reading stops there whatever the packed bytes hold.
            return member.read(info.file_size)
    except (zipfile.BadZipFile, IndexError, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ReadError(f"{name} is damaged or encrypted; unpack the archive first.", detail=repr(error)) from error
