"""The index of known files: what it saves, and that nothing wrong with it is ever an error."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from medview.core.job import Inline
from medview.core.study import ScanResult
from medview.io import known_files, library
from medview.io.dicom import scan as scan_module
from medview.io.dicom.scan import scan
from medview.io.library import Library, Visit, user_library
from medview.io.listing import files_below
from tests.helpers.dicom_series import write_ct
from tests.helpers.small_disk import small_disk

DAY_S = 86_400


@pytest.fixture
def index(tmp_path: Path) -> Library:
    return Library(tmp_path / "cache")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that a scan opened since the list was cleared."""
    names: list[str] = []
    real, sniffed = scan_module.look_at, scan_module.plainly_other

    def look_at(path: str) -> Any:
        names.append(Path(path).name)
        return real(path)

    def plainly_other(paths: list[str], between: Callable[[], None]) -> Any:
        for path, kind in sniffed(paths, between):
            names.append(Path(path).name)
            yield path, kind

    monkeypatch.setattr(scan_module, "look_at", look_at)
    monkeypatch.setattr(scan_module, "plainly_other", plainly_other)
    return names


def age(folder: Path, seconds: float = DAY_S) -> None:
    """Let files have been written long ago."""
    then = time.time() - seconds
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (then, then))


def old_ct(folder: Path) -> Path:
    write_ct(folder)
    age(folder)
    return folder


def same(one: ScanResult, other: ScanResult) -> bool:
    return repr(one) == repr(other)


def test_a_second_scan_opens_no_file_and_finds_the_same(tmp_path: Path, index: Library, opened: list[str]) -> None:
    old_ct(tmp_path / "study")
    (tmp_path / "study" / "notes.txt").write_text("nothing")
    (tmp_path / "study" / "deep" / "er").mkdir(parents=True)
    write_ct(tmp_path / "study" / "deep" / "er", series="2.25.77")
    age(tmp_path / "study")
    first = scan(tmp_path / "study", Inline(), library=index)
    assert len(opened) == 15
    opened.clear()
    second = scan(tmp_path / "study", Inline(), library=index)
    assert opened == []
    assert same(first, second)
    assert same(first, scan(tmp_path / "study", Inline()))


def test_a_known_folder_stays_known_whether_it_is_scanned_alone_or_from_above(
    tmp_path: Path, index: Library, opened: list[str]
) -> None:
    old_ct(tmp_path / "patient" / "study")
    scan(tmp_path / "patient", Inline(), library=index)
    opened.clear()
    scan(tmp_path / "patient" / "study", Inline(), library=index)
    scan(tmp_path / "patient" / "study" / "0003.dcm", Inline(), library=index)
    scan(tmp_path / "patient", Inline(), library=index)
    assert opened == []


