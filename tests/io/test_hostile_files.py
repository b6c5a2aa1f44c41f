from __future__ import annotations

import resource
import struct
import time
import zipfile
from pathlib import Path

import pytest

from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.io.dicom.scan import look_at, scan
from medview.io.fill import SliceReport
from medview.io.reader_pool import ReaderPool
from medview.io.series_reader import SeriesReader
from tests.helpers.dicom_series import write_ct
from tests.helpers.timing import allowed_s


@pytest.mark.data
def test_every_hostile_file_goes_through_the_readers_and_the_next_file_opens(test_data: Path) -> None:
    pool = ReaderPool(size=2)
    try:
        found = scan(test_data / "hostile", Inline(), pool)
        assert {Path(d.path).name for d in found.damaged} >= {"bomb.dcm", "nest200.dcm", "nest20000.dcm"}
        assert all(d.reason.startswith(Path(d.path).name) and "\n" not in d.reason for d in found.damaged)
        reader = SeriesReader(pool)
        slices = 0
        for series in found.series:
            for entry in series.volumes:
                opened = reader.begin(series, entry)
                damaged = reader.fill(opened, 0, Inline())
                assert all(isinstance(report, SliceReport) and report.reason for report in damaged)
                slices += entry.shape_kji[0]
        assert slices > 20
        assert scan(test_data / "ct-head-tiny-93", Inline(), pool).series[0].instances == 93
    finally:
        pool.close()


@pytest.mark.data
@pytest.mark.parametrize("name", ["bomb.dcm", "nest200.dcm", "nest20000.dcm"])
def test_bombs_are_refused_at_once_and_without_memory(test_data: Path, name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    with pytest.raises(MedViewError, match="it was not opened"):
        look_at(str(test_data / "hostile" / name))
    assert time.monotonic() - began < allowed_s(1.0)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 200


def test_a_zip_member_that_unpacks_a_thousandfold_is_refused_and_its_neighbour_is_read(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil.dcm", b"\x00" * (64 << 20))
        for path in sorted((tmp_path / "ct").iterdir()):
            archive.write(path, path.name)
    before = sorted(tmp_path.rglob("*"))
    began = time.monotonic()
    found = scan(tmp_path / "a.zip", Inline())
    assert time.monotonic() - began < allowed_s(2.0)
    assert [damaged.reason for damaged in found.damaged] == [
        "item 0 of a.zip would unpack to 64 MB; unpack the archive first if you trust it."
    ]
    assert found.series[0].volumes[0].shape_kji[0] == 7
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.nii", struct.pack("<i36x8h", 348, 3, 32767, 32767, 32767, 1, 1, 1, 1).ljust(344, b"\x00") + b"n+1\x00"),
        ("a.nrrd", b"NRRD0004\ntype: double\ndimension: 3\nsizes: 90000 90000 90000\nendian: little\nencoding: raw\n\n"),
    ],
)
def test_a_header_that_claims_more_than_the_memory_is_refused_at_once(tmp_path: Path, name: str, content: bytes) -> None:
    if name == "a.nii":
        content = content[:70] + struct.pack("<h", 64) + content[72:]
    (tmp_path / name).write_bytes(content + b"\x00" * 200)
    began = time.monotonic()
    with pytest.raises(MedViewError, match="more than this computer has memory for"):
        look_at(str(tmp_path / name))
    assert time.monotonic() - began < allowed_s(1.0)
