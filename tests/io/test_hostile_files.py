from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.io.dicom.scan import look_at, scan
from medview.io.fill import SliceReport
from medview.io.reader_pool import ReaderPool
from medview.io.series_reader import SeriesReader

pytestmark = pytest.mark.data


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


@pytest.mark.parametrize("name", ["bomb.dcm", "nest200.dcm", "nest20000.dcm"])
def test_bombs_are_refused_at_once_and_without_memory(test_data: Path, name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    with pytest.raises(MedViewError, match="it was not opened"):
        look_at(str(test_data / "hostile" / name))
    assert time.monotonic() - began < 1.0
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 200
