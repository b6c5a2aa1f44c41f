"""Boxes in the patient: drawn by hand on a slice or around a thing, or found by a model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.core.attributes import Attributes
from medview.core.geometry import Geometry
from medview.core.source import Source
from medview.core.vector import Triple, triple

FloatArray = npt.NDArray[np.float64]

ALONG = 1e-6
"""Largest part of an edge, in voxels per voxel, that may lie beside a grid axis of which it is said to run along."""


@dataclass(frozen=True, slots=True)
class BoxAnnotation:
    """A box in the patient with its own axes.

    Attributes
    ----------
    label : str
        What is in it, or empty.
    corner_lps_mm : tuple of float
        One outer corner in LPS millimetres. On a stack the third direction counts slices, as the affine does.
    edges_lps_mm : tuple of three tuples
        The three edge vectors from that corner: along k, j, i of the grid it was made on; of one drawn on a plane at an
        angle to the grid across it, down and to the right.
    score : float or None
        What the model gave, 0 to 1; None when drawn by hand.
    flat_edge : int or None
        Of a box that lies on one slice (2-D), which edge is the thickness of that slice; None for a 3-D box.
    visible : bool
        Drawn on pictures.
    sop_instance_uid, frame_number : str, int
        The image a flat box lies on, and the frame of it from 0; empty where it lies on none or on several. Where files
        name no images the number counts slices through all time points.
    """

    annotation_id: str
    label: str
    corner_lps_mm: Triple
    edges_lps_mm: tuple[Triple, Triple, Triple]
    score: float | None = None
    source: Source = Source()
    flat_edge: int | None = None
    attributes: Attributes = ()
    visible: bool = True
    sop_instance_uid: str = ""
    frame_number: int = 0

    @classmethod
    def on_grid(
        cls,
        annotation_id: str,
        label: str,
        geometry: Geometry,
        min_kji: npt.ArrayLike,
        max_kji: npt.ArrayLike,
        score: float | None = None,
        source: Source = Source(),
        flat_edge: int | None = None,
    ) -> BoxAnnotation:
        """Place a half-open index box, counted at voxel edges (voxel n covers n to n + 1), in the patient."""
        corner, edges = _on_grid(geometry, min_kji, max_kji)
        return cls(annotation_id, label, corner, edges, score, source, flat_edge)

    def bounds_kji(self, geometry: Geometry) -> tuple[FloatArray, FloatArray]:
        """Return the enclosing half-open index box (min_kji, max_kji) at voxel edges on a grid; inverse of ``on_grid``."""
        index = geometry.index_kji(self.corners_lps_mm()) + 0.5
        return index.min(axis=0), index.max(axis=0)

    def with_bounds_kji(self, geometry: Geometry, min_kji: npt.ArrayLike, max_kji: npt.ArrayLike) -> BoxAnnotation:
        """Return the same box along a grid with other bounds, counted as in ``on_grid``."""
        corner, edges = _on_grid(geometry, min_kji, max_kji)
        return replace(self, corner_lps_mm=corner, edges_lps_mm=edges)

    def along(self, geometry: Geometry) -> bool:
        """Whether its edges run along k, j and i of a grid, in that order."""
        steps = geometry.index_kji(self.corner_lps_mm + np.asarray(self.edges_lps_mm)) - geometry.index_kji(
            self.corner_lps_mm
        )
        size = np.abs(steps).max(axis=1)
        beside = np.abs(steps[~np.eye(3, dtype=bool)].reshape(3, 2)).max(axis=1)
        return bool(np.all(np.diag(steps) > 0) and np.all(beside <= ALONG * np.maximum(size, 1.0)))

    def corners_lps_mm(self) -> FloatArray:
        """The eight corners in LPS millimetres, shape (8, 3); bits 4, 2, 1 of the number say at which end of each edge."""
        corner, edges = np.asarray(self.corner_lps_mm), np.asarray(self.edges_lps_mm)
        weights = np.asarray([(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=np.float64)
        return np.asarray(corner + weights @ edges)

    def middle_lps_mm(self) -> FloatArray:
        """The middle in LPS millimetres."""
        return np.asarray(np.asarray(self.corner_lps_mm) + np.asarray(self.edges_lps_mm).sum(axis=0) / 2)

    def parts(self, point_lps_mm: npt.ArrayLike) -> FloatArray:
        """Return a place as parts of the three edges from the corner; 0 to 1 inside."""
        away = np.asarray(point_lps_mm, dtype=np.float64) - np.asarray(self.corner_lps_mm)
        return np.asarray(away @ np.linalg.inv(np.asarray(self.edges_lps_mm)))

    def enclosing_lps_mm(self) -> tuple[Triple, Triple]:
        """Return the smallest and largest LPS coordinates of the box in millimetres."""
        corners = self.corners_lps_mm()
        return triple(corners.min(axis=0)), triple(corners.max(axis=0))

    def size_mm(self) -> Triple:
        """Return the lengths of the three edges in millimetres."""
        return triple(np.linalg.norm(np.asarray(self.edges_lps_mm), axis=1))

    def moved(self, by_lps_mm: npt.ArrayLike) -> BoxAnnotation:
        """Return the same box elsewhere."""
        return replace(self, corner_lps_mm=triple(np.asarray(self.corner_lps_mm) + np.asarray(by_lps_mm)))

    def with_parts(self, low: npt.ArrayLike, high: npt.ArrayLike) -> BoxAnnotation:
        """Return the box between two places given as parts of its edges, each below the other."""
        low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        edges = np.asarray(self.edges_lps_mm)
        first, second, third = (triple(edge) for edge in edges * (high - low)[:, np.newaxis])
        corner = triple(np.asarray(self.corner_lps_mm) + low @ edges)
        return replace(self, corner_lps_mm=corner, edges_lps_mm=(first, second, third))


def _on_grid(
    geometry: Geometry, min_kji: npt.ArrayLike, max_kji: npt.ArrayLike
) -> tuple[Triple, tuple[Triple, Triple, Triple]]:
    low = np.asarray(min_kji, dtype=np.float64) - 0.5
    size = np.asarray(max_kji, dtype=np.float64) - np.asarray(min_kji, dtype=np.float64)
    columns = geometry.affine_lps[:3, :3]
    first, second, third = (triple(columns[:, axis] * size[axis]) for axis in range(3))
    return triple(geometry.point_lps_mm(low)), (first, second, third)
