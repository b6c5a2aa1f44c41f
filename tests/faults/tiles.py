"""A project in which every change is one tile of the grid, so that it can be seen which changes are there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import Command, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segment
from medview.store.project import Project
from tests.faults.kept import READER, SHAPE_KJI, open_kept

EDGE = 9
TILES = 48
SEGMENT = Segment("s1", "Liver", (86, 180, 233), 0, 1)


def tile(number: int) -> Box:
    """Return tile 1, 2, 3 ... that change number + 1 paints; change 1 adds the segment."""
    columns = SHAPE_KJI[2] // EDGE
    j, i = divmod(number - 1, columns)
    return Box((3, j * EDGE, i * EDGE), (9, (j + 1) * EDGE, (i + 1) * EDGE))


def paint_tiles(path: Path, tiles: int = TILES) -> None:
    """Make a project with one change for the segment and one for each tile, and close it."""
    noise = np.random.default_rng(4)
    with Project.create(path, reader=READER) as project:
        case = open_kept(project).case
        case.do(Command("Add Liver", (SegmentChange(None, SEGMENT, 0),), "segments"))
        for number in range(1, tiles + 1):
            box = tile(number)
            # Nothing zlib could make small: a damaged byte is to hit voxels more often than not.
            voxels = noise.integers(1, 255, box.shape_kji, dtype=np.uint8)
            patch = LabelPatch.between(case.labels.segmentation.layer(0), box, voxels)
            assert patch is not None
            case.do(Command(f"Tile {number}", (patch,), "brush"))
            # One after the other, so that snapshots come where they are due.
            assert project.journal.flush()


def missing(labels: CaseLabels, whole: CaseLabels, tiles: int = TILES) -> set[int]:
    """Return the changes that are missing. A tile that is neither whole nor empty is a mistake."""
    gone = set() if labels.segmentation.segments == whole.segmentation.segments else {1}
    layer, expected = (each.segmentation.layer(0).voxels for each in (labels, whole))
    for number in range(1, tiles + 1):
        found, painted = layer[tile(number).slices], expected[tile(number).slices]
        if not np.array_equal(found, painted):
            assert not found.any(), f"tile {number} is there in part"
            gone.add(number + 1)
    return gone


def named(losses: list[str] | tuple[str, ...]) -> set[int]:
    """Return the changes that losses speak of."""
    found: set[int] = set()
    for loss in losses:
        for first, last in re.findall(r"[Cc]hanges? (\d+)(?: to (\d+))?", loss):
            found.update(range(int(first), int(last or first) + 1))
    return found
