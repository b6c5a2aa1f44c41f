"""Looking at a folder of 5,000 DICOM files, for the first time and again."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.io.dicom.scan import scan
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.library import Library
from medview.io.reader_pool import ReaderPool
from tests.benchmarks.row import Row

SERIES, SLICES = 50, 100
ROUNDS = 3


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "studies"
        _write(folder)
        pool = ReaderPool()
        pool.start()
        try:
            # The readers have imported what they need, as in a window that has been open for a moment.
            scan(folder / "000", Inline(), pool)
            cold_s, known_s = [], []
            for number in range(ROUNDS):
                library = Library(Path(place) / f"library-{number}")
                cold_s.append(_scan_s(folder, pool, library))
                known_s.append(_scan_s(folder, pool, library))
        finally:
            pool.close()
    count = SERIES * SLICES
    note = f"{SERIES} series; median of {ROUNDS}"
    return [
        Row(f"scan of {count} files, first time", statistics.median(cold_s), "s", None, note),
        Row(f"scan of {count} files, again", statistics.median(known_s), "s", 0.5, note),
    ]


def _write(folder: Path) -> None:
    shape = (SLICES, 16, 16)
    voxels = np.random.default_rng(5).integers(0, 2000, shape, dtype=np.int16)
    volume = Volume(voxels, Geometry.from_spacing(shape, (1.0, 0.8, 0.8)), modality="CT", rescale=Rescale(1.0, -1024.0))
    yesterday = time.time() - 86_400
    for number in range(SERIES):
        identity = SeriesIdentity("Bench", "B-1", seed=f"bench {number}", series_number=number + 1)
        for path in write_series(folder / f"{number:03d}", volume, identity, durable=False):
            # Files that have only just been written are not remembered.
            os.utime(path, (yesterday, yesterday))


def _scan_s(folder: Path, pool: ReaderPool, library: Library) -> float:
    started = time.perf_counter()
    found = scan(folder, Inline(), pool, library)
    seconds = time.perf_counter() - started
    assert len(found.series) == SERIES
    return seconds
