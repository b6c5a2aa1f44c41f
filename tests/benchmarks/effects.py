"""What changes whole segments, on 512 x 512 x 300: filling, growing, between slices, from seeds, islands, margin.

Effects are measured as their jobs run them: on a copy of the region they ask for, with the rules and what is shown. Seconds
are of processor time, which neighbours on the same computer disturb least.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.plane import Plane, SlicePlane
from medview.core.screen_map import ScreenMap
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.core.volume import Volume
from medview.edit.between_slices import between_slices
from medview.edit.drawn_slices import Drawn
from medview.edit.effects import between, holes, islands, margin, seeds, smooth, threshold
from medview.edit.effects.effect import Effect
from medview.edit.grey_noise import grey_of
from medview.edit.grow_from_seeds import SeedGrowth
from medview.edit.region_growth import RegionGrowth
from medview.edit.slice_flood import SliceFlood
from medview.edit.value_range import ValueRange
from tests.benchmarks.row import Row
from tests.edit.effects.given import work

SHAPE_KJI = (300, 512, 512)
SPACING_KJI_MM = (1.0, 0.8, 0.8)
_MIDDLE_KJI = (150, 240, 200)

Mask = npt.NDArray[np.bool_]


def rows() -> list[Row]:
    volume, organ = _picture()
    found = [*_drawn(volume), *_between(volume, organ), *_seeds(volume, organ)]
    rough = organ & (np.random.default_rng(2).random(SHAPE_KJI, dtype=np.float32) < 0.95)
    labels = _labels(rough)
    whole = f"of an organ of {np.count_nonzero(organ) / 1e6:.1f} million voxels; a job with Cancel"
    for title, effect, values in (
        ("islands: keep the largest", islands.EFFECT, {"way": "largest"}),
        ("margin of 5 mm", margin.EFFECT, {"way": "grow", "margin_mm": 5.0}),
        ("smoothing, median of 5 mm", smooth.EFFECT, {"way": "median", "kernel_mm": 5.0}),
        ("filling holes on all sides", holes.EFFECT, {"way": "space"}),
        ("threshold of the whole volume", threshold.EFFECT, {"way": "range", "range": (80.0, 3000.0)}),
    ):
        found.append(Row(title, _seconds(lambda e=effect, v=values: _run(e, labels, volume, v)), "s", None, whole))
    return found


def _drawn(volume: Volume) -> list[Row]:
    values = ValueRange.around(volume, _MIDDLE_KJI)
    axial = ScreenMap.of(SlicePlane.of(Plane.AXIAL, volume.geometry), volume.geometry)
    SliceFlood(volume, axial, 10).mask((10, *_MIDDLE_KJI[1:]), values)
    flood: list[SliceFlood] = []
    ready = _seconds(lambda: flood.append(SliceFlood(volume, axial, _MIDDLE_KJI[0])))
    again = _seconds(lambda: flood[0].mask(_MIDDLE_KJI, values))
    growth = RegionGrowth(volume, _MIDDLE_KJI, values)
    whole = _seconds(growth.run)
    note = f"{growth.count / 1e6:.1f} million voxels, {growth.bricks} bricks, seen as it grows"
    return [
        Row("fill on a slice of 512 x 512: first", ready * 1e3 + again * 1e3, "ms", 100.0),
        Row("fill on a slice of 512 x 512: another range", again * 1e3, "ms", 16.0),
        Row("grow a region through 512 x 512 x 300", whole, "s", None, note),
    ]


def _between(volume: Volume, organ: Mask) -> list[Row]:
    drawn = np.zeros_like(organ)
    filled = np.flatnonzero(organ.any(axis=(1, 2)))
    kept = filled[: 40 * 4 + 1 : 4]
    drawn[kept] = organ[kept]
    pure = _seconds(lambda: between_slices([Drawn(drawn[kept[0] : kept[-1] + 1])], 0, SPACING_KJI_MM))
    labels = _labels(drawn)
    whole = _seconds(lambda: _run(between.EFFECT, labels, volume, {}))
    note = f"{len(kept) - 1} gaps of 3 slices, {np.count_nonzero(organ[kept[20]])} pixels each"
    return [
        Row("fill between slices of 512 x 512", pure, "s", 1.0, note),
        Row("fill between slices, with rules and candidate", whole, "s", None, "the same"),
    ]


def _seeds(volume: Volume, organ: Mask) -> list[Row]:
    found = []
    middle = [slice(n - 128, n + 128) for n in _MIDDLE_KJI]
    cube = Volume(volume.voxels[tuple(middle)], Geometry.from_spacing((256,) * 3, SPACING_KJI_MM))
    within = organ[tuple(middle)]
    for title, part, truth, budget in (
        ("256 x 256 x 256", cube, within, 8.0),
        ("512 x 512 x 300", volume, organ, None),
    ):
        found += _grown(title, part, truth, budget)
    small = np.zeros_like(organ)
    box = [slice(n - 50, n + 50) for n in _MIDDLE_KJI]
    small[tuple(box)] = True
    labels = _labels(
        organ & small & (_strokes(organ) > 0), _ring(small) & (np.arange(SHAPE_KJI[0]) % 10 == 0)[:, None, None]
    )
    seeds.forget()
    whole = _seconds(lambda: _run(seeds.EFFECT, labels, volume, {}))
    on = _seconds(lambda: _run(seeds.EFFECT, labels, volume, {}))
    seeds.forget()
    found.append(Row("grow from seeds in a box of 100 voxels, with rules and candidate", whole, "s", 3.0))
    found.append(Row("the same after another stroke", on, "s", 1.0))
    return found


def _grown(title: str, volume: Volume, truth: Mask, budget: float | None) -> list[Row]:
    strokes = _strokes(truth)
    more = strokes.copy()
    k, j, i = (n // 2 for n in truth.shape)
    more[k + 20 : k + 22, j - 10 : j + 10, i - 100 : i - 95] = 2
    growth: list[SeedGrowth] = []
    grown: list[npt.NDArray[np.uint8]] = []
    first = _seconds(lambda: growth.append(SeedGrowth(grey_of(volume, Inline()), volume.geometry)))
    first += _seconds(lambda: grown.append(growth[0].grow(strokes, Inline())))
    again = _seconds(lambda: growth[0].grow(more, Inline()))
    both = np.count_nonzero((grown[0] == 1) & truth) * 2
    dice = both / (np.count_nonzero(grown[0] == 1) + np.count_nonzero(truth))
    return [
        Row(f"grow from seeds, {title}: first", first, "s", budget, f"Dice {dice:.3f}; a job with Cancel"),
        Row(f"grow from seeds, {title}: after another stroke", again, "s", budget and budget / 4),
    ]


def _strokes(organ: Mask) -> npt.NDArray[np.uint8]:
    """Return strokes in an organ and around it on every 20th slice."""
    from scipy import ndimage

    strokes = np.zeros(organ.shape, dtype=np.uint8)
    for k in range(5, organ.shape[0], 20):
        inside = ndimage.binary_erosion(organ[k], iterations=12)
        strokes[k][inside & (np.arange(organ.shape[2]) % 16 < 4)] = 1
        near = ndimage.binary_dilation(organ[k], iterations=10)
        strokes[k][ndimage.binary_dilation(near, iterations=3) & ~near] = 2
    strokes[0] = strokes[-1] = 2
    return strokes


def _ring(box: Mask) -> Mask:
    edge = np.zeros_like(box)
    k, j, i = (slice(n - 50, n + 50) for n in _MIDDLE_KJI)
    edge[k, j, i] = True
    edge[k, j.start + 4 : j.stop - 4, i.start + 4 : i.stop - 4] = False
    return edge


def _picture() -> tuple[Volume, Mask]:
    """Return a noisy body of soft tissue with an organ that is a little brighter, and the organ."""
    z, y, x = ((n - middle).astype(np.float32) for n, middle in zip(np.ogrid[:300, :512, :512], _MIDDLE_KJI, strict=True))
    body = ((y - 16) / 170) ** 2 + ((x - 56) / 230) ** 2 < 1
    wave = 1 + 0.12 * np.sin(z / 17) + 0.1 * np.cos(x / 23) * np.sin(y / 29)
    organ = (z / 120) ** 2 + (y / 90) ** 2 + (x / 110) ** 2 < wave
    values = np.random.default_rng(1).standard_normal(SHAPE_KJI, dtype=np.float32) * 14
    values += np.where(organ, 120, np.where(body, 20, -1000)).astype(np.float32)
    return Volume(values.astype(np.int16), Geometry.from_spacing(SHAPE_KJI, SPACING_KJI_MM), "CT", "HU"), organ


def _labels(*masks: Mask) -> Segmentation:
    voxels = np.zeros(SHAPE_KJI, dtype=np.uint8)
    for value, mask in enumerate(masks, start=1):
        voxels[mask] = value
    segments = [Segment(f"s{n}", f"Segment {n}", (200, 60, 20 * n), 0, n) for n in range(1, len(masks) + 1)]
    return Segmentation(Geometry.from_spacing(SHAPE_KJI, SPACING_KJI_MM), {0: LabelLayer.drawn(0, voxels)}, segments)


def _run(effect: Effect, labels: Segmentation, volume: Volume, values: dict[str, object]) -> object:
    return work(effect, labels, labels.segments[0], volume=volume, **values)


def _seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began
