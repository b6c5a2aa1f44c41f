"""The tip of a brush: which voxels it covers around a way, as arithmetic on indices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane, PlaneLayout

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tip:
    """A ball, a disc on a slice of the grid, or a disc on a plane at an angle to it, of one radius in the patient.

    Attributes
    ----------
    metric : ndarray (3, 3)
        Turns an index difference d into the squared distance d @ metric @ d in mm^2 that is held against the radius.
    margin_kji : ndarray (3,)
        How far the tip reaches from its middle along the axes of the grid, in voxels.
    flat_axis : int
        Of a disc on a slice of the grid: the axis across it, else -1.
    across_mm : ndarray (3,), or None
        Of a disc at an angle: d @ across_mm is how far a voxel lies from the plane.
    normal_kji : ndarray (3,)
        Of a disc at an angle: one millimetre across the plane, in voxels.
    half_mm : float
        How far it may lie: half of what a voxel measures across the plane, so that every voxel that the plane cuts is
        covered and none that it does not cut.
    """

    metric: FloatArray
    margin_kji: FloatArray
    radius_mm: float
    flat_axis: int = -1
    across_mm: FloatArray | None = None
    normal_kji: FloatArray | None = None
    half_mm: float = 0.0

    @classmethod
    def of(cls, geometry: Geometry, radius_mm: float, plane: PlaneLayout | None = None) -> Tip:
        """Return the disc on a plane, or a ball without one."""
        columns = geometry.affine_lps[:3, :3]
        metric = columns.T @ columns
        if isinstance(plane, ObliquePlane):
            return cls._tilted(columns, radius_mm, np.asarray(plane.normal_lps))
        flat = -1 if plane is None else plane.normal_axis
        free = [axis for axis in range(3) if axis != flat]
        # Half the extent of the ellipsoid d @ metric @ d = r^2 along an index axis is r * sqrt(inverse metric's diagonal).
        margin = np.zeros(3)
        margin[free] = radius_mm * np.sqrt(np.diagonal(np.linalg.inv(metric[np.ix_(free, free)])))
        return cls(metric, margin, radius_mm, flat)

    @classmethod
    def _tilted(cls, columns: FloatArray, radius_mm: float, normal: FloatArray) -> Tip:
        across = normal @ columns
        half = float(np.abs(across).sum()) / 2
        along = columns - np.outer(normal, across)
        rows = np.linalg.inv(columns)
        steep = rows @ normal
        flat_part = np.linalg.norm(rows - np.outer(steep, normal), axis=1)
        return cls(along.T @ along, radius_mm * flat_part + half * np.abs(steep), radius_mm, -1, across, steep, half)

    def levelled(self, way_kji: FloatArray) -> FloatArray:
        """Return a way whose points all lie on the slice, or the plane at an angle, of the last one."""
        if self.across_mm is not None and self.normal_kji is not None:
            return np.asarray(way_kji - np.outer((way_kji - way_kji[-1]) @ self.across_mm, self.normal_kji))
        level = way_kji.copy()
        if self.flat_axis >= 0:
            level[:, self.flat_axis] = np.rint(way_kji[-1, self.flat_axis])
        return level

    def reach(self, way_kji: FloatArray) -> Box:
        """Return the box that holds every voxel that may be covered on a way."""
        margin = np.maximum(self.margin_kji, 0.5)
        low = np.ceil(way_kji.min(axis=0) - margin)
        high = np.floor(way_kji.max(axis=0) + margin) + 1
        if self.flat_axis >= 0:
            low[self.flat_axis] = np.rint(way_kji[-1, self.flat_axis])
            high[self.flat_axis] = low[self.flat_axis] + 1
        k0, j0, i0 = (int(n) for n in low)
        k1, j1, i1 = (int(n) for n in high)
        return Box((k0, j0, i0), (k1, j1, i1))

    def length_mm(self, way_kji: FloatArray) -> float:
        """Return the length from the first to the last of two points."""
        way = way_kji[-1] - way_kji[0]
        return float(np.sqrt(max(0.0, way @ self.metric @ way)))

    def covers(self, box: Box, start_kji: FloatArray, end_kji: FloatArray) -> npt.NDArray[np.bool_]:
        """Return which voxels of a box are covered on the straight way from start to end, shape ``box.shape_kji``.

        From three 1-D ramps by broadcasting.
        """
        ramps = _ramps(box, start_kji)
        m = self.metric.astype(np.float32)
        squared = sum(m[a, a] * ramps[a] ** 2 for a in range(3))
        for a, b in ((0, 1), (0, 2), (1, 2)):
            if abs(m[a, b]) > 1e-6:
                squared = squared + 2 * m[a, b] * ramps[a] * ramps[b]
        way = end_kji - start_kji
        length_squared = float(way @ self.metric @ way)
        if length_squared >= 1e-9:
            slope = (self.metric @ way).astype(np.float32)
            along = slope[0] * ramps[0] + slope[1] * ramps[1] + slope[2] * ramps[2]
            t = np.clip(along / np.float32(length_squared), 0.0, 1.0)
            squared = squared - 2 * t * along + t * t * np.float32(length_squared)
        covered = np.asarray(squared <= self.radius_mm**2)
        if self.across_mm is None:
            return covered
        off = self.across_mm.astype(np.float32)
        away = off[0] * ramps[0] + off[1] * ramps[1] + off[2] * ramps[2]
        return np.asarray(covered & (np.abs(away) <= self.half_mm))


def _ramps(box: Box, start_kji: FloatArray) -> list[npt.NDArray[np.float32]]:
    """Index differences from a point along each axis of a box, shaped so that they broadcast to the box."""
    ramps = []
    for axis in range(3):
        ramp = np.arange(box.min_kji[axis], box.max_kji[axis], dtype=np.float32) - np.float32(start_kji[axis])
        shape = [1, 1, 1]
        shape[axis] = ramp.size
        ramps.append(ramp.reshape(shape))
    return ramps
