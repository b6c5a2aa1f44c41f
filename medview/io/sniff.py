"""What kind of file bytes are, from their beginning; names and endings are only used where the content says nothing."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

from medview.io.sources import open_source

HEAD_BYTES = 352
"""Enough for a DICOM preamble and a NIfTI header."""

PACKED_BYTES = 4096
"""Of a gzip file: tables that say how it is packed come first, and a header of many different bytes packs badly."""

_AT_ONCE = 8
"""Files opened side by side: on a disk across the network most of the time is waiting."""
_PER_TASK = 64

_GZIP = b"\x1f\x8b"


class Kind(Enum):
    """Kinds of files MedView tells apart. The value is how ignored ones are counted."""

    DICOM = "DICOM"
    DICOMDIR = "DICOMDIR"
    NIFTI = "NIfTI"
    NRRD = "NRRD"
    IMAGE = "image"
    ZIP = "zip"
    EMPTY = "empty"
    OTHER = "other"


def sniff(path: str) -> Kind:
    """Return the kind of a file.

    Raises
    ------
    ReadError
        When it cannot be opened.
    """
    with open_source(path) as file:
        head = file.read(HEAD_BYTES)
        if head[:2] == _GZIP:
            return Kind.NIFTI if _nifti(_gunzipped(head + file.read(PACKED_BYTES))) else Kind.OTHER
    return kind_of(head)


def plainly_other(paths: Sequence[str], between: Callable[[], None]) -> Iterator[tuple[str, Kind]]:
    """Yield the files whose first bytes no reader could make anything of, and what they are.

    Bytes are compared here, never parsed, so this may be done outside the reader processes: among very many other files
    that is most of the work of a scan. Files that cannot be opened are left to the readers too.

    Parameters
    ----------
    between : callable
        Called now and then; what it raises ends the work.
    """
    parts = [paths[start : start + _PER_TASK] for start in range(0, len(paths), _PER_TASK)]
    with ThreadPoolExecutor(min(_AT_ONCE, max(len(parts), 1)), "medview-sniff") as threads:
        try:
            for part, kinds in zip(parts, threads.map(_quick_kinds, parts), strict=True):
                between()
                yield from ((path, kind) for path, kind in zip(part, kinds, strict=True) if kind in _OTHERS)
        finally:
            threads.shutdown(cancel_futures=True)


_OTHERS = frozenset({Kind.DICOMDIR, Kind.EMPTY, Kind.OTHER})


def _quick_kinds(paths: Sequence[str]) -> list[Kind | None]:
    return [_quick_kind(path) for path in paths]


# A pipe that took the place of a file since it was listed is not waited for.
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def _quick_kind(path: str) -> Kind | None:
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except (OSError, ValueError):
        return None
    try:
        head = os.read(descriptor, HEAD_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None if head[:2] == _GZIP else kind_of(head)


def kind_of(head: bytes) -> Kind:
    """Return the kind of a file that begins with ``head``."""
    if not head:
        return Kind.EMPTY
    if head[128:132] == b"DICM":
        return Kind.DICOMDIR if b"1.2.840.10008.1.3.10" in head else Kind.DICOM
    if head[:4] == b"NRRD":
        return Kind.NRRD
    if _nifti(head):
        return Kind.NIFTI
    if head[:8] == b"\x89PNG\r\n\x1a\n" or head[:3] == b"\xff\xd8\xff":
        return Kind.IMAGE
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return Kind.ZIP
    return Kind.DICOM if _bare_dicom(head) else Kind.OTHER


def _nifti(head: bytes) -> bool:
    return head[344:348] in (b"n+1\x00", b"ni1\x00") and 348 in (
        *struct.unpack_from("<i", head),
        *struct.unpack_from(">i", head),
    )


def _gunzipped(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _bare_dicom(head: bytes) -> bool:
    """Whether bytes without preamble begin like a data set: a first element of group 2 or 8 with a believable length."""
    if len(head) < 16:
        return False
    for order in ("<", ">"):
        group, element = struct.unpack_from(order + "HH", head)
        if group not in (0x0002, 0x0008) or element > 0x0070:
            continue
        if head[4:6].isalpha() and head[4:6].isupper():
            return True
        (length,) = struct.unpack_from(order + "I", head, 4)
        if length <= 1024 and order == "<":
            return True
    return False
