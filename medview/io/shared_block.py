"""Memory that reader processes fill and the window reads."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
import uuid
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import ReadError

CLOSED = "The memory of this series was closed while it was being read."

MEMORY_SHARE = 0.25
"""Part of the memory above which a block is mapped from a temporary file instead."""


_DESCRIPTORS = Path("/proc/self/fd").exists()
"""Whether another process can open a descriptor of this one (Linux)."""


@dataclass(frozen=True, slots=True)
class BlockHandle:
    """What another process needs to map a block. Valid while the block's array lives in the process that made it.

    Attributes
    ----------
    place : str
        A path that opens the memory (POSIX), or a mapping name (Windows).
    mark : str
        What the system calls the memory where its place is the number of a descriptor (Linux), which is given to another
        file once it is gone; empty where the place itself is given once only.
    """

    place: str
    shape: tuple[int, ...]
    dtype: str
    mark: str = ""

    @property
    def size_bytes(self) -> int:
        """Bytes of the array."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


class SharedBlock:
    """An array in memory that other processes can write into.

    On Linux the memory has no name anywhere: it is an anonymous memory file (or an unlinked temporary file) that children
    open through the owner's descriptor, so nothing is left behind however the processes end. The mapping is the base of
    ``array`` and lives exactly as long as any view of it.

    Attributes
    ----------
    array : ndarray
        Writable; zero at first in the owner.
    handle : BlockHandle
        Picklable.
    """

    __slots__ = ("array", "handle")

    def __init__(self, array: npt.NDArray[Any], handle: BlockHandle) -> None:
        self.array = array
        self.handle = handle

    @classmethod
    def allocate(cls, shape: tuple[int, ...], dtype: npt.DTypeLike) -> SharedBlock:
        """Return a new zeroed block.

        Raises
        ------
        ReadError
            When neither memory nor disk has the room.
        """
        name = np.dtype(dtype).name
        size = max(BlockHandle("", shape, name).size_bytes, 1)
        try:
            mapping, place, mark = _map_new(size)
        except (OSError, ValueError, OverflowError) as error:
            sentence = (
                f"The images need {size / 1e9:.1f} GB and there is no room for them; close other studies and try again."
            )
            raise ReadError(sentence, detail=repr(error)) from error
        return cls._around(mapping, BlockHandle(place, shape, name, mark))

    @classmethod
    def attach(cls, handle: BlockHandle) -> SharedBlock:
        """Map a block that another process owns.

        Raises
        ------
        ReadError
            When its owner has let it go.
        """
        try:
            mapping = _map_existing(handle)
        except (OSError, ValueError) as error:
            raise ReadError(CLOSED, detail=repr(error)) from error
        return cls._around(mapping, handle)

    @classmethod
    def _around(cls, mapping: mmap.mmap, handle: BlockHandle) -> SharedBlock:
        count = int(np.prod(handle.shape, dtype=np.int64))
        array = np.frombuffer(mapping, dtype=handle.dtype, count=count).reshape(handle.shape)
        return cls(array, handle)


class RowWriter:
    """Writes rows (slices) of a block that another process owns.

    Through the descriptor where there is one: writing whole pages costs half of faulting them into a mapping first.
    """

    def __init__(self, handle: BlockHandle) -> None:
        self._handle = handle
        self._row_bytes = handle.size_bytes // handle.shape[0]
        self._block: SharedBlock | None = None
        self._descriptor = -1
        if not _DESCRIPTORS:
            self._block = SharedBlock.attach(handle)
            return
        try:
            self._descriptor = _opened(handle)
        except OSError as error:
            raise ReadError(CLOSED, detail=repr(error)) from error

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._block = None

    def write(self, k: int, row: npt.NDArray[Any]) -> None:
        """Write one row; ``row`` has the dtype and shape of the block's rows."""
        if self._block is not None:
            self._block.array[k] = row
            return
        packed = np.ascontiguousarray(row, dtype=self._handle.dtype).reshape(-1).view(np.uint8).data
        done = 0
        while done < len(packed):
            done += os.pwrite(self._descriptor, packed[done:], k * self._row_bytes + done)


def available_memory() -> int:
    """Bytes of memory that can be had without swapping; a large number where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 1 << 62


def _map_new(size: int) -> tuple[mmap.mmap, str, str]:
    """Map new memory and return its place and mark."""
    name = f"medview-{uuid.uuid4().hex}"
    if os.name == "nt":
        return _map_tagged(name, size), name, ""
    if not _DESCRIPTORS:
        return *_map_named(name, size), ""
    if size <= MEMORY_SHARE * available_memory():
        descriptor = os.memfd_create(name)
        os.ftruncate(descriptor, size)
    else:
        descriptor = _temporary_file(name, size)
    mapping = mmap.mmap(descriptor, size)
    weakref.finalize(mapping, os.close, descriptor)
    return mapping, f"/proc/{os.getpid()}/fd/{descriptor}", _mark(descriptor)


def _mark(descriptor: int) -> str:
    """Return what the system calls the file behind a descriptor: names are given once, numbers of files again and again."""
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def _opened(handle: BlockHandle) -> int:
    """Return a descriptor of the memory of a block. Raises OSError when it is gone."""
    descriptor = os.open(handle.place, os.O_RDWR)
    gone = os.fstat(descriptor).st_size < handle.size_bytes or (handle.mark and _mark(descriptor) != handle.mark)
    if gone:
        # The number was given to another file since.
        os.close(descriptor)
        raise OSError(errno.ENOENT, "the block is gone")
    return descriptor


def _temporary_file(name: str, size: int) -> int:
    descriptor, path = tempfile.mkstemp(prefix=f"{name}-")
    Path(path).unlink()
    try:
        # Room is taken now: a full disk behind a mapping is a crash, not an error.
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _map_named(name: str, size: int) -> tuple[mmap.mmap, str]:
    """Map a temporary file under a name, for systems where a descriptor of another process cannot be opened."""
    place = Path(tempfile.gettempdir()) / name
    with place.open("xb+") as file:
        file.truncate(size)
        mapping = mmap.mmap(file.fileno(), size)
    weakref.finalize(mapping, place.unlink, missing_ok=True)
    return mapping, str(place)


def _map_tagged(name: str, size: int) -> mmap.mmap:
    """Map named memory on Windows; it lives as long as any process maps it."""
    windows_mmap: Any = mmap.mmap
    mapping: mmap.mmap = windows_mmap(-1, size, tagname=name)
    return mapping


def _map_existing(handle: BlockHandle) -> mmap.mmap:
    size = max(handle.size_bytes, 1)
    if os.name == "nt":
        return _map_tagged(handle.place, size)
    descriptor = _opened(handle)
    try:
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)
