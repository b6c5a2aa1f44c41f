"""What kind of file bytes are, from their beginning; names and endings are only used where the content says nothing."""

from __future__ import annotations

import struct
import zlib
from enum import Enum

from medview.io.sources import open_source

HEAD_BYTES = 352
"""Enough for a DICOM preamble and a NIfTI header."""


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
    if head[:2] == b"\x1f\x8b":
        return Kind.NIFTI if _nifti(_gunzipped(head)) else Kind.OTHER
    return kind_of(head)


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
