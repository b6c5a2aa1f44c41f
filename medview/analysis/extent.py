"""How long and how wide something is on slices, as lesions are measured by RECIST."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Calibration, Geometry
from medview.core.plane import Plane, SlicePlane

FloatArray = npt.NDArray[np.float64]
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Extent:
    """The longest diameter on any slice, and the longest one at right angles to it on the same slice.

    Slices are axial where the grid is a volume; single images, and stacks whose steps nobody knows, are measured as they
    were acquired.

    Attributes
    ----------
    long, short : float
    unit : str
        ``mm``; ``px`` where the grid has no millimetres inside its slices.
    slice_index : int
        Of the slice, along the array axis across it.
    long_ends_kji, short_ends_kji : tuple of two points
        Fractional voxel indices on the grid.
    """

    long: float
    short: float
    unit: str
    slice_index: int
    long_ends_kji: tuple[Point, Point]
    short_ends_kji: tuple[Point, Point]


def extent_of(mask: npt.NDArray[np.bool_], box: Box, geometry: Geometry) -> Extent | None:
    """Measure a thing on the slices of a grid; None when the mask is empty.

    The outline runs half-way between voxels inside and outside, as marching squares would draw it; what counts is its
    convex hull. RECIST 1.1: Eisenhauer et al., Eur J Cancer 45 (2009) 228-247.

    Parameters
    ----------
    mask : ndarray of bool, shape ``box.shape_kji``
        One thing: pieces that lie apart would be measured across.
    """
    plane = _Slices.of(geometry)
    cuts = np.moveaxis(mask, plane.normal_axis, 0)
    first, last, filled = _row_ends(cuts)
    used = np.flatnonzero(filled.any(axis=1))
    bounds = np.array([plane.longest(filled[n], first[n], last[n]) for n in used])
    best: tuple[float, int, FloatArray, tuple[int, int]] | None = None
    for at in np.argsort(-bounds):
        if best is not None and bounds[at] <= best[0]:
            break
        hull = _hull(plane.flat(_outline(filled[used[at]], first[used[at]], last[used[at]])))
        apart = np.linalg.norm(hull[:, None] - hull[None], axis=2)
        one, other = np.unravel_index(int(np.argmax(apart)), apart.shape)
        if best is None or apart[one, other] > best[0]:
            best = (float(apart[one, other]), int(used[at]), hull, (int(one), int(other)))
    if best is None:
        return None
    long, n, hull, pair = best
    ends, chord = hull[list(pair)], _widest(hull, *pair)
    slice_index = n + box.min_kji[plane.normal_axis]
    return Extent(
        long,
        float(np.linalg.norm(chord[1] - chord[0])),
        plane.unit,
        slice_index,
        plane.place(ends, slice_index, box),
        plane.place(chord, slice_index, box),
    )


@dataclass(frozen=True, slots=True)
class _Slices:
    """Slices of a grid: array axis across them, and how a step down or right lies in flat millimetres."""

    normal_axis: int
    steps: FloatArray
    """Rows: a step along the first and the second of the other axes, as (x, y)."""
    unit: str

    @classmethod
    def of(cls, geometry: Geometry) -> _Slices:
        whole = geometry.calibration is Calibration.VOLUME and geometry.shape_kji[0] > 1
        axis = SlicePlane.of(Plane.AXIAL, geometry).normal_axis if whole else 0
        if geometry.calibration is Calibration.PIXELS:
            return cls(axis, np.eye(2), "px")
        down, right = (geometry.affine_lps[:3, a] for a in range(3) if a != axis)
        # Axes of a sheared grid are not at right angles.
        along = down / np.linalg.norm(down)
        x = float(right @ along)
        steps = np.array([[np.linalg.norm(down), 0.0], [x, np.linalg.norm(right - x * along)]])
        return cls(axis, steps, "mm")

    def flat(self, points: FloatArray) -> FloatArray:
        """Map (row, column) to flat (x, y)."""
        return np.asarray(points @ self.steps)

    def longest(self, filled: npt.NDArray[np.bool_], first: FloatArray, last: FloatArray) -> float:
        """Return what the diameter of a slice cannot exceed: that of a circle round the middle of its box."""
        points = self.flat(_outline(filled, first, last))
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        return float(2.0 * np.sqrt(((points - middle) ** 2).sum(axis=1).max()))

    def place(self, points: FloatArray, slice_index: int, box: Box) -> tuple[Point, Point]:
        """Map two flat points back to voxel indices of the grid."""
        flat = points @ np.linalg.inv(self.steps)
        axes = [axis for axis in range(3) if axis != self.normal_axis]
        found = np.empty((2, 3))
        found[:, self.normal_axis] = slice_index
        found[:, axes] = flat + [box.min_kji[axis] for axis in axes]
        one, other = (tuple(float(n) for n in point) for point in found)
        return (one[0], one[1], one[2]), (other[0], other[1], other[2])


def _row_ends(cuts: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Return the first and last column of every row of every slice, and which rows hold any."""
    filled: npt.NDArray[np.bool_] = np.asarray(cuts.any(axis=2))
    first = cuts.argmax(axis=2).astype(np.float64)
    last = np.asarray(cuts.shape[2] - 1.0 - cuts[:, :, ::-1].argmax(axis=2), dtype=np.float64)
    return first, last, filled


def _outline(filled: npt.NDArray[np.bool_], first: FloatArray, last: FloatArray) -> FloatArray:
    """Return points (row, column) half a voxel around the ends of each row; the hull of a slice is theirs."""
    rows = np.flatnonzero(filled).astype(np.float64)
    left, right = first[filled], last[filled]
    parts = [
        np.column_stack([rows + down, ends + beside])
        for ends, beside in ((left, -0.5), (right, 0.5))
        for down, beside in ((0.0, beside), (-0.5, 0.0), (0.5, 0.0))
    ]
    return np.concatenate(parts)


def _hull(points: FloatArray) -> FloatArray:
    """Return the corners of the convex hull of flat points, in order round it."""
    from scipy.spatial import ConvexHull  # late: the window imports this module at start

    return np.asarray(points[ConvexHull(points).vertices])


def _widest(hull: FloatArray, one: int, other: int) -> FloatArray:
    """Return both ends of the longest chord of a convex outline at right angles to its diameter."""
    way = hull[other] - hull[one]
    along = way / np.linalg.norm(way)
    across = np.array([-along[1], along[0]])
    t, s = (hull - hull[one]) @ along, (hull - hull[one]) @ across
    upper, lower = (_chain(t[side], s[side]) for side in (s >= -1e-9, s <= 1e-9))
    high, low = np.interp(t, *upper), np.interp(t, *lower)
    at = int(np.argmax(high - low))
    return np.array([hull[one] + t[at] * along + edge * across for edge in (low[at], high[at])])


def _chain(t: FloatArray, s: FloatArray) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(t)
    return t[order], s[order]
