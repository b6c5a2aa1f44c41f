"""What a person points at to have one object found: points, scribbles, boxes and lassos, for and against."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.vector import Triple

FloatArray = npt.NDArray[np.float64]


class PromptKind(StrEnum):
    """How it was drawn."""

    POINT = "point"
    SCRIBBLE = "scribble"
    """A line that runs inside what is meant."""
    BOX = "box"
    """A rectangle around what is meant, on one picture."""
    LASSO = "lasso"
    """A closed line around what is meant, on one picture."""

    @property
    def least(self) -> int:
        """How many points it takes."""
        return {"point": 1, "scribble": 2, "box": 4, "lasso": 3}[self.value]

    @property
    def flat(self) -> bool:
        """Whether it encloses a part of the picture it was drawn on."""
        return self in (PromptKind.BOX, PromptKind.LASSO)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One hint, in the patient, so that it means the same on any grid.

    Attributes
    ----------
    positive : bool
        It says what belongs to the object; else what does not.
    points_lps_mm : tuple of tuple
        LPS millimetres, in the order they were drawn; of a box its four corners in turn.
    normal_lps : tuple of float
        Unit vector across the picture it was drawn on, which may lie at any angle to the grid.
    thickness_mm : float
        Of the slice it was drawn on.

    Raises
    ------
    ValueError
        When the kind takes another number of points.
    """

    prompt_id: str
    kind: PromptKind
    positive: bool
    points_lps_mm: tuple[Triple, ...]
    normal_lps: Triple
    thickness_mm: float

    def __post_init__(self) -> None:
        count, least = len(self.points_lps_mm), self.kind.least
        exact = self.kind in (PromptKind.POINT, PromptKind.BOX)
        if count < least or (exact and count != least):
            raise ValueError(f"a {self.kind.value} of {count} points")

    def points_kji(self, geometry: Geometry) -> FloatArray:
        """Return its points as fractional voxel indices, shape (points, 3)."""
        return geometry.index_kji(np.asarray(self.points_lps_mm, dtype=np.float64))

    @property
    def middle_lps_mm(self) -> FloatArray:
        """A place to look at it: the point half way along its line, or the middle of what it encloses."""
        points = np.asarray(self.points_lps_mm, dtype=np.float64)
        return np.asarray(points.mean(axis=0) if self.kind.flat else points[len(points) // 2])
