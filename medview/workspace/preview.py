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


@dataclass(frozen=True, slots=True)
class OutlinePreview:
    """An outline that is drawn click by click.

    Attributes
    ----------
    pane_id : str
        The pane it was begun in.
    corners : tuple of (row, column)
        Placed so far, on the slice in screen rows and columns.
    to : (row, column), or None
        Where the next corner would be; None while the pointer is elsewhere.
    closes : bool
        A click would close the outline.
    """

    pane_id: str
    corners: tuple[tuple[float, float], ...]
    to: tuple[float, float] | None = None
    closes: bool = False


@dataclass(frozen=True, slots=True)
class LoupePreview:
    """What is magnified.

    Attributes
    ----------
    pane_id : str
        The pane the pointer is in.
    row, column : float
        Its middle on the slice in screen rows and columns.
    """

    pane_id: str
    row: float
    column: float


Preview = BrushPreview | OutlinePreview | LoupePreview
