"""What a tool wants drawn before it commits."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.plane import Plane


@dataclass(frozen=True, slots=True)
class BrushPreview:
    """The outline of the brush under the pointer.

    Attributes
    ----------
    row, column : float
        Centre on the slice in screen rows and columns.
    colour : tuple of int
        RGB of what will be painted.
    erasing : bool
        Drawn dashed.
    """

    plane: Plane
    row: float
    column: float
    radius_mm: float
    colour: tuple[int, int, int]
    erasing: bool = False
