"""What a hand did on a picture, without a toolkit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Geometry
from medview.core.oblique import PlaneLayout


class Button(Enum):
    """Mouse button."""

    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"
    NONE = "none"


class Modifiers(Flag):
    """Keys held down."""

    NONE = 0
    SHIFT = auto()
    CTRL = auto()
    ALT = auto()


@dataclass(frozen=True, slots=True)
class Pointer:
    """One press, move or release on a pane.

    Attributes
    ----------
    slice_index : float
        Which slice of the plane; between two steps on a plane at an angle to the grid.
    row, column : float
        Position on the slice in screen rows and columns; integers are voxel centres.
    x_px, y_px : float
        Position in the pane in logical pixels, x to the right, y down.
    mm_per_px : float
        Size of a logical pixel at the present zoom.
    before : tuple of Pointer
        Of a move: where else the hand was since the last one, oldest first; see ``Hands.gather``.
    """

    plane: PlaneLayout
    slice_index: float
    row: float
    column: float
    x_px: float = 0.0
    y_px: float = 0.0
    mm_per_px: float = 1.0
    button: Button = Button.LEFT
    modifiers: Modifiers = Modifiers.NONE
    pane_id: str = ""
    before: tuple[Pointer, ...] = ()

    @property
    def pane(self) -> str:
        """Id of the pane; by default the one that three planes give this plane."""
        return self.pane_id or self.plane.plane.value

    def apart_px(self, other: Pointer) -> float:
        """How far another place in the pane is, along both sides together."""
        return abs(other.x_px - self.x_px) + abs(other.y_px - self.y_px)

    def index_kji(self, geometry: Geometry) -> npt.NDArray[np.float64]:
        """Fractional voxel index under the pointer."""
        return self.plane.index_kji(geometry, self.slice_index, self.row, self.column)

    def voxel_kji(self, geometry: Geometry) -> tuple[int, int, int] | None:
        """The voxel under the pointer, or None outside the grid."""
        index = self.index_kji(geometry)
        if not geometry.contains(index):
            return None
        k, j, i = (int(n) for n in np.rint(index))
        return k, j, i
