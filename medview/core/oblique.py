"""Planes at any angle through a grid, looked at like the slices of a volume."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from medview.core.axes import ALIGNED_COSINE, Axes
from medview.core.geometry import Calibration, Geometry
from medview.core.plane import Plane, SlicePlane, letters
from medview.core.screen_grid import ScreenGrid
from medview.core.vector import Triple, cross, triple

_LARGEST = 1024
"""Rows or columns; finer pixels than the voxels of a long grid would show nothing more."""

_KEPT = 64
_ROUNDING = 1e-6
"""Steps by which the last picture may lie beyond the outermost voxel centres."""


@dataclass(frozen=True, slots=True)
class ObliquePlane:
    """Parallel pictures through a volume, of one size, with square pixels as fine as its finest voxels.

    Positions across them are counted in steps from the middle of the volume, in fractions too: there are no slices.

    Attributes
    ----------
    right_lps, down_lps, normal_lps : tuple of float
        Unit vectors: to the right and down on the screen, and across the pictures towards growing positions.
    middle_lps_mm : tuple of float
        Middle of the volume, which is the middle of picture 0.
    pixel_mm : float
        Width and height of a pixel.
    step_mm : float
        From one picture to the next: what one voxel measures in this direction.
    rows, columns : int
        Enough to show the whole volume.
    half_steps : int
        Pictures on either side of the middle, as far as the outermost voxel centres.
    home_mm : tuple of float
        Height and width of the volume in this plane before it was turned: what a pane shows at zoom 1, so that a picture
        keeps its scale while it is turned.
    home_finest_mm : float
        Finest voxel side in the plane before it was turned.
    """

    plane: Plane
    right_lps: Triple
    down_lps: Triple
    normal_lps: Triple
    middle_lps_mm: Triple
    pixel_mm: float
    step_mm: float
    rows: int
    columns: int
    half_steps: int
    home_mm: tuple[float, float]
    home_finest_mm: float

    @classmethod
    def of(cls, plane: Plane, axes: Axes, geometry: Geometry) -> ObliquePlane:
        """Return the pictures across one of three axes. The grid has to have millimetres in all directions."""
        right, down, normal = axes.screen(plane)
        ends = [(-0.5, n - 0.5) for n in geometry.shape_kji]
        corners = geometry.point_lps_mm([(k, j, i) for k in ends[0] for j in ends[1] for i in ends[2]])
        middle = corners.mean(axis=0)
        wide, high = (2 * float(np.abs((corners - middle) @ d).max()) for d in (right, down))
        pixel = max(min(geometry.spacing_kji_mm), wide / _LARGEST, high / _LARGEST)
        step = 1.0 / float(np.linalg.norm(geometry.index_kji(middle + normal) - geometry.index_kji(middle)))
        home_mm, finest = _home(plane, axes, geometry, corners - middle)
        half_deep = float(np.abs((geometry.corners_lps_mm() - middle) @ normal).max())
        return cls(
            plane,
            triple(right),
            triple(down),
            triple(normal),
            triple(middle),
            pixel,
            step,
            rows=max(1, round(high / pixel)),
            columns=max(1, round(wide / pixel)),
            half_steps=int(half_deep / step + _ROUNDING),
            home_mm=home_mm,
            home_finest_mm=finest,
        )

    @property
    def acquired(self) -> bool:
        """Never: these are worked out."""
        return False

    def rotated(self) -> ObliquePlane:
        """Return the same pictures a quarter turn clockwise."""
        up = triple(-np.asarray(self.down_lps))
        high, wide = self.home_mm
        return replace(
            self, right_lps=up, down_lps=self.right_lps, rows=self.columns, columns=self.rows, home_mm=(wide, high)
        )

    def mirrored(self) -> ObliquePlane:
        """Return the same pictures with left and right of the screen exchanged."""
        return replace(self, right_lps=triple(-np.asarray(self.right_lps)))

    def count(self, geometry: Geometry) -> int:
        """Number of steps from one end of the volume to the other."""
        return 2 * self.half_steps + 1

    def spacing_mm(self, geometry: Geometry) -> float:
        """Millimetres of one step."""
        return self.step_mm

    def screen_shape(self, geometry: Geometry) -> tuple[int, int]:
        """Rows and columns of a picture."""
        return self.rows, self.columns

    def screen_spacing_mm(self, geometry: Geometry) -> tuple[float, float]:
        """Millimetres between screen rows and between screen columns."""
        return self.pixel_mm, self.pixel_mm

    def fit_mm(self, geometry: Geometry) -> tuple[float, float]:
        """Height and width that a pane shows at zoom 1: those of the plane before it was turned."""
        return self.home_mm

    def finest_mm(self, geometry: Geometry) -> float:
        """Millimetres of a pixel of the screen at 1:1: those of the finest voxel side in the plane before it was turned."""
        return self.home_finest_mm

    def grid(self, geometry: Geometry, index: float) -> ScreenGrid:
        """Return where the pixels of a picture lie in the patient."""
        right, down = np.asarray(self.right_lps) * self.pixel_mm, np.asarray(self.down_lps) * self.pixel_mm
        middle = np.asarray(self.middle_lps_mm) + index * self.step_mm * np.asarray(self.normal_lps)
        corner = middle - right * (self.columns - 1) / 2 - down * (self.rows - 1) / 2
        return ScreenGrid(triple(corner), triple(down), triple(right), (self.rows, self.columns))

    def index_kji(self, geometry: Geometry, index: float, row: float, column: float) -> npt.NDArray[np.float64]:
        """Map a position across the pictures and one on the screen to a fractional voxel index."""
        return geometry.index_kji(self.grid(geometry, index).point_lps_mm(row, column))

    def screen(self, geometry: Geometry, index_kji: npt.ArrayLike) -> tuple[float, float, float]:
        """Map a fractional voxel index to (position across the pictures, row, column); inverse of ``index_kji``."""
        away = geometry.point_lps_mm(index_kji) - np.asarray(self.middle_lps_mm)
        across = float(away @ np.asarray(self.normal_lps)) / self.step_mm
        row = float(away @ np.asarray(self.down_lps)) / self.pixel_mm + (self.rows - 1) / 2
        column = float(away @ np.asarray(self.right_lps)) / self.pixel_mm + (self.columns - 1) / 2
        return across, row, column

    def edge_letters(self, geometry: Geometry) -> tuple[str, str, str, str]:
        """Orientation letters at the left, right, top and bottom edge of the screen."""
        right, down = np.asarray(self.right_lps), np.asarray(self.down_lps)
        return letters(-right), letters(right), letters(-down), letters(down)


PlaneLayout = SlicePlane | ObliquePlane
"""How a pane lays a volume out: along its grid, or at an angle to it."""


@lru_cache(maxsize=_KEPT)
def layout_of(plane: Plane, axes: Axes | None, geometry: Geometry) -> PlaneLayout:
    """Return how a plane lies in a grid: along the grid itself where the axes ask for no more, or there are none.

    Asked some thirty times for one frame of three panes; the last answers are kept.
    """
    along = SlicePlane.of(plane, geometry)
    if axes is None or geometry.calibration is not Calibration.VOLUME:
        return along
    directions = geometry.directions_kji
    wanted = axes.screen(plane)
    grid_axes = (
        directions[along.column_axis] * (-1 if along.column_flip else 1),
        directions[along.row_axis] * (-1 if along.row_flip else 1),
        _across(along, directions),
    )
    same = all(float(a @ b) >= ALIGNED_COSINE for a, b in zip(wanted, grid_axes, strict=True))
    return along if same else ObliquePlane.of(plane, axes, geometry)


def _home(
    plane: Plane, axes: Axes, geometry: Geometry, corners_mm: npt.NDArray[np.float64]
) -> tuple[tuple[float, float], float]:
    """Return height and width of the volume in a plane that is not turned yet, and its finest voxel side there.

    Parameters
    ----------
    corners_mm : ndarray
        Corners of the volume from its middle.
    """
    if axes.upright == Axes.of_grid(geometry).upright:
        along = SlicePlane.of(plane, geometry)
        return along.fit_mm(geometry), along.finest_mm(geometry)
    right, down, _ = Axes(*axes.upright, axes.upright).screen(plane)
    high, wide = (2 * float(np.abs(corners_mm @ d).max()) for d in (down, right))
    return (high, wide), min(geometry.spacing_kji_mm)


def _across(plane: SlicePlane, directions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the normal of the slices themselves; of a sheared grid that is not the axis across them."""
    normal = cross(directions[plane.row_axis], directions[plane.column_axis])
    normal /= np.linalg.norm(normal)
    toward = directions[plane.normal_axis] * (-1 if plane.normal_flip else 1)
    return normal if float(normal @ toward) > 0 else -normal
