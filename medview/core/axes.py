"""The three directions that axial, coronal and sagittal pictures look along, at right angles to one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.plane import Plane, SlicePlane, screen_directions
from medview.core.rolling import Home
from medview.core.vector import Triple, cross, triple

FloatArray = npt.NDArray[np.float64]

ALIGNED_COSINE = 1.0 - 5e-9
"""Directions closer than this (a ten thousandth of a radian) are the same: a tenth of a voxel at the end of a thousand."""

_NOISE = 1e-12
"""A direction that a turn changes by less stays the same to the last bit: pictures across it are not worked out again."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What the sagittal, coronal and axial pictures lie across; unit vectors in LPS, right-handed.

    Attributes
    ----------
    left, back, head : tuple of float
        Across the sagittal, coronal and axial pictures.
    upright : tuple of tuple
        What stands for left, back and head where a picture is laid out on the screen: turning one plane must not roll the
        others.
    rights : tuple of tuple, or None
        What the axial, coronal and sagittal picture had on their right when they were turned last; None before any turn.
    """

    left: Triple = (1.0, 0.0, 0.0)
    back: Triple = (0.0, 1.0, 0.0)
    head: Triple = (0.0, 0.0, 1.0)
    upright: tuple[Triple, Triple, Triple] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    rights: tuple[Triple, Triple, Triple] | None = None

    @classmethod
    def of_grid(cls, geometry: Geometry) -> Axes:
        """Return the axes of a grid, named by the patient directions they are nearest to.

        A sheared grid has none at right angles; its rows and columns are kept and the third is put across them.
        """
        axial = SlicePlane.of(Plane.AXIAL, geometry)
        sign = {True: -1.0, False: 1.0}
        unit = geometry.directions_kji
        by_name = {
            "left": (axial.column_axis, unit[axial.column_axis] * sign[axial.column_flip]),
            "back": (axial.row_axis, unit[axial.row_axis] * sign[axial.row_flip]),
            "head": (axial.normal_axis, unit[axial.normal_axis] * sign[axial.normal_flip]),
        }
        # In-slice axes first: of a tilted gantry they are the true ones.
        names = sorted(by_name, key=lambda name: -by_name[name][0])
        done: dict[str, FloatArray] = {}
        for name in names:
            direction = by_name[name][1]
            for other in done.values():
                direction = direction - (direction @ other) * other
            done[name] = direction / np.linalg.norm(direction)
        own = (triple(done["left"]), triple(done["back"]), triple(done["head"]))
        return cls(*own, own)

    @property
    def matrix(self) -> FloatArray:
        """Columns are left, back and head."""
        return np.asarray((self.left, self.back, self.head)).T

    def turned(self, around_lps: npt.ArrayLike, radians: float) -> Axes:
        """Return the axes turned about a direction by the right-hand rule, still at right angles after many turns."""
        x, y, z = np.asarray(around_lps, dtype=np.float64) / np.linalg.norm(around_lps)
        across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        turn = np.eye(3) + np.sin(radians) * across + (1 - np.cos(radians)) * (across @ across)
        # The nearest rotation: rounding of many small turns would shear the planes.
        u, _, v = np.linalg.svd(turn @ self.matrix)
        left, back, head = (
            before if np.abs(after - before).max() < _NOISE else triple(after)
            for before, after in zip((self.left, self.back, self.head), (u @ v).T, strict=True)
        )
        rights = self._carried((float(x), float(y), float(z)), radians, np.asarray((left, back, head)).T)
        return Axes(left, back, head, self.upright, rights)

    def screen(self, plane: Plane) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the directions to the right and down on the screen, and across the slices, of a plane.

        What is upright stays as upright as the slope of the plane lets it, and nothing rolls faster than the hand turns.
        """
        across = self._across(plane)
        if self.rights is None:
            right = np.asarray(self._home(plane).standing(triple(across)))
        else:
            right = np.asarray(self.rights[_PLANES.index(plane)])
            right = right - (right @ across) * across
            right = right / np.linalg.norm(right)
        return right, _FACING[plane] * cross(across, right), across

    def _across(self, plane: Plane) -> FloatArray:
        return self.matrix @ np.asarray(screen_directions(plane)[2], dtype=np.float64)

    def _home(self, plane: Plane) -> Home:
        stand = np.asarray(self.upright).T
        right, down, across = (triple(stand @ np.asarray(d, dtype=np.float64)) for d in screen_directions(plane))
        return Home(right, down, across)

    def _carried(self, around: Triple, radians: float, after: FloatArray) -> tuple[Triple, Triple, Triple]:
        """Return what the three pictures have on their right after a turn that ends at other axes (columns)."""
        found = []
        for plane in _PLANES:
            right, _, across = self.screen(plane)
            same = np.array_equal(after @ np.asarray(screen_directions(plane)[2]), across)
            before = triple(right)
            found.append(before if same else self._home(plane).carried(before, triple(across), around, radians))
        return found[0], found[1], found[2]


_PLANES = tuple(Plane)

_FACING = {plane: 1.0 if np.linalg.det(screen_directions(plane)) > 0 else -1.0 for plane in Plane}
"""Whether right, down and across of a plane are right-handed."""
