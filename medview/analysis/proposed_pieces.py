"""What the classes of a proposed mask fall into: lesions, and islands that are none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.analysis.segment_figures import centre_of
from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.prediction import PredictedMask, ProposedPiece

MOST_PIECES = 200
"""Of one class, the largest: nobody goes through more of them one by one."""

Mask = npt.NDArray[np.bool_]


def find_pieces(mask: PredictedMask, context: JobContext) -> tuple[ProposedPiece, ...]:
    """Return the pieces of every class in the order of ``mask.segments``, of each the largest first.

    Takes a few bytes for each voxel of the box of one class at a time; belongs into a worker.
    """
    import cc3d  # late: the window imports this module at start
    from scipy.ndimage import find_objects

    if mask.box.empty:
        return ()
    boxes = find_objects(mask.voxels)
    found: list[ProposedPiece] = []
    for number, segment in enumerate(mask.segments):
        context.raise_if_cancelled()
        context.progress(number / len(mask.segments), "")
        where = boxes[segment.value - 1] if segment.value <= len(boxes) else None
        if where is None:
            continue
        corner = _corner(where)
        labels = cc3d.connected_components(mask.voxels[where] == segment.value, connectivity=26)
        told = cc3d.statistics(labels)
        counts = np.asarray(told["voxel_counts"], dtype=np.int64)
        counts[0] = 0
        for n in np.argsort(-counts, kind="stable")[: min(MOST_PIECES, len(counts) - 1)]:
            inner = told["bounding_boxes"][n]
            box = Box(_corner(inner), _ends(inner)).shifted(corner).shifted(mask.box.min_kji)
            middle = np.asarray(told["centroids"][n]) - _corner(inner)
            found.append(ProposedPiece(segment.value, int(counts[n]), box, centre_of(labels[inner] == n, middle, box)))
    return tuple(found)


def piece_at(mask: PredictedMask, at_kji: tuple[int, int, int], context: JobContext) -> tuple[Box, Mask] | None:
    """Return the piece of a proposed mask that holds a voxel as (box on the grid, mask of it), None on background.

    Belongs into a worker.
    """
    import cc3d  # late, as above

    value = mask.value_at(at_kji)
    if value == 0:
        return None
    held = mask.voxels == value
    around = Box.around(held)
    assert around is not None
    context.raise_if_cancelled()
    context.progress(0.3, "")
    labels = cc3d.connected_components(np.ascontiguousarray(held[around.slices]), connectivity=26)
    context.raise_if_cancelled()
    context.progress(0.8, "")
    at = tuple(int(n) for n in np.subtract(at_kji, mask.box.min_kji) - around.min_kji)
    piece = labels == labels[at]
    box = Box.around(piece)
    assert box is not None
    return box.shifted(around.min_kji).shifted(mask.box.min_kji), piece[box.slices].copy()


def _corner(where: tuple[slice, slice, slice]) -> tuple[int, int, int]:
    k, j, i = where
    return int(k.start), int(j.start), int(i.start)


def _ends(where: tuple[slice, slice, slice]) -> tuple[int, int, int]:
    k, j, i = where
    return int(k.stop), int(j.stop), int(i.stop)
