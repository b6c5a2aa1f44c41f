"""Brush stamps and undo on 512 x 512 x 1000, without a screen: the part below the pixels."""

from __future__ import annotations

import time

import numpy as np

from medview.core.case_labels import CaseLabels
from medview.core.geometry import Geometry
from medview.core.plane import Plane, SlicePlane
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.core.window import Window
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import CaseView
from tests.benchmarks.row import Row, percentile
from tests.helpers.strokes import stroke_patch

SHAPE_KJI = (1000, 512, 512)
RADIUS_VOXELS = 20
STROKES = 500


def big_case() -> OpenCase:
    """Return an empty case of 512 x 512 x 1000 voxels whose voxels share one row of memory."""
    geometry = Geometry.from_spacing(SHAPE_KJI, (1.0, 0.8, 0.8))
    voxels = np.broadcast_to(np.zeros(1, dtype=np.int16), SHAPE_KJI)
    load = LoadState(SHAPE_KJI[0])
    load.mark_all_ready()
    return OpenCase(
        Series("1.2.3", "1.2"),
        VolumeEntry(Verdict.VOLUME, (), geometry, SHAPE_KJI, ()),
        Volume(voxels, geometry, series_uid="1.2.3"),
        load,
        CaseLabels.empty(geometry),
        CaseView((500, 256, 256), Window(40, 400)),
    )


def rows() -> list[Row]:
    case = big_case()
    segment = labels.add_segment(case, "Liver")
    axial = SlicePlane.of(Plane.AXIAL, case.volume.geometry)
    rng = np.random.default_rng(1)
    result = []
    for title, plane in (("disc", axial), ("sphere", None)):
        samples = []
        for _ in range(STROKES // 10):
            gesture = case.gesture("brush")
            at = rng.uniform((30, 60, 60), (970, 440, 440))
            way = rng.normal(0, 6, 3)
            for _ in range(10):
                started = time.perf_counter()
                patch = stroke_patch(
                    case.labels.segmentation, segment, at, at + way, radius_mm=RADIUS_VOXELS * 0.8, plane=plane
                )
                if patch is not None:
                    gesture.apply(patch)
                samples.append(time.perf_counter() - started)
                at = np.clip(at + way, 0, np.asarray(SHAPE_KJI) - 1)
            gesture.commit("Brush")
        note = f"radius {RADIUS_VOXELS} voxels, 512 x 512 x 1000; pixels come on top"
        result.append(Row(f"brush {title} stamp, labels only, p95", percentile(samples, 95), "ms", 12.0, note))
    undo = []
    while True:
        started = time.perf_counter()
        if case.undo() is None:
            break
        undo.append(time.perf_counter() - started)
    kept = sum(c.size_bytes for command in case.history._redo for c in command.changes if hasattr(c, "size_bytes"))
    result.append(Row("undo of a stroke, p95", percentile(undo, 95), "ms", 20.0))
    per_500 = kept / len(undo) * 500 / 1e6
    result.append(Row("memory of 500 undo steps", per_500, "MB", 20.0, f"scaled from {len(undo)} strokes of 10 stamps"))
    return result
