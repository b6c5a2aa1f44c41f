"""Series through reader processes: which slice comes when, what a damaged one costs, what a killed reader costs."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import FileDataset

from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.io.dicom.scan import scan
from medview.io.fill import SliceReport
from medview.io.reader_pool import InlinePool, ReaderPool
from medview.io.series_reader import Nearest, SeriesReader
from tests.helpers import reader_tasks as tasks
from tests.helpers.dicom_series import asymmetric, write_ct


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(size=2)
    pool.start()
    yield pool
    pool.close()


class Watcher(Inline):
    def __init__(self, stop_after: int = 10**9) -> None:
        super().__init__()
        self.reports: list[SliceReport] = []
        self._stop_after = stop_after

    def partial(self, value: object) -> None:
        assert isinstance(value, SliceReport)
        self.reports.append(value)
        if len(self.reports) >= self._stop_after:
            self.cancel()


def test_the_wanted_slice_comes_first_and_all_arrive(pool: ReaderPool, tmp_path: Path) -> None:
    voxels = asymmetric((60, 10, 13))
    write_ct(tmp_path, voxels)
    (series,) = scan(tmp_path, Inline(), pool).series
    reader = SeriesReader(pool)
    opened = reader.begin(series, series.volumes[0])
    assert not opened.volume.voxels.any()
    assert not opened.volume.voxels.flags.writeable
    watcher = Watcher()
    assert reader.fill(opened, 41, watcher) == []
    assert watcher.reports[0].k == 41
    assert sorted(report.k for report in watcher.reports) == list(range(60))
    np.testing.assert_array_equal(opened.volume.voxels, voxels)


class Follower(Inline):
    """Looks at one slice, and at another once it has seen enough."""

    def __init__(self, first: int, then: int, after: int) -> None:
        super().__init__()
        self.arrived: list[int] = []
        self.wanted = first
        self._then, self._after = then, after

    def partial(self, value: object) -> None:
        assert isinstance(value, SliceReport)
        self.arrived.append(value.k)
        if len(self.arrived) == self._after:
            self.wanted = self._then


def write_values(folder: Path, count: int) -> None:
    """A series whose rescale differs from slice to slice, so that slices are read one by one."""

    def change(k: int, ds: FileDataset) -> None:
        ds.RescaleSlope = f"{1 + k}"

    write_ct(folder, np.ones((count, 4, 5), np.int16), change=change)


def test_reading_goes_outward_from_the_middle_and_follows_the_slice_that_is_looked_at(
    pool: ReaderPool, tmp_path: Path
) -> None:
    write_values(tmp_path, 80)
    (series,) = scan(tmp_path, Inline(), pool).series
    for either, in_work in ((InlinePool(), 0), (pool, pool.size)):
        reader = SeriesReader(either)
        look = Follower(first=40, then=75, after=5)
        opened = reader.begin(series, series.volumes[0])
        assert reader.fill(opened, 40, look, lambda: look.wanted) == []  # noqa: B023 - called in this turn
        assert look.arrived[0] == 40
        assert sorted(look.arrived) == list(range(80))
        # Of several readers one may be late: it does not hold the others up.
        assert set(look.arrived[:5]) <= set(range(40 - 4 * (1 + in_work), 41 + 4 * (1 + in_work)))
        assert look.arrived.index(75) <= 5 + 3 * in_work
        if not in_work:
            assert look.arrived == [
                40,
                39,
                41,
                38,
                42,
                75,
                74,
                76,
                73,
                77,
                72,
                78,
                71,
                79,
                *range(70, 42, -1),
                *range(37, -1, -1),
            ]
        np.testing.assert_array_equal(opened.volume.voxels[:, 0, 0], np.arange(80) + 1.0 - 1024.0)


def test_uncompressed_slices_come_in_batches_around_the_slice_that_is_looked_at(pool: ReaderPool, tmp_path: Path) -> None:
    voxels = asymmetric((120, 4, 5))
    write_ct(tmp_path, voxels)
    (series,) = scan(tmp_path, Inline(), pool).series
    look = Follower(first=10, then=100, after=9)
    opened = SeriesReader(pool).begin(series, series.volumes[0])
    SeriesReader(pool).fill(opened, 10, look, lambda: look.wanted)
    assert look.arrived[0] == 10
    assert sorted(look.arrived) == list(range(120))
    # What is in work is finished, and one batch may have been handed out before the view moved.
    assert look.arrived.index(100) < 9 + 8 * (pool.size + 1)
    np.testing.assert_array_equal(opened.volume.voxels, voxels)


@given(st.integers(1, 40), st.lists(st.integers(-3, 45), min_size=40, max_size=40))
def test_the_nearest_part_is_taken_each_once_wherever_one_looks(count: int, looks: list[int]) -> None:
    spans = [(3 * n, 3 * n + n % 3) for n in range(count)]
    looking = iter(looks)
    wanted = 0

    def look() -> int:
        nonlocal wanted
        wanted = 3 * next(looking)
        return wanted

    near = Nearest(spans, look)
    left = set(range(count))

    def distance(index: int) -> int:
        low, high = spans[index]
        return max(low - wanted, wanted - high, 0)

    while left:
        taken = near.take()
        assert distance(taken) == min(map(distance, left))
        left.remove(taken)


def test_cancel_stops_reading_and_the_pool_goes_on(pool: ReaderPool, tmp_path: Path) -> None:
    write_ct(tmp_path, asymmetric((60, 10, 13)))
    (series,) = scan(tmp_path, Inline(), pool).series
    reader = SeriesReader(pool)
    opened = reader.begin(series, series.volumes[0])
    watcher = Watcher(stop_after=5)
    with pytest.raises(CancelledError):
        reader.fill(opened, 0, watcher)
    assert len(watcher.reports) < 30
    assert pool.call(tasks.double, "a.dcm", 2) == 4


def test_a_truncated_slice_is_marked_and_the_others_are_read(pool: ReaderPool, tmp_path: Path) -> None:
    voxels = asymmetric((20, 10, 13))
    write_ct(tmp_path, voxels)
    bad = tmp_path / "0007.dcm"
    bad.write_bytes(bad.read_bytes()[:-60])
    (series,) = scan(tmp_path, Inline(), pool).series
    reader = SeriesReader(pool)
    opened = reader.begin(series, series.volumes[0])
    (report,) = reader.fill(opened, 0, Inline())
    assert (report.k, report.ok) == (7, False)
    assert report.reason == "0007.dcm is damaged: its pixels end early; copy it again from its source."
    voxels[7] = 0
    np.testing.assert_array_equal(opened.volume.voxels, voxels)


def test_readers_killed_while_a_series_is_read_cost_slices_at_most(tmp_path: Path) -> None:
    voxels = asymmetric((40, 10, 13))
    write_ct(tmp_path, voxels)
    kills = int(os.environ.get("MEDVIEW_KILLS", "8"))
    pool = ReaderPool(size=2)
    (series,) = scan(tmp_path, Inline(), pool).series
    reader = SeriesReader(pool)
    dice = random.Random(3)
    killed, marked = 0, 0

    class Killer(Inline):
        def partial(self, value: object) -> None:
            nonlocal killed
            readers = [p for p in multiprocessing.active_children() if p.name == "medview-reader"]
            if dice.random() < 0.1 and killed < kills and readers:
                victim = dice.choice(readers)
                if victim.pid is not None:
                    os.kill(victim.pid, signal.SIGKILL)
                    killed += 1

    try:
        while killed < kills:
            opened = reader.begin(series, series.volumes[0])
            damaged = {report.k for report in reader.fill(opened, 20, Killer())}
            marked += len(damaged)
            whole = [k for k in range(40) if k not in damaged]
            np.testing.assert_array_equal(opened.volume.voxels[whole], voxels[whole])
        assert marked <= killed
        opened = reader.begin(series, series.volumes[0])
        assert reader.fill(opened, 20, Inline()) == []
        np.testing.assert_array_equal(opened.volume.voxels, voxels)
    finally:
        pool.close()
