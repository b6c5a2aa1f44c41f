"""What lies in folders: links, odd names, files that may not be read or go away, media, very many other files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest

from medview.cli.scan import document as scan_document
from medview.core.job import Inline
from medview.core.study import ScanResult, VolumeEntry
from medview.io.dicom import scan as scan_module
from medview.io.dicom.scan import scan
from medview.io.load import load_volume
from tests.helpers.dicom_series import asymmetric, ct_slice, write_ct


def only(found: ScanResult) -> VolumeEntry:
    (series,) = found.series
    (entry,) = series.volumes
    return entry


def closed_to_readers(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let opening a file fail as it does for a person who may not; root may read everything."""
    real_open, real_os_open = Path.open, os.open

    def guarded(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == name:
            raise PermissionError(13, "denied", str(path))
        return real_open(path, *arguments, **options)

    def guarded_os(path: Any, *arguments: Any, **options: Any) -> int:
        if str(path).endswith(name):
            raise PermissionError(13, "denied", str(path))
        return real_os_open(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", guarded)
    monkeypatch.setattr(os, "open", guarded_os)


def test_a_file_that_may_not_be_read_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ct(tmp_path / "study")
    closed_to_readers(monkeypatch, "0003.dcm")
    found = scan(tmp_path / "study", Inline())
    assert only(found).shape_kji[0] == 6
    assert [(Path(d.path).name, d.reason) for d in found.damaged] == [
        ("0003.dcm", "0003.dcm may not be read; ask for access to it.")
    ]
    found = scan(tmp_path / "study" / "0003.dcm", Inline())
    assert [damaged.reason for damaged in found.damaged] == ["0003.dcm may not be read; ask for access to it."]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_rights_is_named(tmp_path: Path) -> None:
    write_ct(tmp_path / "study")
    (tmp_path / "study" / "0003.dcm").chmod(0)
    (tmp_path / "study" / "closed").mkdir(mode=0)
    found = scan(tmp_path / "study", Inline())
    assert only(found).shape_kji[0] == 6
    assert [Path(d.path).name for d in found.damaged] == ["0003.dcm", "closed"]


def test_a_directory_of_media_opened_directly_leads_to_the_files_beside_it(tmp_path: Path) -> None:
    write_ct(tmp_path / "media" / "IMAGES")
    head = bytes(128) + b"DICM" + b"\x02\x00\x02\x00UI\x14\x001.2.840.10008.1.3.10"
    # Whatever it lists: nothing of it is believed.
    (tmp_path / "media" / "DICOMDIR").write_bytes(head + b"\x00" * 8 + b"../../../etc/passwd\\IMAGES\\GONE")
    found = scan(tmp_path / "media" / "DICOMDIR", Inline())
    assert only(found).shape_kji[0] == 7
    assert found.ignored == {"DICOMDIR": 1}
    assert found.damaged == ()
    (tmp_path / "media" / "dicomdir.bak").write_bytes(head)
    assert scan(tmp_path / "media", Inline()).ignored == {"DICOMDIR": 2}


def test_links_in_a_circle_end_and_are_named(tmp_path: Path) -> None:
    write_ct(tmp_path / "study" / "deep" / "deeper")
    (tmp_path / "study" / "deep" / "deeper" / "circle").symlink_to(tmp_path / "study", target_is_directory=True)
    (tmp_path / "study" / "one").symlink_to(tmp_path / "study" / "two")
    (tmp_path / "study" / "two").symlink_to(tmp_path / "study" / "one")
    (tmp_path / "study" / "self").symlink_to("self")
    found = scan(tmp_path / "study", Inline())
    assert only(found).shape_kji[0] == 7
    assert [Path(d.path).name for d in found.damaged] == ["one", "self", "two"]


def test_links_to_files_and_folders_elsewhere_are_followed(tmp_path: Path) -> None:
    write_ct(tmp_path / "real")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "files").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "study" / "again").symlink_to(tmp_path / "real", target_is_directory=True)
    assert only(scan(tmp_path / "study", Inline())).shape_kji[0] == 7
    (tmp_path / "single").mkdir()
    for file in (tmp_path / "real").iterdir():
        (tmp_path / "single" / f"link-{file.name}").symlink_to(file)
    assert only(scan(tmp_path / "single", Inline())).shape_kji[0] == 7
    (tmp_path / "door").symlink_to(tmp_path / "real", target_is_directory=True)
    assert only(scan(tmp_path / "door", Inline())).shape_kji[0] == 7


