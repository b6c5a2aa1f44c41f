"""The index of known files: what it saves, who may read it, and how much it keeps."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medview.core.job import Inline
from medview.io import known_files, library
from medview.io.dicom import scan as scan_module
from medview.io.dicom.scan import scan
from medview.io.library import Library, Visit, user_library
from medview.io.listing import files_below
from tests.helpers.dicom_series import write_ct
from tests.helpers.known_study import DAY_S, age, entries, old_ct, same


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
    monkeypatch.setattr(library, "MAX_BYTES", size * 7 // 6)
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
