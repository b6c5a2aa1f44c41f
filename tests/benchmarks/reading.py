"""Opening a CT of 400 slices, uncompressed and compressed: first slice, whole volume, and what others take for it."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from medview.core.job import Inline
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.io.dicom.scan import scan
from medview.io.reader_pool import ReaderPool
from medview.io.series_reader import SeriesReader
from tests.benchmarks import other_readers
from tests.benchmarks.ct_series import SLICES, UNCOMPRESSED, write_all
from tests.benchmarks.row import Row

ROUNDS = 3
ROUNDS_UNCOMPRESSED = 7


class _FirstSlice(Inline):
    def __init__(self) -> None:
        super().__init__()
        self.at: float | None = None

    def partial(self, value: object) -> None:
        if self.at is None:
            self.at = time.perf_counter()


def rows() -> list[Row]:
    """Measure every form; ``MEDVIEW_BENCH_SLICES`` makes the CT shorter while something is tried out."""
    slices = int(os.environ.get("MEDVIEW_BENCH_SLICES", SLICES))
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as place:
        pool = ReaderPool()
        pool.start()
        try:
            for name, folder in write_all(Path(place), slices):
                found += _one_form(name, folder, pool)
        finally:
            pool.close()
    return found


def _one_form(name: str, folder: Path, pool: ReaderPool) -> list[Row]:
    files = sorted(folder.iterdir())
    (series,) = scan(folder, Inline(), pool).series
    entry = series.best
    assert entry is not None
    _open(series, entry, pool)
    first_s, whole_s, raw_s, itk_s, busy = [], [], [], [], []
    for _ in range(ROUNDS_UNCOMPRESSED if name == UNCOMPRESSED else ROUNDS):
        # In turn, so that all see the same machine.
        raw_s.append(_seconds(lambda: other_readers.raw_bytes(files)))
        before = _processor_s(pool)
        first, whole, volume = _open(series, entry, pool)
        busy.append((_processor_s(pool) - before) / whole)
        first_s.append(first)
        whole_s.append(whole)
        itk_s.append(_seconds(lambda: other_readers.simpleitk(files)))
    _check_equal(volume, files)
    ours, raw, itk = (statistics.median(samples) for samples in (whole_s, raw_s, itk_s))
    size_mb = sum(file.stat().st_size for file in files) / 1e6
    pixels_mb = volume.voxels.nbytes / 1e6
    what = f"CT {len(files)} {name}"
    work = f"{size_mb:.0f} MB for {pixels_mb:.0f} MB; processor over wall {statistics.median(busy):.1f}"
    found = [
        Row(f"{what}: first slice, warm pool", statistics.median(first_s), "s", 0.3),
        Row(f"{what}: first slice, cold pool", statistics.median(_cold(series, entry) for _ in range(ROUNDS)), "s", 0.8),
        Row(f"{what}: whole volume", ours, "s", None, work),
        Row(f"{what}: raw bytes of the files", raw, "s"),
        Row(f"{what}: SimpleITK series reader", itk, "s"),
    ]
    if name == UNCOMPRESSED:
        found.append(Row(f"{what}: whole volume over raw bytes", ours / raw, "x", 2.0))
    found.append(Row(f"{what}: whole volume over SimpleITK", ours / itk, "x", 1.0))
    return [*found, *_others(what, files, ours)]


def _others(what: str, files: list[Path], ours_s: float) -> list[Row]:
    found = []
    for other, read in other_readers.OTHERS.items():
        try:
            read_s = _seconds(lambda read=read: read(files))
        except (RuntimeError, NotImplementedError, OSError) as error:
            found.append(Row(f"{what}: {other}", 0.0, "s", None, f"cannot: {' '.join(str(error).split())[:90]}"))
            continue
        found.append(Row(f"{what}: {other}", read_s, "s", None, f"once; {read_s / ours_s:.1f} times MedView"))
    return found


def _open(series: Series, entry: VolumeEntry, pool: ReaderPool) -> tuple[float, float, Volume]:
    """Return seconds to the first slice and to the whole volume of a known series, and the volume."""
    started = time.perf_counter()
    reader = SeriesReader(pool)
    opened = reader.begin(series, entry)
    context = _FirstSlice()
    damaged = reader.fill(opened, entry.shape_kji[0] // 2, context)
    ended = time.perf_counter()
    assert context.at is not None
    assert not damaged
    return context.at - started, ended - started, opened.volume


def _cold(series: Series, entry: VolumeEntry) -> float:
    """Return seconds to the first slice when the processes still have to be started."""
    started = time.perf_counter()
    pool = ReaderPool()
    pool.start()
    try:
        begun = time.perf_counter() - started
        return begun + _open(series, entry, pool)[0]
    finally:
        pool.close()


def _check_equal(volume: Volume, files: list[Path]) -> None:
    image = other_readers.simpleitk(files)
    theirs = sitk.GetArrayViewFromImage(image)
    k = len(files) // 3
    np.testing.assert_allclose(volume.values((slice(k, k + 1), slice(None), slice(None)))[0], theirs[k], rtol=1e-6)


def _processor_s(pool: ReaderPool) -> float:
    """Return processor seconds of this process and of the idle readers so far; of this process alone where unknown."""
    total = time.process_time()
    for number in pool.process_ids():
        stat = Path(f"/proc/{number}/stat")
        if stat.exists():
            fields = stat.read_text("ascii", "replace").rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
