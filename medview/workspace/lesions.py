"""Which piece of a segment a voxel belongs to, from what was measured of the segment."""

from __future__ import annotations

import numpy as np

from medview.analysis.segment_figures import Component
from medview.core.segmentation import Segment
from medview.workspace.components import Stamp
from medview.workspace.open_case import OpenCase

Index = tuple[int, int, int]

_MOST_VOXELS = 1 << 22
"""In a larger box nobody looks which of several pieces a voxel is of: it would take too long."""


class PieceIndex:
    """Remembers what it found until the voxels of a segment change."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[Stamp, dict[Index, Component | None]]] = {}

    def at(self, case: OpenCase, segment: Segment, at_kji: Index) -> Component | None:
        """Return the piece that holds a voxel; None where the segment has none there, or was not measured since."""
        segmentation = case.labels.segmentation
        figures = case.figures.current(segmentation, segment)
        if figures is None:
            return None
        stamp, key = segmentation.stamp(segment), (case.key, segment.segment_id)
        known = self._found.get(key)
        if known is None or known[0] != stamp:
            known = self._found[key] = (stamp, {})
        if at_kji not in known[1]:
            known[1][at_kji] = _piece(case, segment, figures.components, at_kji)
        return known[1][at_kji]

    def forget(self, key: str) -> None:
        """Drop what is remembered of a case that closes."""
        self._found = {of: found for of, found in self._found.items() if of[0] != key}


def holds(case: OpenCase, segment: Segment, at_kji: Index) -> bool:
    """Whether a voxel is the segment's."""
    shape = case.labels.segmentation.geometry.shape_kji
    inside = all(0 <= n < count for n, count in zip(at_kji, shape, strict=True))
    return inside and int(case.labels.segmentation.layer(segment.layer_id).voxels[at_kji]) == segment.value


def _piece(case: OpenCase, segment: Segment, pieces: tuple[Component, ...], at_kji: Index) -> Component | None:
    if not holds(case, segment, at_kji):
        return None
    around = [piece for piece in pieces if _inside(piece, at_kji)]
    around.sort(key=lambda piece: piece.box.size)
    return next((piece for piece in around if len(around) == 1 or _same(case, segment, piece, at_kji)), None)


def _inside(piece: Component, at_kji: Index) -> bool:
    return all(low <= n < high for low, n, high in zip(piece.box.min_kji, at_kji, piece.box.max_kji, strict=True))


def _same(case: OpenCase, segment: Segment, piece: Component, at_kji: Index) -> bool:
    """Whether a voxel hangs together with the middle of a piece, inside the box of that piece."""
    import cc3d  # late: the window imports this module at start

    if piece.box.size > _MOST_VOXELS:
        return False
    mask = case.labels.segmentation.layer(segment.layer_id).voxels[piece.box.slices] == segment.value
    numbers = cc3d.connected_components(mask, connectivity=26)
    here, middle = (tuple(np.subtract(index, piece.box.min_kji)) for index in (at_kji, piece.centre_kji))
    return bool(numbers[here] == numbers[middle])
