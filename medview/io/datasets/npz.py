"""Archives of numpy arrays, read without ever running what is in them: no pickles, no size that is only claimed."""

from __future__ import annotations

import lzma
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from medview.core.errors import ReadError, RefusedError
from medview.core.geometry import Calibration, Geometry
from medview.core.volume import Volume
from medview.io.plain_header import check_size
from medview.io.sources import content_sha256, name_of

MOST_MEMBERS = 1000
MOST_HEADER_BYTES = 10_000
MOST_LABEL_BYTES = 256 << 20
_STEP = 1 << 20
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OverflowError,
    IndexError,
    KeyError,
)
"""What the library of the archive throws at damaged ones."""


@dataclass(frozen=True, slots=True)
class ArrayHead:
    """What the header of an array says."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole array."""
        return math.prod(self.shape) * self.dtype.itemsize


def heads(path: str) -> dict[str, ArrayHead]:
    """Return name -> header of the arrays in an ``.npz`` file.

    Raises
    ------
    ReadError, RefusedError
        When it is none, or holds Python objects.
    """
    found: dict[str, ArrayHead] = {}
    with _archive(path) as archive:
        for info in archive.infolist():
            with _member(archive, info, path) as file:
                found[info.filename.removesuffix(".npy")] = _head(file, path)
    return found


def read_array(path: str, member: str) -> npt.NDArray[Any]:
    """Return a small array, such as labels. Raises ReadError, RefusedError."""
    with _archive(path) as archive, _member(archive, _info(archive, member, path), path) as file:
        head = _head(file, path)
        if head.size_bytes > MOST_LABEL_BYTES:
            raise RefusedError(f"{name_of(path)} claims {head.size_bytes >> 20} MB of labels; it was not opened.")
        raw = _exactly(file, head.size_bytes, path)
    return np.frombuffer(raw, head.dtype).reshape(head.shape, order="F" if head.fortran else "C")


def image_of_row(path: str, member: str, row: int) -> Volume:
    """Return one image of an array (n, rows, columns), with colours (n, rows, columns, 3), or of volumes (n, k, j, i).

    Raises
    ------
    ReadError, RefusedError
        When it is not there.
    """
    name = name_of(path)
    status = Path(path).stat()
    stamp = status.st_mtime_ns, status.st_size
    pixels = _small(path, member, *stamp)
    if pixels is not None:
        if pixels.ndim not in (3, 4) or not 0 <= row < len(pixels):
            raise ReadError(f"{name} holds no image {row + 1} in its array {member}; it is another kind of file.")
        pixels = pixels[row]
    else:
        pixels = _one_of_many(path, member, row)
    if pixels.dtype.kind not in "uif":
        raise ReadError(f"{name} holds no images in its array {member}; it is another kind of file.")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.ndim == 2 or pixels.shape[-1] == 3:
        pixels = pixels[None]
    geometry = Geometry.from_spacing(
        (pixels.shape[0], pixels.shape[1], pixels.shape[2]), (1.0, 1.0, 1.0), calibration=Calibration.PIXELS
    )
    # As of other files, what is known of the image is its content.
    uid = f"2.25.{_content(path, *stamp)}.{zlib.crc32(member.encode())}.{row}"
    return Volume(pixels, geometry, series_uid=uid, study_uid=uid, description=f"{name} {member} {row + 1}")


@lru_cache(maxsize=4)
def _content(path: str, mtime_ns: int, size: int) -> int:
    # Time and size are part of the key: a file that was replaced is read again.
    return int.from_bytes(content_sha256(path)[:12], "big")


@lru_cache(maxsize=1)
def _small(path: str, member: str, mtime_ns: int, size: int) -> npt.NDArray[Any] | None:
    """Return an array that may be kept while its rows are asked for one by one; None for one that is too large."""
    with _archive(path) as archive, _member(archive, _info(archive, member, path), path) as file:
        if _head(file, path).size_bytes > MOST_LABEL_BYTES:
            return None
    return read_array(path, member)


def _one_of_many(path: str, member: str, row: int) -> npt.NDArray[Any]:
    name = name_of(path)
    with _archive(path) as archive, _member(archive, _info(archive, member, path), path) as file:
        head = _head(file, path)
        if head.fortran or len(head.shape) not in (3, 4) or not 0 <= row < head.shape[0]:
            raise ReadError(f"{name} holds no image {row + 1} in its array {member}; it is another kind of file.")
        size = math.prod(head.shape[1:]) * head.dtype.itemsize
        check_size(size, name)
        _skip(file, size * row, path)
        return np.frombuffer(_exactly(file, size, path), head.dtype).reshape(head.shape[1:])


@contextmanager
def _archive(path: str) -> Iterator[zipfile.ZipFile]:
    name = name_of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MOST_MEMBERS:
                raise RefusedError(f"{name} lists more than {MOST_MEMBERS} arrays; it was not opened.")
            yield archive
    except _DAMAGE as error:
        raise ReadError(f"{name} is no complete file of numpy arrays (.npz); copy it again.", detail=repr(error)) from error


def _info(archive: zipfile.ZipFile, member: str, path: str) -> zipfile.ZipInfo:
    for info in archive.infolist():
        if info.filename.removesuffix(".npy") == member:
            return info
    raise ReadError(f"{name_of(path)} has no array called {member}; it is another kind of file.")


@contextmanager
def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> Iterator[IO[bytes]]:
    if not info.filename.endswith(".npy"):
        raise ReadError(f"{name_of(path)} holds something else than numpy arrays; it is another kind of file.")
    with archive.open(info) as file:
        yield file


def _head(file: IO[bytes], path: str) -> ArrayHead:
    name = name_of(path)
    try:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version}")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file, max_header_size=MOST_HEADER_BYTES)
    except (ValueError, SyntaxError, TypeError, RecursionError) as error:
        raise ReadError(f"{name} is damaged: one of its arrays has no header.", detail=str(error)[:200]) from error
    if dtype.hasobject or dtype.kind not in "uifb" or dtype.names:
        raise RefusedError(f"{name} holds Python objects instead of numbers; it was not opened.")
    if any(n < 0 for n in shape) or math.prod(shape) > 1 << 48:
        raise RefusedError(f"{name} claims an array beyond any size; it was not opened.")
    return ArrayHead(tuple(int(n) for n in shape), dtype, fortran)


def _exactly(file: IO[bytes], count: int, path: str) -> bytes:
    parts: list[bytes] = []
    left = count
    # In steps: what is claimed is not set aside before it is there.
    while left:
        part = file.read(min(left, _STEP))
        if not part:
            raise ReadError(f"{name_of(path)} is damaged: it ends early; copy it again.")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _skip(file: IO[bytes], count: int, path: str) -> None:
    while count:
        part = len(file.read(min(count, _STEP)))
        if not part:
            raise ReadError(f"{name_of(path)} is damaged: it ends early; copy it again.")
        count -= part
