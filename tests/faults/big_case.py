"""A case of 512 x 512 x 300 on which somebody made hundreds of strokes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.plane import Plane
from medview.store.project import Project
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.pointer import Pointer
from medview.workspace.view_state import Mode, Tool
from tests.faults.kept import READER, Kept, open_kept, series_of, tickets_of

STROKES = 520
IMAGES = series_of(Geometry.from_spacing((300, 512, 512), (1.0, 0.7, 0.7)))


def open_big(path: Path) -> tuple[Project, Kept]:
    """Open the project, made at first, and its case."""
    there = path.is_dir()
    project = Project.open(path, reader=READER) if there else Project.create(path, reader=READER)
    return project, open_kept(project, IMAGES)


def paint(kept: Kept, *, stamps: int = 10) -> list[float]:
    """Make STROKES strokes of some stamps, discs of 14 mm and now and then spheres, in five segments.

    Returns
    -------
    list of float
        Seconds from the end of each stroke until it was saved.
    """
    rng, bench, case = np.random.default_rng(6), kept.workspace.bench, kept.case
    for _ in range(5):
        labels.add_segment(case)
    bench.mode, bench.tool, bench.brush_radius_mm = Mode.ANNOTATE, Tool.BRUSH, 14.0
    tickets, waited_s = tickets_of(kept.project), []
    for number in range(STROKES):
        bench.brush_sphere = number % 7 == 0
        case.view.active_segment_id = case.labels.segmentation.segments[number % 5].segment_id
        layout = case.layouts()[list(Plane)[number % 3]]
        index = int(rng.integers(layout.count(case.volume.geometry)))
        rows, columns = layout.screen_shape(case.volume.geometry)
        at, step = rng.uniform((0.1 * rows, 0.1 * columns), (0.9 * rows, 0.9 * columns)), rng.normal(0, 4, 2)
        way = [Pointer(layout, index, *map(float, at + n * step), x_px=5.0 * n, mm_per_px=0.5) for n in range(stamps)]
        kept.hands.press(way[0])
        for pointer in way[1:]:
            kept.hands.move(pointer)
        kept.hands.release(way[-1])
        began = time.perf_counter()
        assert len(tickets) == number + 1
        assert tickets[-1].wait(60.0)
        waited_s.append(time.perf_counter() - began)
    return waited_s


def undo_bytes(case: OpenCase) -> int:
    """Return the memory all steps that can be undone keep."""
    patches = [c for command in case.history._undo for c in command.changes if isinstance(c, LabelPatch)]
    # What Python keeps beside the bytes: a command, a tuple, a patch with its box, two bytes objects.
    return sum(patch.size_bytes for patch in patches) + 1000 * len(patches)
