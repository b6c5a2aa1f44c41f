"""Distances, angles and regions a person draws on one slice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.plane import SlicePlane
from medview.core.source import Source

Vector = tuple[float, float, float]
FloatArray = npt.NDArray[np.float64]

SAME_SLICE = 0.5
"""A figure lies on a slice when none of its points is further from it than this many slices."""

FLAT = 1e-3
"""Spread of a figure's points across the slices it was drawn on, in slices: rounding of affines and of files."""


class MeasurementKind(Enum):
    """What is measured, and which points say so."""

    LENGTH = "length"
    """Two ends."""
    BIDIRECTIONAL = "bidirectional"
    """Ends of the long axis, ends of the short one (RECIST)."""
    ANGLE = "angle"
    """End, corner, end."""
    COBB = "cobb"
    """Two ends of each of two lines."""
    PROBE = "probe"
    """One place."""
    ELLIPSE = "ellipse"
    """Ends of one axis, ends of the other."""
    RECTANGLE = "rectangle"
    """Four corners in order."""
    POLYGON = "polygon"
    """Three corners or more, closed."""
    FREEHAND = "freehand"
    """As a polygon, drawn in one go."""

    @property
    def points(self) -> int | None:
        """How many points it takes; None for three or more."""
        return _POINTS.get(self)

    @property
    def region(self) -> bool:
        """Whether it encloses voxels."""
        return self in _REGIONS


_POINTS = {
    MeasurementKind.LENGTH: 2,
    MeasurementKind.BIDIRECTIONAL: 4,
    MeasurementKind.ANGLE: 3,
    MeasurementKind.COBB: 4,
    MeasurementKind.PROBE: 1,
    MeasurementKind.ELLIPSE: 4,
    MeasurementKind.RECTANGLE: 4,
}
_REGIONS = frozenset(
    {MeasurementKind.ELLIPSE, MeasurementKind.RECTANGLE, MeasurementKind.POLYGON, MeasurementKind.FREEHAND}
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure on one slice. What it measures is worked out from the volume, never kept with it.

    Attributes
    ----------
    points_lps_mm : tuple of tuple
        LPS millimetres by the affine of the grid it was drawn on; ``MeasurementKind`` says what each stands for. On a stack
        the third direction counts slices, as the affine does.
    sop_instance_uid : str
        The image it was drawn on; empty on a slice across the acquired ones.
    frame_number : int
        Frame of that image, from 0.

    Raises
    ------
    ValueError
        When the kind takes another number of points.
    """

    annotation_id: str
    kind: MeasurementKind
    points_lps_mm: tuple[Vector, ...]
    label: str = ""
    sop_instance_uid: str = ""
    frame_number: int = 0
    source: Source = Source()

    def __post_init__(self) -> None:
        wanted = self.kind.points
        if (wanted is not None and len(self.points_lps_mm) != wanted) or (wanted is None and len(self.points_lps_mm) < 3):
            raise ValueError(f"a {self.kind.value} of {len(self.points_lps_mm)} points")

    def points_kji(self, geometry: Geometry) -> FloatArray:
        """Return its points as fractional voxel indices, shape (points, 3)."""
        return geometry.index_kji(np.asarray(self.points_lps_mm, dtype=np.float64))

    def slice_index(self, plane: SlicePlane, geometry: Geometry) -> int | None:
        """Return the slice of a plane it lies on, or None when it crosses slices or lies outside."""
        along = self.points_kji(geometry)[:, plane.normal_axis]
        index = round(float(along.mean()))
        on_it = bool(np.abs(along - index).max() <= SAME_SLICE)
        return index if on_it and 0 <= index < plane.count(geometry) else None

    def with_points(self, points_lps_mm: FloatArray) -> Measurement:
        """Return the same measurement elsewhere; shape (points, 3)."""
        points = tuple((float(x), float(y), float(z)) for x, y, z in points_lps_mm)
        return Measurement(
            self.annotation_id,
            self.kind,
            points,
            self.label,
            self.sop_instance_uid,
            self.frame_number,
            self.source,
        )