def test_a_path_from_the_working_folder_leads_to_the_same_entries(
    tmp_path: Path, index: Library, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old_ct(tmp_path / "study")
    scan(tmp_path / "study", Inline(), library=index)
    opened.clear()
    monkeypatch.chdir(tmp_path)
    (series,) = scan(Path("study"), Inline(), library=index).series
    assert opened == []
    assert {frame.path for frame in series.volumes[0].frames} == {f"study/{n:04d}.dcm" for n in range(7)}


@pytest.mark.parametrize("keeps_time", [False, True])
def test_a_file_that_was_changed_is_looked_at_again(
    tmp_path: Path, index: Library, opened: list[str], *, keeps_time: bool
) -> None:
    folder = old_ct(tmp_path / "study")
    scan(folder, Inline(), library=index)
    opened.clear()
    victim = folder / "0002.dcm"
    before = victim.stat()
    changed = victim.read_bytes().replace(b"Phantom^One", b"Phantom^Two")
    victim.write_bytes(changed)
    then_ns = before.st_mtime_ns if keeps_time else before.st_mtime_ns - 10**9
    os.utime(victim, ns=(then_ns, then_ns))
    scan(folder, Inline(), library=index)
    assert opened == ["0002.dcm"]


def test_another_file_in_the_place_of_a_known_one_is_looked_at(tmp_path: Path, index: Library, opened: list[str]) -> None:
    folder = old_ct(tmp_path / "study")
    write_ct(tmp_path / "other", series="2.25.99999999.2")
    scan(folder, Inline(), library=index)
    opened.clear()
    victim = folder / "0002.dcm"
    times = (victim.stat().st_atime_ns, victim.stat().st_mtime_ns)
    (tmp_path / "other" / "0002.dcm").replace(victim)
    os.utime(victim, ns=times)
    assert len(scan(folder, Inline(), library=index).series) == 2
    assert opened == ["0002.dcm"]


def test_files_come_and_go_and_only_new_ones_are_looked_at(tmp_path: Path, index: Library, opened: list[str]) -> None:
    folder = old_ct(tmp_path / "study")
    scan(folder, Inline(), library=index)
    opened.clear()
    (folder / "0002.dcm").unlink()
    write_ct(tmp_path / "more", series="2.25.88")
    shutil.copy(tmp_path / "more" / "0000.dcm", folder / "new.dcm")
    age(folder)
    found = scan(folder, Inline(), library=index)
    assert "new.dcm" in opened
    assert found.dicom == 7
    opened.clear()
    assert same(found, scan(folder, Inline(), library=index))
    assert opened == []
    assert same(found, scan(folder, Inline()))


def test_a_file_that_was_written_a_moment_ago_is_looked_at_again(tmp_path: Path, index: Library, opened: list[str]) -> None:
    folder = old_ct(tmp_path / "study")
    now_s = time.time()
    os.utime(folder / "0001.dcm", (now_s - 0.5, now_s - 0.5))
    # A clock that went back, or a server that is ahead.
    os.utime(folder / "0004.dcm", (now_s + 3600, now_s + 3600))
    scan(folder, Inline(), library=index)
    opened.clear()
    scan(folder, Inline(), library=index)
    assert {"0004.dcm"} <= set(opened) <= {"0001.dcm", "0004.dcm"}


def test_damaged_files_are_looked_at_again(tmp_path: Path, index: Library, opened: list[str]) -> None:
    folder = old_ct(tmp_path / "study")
    whole = (folder / "0001.dcm").read_bytes()
    (folder / "0001.dcm").write_bytes(whole[:-40])
    (folder / "0002.dcm").write_bytes(whole[:700])
    age(folder)
    first = scan(folder, Inline(), library=index)
    assert len(first.damaged) == 2
    opened.clear()
    assert same(first, scan(folder, Inline(), library=index))
    assert opened == ["0001.dcm", "0002.dcm"]


def test_copies_are_told_apart_without_reading_them_again(
    tmp_path: Path, index: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old_ct(tmp_path / "study")
    shutil.copy(folder / "0002.dcm", folder / "again.dcm")
    content = bytearray((folder / "0003.dcm").read_bytes())
    content[-2] ^= 1
    (folder / "conflict.dcm").write_bytes(content)
    age(folder)
    first = scan(folder, Inline(), library=index)
    hashed: list[str] = []
    real = scan_module.content_sha256
    monkeypatch.setattr(scan_module, "content_sha256", lambda path: hashed.append(path) or real(path))
    assert same(first, scan(folder, Inline(), library=index))
    assert hashed == []
    # A copy that is none any more.
    content = bytearray((folder / "again.dcm").read_bytes())
    content[-2] ^= 1
    (folder / "again.dcm").write_bytes(content)
    age(folder)
    assert same(scan(folder, Inline(), library=index), scan(folder, Inline()))
    (series,) = scan(folder, Inline(), library=index).series
    assert series.volumes[0].shape_kji[0] == 9


def test_members_of_an_archive_are_known_until_the_archive_changes(
    tmp_path: Path, index: Library, opened: list[str]
) -> None:
    write_ct(tmp_path / "study")
    archive = Path(shutil.make_archive(str(tmp_path / "in" / "study"), "zip", tmp_path / "study"))
    age(tmp_path / "in")
    first = scan(archive, Inline(), library=index)
    assert len(opened) == 8
    opened.clear()
    assert same(first, scan(archive, Inline(), library=index))
    assert same(first, scan(tmp_path / "in", Inline(), library=index))
    assert opened == []
    write_ct(tmp_path / "study", series="2.25.66")
    shutil.make_archive(str(tmp_path / "in" / "study"), "zip", tmp_path / "study")
    age(tmp_path / "in", DAY_S / 2)
    assert scan(archive, Inline(), library=index).series[0].series_uid == "2.25.66"
    assert len(opened) == 8


@pytest.mark.data
def test_plain_volumes_are_known_and_not_hashed_again(
    tmp_path: Path, index: Library, opened: list[str], test_data: Path
) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(next((test_data / "nrrd-image-label").rglob("*.nrrd")), tmp_path / "in" / "a.nrrd")
    age(tmp_path / "in")
    first = scan(tmp_path / "in", Inline(), library=index)
    opened.clear()
    second = scan(tmp_path / "in", Inline(), library=index)
    assert opened == []
    assert second.series[0].volumes[0].geometry.same_grid(first.series[0].volumes[0].geometry)  # type: ignore[union-attr, arg-type]
    assert second.series[0].series_uid == first.series[0].series_uid
    assert second.series[0].paths == (str(tmp_path / "in" / "a.nrrd"),)


def entries(index: Library) -> list[tuple[bytes, int, bytes]]:
    with closing(sqlite3.connect(index.file)) as database:
        return database.execute("SELECT path, used, content FROM folder ORDER BY path").fetchall()


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
        assert time.monotonic() - began < 5.0
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


@pytest.mark.skipif(os.name != "posix", reason="rights of files are another thing on Windows")
def test_nobody_else_may_read_the_names_in_it(tmp_path: Path) -> None:
    old_ct(tmp_path / "study")
    (tmp_path / "user").mkdir(mode=0o755)
    index = Library(tmp_path / "user" / "scans")
    before = os.umask(0)
    try:
        scan(tmp_path / "study", Inline(), library=index)
    finally:
        os.umask(before)
    assert stat.S_IMODE(index.folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in index.folder.iterdir()] == [0o600]
    index.folder.chmod(0o755)
    index.file.chmod(0o644)
    write_ct(tmp_path / "study" / "more", series="2.25.55")
    age(tmp_path / "study")
    scan(tmp_path / "study", Inline(), library=index)
    assert stat.S_IMODE(index.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(index.file.stat().st_mode) == 0o600


def test_folders_that_were_not_looked_into_for_longest_are_forgotten(
    tmp_path: Path, index: Library, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time() - 30 * DAY_S
    monkeypatch.setattr(library.time, "time", lambda: clock)
    for name in ("a", "b", "c"):
        old_ct(tmp_path / name)
        scan(tmp_path / name, Inline(), library=index)
        clock += DAY_S
    clock += DAY_S
    scan(tmp_path / "a", Inline(), library=index)
    size = sum(len(content) for _, _, content in entries(index))
    monkeypatch.setattr(library, "MAX_BYTES", size)
    old_ct(tmp_path / "d")
    clock += DAY_S
    scan(tmp_path / "d", Inline(), library=index)
    assert [Path(os.fsdecode(path)).name for path, _, _ in entries(index)] == ["a", "c", "d"]
    opened.clear()
    scan(tmp_path / "b", Inline(), library=index)
    assert len(opened) == 7


def test_a_known_folder_is_not_written_again(tmp_path: Path, index: Library) -> None:
    folder = old_ct(tmp_path / "study")
    scan(folder, Inline(), library=index)
    before = entries(index)
    content = index.file.read_bytes()
    scan(folder, Inline(), library=index)
    assert entries(index) == before
    assert index.file.read_bytes() == content


def test_names_that_are_no_text_are_known_too(tmp_path: Path, index: Library, opened: list[str]) -> None:
    folder = old_ct(tmp_path / os.fsdecode(b"K\xf6ln"))
    (folder / "0003.dcm").rename(folder / os.fsdecode(b"\xff\xfe.dcm"))
    age(folder)
    first = scan(folder, Inline(), library=index)
    opened.clear()
    assert same(first, scan(folder, Inline(), library=index))
    assert opened == []


def test_another_layout_of_what_is_found_makes_old_entries_unknown(
    tmp_path: Path, index: Library, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old_ct(tmp_path / "study")
    scan(folder, Inline(), library=index)
    opened.clear()
    monkeypatch.setattr(known_files.medview, "__version__", "99.0")
    known_files._format.cache_clear()
    try:
        scan(folder, Inline(), library=index)
        assert len(opened) == 7
    finally:
        monkeypatch.undo()
        known_files._format.cache_clear()


SCAN_MANY = """
import sys
from pathlib import Path
from medview.core.job import Inline
from medview.io.dicom.scan import scan
from medview.io.library import Library
for number in range(10):
    for folder in sys.argv[2:]:
        assert scan(Path(folder), Inline(), library=Library(Path(sys.argv[1]))).dicom == 7
"""


def test_several_programs_use_it_at_once(tmp_path: Path, index: Library, opened: list[str]) -> None:
    folders = [str(old_ct(tmp_path / name)) for name in "abcd"]
    command = [sys.executable, "-c", SCAN_MANY, str(index.folder)]
    programs = [
        subprocess.Popen([*command, *folders[n:], *folders[:n]], stderr=subprocess.PIPE, text=True) for n in range(3)
    ]
    for program in programs:
        _, said = program.communicate(timeout=120)
        assert (program.returncode, said) == (0, "")
    for folder in folders:
        scan(Path(folder), Inline(), library=index)
    opened.clear()
    for folder in folders:
        scan(Path(folder), Inline(), library=index)
    assert opened == []


def test_a_scan_that_is_cancelled_leaves_the_index_as_it_was(tmp_path: Path, index: Library) -> None:
    from medview.core.errors import CancelledError

    folder = old_ct(tmp_path / "study")
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        scan(folder, context, library=index)
    assert not index.file.exists()
    scan(folder, Inline(), library=index)
    context = Inline()
    sources = list(files_below(folder, context.raise_if_cancelled, []))
    context.cancel()
    with pytest.raises(CancelledError):
        Visit(index, context.raise_if_cancelled).recall(sources, whole=True)


def test_the_users_index_lies_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDVIEW_CACHE", str(tmp_path / "elsewhere"))
    assert user_library().file.is_relative_to(tmp_path / "elsewhere")
    monkeypatch.delenv("MEDVIEW_CACHE")
    assert user_library().folder.parent.name == "medview"


@pytest.mark.slow
def test_the_second_scan_of_five_thousand_files_is_immediate(tmp_path: Path, index: Library) -> None:
    for number in range(10):
        write_ct(tmp_path / "many" / str(number), series=f"2.25.4{number}")
        for path in sorted((tmp_path / "many" / str(number)).iterdir()):
            for copy in range(70):
                shutil.copy(path, path.with_suffix(f".{copy}"))
    age(tmp_path / "many")
    scan(tmp_path / "many", Inline(), library=index)
    used = []
    for _ in range(3):
        began = time.process_time()
        assert scan(tmp_path / "many", Inline(), library=index).dicom == 4970
        used.append(time.process_time() - began)
    assert min(used) < 0.5
