"""Slices a person marks as the ones that matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.core.plane import SlicePlane
from medview.core.source import Source

Vector = tuple[float, float, float]

SAME_SLICE = 0.5
"""A key image is the slice that it is not further from than this many slices."""

SAME_DIRECTION = 1.0 - 1e-6
"""Least cosine between its normal and that of a plane it lies on: a twelfth of a degree, more than rounding."""


@dataclass(frozen=True, slots=True)
class KeyImage:
    """One marked slice, by where it lies; a slice across the acquired ones has no name of its own.

    Attributes
    ----------
    point_lps_mm : tuple of float
        A place on the slice in LPS millimetres by the affine of the grid: its middle, or the place that was looked at where
        it is at an angle to the grid. On a stack the third direction counts slices, as the affine does.
    normal_lps : tuple of float
        Unit vector across the slice; either sense means the same slice.
    label : str
        A note, or empty.
    sop_instance_uid : str
        The acquired image it is; empty on a slice across the acquired ones and where the files name none.
    frame_number : int
        Frame of that image, from 0; without an image a slice counted through all time points, which tells its time.
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
        plane: PlaneLayout,
        geometry: Geometry,
        index: float,
        image: tuple[str, int] = ("", 0),
        source: Source = Source(),
        through_kji: npt.ArrayLike | None = None,
    ) -> KeyImage:
        """Mark a slice.

        Parameters
        ----------
        index : float
            Across the plane; whole numbers along a grid.
        image : tuple of (str, int)
            SOP instance UID and frame number from 0 of an acquired slice.
        through_kji : array_like, optional
            The place whose row and column on the slice are kept; unless given, the middle of the screen.
        """
        rows, columns = plane.screen_shape(geometry)
        row, column = (rows - 1) / 2, (columns - 1) / 2
        if through_kji is not None:
            _, row, column = plane.screen(geometry, through_kji)
        point = geometry.point_lps_mm(plane.index_kji(geometry, index, row, column))
        return cls(annotation_id, _vector(point), _vector(_normal(plane, geometry)), "", *image, source)

    def position_on(self, plane: PlaneLayout, geometry: Geometry) -> float | None:
        """Return where across a plane it lies, counted as the plane does; None when turned against it or outside."""
        return positions_on((self,), plane, geometry)[0]

    def slice_index(self, plane: SlicePlane, geometry: Geometry) -> int | None:
        """Return the slice along the grid it is, or None."""
        at = self.position_on(plane, geometry)
        return None if at is None else min(max(round(at), 0), plane.count(geometry) - 1)


def positions_on(marked: Sequence[KeyImage], plane: PlaneLayout, geometry: Geometry) -> list[float | None]:
    """Return ``KeyImage.position_on`` of several at once: panes ask with every slice they show."""
    if not marked:
        return []
    alike = np.abs(np.asarray([one.normal_lps for one in marked]) @ _normal(plane, geometry)) >= SAME_DIRECTION
    first, last = 0, plane.count(geometry) - 1
    if isinstance(plane, ObliquePlane):
        first, last = -plane.half_steps, plane.half_steps
    found: list[float | None] = []
    for one, facing in zip(marked, alike, strict=True):
        across = plane.screen(geometry, geometry.index_kji(one.point_lps_mm))[0] if facing else None
        inside = across is not None and first - SAME_SLICE <= across <= last + SAME_SLICE
        found.append(across if inside else None)
    return found


def _normal(plane: PlaneLayout, geometry: Geometry) -> npt.NDArray[np.float64]:
    """Return the unit vector across the slices of a plane in LPS; of a sheared grid it is none of its axes."""
    return np.asarray(plane.grid(geometry, 0).normal_lps)


def _vector(numbers: npt.NDArray[np.float64]) -> Vector:
    x, y, z = (float(n) for n in numbers)
    return x, y, z
