"""Points and lines a person puts on a volume, with a label; nothing is measured by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from medview.core.attributes import Attributes
from medview.core.geometry import Geometry
from medview.core.source import Source
from medview.core.vector import Triple, triple

FloatArray = npt.NDArray[np.float64]


class TraceKind(Enum):
    """What its points are."""

    POINT = "point"
    """One place."""
    OPEN = "polyline"
    """A line from the first to the last, through any slices."""
    CLOSED = "closed polyline"
    """The same, and back to the first."""

    @property
    def least(self) -> int:
        """How many points it takes."""
        return {TraceKind.POINT: 1, TraceKind.OPEN: 2, TraceKind.CLOSED: 3}[self]


@dataclass(frozen=True, slots=True)
class Trace:
    """A point, or an open or closed line of straight pieces.

    Attributes
    ----------
    points_lps_mm : tuple of tuple
        LPS millimetres by the affine of the grid it was drawn on, in order. On a stack the third direction counts slices.
    label : str
        What it is, or empty.
    visible : bool
        Drawn on pictures.
    sop_instance_uid, frame_number : str, int
        The image it lies on, and the frame of it from 0; empty where it lies on none, or on several. Where files name no
        images the number counts slices through all time points.

    Raises
    ------
    ValueError
        When the kind takes another number of points.
    """

    annotation_id: str
    kind: TraceKind
    points_lps_mm: tuple[Triple, ...]
    label: str = ""
    attributes: Attributes = ()
    visible: bool = True
    sop_instance_uid: str = ""
    frame_number: int = 0
    source: Source = Source()

    def __post_init__(self) -> None:
        count, least = len(self.points_lps_mm), self.kind.least
        if count < least or (self.kind is TraceKind.POINT and count != 1):
            raise ValueError(f"a {self.kind.value} of {count} points")

    def points_kji(self, geometry: Geometry) -> FloatArray:
        """Return its points as fractional voxel indices, shape (points, 3)."""
        return geometry.index_kji(np.asarray(self.points_lps_mm, dtype=np.float64))

    def with_points(self, points_lps_mm: npt.ArrayLike) -> Trace:
        """Return the same elsewhere; shape (points, 3)."""
        return replace(self, points_lps_mm=tuple(triple(p) for p in np.asarray(points_lps_mm, dtype=np.float64)))

    def length_mm(self) -> float:
        """Return how long the line is, the way back to the first point of a closed one included; 0 for a point."""
        points = np.asarray(self.points_lps_mm, dtype=np.float64)
        if self.kind is TraceKind.CLOSED:
            points = np.vstack([points, points[:1]])
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
