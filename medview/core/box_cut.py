"""Where a picture cuts a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from medview.core.box_annotation import BoxAnnotation
from medview.core.geometry import Geometry
from medview.core.oblique import PlaneLayout

FloatArray = npt.NDArray[np.float64]

Face = tuple[int, int]
"""A face of a box: the number of the edge it lies across, and 0 for the end at the corner or 1 for the other."""

_PARALLEL = 1e-9
"""An edge that rises less than this many slices does not cross a picture."""
_ROUNDING = 1e-6
_INSIDE = 1e-6
"""How far, as a part of its extent, a picture is moved into a box that it just misses."""


@dataclass(frozen=True, slots=True)
class BoxCut:
    """The outline of a box on a picture, and what of the box each piece of it belongs to.

    Attributes
    ----------
    corners : tuple of (row, column)
        In order around, three to six of them.
    edges : tuple of frozenset of Face
        The two faces that meet in each corner.
    sides : tuple of Face
        The face that each side, from a corner to the next, lies in.
    away : float
        How many slices the picture lies outside the box; 0 where it cuts it.
    """

    corners: tuple[tuple[float, float], ...]
    edges: tuple[frozenset[Face], ...]
    sides: tuple[Face, ...]
    away: float = 0.0

    def middle(self) -> tuple[float, float]:
        """Return the mean of the corners."""
        rows, columns = zip(*self.corners, strict=True)
        return sum(rows) / len(rows), sum(columns) / len(columns)


@lru_cache(maxsize=2048)
def cut_of(box: BoxAnnotation, plane: PlaneLayout, geometry: Geometry, index: float, near: float = 0.0) -> BoxCut | None:
    """Return the outline of a box on a picture; None where the picture lies further than ``near`` slices from it.

    A picture beside the box has the outline of the box where it comes nearest.
    """
    # While one box moves on a picture with hundreds, the others are asked for again and again.
    start = np.asarray(plane.screen(geometry, geometry.index_kji(box.corner_lps_mm)))
    ends = geometry.index_kji(np.asarray(box.corner_lps_mm) + np.asarray(box.edges_lps_mm))
    steps = np.asarray([plane.screen(geometry, end) for end in ends]) - start
    low = start[0] + np.minimum(steps[:, 0], 0.0).sum()
    high = start[0] + np.maximum(steps[:, 0], 0.0).sum()
    away = max(low - index, index - high, 0.0)
    if away > near:
        return None
    inset = _INSIDE * (high - low)
    at = min(max(index, low + inset), high - inset) if away > 0.0 else index
    spacing_mm = plane.screen_spacing_mm(geometry)
    found = _around(_crossings(start, steps, at), spacing_mm, float(away))
    if found is None:
        # Exactly through a corner three edges meet; a hair towards the middle they do not.
        at += inset if at < (low + high) / 2 else -inset
        found = _around(_crossings(start, steps, at), spacing_mm, float(away))
    return found


def boxes_near(
    boxes: Sequence[BoxAnnotation], plane: PlaneLayout, geometry: Geometry, index: float, near: float = 0.0
) -> list[BoxAnnotation]:
    """Return the boxes that ``cut_of`` has an outline of: found for all at once, since most lie elsewhere."""
    if not boxes:
        return []
    places = geometry.index_kji(np.vstack([np.zeros((1, 3)), np.eye(3)]))
    start, *ends = (plane.screen(geometry, place)[0] for place in places)
    across = np.asarray(ends) - start
    corners = start + np.asarray([box.corner_lps_mm for box in boxes]) @ across
    rises = np.asarray([box.edges_lps_mm for box in boxes]) @ across
    low, high = corners + np.minimum(rises, 0.0).sum(axis=1), corners + np.maximum(rises, 0.0).sum(axis=1)
    kept = np.maximum(low - index, index - high) <= near + _ROUNDING
    return [box for box, is_near in zip(boxes, kept, strict=True) if is_near]


Crossing = tuple[FloatArray, frozenset[Face]]
"""Row and column where a picture crosses an edge of a box, and the two faces that meet along that edge."""


def _around(crossings: list[Crossing], spacing_mm: tuple[float, float], away: float) -> BoxCut | None:
    """Return the outline through crossings; None where two that follow each other do not share one face."""
    if len(crossings) < 3:
        return None
    points = np.asarray([point for point, _ in crossings])
    centred = (points - points.mean(axis=0)) * spacing_mm
    order = np.argsort(np.arctan2(centred[:, 0], centred[:, 1]), kind="stable")
    edges = tuple(crossings[n][1] for n in order)
    sides: list[Face] = []
    for one, following in zip(edges, (*edges[1:], edges[0]), strict=True):
        shared = one & following
        if len(shared) != 1:
            return None
        sides.append(next(iter(shared)))
    return BoxCut(tuple((float(points[n, 0]), float(points[n, 1])) for n in order), edges, tuple(sides), away)


def _crossings(start: FloatArray, steps: FloatArray, at: float) -> list[Crossing]:
    """Return where a picture crosses the twelve edges.

    Parameters
    ----------
    start, steps : ndarray
        The corner of the box as (position across, row, column), and what each edge adds to it.
    """
    found: list[Crossing] = []
    for edge in range(3):
        a, b = (other for other in range(3) if other != edge)
        rise = steps[edge, 0]
        if abs(rise) <= _PARALLEL:
            continue
        for end_a in (0, 1):
            for end_b in (0, 1):
                foot = start + end_a * steps[a] + end_b * steps[b]
                part = (at - foot[0]) / rise
                if 0.0 <= part <= 1.0:
                    found.append(((foot + part * steps[edge])[1:], frozenset(((a, end_a), (b, end_b)))))
    return found
