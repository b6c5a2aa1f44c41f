"""Rows read from pages are those that SQLite reads."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from medview.store.pages import Value, rows_of_pages


def _make(file: Path, page_bytes: int, rows: int) -> None:
    rng = np.random.default_rng(page_bytes)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {page_bytes}")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c TEXT, d BLOB)")
        connection.execute("CREATE INDEX i ON t (a)")
        connection.execute("BEGIN")
        numbers = [0, 1, -1, 127, -128, 40_000, -(2**23), 2**31, 2**47, -(2**63), 2**63 - 1, 0.5, -1e300, None]
        for n in range(rows):
            blob = rng.integers(0, 256, int(rng.integers(0, 3 * page_bytes)), dtype=np.uint8).tobytes()
            text = "Läsion ü \U0001fac0 " * int(rng.integers(0, page_bytes // 40))
            connection.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?)", (3 * n + 1, numbers[n % 14], n, text, blob))
        connection.execute("COMMIT")


def _by_sqlite(file: Path) -> dict[int, tuple[Value, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return {row[0]: row[1:] for row in connection.execute("SELECT * FROM t")}


def _by_pages(file: Path) -> dict[int, tuple[Value, ...]]:
    return {rowid: values[1:] for rowid, values in rows_of_pages(file) if len(values) == 5 and isinstance(values[2], int)}


@pytest.mark.parametrize("page_bytes", [512, 1024, 4096, 65536])
def test_every_row_is_found_with_all_it_holds(tmp_path: Path, page_bytes: int) -> None:
    file = tmp_path / "x.db"
    _make(file, page_bytes, 120)
    assert _by_pages(file) == _by_sqlite(file)


def test_a_page_that_is_gone_costs_its_own_rows_only(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    _make(file, 4096, 200)
    whole = _by_sqlite(file)
    data = bytearray(file.read_bytes())
    # The header page, and with it everything SQLite needs to begin.
    data[:4096] = bytes(4096)
    file.write_bytes(bytes(data))
    assert _by_pages(file) == whole
    leaf = next(n for n in range(1, len(data) // 4096) if data[n * 4096] == 0x0D and data[n * 4096 + 4] > 1)
    data[leaf * 4096 : (leaf + 1) * 4096] = bytes(4096)
    file.write_bytes(bytes(data))
    left = _by_pages(file)
    assert 0 < len(whole) - len(left) < 40
    assert all(whole[rowid] == values for rowid, values in left.items())


def test_noise_is_no_rows_and_no_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for size in (0, 10, 4096, 40_960):
        (tmp_path / "noise").write_bytes(rng.integers(0, 256, size, dtype=np.uint8).tobytes())
        list(rows_of_pages(tmp_path / "noise"))
    file = tmp_path / "x.db"
    _make(file, 1024, 60)
    data = np.frombuffer(file.read_bytes(), dtype=np.uint8).copy()
    for _ in range(40):
        hurt = data.copy()
        at = rng.integers(100, len(hurt), 60)
        hurt[at] = rng.integers(0, 256, 60)
        file.write_bytes(hurt.tobytes())
        list(rows_of_pages(file))
