"""What a tool wants drawn before it commits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrushPreview:
    """The outline of the brush under the pointer.

    Attributes
    ----------
    pane_id : str
        The pane the pointer is in.
    row, column : float
        Centre on the slice in screen rows and columns.
    colour : tuple of int
        RGB of what will be painted.
    erasing : bool
        Drawn dashed.
    """

    pane_id: str
    row: float
    column: float
    radius_mm: float
    colour: tuple[int, int, int]
    erasing: bool = False
