"""Opening a 400-slice uncompressed CT: first slice, whole volume, beside the raw bytes and SimpleITK's series reader."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Rescale, Volume
from medview.io.dicom.scan import scan
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.reader_pool import ReaderPool
from medview.io.series_reader import SeriesReader
from tests.benchmarks.row import Row

SLICES = 400


class _FirstSlice(Inline):
    def __init__(self) -> None:
        super().__init__()
        self.at: float | None = None

    def partial(self, value: object) -> None:
        if self.at is None:
            self.at = time.perf_counter()


def _write(folder: Path) -> None:
    rng = np.random.default_rng(5)
    shape = (SLICES, 512, 512)
    voxels = rng.integers(0, 2000, (8, 512, 512), dtype=np.int16)
    repeated = np.broadcast_to(voxels[np.newaxis], (SLICES // 8, 8, 512, 512)).reshape(shape)
    volume = Volume(repeated, Geometry.from_spacing(shape, (1.0, 0.8, 0.8)), modality="CT", rescale=Rescale(1.0, -1024.0))
    write_series(folder, volume, SeriesIdentity("Bench", "B-1", seed="bench"))


def _open(folder: Path, pool: ReaderPool) -> tuple[float, float]:
    """Return seconds to the first slice and to the whole volume, from a known series."""
    (series,) = scan(folder, Inline(), pool).series
    entry = series.best
    assert entry is not None
    started = time.perf_counter()
    reader = SeriesReader(pool)
    opened = reader.begin(series, entry)
    context = _FirstSlice()
    reader.fill(opened, SLICES // 2, context)
    ended = time.perf_counter()
    assert context.at is not None
    return context.at - started, ended - started


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "ct"
        _write(folder)
        files = sorted(folder.iterdir())
        pool = ReaderPool()
        pool.start()
        try:
            _open(folder, pool)
            samples, raw = [], []
            for _ in range(7):
                # In turn, so that both see the same machine.
                raw.append(_seconds(lambda: [file.read_bytes() for file in files]))
                samples.append(_open(folder, pool))
            scan_s = min(_seconds(lambda: scan(folder, Inline(), pool)) for _ in range(3))
        finally:
            pool.close()
        sitk_s = min(_seconds(lambda: _sitk(files)) for _ in range(2))
    raw_s = float(np.median(raw))
    first_s = float(np.median([first for first, _ in samples]))
    whole_s = float(np.median([whole for _, whole in samples]))
    return [
        Row("scan of the 400-slice CT, warm pool", scan_s, "s"),
        Row("first slice on its way, warm pool", first_s, "s", 0.3),
        Row("whole volume, warm pool", whole_s, "s"),
        Row("raw bytes of the same files", raw_s, "s"),
        Row("SimpleITK series reader", sitk_s, "s"),
        Row("whole volume over raw bytes", whole_s / raw_s, "x", 2.0),
    ]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _sitk(files: list[Path]) -> None:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in files])
    sitk.GetArrayViewFromImage(reader.Execute())
