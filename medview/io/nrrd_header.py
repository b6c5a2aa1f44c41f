"""The text at the head of an NRRD file, field by field, and the numbers behind it.

The format: http://teem.sourceforge.net/nrrd/format.html.

SimpleITK reads NRRD images; it takes the layers of a segmentation of 3D Slicer for colours and passes over the fields that
tell what its numbers are.
"""

from __future__ import annotations

import bz2
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import ReadError, RefusedError
from medview.io.plain_header import check_size
from medview.io.sources import name_of, open_source

MOST_HEADER_BYTES = 8 << 20
"""Ten thousand segments have a twentieth."""
MOST_AXES = 5
_STEP = 1 << 20
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_NUMPY = {word: name for name, words in _TYPES.items() for word in words}


@dataclass(frozen=True, slots=True)
class NrrdHeader:
    """What a header says.

    Attributes
    ----------
    fields : dict of str to str
        Those of the format, by their name in lower case.
    pairs : dict of str to str
        Those of the program that wrote it (``key:=value``).
    data_offset : int
        Bytes of the header.
    """

    fields: dict[str, str]
    pairs: dict[str, str]
    data_offset: int

    def sizes(self) -> tuple[int, ...]:
        """Return voxels along each axis, the fastest first. Raises ValueError."""
        found = tuple(int(word) for word in self.fields["sizes"].split())
        if not 1 <= len(found) <= MOST_AXES or min(found) < 1 or len(found) != int(self.fields["dimension"]):
            raise ValueError("sizes")
        return found

    def dtype(self) -> np.dtype[Any]:
        """Return the kind of its numbers. Raises KeyError or ValueError."""
        order = {"big": ">", "little": "<"}[self.fields.get("endian", "little").lower()]
        return np.dtype(order + _NUMPY[self.fields["type"].lower()])


def read_nrrd_header(path: str) -> NrrdHeader:
    """Read the header of an NRRD file.

    Raises
    ------
    ReadError, RefusedError
        When it is none, damaged or too long.
    """
    name = name_of(path)
    with open_source(path) as file:
        head = file.read(MOST_HEADER_BYTES)
    if not head.startswith(b"NRRD"):
        raise ReadError(f"{name} is no NRRD file; choose another.")
    end = min((at + len(mark) for mark in (b"\n\n", b"\n\r\n") if (at := head.find(mark)) >= 0), default=-1)
    if end < 0:
        if len(head) == MOST_HEADER_BYTES:
            raise RefusedError(f"{name} has a header of more than {MOST_HEADER_BYTES >> 20} MB; it was not opened.")
        # A header that stands alone ends with the file.
        end = len(head)
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    for line in head[:end].decode("utf-8", "replace").splitlines()[1:]:
        if line.startswith("#") or not line:
            continue
        key, mark, value = line.partition(":")
        if not mark:
            raise ReadError(f"{name} is damaged: a line of its header is neither a field nor a pair.")
        if value.startswith("="):
            pairs[key] = _unescaped(value[1:])
        else:
            fields[key.strip().lower()] = value.strip()
    return NrrdHeader(fields, pairs, end)


def read_numbers(path: str, header: NrrdHeader) -> npt.NDArray[Any]:
    """Return all numbers of a file, the slowest axis first.

    Raises
    ------
    ReadError, RefusedError
        When it is damaged, of a kind that is not read, or claims more than this computer has memory for.
    """
    name = name_of(path)
    try:
        sizes, dtype = header.sizes(), header.dtype()
    except (KeyError, ValueError) as error:
        raise ReadError(f"{name} is damaged: its header states no size or kind of numbers.", detail=repr(error)) from error
    if "data file" in header.fields or "datafile" in header.fields:
        raise ReadError(f"{name} keeps header and voxels in two files; save it as a single .nrrd file first.")
    if header.fields.get("line skip", "0") != "0" or header.fields.get("byte skip", "0") != "0":
        raise ReadError(f"{name} has something between its header and its voxels, which is not read; save it anew.")
    size = math.prod(sizes) * dtype.itemsize
    check_size(size, name)
    encoding = header.fields.get("encoding", "").lower()
    with open_source(path) as file:
        file.seek(header.data_offset)
        if encoding == "raw":
            raw = file.read(size)
        elif encoding in ("gzip", "gz"):
            raw = _unpacked(file, zlib.decompressobj(wbits=31), size, name)
        elif encoding in ("bzip2", "bz2"):
            raw = _unpacked(file, bz2.BZ2Decompressor(), size, name)
        else:
            raise ReadError(
                f"{name} keeps its voxels as {encoding[:20] or 'nothing known'}, which is not read; save it as gzip."
            )
    if len(raw) < size:
        raise ReadError(f"{name} is damaged: it ends early; copy it again.")
    return np.frombuffer(raw, dtype).reshape(sizes[::-1])


def _unpacked(file: Any, packed: Any, size: int, name: str) -> bytes:
    """Unpack at most ``size`` bytes, whatever the packed ones would come to."""
    parts: list[bytes] = []
    left = size
    try:
        pending = file.read(_STEP)
        while left and not packed.eof:
            part = packed.decompress(pending, min(left, _STEP))
            parts.append(part)
            left -= len(part)
            pending = getattr(packed, "unconsumed_tail", b"")
            if not pending and getattr(packed, "needs_input", True):
                pending = file.read(_STEP)
                if not pending and not part:
                    break
    except (zlib.error, OSError, EOFError, ValueError) as error:
        raise ReadError(f"{name} is damaged: it cannot be unpacked.", detail=repr(error)) from error
    return b"".join(parts)


def escaped(value: str) -> str:
    """Return a value as it stands behind ``:=``."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", " ")


def _unescaped(value: str) -> str:
    parts = [part.replace("\\n", "\n") for part in value.split("\\\\")]
    return "\\".join(parts)
