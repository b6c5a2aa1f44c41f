"""Pictures of 512 x 512 pixels at an angle through 512 x 512 x 512 voxels, without the window."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from medview.analysis.reslice import layer_offsets_mm, sample, sample_voxels
from medview.core.geometry import Geometry
from medview.core.screen_grid import ScreenGrid
from medview.core.slab import Slab, SlabMode
from medview.core.volume import Volume
from tests.benchmarks.row import Row, percentile
from tests.helpers.dicom_series import oblique

SHAPE_KJI = (512, 512, 512)
PIXELS = (512, 512)
LAYERS = 10


def rows() -> list[Row]:
    voxels = np.random.default_rng(0).integers(-1000, 1000, SHAPE_KJI, dtype=np.int16)
    geometry = Geometry.from_spacing(SHAPE_KJI, (1.0, 0.7, 0.7))
    ct, padded = Volume(voxels, geometry), Volume(voxels, geometry, padding=(-2000.0, -2000.0))
    labels = (voxels > 500).astype(np.uint8)
    pictures = _pictures(geometry)

    def slabs(mode: SlabMode) -> list[Callable[[], object]]:
        pitches_mm = [float(np.diff(layer_offsets_mm(ct, picture, Slab(mode, 10.0)))[0]) for picture in pictures]
        return [partial(sample, ct, p, Slab(mode, LAYERS * pitch)) for p, pitch in zip(pictures, pitches_mm, strict=True)]

    return [
        _row("oblique picture", [partial(sample, ct, p) for p in pictures], 8.0),
        _row("oblique picture, padding kept apart", [partial(sample, padded, p) for p in pictures], None),
        _row(f"oblique MIP of {LAYERS} layers", slabs(SlabMode.MAXIMUM), 25.0),
        _row(f"oblique mean of {LAYERS} layers", slabs(SlabMode.MEAN), 25.0),
        _row("labels on an oblique picture", [partial(sample_voxels, labels, geometry, p) for p in pictures], 8.0),
    ]


def _pictures(geometry: Geometry) -> list[ScreenGrid]:
    """Twelve angles of chance: how fast memory answers differs from one to the next."""
    made = []
    for seed in range(12):
        down, right, _ = oblique(seed) * 0.7
        corner = geometry.point_lps_mm([255.5] * 3) - 255.5 * (down + right)
        made.append(ScreenGrid(*(tuple(float(n) for n in v) for v in (corner, down, right)), PIXELS))  # type: ignore[arg-type]  # three numbers each
    return made


def _row(name: str, works: list[Callable[[], object]], budget_ms: float | None) -> Row:
    samples, processor = [], []
    works[0]()
    for work in works * 4:
        started, worked = time.perf_counter(), time.process_time()
        work()
        samples.append(time.perf_counter() - started)
        processor.append(time.process_time() - worked)
    typical = f"p50 {percentile(samples, 50):.1f} ms, processor {percentile(processor, 50):.1f} ms"
    note = f"512 x 512 out of 512 x 512 x 512, {len(works)} angles; {typical}"
    return Row(f"{name}, p95", percentile(samples, 95), "ms", budget_ms, note)
