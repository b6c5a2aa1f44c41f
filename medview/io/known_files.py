"""What is known of the files of one folder, and how it lies on the disk."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import medview
from medview.core.study import Series
from medview.io.dicom.instance import Instance
from medview.io.listing import Source
from medview.io.plain_values import PlainReader, PlainWriter, layout_of
from medview.io.sources import MEMBER_MARK

LOG = logging.getLogger("medview.io")

Look = Instance | Series | str | tuple[str, ...]
"""What one file is: a DICOM instance, a series of its own, what it is ignored as, or the sources in an archive."""

MAX_UNPACKED_BYTES = 1 << 30
"""Most that the entry of one folder may unpack to."""
_HASH_BYTES = 32
_DAMAGE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError, MemoryError, zlib.error)
"""What reading something raises that was not written here."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a file.

    Attributes
    ----------
    sha256 : bytes
        Of its content, where it was asked for; else empty.
    """

    look: Look
    sha256: bytes = b""


class KnownFiles:
    """The files of one folder, or the members of one archive.

    Parameters
    ----------
    parts : list
        As in ``PlainReader``.
    files : dict
        By name: size and two times of the stamp, hash, kind of look, and the look in plain values.

    Attributes
    ----------
    used_s : int
        When the folder was last looked into, in seconds since 1970; 0 when that is not known.
    """

    def __init__(self, parts: list[Any], files: dict[str, list[Any]]) -> None:
        self.used_s = 0
        self._parts = parts
        self._files = files
        self._reader = PlainReader(parts)

    def __len__(self) -> int:
        return len(self._files)

    @classmethod
    def made_of(cls, files: Iterable[tuple[Source, Known]], beside: KnownFiles | None = None) -> KnownFiles:
        """Return what is to be known of files from now on, with what is known of others ``beside``.

        Sources without a stamp are left out.
        """
        writer = PlainWriter([] if beside is None else beside._parts)
        entries = {} if beside is None else dict(beside._files)
        for source, known in files:
            if source.stamp is None:
                continue
            try:
                entries[source.name] = [*source.stamp, known.sha256.hex(), *_plain(known.look, source.path, writer)]
            except _DAMAGE as error:
                entries.pop(source.name, None)
                LOG.info("A file is not remembered: %s", type(error).__name__)
        return cls(writer.parts, entries)

    def of(self, source: Source) -> Known | None:
        """Return what is known of a file; None when that is nothing, it has changed, or it cannot be read."""
        entry = self._files.get(source.name)
        if entry is None or source.stamp is None:
            return None
        try:
            size, modified_ns, changed_ns, sha256, kind, plain = entry
            if source.stamp != (size, modified_ns, changed_ns):
                return None
            return Known(_look(kind, plain, source.path, self._reader), bytes.fromhex(sha256))
        except _DAMAGE as error:
            LOG.info("An entry of the index of known files cannot be read: %s", type(error).__name__)
            return None

    def packed(self, folder: str) -> bytes | None:
        """Return everything as bytes for the folder with this absolute path; None when it is too large to be read again."""
        plain = json.dumps([self._parts, self._files], separators=(",", ":")).encode()
        if len(plain) > MAX_UNPACKED_BYTES:
            return None
        content = zlib.compress(plain, 1)
        return _format() + _digest(folder, content) + content

    @classmethod
    def unpacked(cls, folder: str, packed: bytes) -> KnownFiles | None:
        """Return what ``packed`` made; None when it is damaged, another folder's or another version's."""
        form, digest, content = packed[:_HASH_BYTES], packed[_HASH_BYTES : 2 * _HASH_BYTES], packed[2 * _HASH_BYTES :]
        if form != _format() or digest != _digest(folder, content):
            return None
        try:
            parts, files = json.loads(zlib.decompressobj().decompress(content, MAX_UNPACKED_BYTES))
        except _DAMAGE as error:
            LOG.info("An entry of the index of known files cannot be read: %s", type(error).__name__)
            return None
        return cls(parts, files) if isinstance(parts, list) and isinstance(files, dict) else None


_INSTANCE, _SERIES, _IGNORED, _MEMBERS = "dicom", "series", "ignored", "members"


def _plain(look: Look, path: str, writer: PlainWriter) -> tuple[str, Any]:
    if isinstance(look, str):
        return _IGNORED, look
    if isinstance(look, tuple):
        return _MEMBERS, [int(member.removeprefix(path + MEMBER_MARK)) for member in look]
    return (_INSTANCE if isinstance(look, Instance) else _SERIES), writer.write(look, path)


def _look(kind: str, plain: Any, path: str, reader: PlainReader) -> Look:
    """Raises one of ``_DAMAGE``."""
    if kind == _IGNORED and type(plain) is str:
        return plain
    if kind == _MEMBERS and type(plain) is list:
        return tuple(f"{path}{MEMBER_MARK}{number:d}" for number in plain)
    look: Look = reader.read({_INSTANCE: Instance, _SERIES: Series}[kind], plain, path)
    return look


def _digest(folder: str, content: bytes) -> bytes:
    return hashlib.sha256(os.fsencode(folder) + b"\0" + content).digest()


@cache
def _format() -> bytes:
    """Return a digest of what decides what a look says: its fields, the versions, and the code where it lies open."""
    parts = [layout_of(Instance, Series), medview.__version__]
    # By name: the window stands before pydicom is imported. A frozen build, which changes as a whole, may not say it.
    with suppress(importlib.metadata.PackageNotFoundError):
        parts.append(importlib.metadata.version("pydicom"))
    package = Path(medview.__file__).parent
    for name in ("core", "io", "io/dicom"):
        for file in sorted((package / name).glob("*.py")):
            status = file.stat()
            parts.append(f"{name}/{file.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).digest()
