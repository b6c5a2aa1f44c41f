"""Anatomical planes along the grid axes, laid out the way radiologists look at them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from itertools import permutations

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.language import _
from medview.core.screen_grid import ScreenGrid
from medview.core.vector import triple


class Plane(Enum):
    """The three anatomical planes."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @property
    def title(self) -> str:
        """Name on the picture and in menus."""
        return {"axial": _("Axial"), "coronal": _("Coronal"), "sagittal": _("Sagittal")}[self.value]


# Screen directions in LPS by radiological convention: the patient's right is on the left of the screen.
_RIGHTWARD_LPS = {Plane.AXIAL: (1, 0, 0), Plane.CORONAL: (1, 0, 0), Plane.SAGITTAL: (0, 1, 0)}
_DOWNWARD_LPS = {Plane.AXIAL: (0, 1, 0), Plane.CORONAL: (0, 0, -1), Plane.SAGITTAL: (0, 0, -1)}
NORMAL_LPS = {Plane.AXIAL: (0, 0, 1), Plane.CORONAL: (0, 1, 0), Plane.SAGITTAL: (1, 0, 0)}

Direction = tuple[int, int, int]

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


@dataclass(frozen=True, slots=True)
class SlicePlane:
    """Slices of a grid across one of its axes, with screen rows and columns assigned to the other two.

    Attributes
    ----------
    normal_axis, row_axis, column_axis : int
        Array axes (0 = k, 1 = j, 2 = i) across the slices, down the screen and to the right on the screen.
    row_flip, column_flip, normal_flip : bool
        Whether growing screen coordinates (or growing anatomical position for the normal) mean falling indices.
    """

    plane: Plane
    normal_axis: int
    row_axis: int
    column_axis: int
    row_flip: bool
    column_flip: bool
    normal_flip: bool

    @classmethod
    def of(cls, plane: Plane, geometry: Geometry) -> SlicePlane:
        """Return the grid plane nearest to the anatomical ``plane``.

        Each anatomical direction gets the grid axis it is most parallel to, each axis once.
        """
        return _nearest(plane, geometry)

    @property
    def acquired(self) -> bool:
        """Whether these are the slices as they were acquired, not across them."""
        return self.normal_axis == 0

    def grid(self, geometry: Geometry, index: float) -> ScreenGrid:
        """Return where the voxels of a slice lie in the patient."""
        corner, below, beside = (
            geometry.point_lps_mm(self.index_kji(geometry, index, row, column)) for row, column in ((0, 0), (1, 0), (0, 1))
        )
        return ScreenGrid(triple(corner), triple(below - corner), triple(beside - corner), self.screen_shape(geometry))

    def rotated(self) -> SlicePlane:
        """Return the same slices a quarter turn clockwise: what pointed right points down, what pointed down left."""
        return replace(
            self,
            row_axis=self.column_axis,
            row_flip=self.column_flip,
            column_axis=self.row_axis,
            column_flip=not self.row_flip,
        )

    def mirrored(self) -> SlicePlane:
        """Return the same slices with left and right of the screen exchanged."""
        return replace(self, column_flip=not self.column_flip)

    def count(self, geometry: Geometry) -> int:
        """Number of slices."""
        return geometry.shape_kji[self.normal_axis]

    def spacing_mm(self, geometry: Geometry) -> float:
        """Millimetres between slices, across them: of a sheared grid that is less than along its axis."""
        across = geometry.affine_lps[:3, self.normal_axis]
        a, b = (geometry.affine_lps[:3, axis] for axis in range(3) if axis != self.normal_axis)
        normal = np.cross(a, b)
        return float(abs(across @ normal) / np.linalg.norm(normal))

    def screen_shape(self, geometry: Geometry) -> tuple[int, int]:
        """Rows and columns of a slice on screen."""
        return geometry.shape_kji[self.row_axis], geometry.shape_kji[self.column_axis]

    def screen_spacing_mm(self, geometry: Geometry) -> tuple[float, float]:
        """Millimetres between screen rows and between screen columns."""
        spacing = geometry.spacing_kji_mm
        return spacing[self.row_axis], spacing[self.column_axis]

    def fit_mm(self, geometry: Geometry) -> tuple[float, float]:
        """Height and width that a pane shows at zoom 1: those of the slice."""
        (rows, columns), (row_mm, column_mm) = self.screen_shape(geometry), self.screen_spacing_mm(geometry)
        return rows * row_mm, columns * column_mm

    def finest_mm(self, geometry: Geometry) -> float:
        """Millimetres of a pixel of the screen at 1:1: those of a voxel along the finer side of the slice."""
        return min(self.screen_spacing_mm(geometry))

    def extract(self, array: npt.NDArray[np.generic], index: int) -> npt.NDArray[np.generic]:
        """Return slice ``index`` of a (k, j, i) or (k, j, i, c) array as a screen view (row, column[, c]); no copy."""
        selector: list[int | slice] = [slice(None)] * array.ndim
        selector[self.normal_axis] = index
        return self.upright(array[tuple(selector)])

    def upright(self, cut: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Return an array over the two other axes, in their order in the grid, as a screen view; no copy."""
        turned = cut if self.row_axis < self.column_axis else cut.swapaxes(0, 1)
        return turned[:: -1 if self.row_flip else 1, :: -1 if self.column_flip else 1]

    def index_kji(self, geometry: Geometry, index: float, row: float, column: float) -> npt.NDArray[np.float64]:
        """Map a slice index and a screen position to a fractional voxel index. Integers are voxel centres."""
        rows, columns = self.screen_shape(geometry)
        out = np.empty(3)
        out[self.normal_axis] = index
        out[self.row_axis] = rows - 1 - row if self.row_flip else row
        out[self.column_axis] = columns - 1 - column if self.column_flip else column
        return out

    def screen(self, geometry: Geometry, index_kji: npt.ArrayLike) -> tuple[float, float, float]:
        """Map a fractional voxel index to (slice index, screen row, screen column); inverse of ``index_kji``."""
        at = np.asarray(index_kji, dtype=np.float64)
        rows, columns = self.screen_shape(geometry)
        row, column = float(at[self.row_axis]), float(at[self.column_axis])
        return (
            float(at[self.normal_axis]),
            rows - 1 - row if self.row_flip else row,
            columns - 1 - column if self.column_flip else column,
        )

    def edge_letters(self, geometry: Geometry) -> tuple[str, str, str, str]:
        """Orientation letters at the left, right, top and bottom edge of the screen, e.g. ``("R", "L", "A", "P")``.

        Oblique directions name up to three axes, strongest first (``"AL"``), by the same rule as DICOM's Patient
        Orientation (PS3.3 C.7.6.1.1.1).
        """
        rightward = geometry.directions_kji[self.column_axis] * (-1 if self.column_flip else 1)
        downward = geometry.directions_kji[self.row_axis] * (-1 if self.row_flip else 1)
        return letters(-rightward), letters(rightward), letters(-downward), letters(downward)


@lru_cache(maxsize=256)
def _nearest(plane: Plane, geometry: Geometry) -> SlicePlane:
    # Asked several times for every picture, and a grid never changes.
    directions = geometry.directions_kji
    cosines = {
        "normal": directions @ np.asarray(NORMAL_LPS[plane], dtype=float),
        "row": directions @ np.asarray(_DOWNWARD_LPS[plane], dtype=float),
        "column": directions @ np.asarray(_RIGHTWARD_LPS[plane], dtype=float),
    }
    normal, row, column = max(
        permutations(range(3)),
        key=lambda axes: sum(abs(float(cosines[name][a])) for name, a in zip(cosines, axes, strict=True)),
    )
    return SlicePlane(
        plane,
        normal,
        row,
        column,
        row_flip=bool(cosines["row"][row] < 0),
        column_flip=bool(cosines["column"][column] < 0),
        normal_flip=bool(cosines["normal"][normal] < 0),
    )


def screen_directions(plane: Plane) -> tuple[Direction, Direction, Direction]:
    """Return what a plane has to its right, below and across, in the patient's own axes (LPS)."""
    return _RIGHTWARD_LPS[plane], _DOWNWARD_LPS[plane], NORMAL_LPS[plane]


def letters(direction_lps: npt.ArrayLike, threshold: float = 0.2588) -> str:
    """Name a direction in the patient, strongest component first; those under ``threshold`` (15 degrees) are left out."""
    d = np.asarray(direction_lps, dtype=np.float64)
    order = np.argsort(-np.abs(d))
    return "".join(_LETTERS[axis][0 if d[axis] > 0 else 1] for axis in order if abs(d[axis]) > threshold)
