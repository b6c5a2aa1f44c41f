"""Comparing labels: two readers of 512 x 512 x 300 with 30 segments, a consensus of three, intervals over a project.

Seconds are of processor time, which neighbours on the same computer disturb least.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from medview.analysis.agreement.bootstrap import mean_interval
from medview.analysis.agreement.consensus import Method, consensus
from medview.analysis.agreement.readings import Reading
from medview.analysis.agreement.segments import Conventions, segment_agreement
from medview.core.geometry import Geometry
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from tests.benchmarks.row import Row

SHAPE_KJI = (300, 512, 512)
SPACING_KJI_MM = (1.0, 0.8, 0.8)
SEGMENTS = 30


def rows() -> list[Row]:
    readers = [_reader(f"reader {n}", n) for n in range(3)]
    voxels = [sum(reading.segmentation.count(s) for s in reading.segmentation.segments) for reading in readers]
    note = f"{SEGMENTS} segments, {voxels[0] / 1e6:.1f} million voxels, the largest {_largest(readers[0]) / 1e6:.1f}"
    first, second = readers[:2]
    whole = _seconds(lambda: segment_agreement(first, second))
    masks = _seconds(lambda: segment_agreement(first, second, Conventions(lesions=False)))
    vote = _seconds(lambda: consensus(readers, Method.MAJORITY))
    staple = _seconds(lambda: consensus(readers, Method.STAPLE))
    rng = np.random.default_rng(0)
    values, patients = rng.random(20_000), rng.integers(0, 2000, 20_000).tolist()
    interval = _seconds(lambda: mean_interval(values, patients))
    return [
        Row("two readers of 512 x 512 x 300: masks, surfaces, lesions", whole, "s", 10.0, note),
        Row("the same without lesions", masks, "s", None, "the same"),
        Row("consensus of three readers: majority", vote, "s", 10.0, "the same"),
        Row("consensus of three readers: STAPLE", staple, "s", None, "the same; a job with Cancel"),
        Row("interval of a mean, 20,000 rows of 2,000 patients", interval, "s", 2.0, "2,000 draws"),
    ]


def _reader(name: str, seed: int) -> Reading:
    """Return bodies of all sizes in places that are a little different for every reader."""
    shared, own = np.random.default_rng(0), np.random.default_rng(100 + seed)
    voxels = np.zeros(SHAPE_KJI, dtype=np.uint8)
    segments = []
    for value in range(1, SEGMENTS + 1):
        radius_mm = (110.0, 70.0, 45.0)[value - 1] if value <= 3 else shared.uniform(4.0, 28.0)
        centre = np.asarray([150.0, 256.0, 256.0]) if value == 1 else shared.uniform((40, 90, 90), (260, 420, 420))
        centre = centre + own.uniform(-2, 2, 3)
        reach = radius_mm * 1.3 / np.asarray(SPACING_KJI_MM)
        low = np.clip((centre - reach).astype(int), 0, SHAPE_KJI)
        high = np.clip((centre + reach).astype(int) + 2, 0, SHAPE_KJI)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        z, y, x = ((np.arange(a, b) - c) * d for a, b, c, d in zip(low, high, centre, SPACING_KJI_MM, strict=True))
        z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]
        wave = 1 + 0.1 * np.sin(z / 7 + seed) * np.cos(x / 9) + 0.05 * np.sin(y / 5)
        voxels[box][z**2 + y**2 + x**2 < (radius_mm * wave) ** 2] = value
        segments.append(Segment(f"s{value}", f"Segment {value}", (200, 60, 20), 0, value))
    geometry = Geometry.from_spacing(SHAPE_KJI, SPACING_KJI_MM)
    return Reading(name, Segmentation(geometry, {0: LabelLayer.drawn(0, voxels)}, segments))


def _largest(reading: Reading) -> int:
    return max(reading.segmentation.count(segment) for segment in reading.segmentation.segments)


def _seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began
