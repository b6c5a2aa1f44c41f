"""Rows straight from the pages of an SQLite file, for databases that SQLite itself no longer reads.

Source: "Database File Format", sqlite.org/fileformat2.html, sections 1.3, 1.5, 1.6 and 2.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

Value = None | int | float | str | bytes

_HEADER_BYTES = 100
_LEAF_OF_TABLE = 0x0D
_PAGE_SIZE = 4096
_MOST_COLUMNS = 64
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def rows_of_pages(file: Path) -> Iterator[tuple[int, tuple[Value, ...]]]:
    """Yield (rowid, columns) of every row in every leaf page of every table; the key column of a table is None.

    Which table a row is of is not known here; rows of pages that were given free may come too. What is damaged is passed
    over.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    data = file.read_bytes()
    size, usable = _page_size(data)
    pages = _Pages(data, size, usable)
    for number in range(1, len(data) // size + 1):
        yield from pages.rows(number)


def pages_missing(file: Path) -> int:
    """Return how many pages the header of a file speaks of that are not there."""
    with file.open("rb") as opened:
        header = opened.read(_HEADER_BYTES)
        there = opened.seek(0, 2)
    if len(header) < _HEADER_BYTES or header[:16] != b"SQLite format 3\0":
        return 0
    size, _usable = _page_size(header)
    (count,) = struct.unpack_from(">I", header, 28)
    return max(0, int(count) - there // size)


class _Pages:
    def __init__(self, data: bytes, size: int, usable: int) -> None:
        self._data, self._size, self._usable = data, size, usable

    def rows(self, number: int) -> Iterator[tuple[int, tuple[Value, ...]]]:
        page = self._page(number)
        start = _HEADER_BYTES if number == 1 else 0
        if page[start] != _LEAF_OF_TABLE:
            return
        (count,) = struct.unpack_from(">H", page, start + 3)
        for n in range(count):
            at = start + 8 + 2 * n
            if at + 2 > len(page):
                return
            (cell,) = struct.unpack_from(">H", page, at)
            try:
                yield self._row(page, cell)
            except (IndexError, ValueError, struct.error):
                continue

    def _row(self, page: bytes, at: int) -> tuple[int, tuple[Value, ...]]:
        length, at = _varint(page, at)
        rowid, at = _varint(page, at)
        if rowid < 1 or length > len(self._data):
            raise ValueError("no cell")
        return rowid, _record(self._payload(page, at, length))

    def _payload(self, page: bytes, at: int, length: int) -> bytes:
        most = self._usable - 35
        if length <= most:
            return _exactly(page, at, length)
        least = (self._usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (self._usable - 4)
        local = local if local <= most else least
        found = bytearray(_exactly(page, at, local))
        (follows,) = struct.unpack_from(">I", page, at + local)
        while len(found) < length:
            if not 1 <= follows <= len(self._data) // self._size:
                raise ValueError("broken chain")
            further = self._page(follows)
            (follows,) = struct.unpack_from(">I", further, 0)
            found += further[4 : min(self._usable, 4 + length - len(found))]
        return bytes(found)

    def _page(self, number: int) -> bytes:
        return self._data[(number - 1) * self._size : number * self._size]


def _page_size(data: bytes) -> tuple[int, int]:
    """Return the size of a page and how much of it is used; MedView's own where the header is damaged."""
    if data[:16] != b"SQLite format 3\0":
        return _PAGE_SIZE, _PAGE_SIZE
    (size,) = struct.unpack_from(">H", data, 16)
    size = 65536 if size == 1 else size
    if size < 512 or size & (size - 1):
        return _PAGE_SIZE, _PAGE_SIZE
    return size, size - data[20]


def _record(payload: bytes) -> tuple[Value, ...]:
    end, at = _varint(payload, 0)
    if not at <= end <= len(payload):
        raise ValueError("no record")
    kinds: list[int] = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != end or len(kinds) > _MOST_COLUMNS:
        raise ValueError("no record")
    values: list[Value] = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise ValueError("no record")
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in _INTEGER_BYTES:
        size = _INTEGER_BYTES[kind]
        return int.from_bytes(_exactly(payload, at, size), "big", signed=True), at + size
    if kind == 7:
        (number,) = struct.unpack(">d", _exactly(payload, at, 8))
        return float(number), at + 8
    if kind in (8, 9):
        return kind - 8, at
    if kind < 12:
        raise ValueError("reserved")
    size = (kind - 12) // 2
    data = _exactly(payload, at, size)
    return (data if kind % 2 == 0 else data.decode("utf-8")), at + size


def _exactly(data: bytes, at: int, size: int) -> bytes:
    found = data[at : at + size]
    if len(found) != size:
        raise ValueError("cut off")
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of one to nine bytes, and where the next thing begins."""
    value = 0
    for n in range(8):
        byte = data[at + n]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + n + 1
    value = value << 8 | data[at + 8]
    return (value - (1 << 64) if value >= 1 << 63 else value), at + 9
