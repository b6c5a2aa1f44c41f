"""Slices a person marks as the ones that matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.plane import SlicePlane
from medview.core.source import Source

Vector = tuple[float, float, float]

SAME_SLICE = 0.5
"""A key image is the slice whose middle it is not further from than this many slices."""

SAME_DIRECTION = 0.9999
"""Least cosine between its normal and that of a plane it lies on: 0.8 degrees, far more than rounding."""


@dataclass(frozen=True, slots=True)
class KeyImage:
    """One marked slice, by where it lies; a slice across the acquired ones has no name of its own.

    Attributes
    ----------
    point_lps_mm : tuple of float
        Middle of the slice in LPS millimetres by the affine of the grid. On a stack the third direction counts slices, as
        the affine does.
    normal_lps : tuple of float
        Unit vector across the slice; either sense means the same slice.
    label : str
        A note, or empty.
    sop_instance_uid : str
        The acquired image it is; empty on a slice across the acquired ones and where the files name none.
    frame_number : int
        Frame of that image, from 0.
    """

    annotation_id: str
    point_lps_mm: Vector
    normal_lps: Vector
    label: str = ""
    sop_instance_uid: str = ""
    frame_number: int = 0
    source: Source = Source()

    @classmethod
    def of_slice(
        cls,
        annotation_id: str,
        plane: SlicePlane,
        geometry: Geometry,
        index: int,
        image: tuple[str, int] = ("", 0),
        source: Source = Source(),
    ) -> KeyImage:
        """Mark slice ``index`` of a plane; ``image`` is its SOP instance UID and frame number from 0."""
        rows, columns = plane.screen_shape(geometry)
        middle = geometry.point_lps_mm(plane.index_kji(geometry, index, (rows - 1) / 2, (columns - 1) / 2))
        return cls(annotation_id, _vector(middle), _vector(normal_of(plane, geometry)), "", *image, source)

    def slice_index(self, plane: SlicePlane, geometry: Geometry) -> int | None:
        """Return the slice of a plane it is, or None when it lies on none of them."""
        if abs(float(np.asarray(self.normal_lps) @ normal_of(plane, geometry))) < SAME_DIRECTION:
            return None
        along = float(geometry.index_kji(self.point_lps_mm)[plane.normal_axis])
        index = round(along)
        return index if abs(along - index) <= SAME_SLICE and 0 <= index < plane.count(geometry) else None


def normal_of(plane: SlicePlane, geometry: Geometry) -> npt.NDArray[np.float64]:
    """Return the unit vector across the slices of a plane in LPS; of a sheared grid it is none of its axes."""
    first, second = (geometry.affine_lps[:3, axis] for axis in range(3) if axis != plane.normal_axis)
    across = np.cross(first, second)
    return np.asarray(across / np.linalg.norm(across))


def _vector(numbers: npt.NDArray[np.float64]) -> Vector:
    x, y, z = (float(n) for n in numbers)
    return x, y, z