ODD_NAMES = (
    b"K\xf6ln.dcm",
    b"new\nline",
    b"\xff\xfe",
    "王.dcm".encode(),
    b"a::5",
    b"-rf",
    b"%s %d {0}",
    b"x" * 255,
    b" . ",
)


def test_files_with_odd_names_are_read_and_named_in_one_printable_sentence(tmp_path: Path) -> None:
    write_ct(tmp_path / "plain")
    folder = tmp_path / os.fsdecode(b"\xe9tude\n")
    folder.mkdir()
    for file, name in zip(sorted((tmp_path / "plain").iterdir()), ODD_NAMES, strict=False):
        shutil.copy(file, folder / os.fsdecode(name))
    for name in ODD_NAMES:
        (folder / os.fsdecode(b"b" + name[:200])).write_bytes((tmp_path / "plain" / "0001.dcm").read_bytes()[:300])
        (folder / os.fsdecode(b"e" + name[:200])).touch()
    found = scan(folder, Inline())
    assert only(found).shape_kji[0] == 7
    assert found.ignored == {"empty": len(ODD_NAMES)}
    assert len(found.damaged) == len(ODD_NAMES)
    for damaged in found.damaged:
        assert damaged.reason.isprintable()
        assert Path(damaged.path).exists()
    document = json.loads(json.dumps(scan_document(found)))
    assert {entry["path"] for entry in document["files"]["damaged"]} == {damaged.path for damaged in found.damaged}
    volume = load_volume(folder, None, Inline()).volume
    assert volume.voxels.shape == (7, 10, 13)


def test_odd_names_without_identifiers_are_no_error(tmp_path: Path) -> None:
    ds = ct_slice(asymmetric()[0], (0, 0, 0))
    del ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.file_meta.MediaStorageSOPInstanceUID
    pydicom.dcmwrite(tmp_path / os.fsdecode(b"\xff\xfe"), ds, enforce_file_format=False)
    for copy in (b"\xff\xfd", b"\xff\xfc"):
        shutil.copy(tmp_path / os.fsdecode(b"\xff\xfe"), tmp_path / os.fsdecode(copy))
    (series,) = scan(tmp_path, Inline()).series
    assert series.instances >= 1


def test_files_and_folders_that_vanish_during_the_scan_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ct(tmp_path / "study" / "a")
    write_ct(tmp_path / "study" / "b", series="2.25.5")
    (tmp_path / "study" / "c").mkdir()
    (tmp_path / "study" / "a" / "notes.txt").write_text("soon gone")
    real = os.scandir
    listed: list[str] = []

    def vanishing(path: str) -> Any:
        entries = real(path)
        listed.append(Path(path).name)
        if listed[-1] == "b":
            # The folder is listed when some files of another, and the next folder, go.
            for name in ("0001.dcm", "0002.dcm", "notes.txt"):
                (tmp_path / "study" / "a" / name).unlink()
            (tmp_path / "study" / "c").rmdir()
        return entries

    monkeypatch.setattr(os, "scandir", vanishing)
    found = scan(tmp_path / "study", Inline())
    assert sorted(series.volumes[0].shape_kji[0] for series in found.series) == [5, 7]
    assert [d.reason for d in found.damaged] == [
        "0001.dcm is no longer there; scan the folder again.",
        "0002.dcm is no longer there; scan the folder again.",
        "notes.txt is no longer there; scan the folder again.",
        "The folder c is no longer there; scan again.",
    ]


def test_very_many_other_files_are_never_sent_to_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ct(tmp_path / "study")
    others = {
        "notes.txt": b"nothing to see",
        "code.py": b'"""A module."""\n',
        "data.json": b"{}",
        "thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 60,
        "setup.exe": b"MZ" + bytes(400),
        "empty": b"",
        "short": b"\x00",
    }
    for number in range(150):
        for name, content in others.items():
            path = tmp_path / "study" / f"{number % 7}" / f"{number}-{name}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
    sent: list[str] = []
    real = scan_module.look_at
    monkeypatch.setattr(scan_module, "look_at", lambda path: sent.append(path) or real(path))
    found = scan(tmp_path / "study", Inline())
    assert len(sent) == 7
    assert only(found).shape_kji[0] == 7
    assert found.ignored == {"other": 900, "empty": 150}
    assert found.seen == 1057
