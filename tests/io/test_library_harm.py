"""Nothing that is wrong with the index of known files is ever an error, and nothing in it is run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import sqlite3
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from medview.core.job import Inline
from medview.io import known_files, library
from medview.io.dicom.scan import scan
from medview.io.library import Library
from tests.helpers.known_study import entries, old_ct, same
from tests.helpers.small_disk import small_disk
from tests.helpers.timing import allowed_s


def forge(index: Library, content: bytes) -> None:
    with closing(sqlite3.connect(index.file)) as database, database:
        database.execute("UPDATE folder SET content = ?", (content,))


def signed(folder: Path, plain: object) -> bytes:
    content = zlib.compress(json.dumps(plain).encode())
    return known_files._format() + hashlib.sha256(os.fsencode(folder) + b"\0" + content).digest() + content


def cut(index: Library) -> None:
    index.file.write_bytes(index.file.read_bytes()[:5000])


def scramble(index: Library) -> None:
    content = bytearray(index.file.read_bytes())
    content[100:] = os.urandom(len(content) - 100)
    index.file.write_bytes(content)


def flip(index: Library) -> None:
    ((_, _, content),) = entries(index)
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 4
    forge(index, bytes(changed))


def newer(index: Library) -> None:
    ((_, _, content),) = entries(index)
    forge(index, b"\xff" * 32 + content[32:])


def other_table(index: Library) -> None:
    with closing(sqlite3.connect(index.file)) as database, database:
        database.execute("ALTER TABLE folder RENAME COLUMN content TO contents")


def become_folder(index: Library) -> None:
    index.file.unlink()
    index.file.mkdir()


def become_text(index: Library) -> None:
    index.file.write_text("not a database " * 100)


def become_number(index: Library) -> None:
    with closing(sqlite3.connect(index.file)) as database, database:
        database.execute("UPDATE folder SET content = 5")


DAMAGES = [cut, scramble, flip, newer, other_table, become_folder, become_text, become_number]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage.__name__))
def test_whatever_is_wrong_with_the_index_only_makes_a_scan_slow(
    tmp_path: Path, index: Library, opened: list[str], damage: Callable[[Library], None]
) -> None:
    folder = old_ct(tmp_path / "study")
    first = scan(folder, Inline(), library=index)
    damage(index)
    opened.clear()
    assert same(first, scan(folder, Inline(), library=index))
    assert len(opened) == 7
    assert same(first, scan(folder, Inline(), library=index))


@pytest.mark.parametrize("damage", [cut, scramble, flip, newer, become_text, become_number], ids=lambda d: str(d.__name__))
def test_a_damaged_index_is_made_anew(
    tmp_path: Path, index: Library, opened: list[str], damage: Callable[[Library], None]
) -> None:
    folder = old_ct(tmp_path / "study")
    scan(folder, Inline(), library=index)
    damage(index)
    scan(folder, Inline(), library=index)
    scan(folder, Inline(), library=index)
    opened.clear()
    scan(folder, Inline(), library=index)
    assert opened == []


def test_an_index_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    folder = old_ct(tmp_path / "study")
    (tmp_path / "file").write_text("where a folder should be")
    first = scan(folder, Inline(), library=Library(tmp_path / "file" / "cache"))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert same(first, scan(folder, Inline(), library=Library(tmp_path / "closed")))
    assert len(opened) == 14


def test_a_full_disk_is_no_error(tmp_path: Path, opened: list[str]) -> None:
    folder = old_ct(tmp_path / "study")
    with small_disk(tmp_path / "disk") as disk:
        index = Library(disk / "cache")
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while filler.write(b"\0" * 4096):
                pass
        first = scan(folder, Inline(), library=index)
        assert same(first, scan(folder, Inline(), library=index))
        assert len(opened) == 14
        (disk / "filler").unlink()
        for _ in range(2):
            opened.clear()
            scan(folder, Inline(), library=index)
        assert opened == []


def test_an_index_another_window_is_writing_is_not_waited_for(
    tmp_path: Path, index: Library, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "BUSY_S", 0.05)
    folder = old_ct(tmp_path / "study")
    first = scan(folder, Inline(), library=index)
    (folder / "0002.dcm").unlink()
    opened.clear()
    with closing(sqlite3.connect(index.file, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        found = scan(folder, Inline(), library=index)
        assert time.monotonic() - began < allowed_s(5.0)
        database.execute("ROLLBACK")
    assert len(opened) == found.dicom == first.dicom - 1
    assert len(entries(index)) == 1


class Marker:
    """Unpickled, it makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path(self.path),))


def test_a_forged_index_runs_no_code(tmp_path: Path, index: Library, opened: list[str]) -> None:
    folder = old_ct(tmp_path / "study")
    first = scan(folder, Inline(), library=index)
    for content in (
        pickle.dumps(Marker(str(tmp_path / "ran"))),
        signed(folder, [[], {"0001.dcm": [1, 2, 3, "", "dicom", pickle.dumps(Marker(str(tmp_path / "ran"))).hex()]}]),
    ):
        forge(index, content)
        assert same(first, scan(folder, Inline(), library=index))
    assert not (tmp_path / "ran").exists()


def test_forged_entries_of_the_wrong_kinds_are_not_believed(tmp_path: Path, index: Library) -> None:
    folder = old_ct(tmp_path / "study")
    first = scan(folder, Inline(), library=index)
    status = (folder / "0001.dcm").stat()
    stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    for entry in (
        [*stamp, "", "dicom", []],
        [*stamp, "", "dicom", ["os.system", "echo"]],
        [*stamp, "", "members", "12"],
        [*stamp, "", "builtins", []],
        [*stamp, "zz", "ignored", "other"],
        [*stamp],
        stamp,
        7,
    ):
        forge(index, signed(folder, [[], {"0001.dcm": entry}]))
        assert same(first, scan(folder, Inline(), library=index))
    for plain in (None, 5, [], [1, 2], [[], []], {"a": 1}, "text"):
        forge(index, signed(folder, plain))
        assert same(first, scan(folder, Inline(), library=index))


def test_an_entry_that_unpacks_without_bound_is_refused(
    tmp_path: Path, index: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old_ct(tmp_path / "study")
    first = scan(folder, Inline(), library=index)
    monkeypatch.setattr(known_files, "MAX_UNPACKED_BYTES", 1 << 20)
    forge(index, signed(folder, [["x" * (8 << 20)], {}]))
    assert same(first, scan(folder, Inline(), library=index))
