"""Outlines, livewire, fill, grow and cuts on 512 x 512 x 1000, without a screen: the part below the pixels."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane, SlicePlane
from medview.core.screen_map import ScreenMap
from medview.core.volume import Volume
from medview.edit.livewire import Livewire
from medview.edit.outline import Prism
from medview.edit.region_growth import RegionGrowth
from medview.edit.slice_flood import SliceFlood
from medview.edit.value_range import ValueRange
from tests.benchmarks.row import Row, percentile

SHAPE_KJI = (1000, 512, 512)
LUNG = ValueRange(-900.0, -700.0)
_SEED_KJI = (500, 256, 150)


def trunk() -> Volume:
    """Return a body with one lung: a lung of 12 million voxels in noise."""
    k, j, i = np.ogrid[: SHAPE_KJI[0], : SHAPE_KJI[1], : SHAPE_KJI[2]]
    voxels = np.full(SHAPE_KJI, 40, dtype=np.int16)
    voxels[((k - 500) / 300) ** 2 + ((j - 256) / 120) ** 2 + ((i - 150) / 80) ** 2 < 1] = -820
    voxels += np.random.default_rng(0).integers(-30, 30, (1, *SHAPE_KJI[1:]), dtype=np.int16)
    return Volume(voxels, Geometry.from_spacing(SHAPE_KJI, (0.8, 0.7, 0.7)))


def taken(work: Callable[[], object], times: int = 9) -> float:
    """Return the p95 of how long something takes, in seconds."""
    samples = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        samples.append(time.perf_counter() - began)
    return percentile(samples, 95) / 1000


def rows() -> list[Row]:
    volume = trunk()
    geometry = volume.geometry
    whole = Box.whole(SHAPE_KJI)
    axial = SlicePlane.of(Plane.AXIAL, geometry)
    slanting = ObliquePlane.of(Plane.AXIAL, Axes().turned((0.2, 1.0, 0.1), 0.6), geometry)
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    result = []
    for title, layout, budget in (("slice", axial, 16.0), ("plane at an angle", slanting, None)):
        seen = ScreenMap.of(layout, geometry)
        rows_, columns = layout.screen_shape(geometry)
        corners = np.array([rows_ / 2, columns / 2]) + 180 * circle
        prism = Prism.on_picture(corners, seen, 500.0 if layout is axial else 0.0)
        found = taken(lambda prism=prism: list(prism.pieces(prism.box(whole))))  # type: ignore[misc]
        result.append(Row(f"outline on a {title}, voxels", found * 1000, "ms", budget, "radius 180 pixels, 400 points"))
    through = Prism(256 + 180 * circle, ScreenMap.of(axial, geometry))
    result.append(
        Row("scissors through 1000 slices, voxels", taken(lambda: list(through.slices(whole)), 3) * 1000, "ms", None)
    )
    wire = Livewire(volume.values((500,)), (0.7, 0.7))
    wire.way((256.0, 70.0), (300.0, 80.0))
    seeds = iter(range(200, 300, 5))
    result.append(
        Row("livewire, a new anchor", taken(lambda: wire.way((float(next(seeds)), 71.0), (300.0, 80.0))) * 1000, "ms", 50.0)
    )
    result.append(Row("livewire, a move", taken(lambda: wire.way((256.0, 70.0), (330.0, 95.0)), 40) * 1000, "ms", 16.0))
    flood = SliceFlood(volume, ScreenMap.of(axial, geometry), 500.0)
    result.append(Row("fill of a slice", taken(lambda: flood.mask(_SEED_KJI, LUNG)) * 1000, "ms", 33.0))

    def grow() -> None:
        RegionGrowth(volume, _SEED_KJI, LUNG).run()

    result.append(
        Row("grow a lung of 12 million voxels", taken(grow, 3) * 1000, "ms", None, "a part at a time, beside the window")
    )
    nodule = RegionGrowth(volume, _SEED_KJI, LUNG, limit_mm=15.0)
    began = time.perf_counter()
    nodule.run()
    result.append(Row("grow 30 mm", (time.perf_counter() - began) * 1000, "ms", 33.0))
    return result
