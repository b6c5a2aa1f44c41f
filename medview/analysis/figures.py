"""Outlines and the voxels inside them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.measurement import Measurement, MeasurementKind

FloatArray = npt.NDArray[np.float64]

ELLIPSE_CORNERS = 90
"""Corners of the polygon an ellipse is drawn as; its voxels are told by the ellipse itself."""

_ON_THE_EDGE = 1e-9
"""Rounding of a pixel centre that lies on the ellipse."""


def outline(points: FloatArray, kind: MeasurementKind) -> FloatArray:
    """Return the closed outline of a region, shape (corners, dimensions), in the coordinates of ``points``."""
    if kind is not MeasurementKind.ELLIPSE:
        return points
    centre, a, b = ellipse_axes(points)
    turn = np.linspace(0.0, 2.0 * np.pi, ELLIPSE_CORNERS, endpoint=False)[:, None]
    return np.asarray(centre + np.cos(turn) * a + np.sin(turn) * b)


def ellipse_axes(points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return centre and the two half axes of an ellipse from the ends of its axes."""
    return points.mean(axis=0), (points[1] - points[0]) / 2.0, (points[3] - points[2]) / 2.0


def inside(measurement: Measurement, points_ji: FloatArray, shape_ji: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the pixels whose centres lie in a region, shape ``shape_ji``.

    Parameters
    ----------
    points_ji : ndarray, shape (points, 2)
        Row and column of the region's points; integers are pixel centres.
    """
    if measurement.kind is MeasurementKind.ELLIPSE:
        return _in_ellipse(points_ji, shape_ji)
    return in_polygon(points_ji, shape_ji)


def in_polygon(corners_ji: FloatArray, shape_ji: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the pixels whose centres a closed polygon encloses by the even-odd rule; a centre on an edge counts once.

    A centre belongs to the polygon when an odd number of edges lies to its left, edges taking in their upper end and not
    their lower one, so that two polygons that share an edge share no pixel.
    """
    rows, columns = shape_ji
    crossings = np.zeros((rows, columns + 1), dtype=np.int32)
    j = np.arange(rows, dtype=np.float64)
    following = np.roll(corners_ji, -1, axis=0)
    for (j0, i0), (j1, i1) in zip(corners_ji, following, strict=True):
        if j0 == j1:
            continue
        crossed = (j >= min(j0, j1)) & (j < max(j0, j1))
        at = i0 + (j[crossed] - j0) * (i1 - i0) / (j1 - j0)
        first_right = np.clip(np.ceil(at), 0, columns).astype(np.intp)
        np.add.at(crossings, (np.flatnonzero(crossed), first_right), 1)
    return np.asarray(np.cumsum(crossings[:, :-1], axis=1) % 2 == 1)


def _in_ellipse(points_ji: FloatArray, shape_ji: tuple[int, int]) -> npt.NDArray[np.bool_]:
    centre, a, b = ellipse_axes(points_ji)
    axes = np.stack([a, b], axis=1)
    if abs(np.linalg.det(axes)) < 1e-9:
        return np.zeros(shape_ji, dtype=np.bool_)
    j, i = np.indices(shape_ji, dtype=np.float64)
    along = np.einsum("ab,bji->aji", np.linalg.inv(axes), np.stack([j - centre[0], i - centre[1]]))
    return np.asarray((along**2).sum(axis=0) <= 1.0 + _ON_THE_EDGE)


def area(corners: FloatArray) -> float:
    """Return the area a flat closed outline encloses, shape (corners, 2 or 3), in the square of its unit."""
    if corners.shape[1] == 2:
        corners = np.column_stack([corners, np.zeros(len(corners))])
    relative = corners - corners[0]
    return float(np.linalg.norm(np.cross(relative, np.roll(relative, -1, axis=0)).sum(axis=0)) / 2.0)
