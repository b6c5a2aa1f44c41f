"""Boxes, measurements, key images and image labels, in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.key_image import KeyImage
from medview.core.measurement import Measurement
from medview.core.source import Source

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class BoxAnnotation:
    """A box in the patient with its own axes.

    Attributes
    ----------
    corner_lps_mm : tuple of float
        One outer corner in LPS millimetres.
    edges_lps_mm : tuple of three tuples
        The three edge vectors from that corner, along k, j, i of the grid it was made on.
    score : float or None
        What the model gave, 0 to 1; None when drawn by hand.
    """

    annotation_id: str
    label: str
    corner_lps_mm: Vector
    edges_lps_mm: tuple[Vector, Vector, Vector]
    score: float | None = None
    source: Source = Source()

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
    ) -> BoxAnnotation:
        """Place a half-open index box, counted at voxel edges (voxel n covers n to n + 1), in the patient."""
        low = np.asarray(min_kji, dtype=np.float64) - 0.5
        size = np.asarray(max_kji, dtype=np.float64) - np.asarray(min_kji, dtype=np.float64)
        columns = geometry.affine_lps[:3, :3]
        edges = [_vector(columns[:, axis] * size[axis]) for axis in range(3)]
        corner = _vector(geometry.point_lps_mm(low))
        return cls(annotation_id, label, corner, (edges[0], edges[1], edges[2]), score, source)

    def bounds_kji(self, geometry: Geometry) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the enclosing half-open index box (min_kji, max_kji) at voxel edges on a grid; inverse of ``on_grid``."""
        index = geometry.index_kji(self.corners_lps_mm()) + 0.5
        return index.min(axis=0), index.max(axis=0)

    def corners_lps_mm(self) -> npt.NDArray[np.float64]:
        """The eight corners in LPS millimetres, shape (8, 3)."""
        corner, edges = np.asarray(self.corner_lps_mm), np.asarray(self.edges_lps_mm)
        weights = np.asarray([(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=np.float64)
        return np.asarray(corner + weights @ edges)

    def enclosing_lps_mm(self) -> tuple[Vector, Vector]:
        """Return the smallest and largest LPS coordinates of the box in millimetres."""
        corners = self.corners_lps_mm()
        return _vector(corners.min(axis=0)), _vector(corners.max(axis=0))


@dataclass(frozen=True, slots=True)
class ImageLabel:
    """A statement about a whole series, e.g. nodule present.

    Attributes
    ----------
    probability : float or None
        The model's score for ``label``, 0 to 1; None when a person said it.
    """

    annotation_id: str
    label: str
    probability: float | None = None
    source: Source = Source()


Annotation = BoxAnnotation | ImageLabel | KeyImage | Measurement


def _vector(numbers: npt.NDArray[np.float64]) -> Vector:
    x, y, z = (float(n) for n in numbers)
    return x, y, z
