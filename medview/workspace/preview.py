"""What a tool wants drawn before it commits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.box import Box

Mask = npt.NDArray[np.bool_]


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
class ShapePreview:
    """An outline with anchors that can be pulled, before it is written.

    Attributes
    ----------
    pane_id : str
        The pane it was begun in.
    line, anchors, rubber : tuple of (row, column)
        What is drawn so far, the places that can be pulled, and the line from the last anchor to the pointer, in screen
        rows and columns.
    colour : tuple of int
        RGB of what will be written.
    held : int or None
        Number of the anchor that is held, or under the pointer.
    """

    pane_id: str
    line: tuple[tuple[float, float], ...]
    anchors: tuple[tuple[float, float], ...]
    rubber: tuple[tuple[float, float], ...]
    colour: tuple[int, int, int]
    closed: bool = False
    erasing: bool = False
    held: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RegionPreview:
    """A region that would be written, in all pictures of a case.

    Attributes
    ----------
    pane_id : str
        The pane the hand is in.
    case_key : str
        Of the case.
    box : Box or None
        Around the region, on the grid of the case; None where it is empty.
    held : callable
        Returns which voxels of a box it holds, as a mask.
    colour : tuple of int
        RGB of what will be written.
    row, column : float
        Where the hand is, in screen rows and columns.
    text : str
        What is said of it beside the hand.
    complete : bool
        It has been found to its end; else it grows while the hand rests.
    """

    pane_id: str
    case_key: str
    box: Box | None
    held: Callable[[Box], Mask]
    colour: tuple[int, int, int]
    row: float
    column: float
    text: str
    complete: bool = True


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


@dataclass(frozen=True, slots=True)
class GripPreview:
    """What a press would take hold of.

    Attributes
    ----------
    pane_id : str
        The pane the pointer is in.
    row, column : float
        The handle on the slice in screen rows and columns, or the place on a line.
    whole : bool
        All of the thing would move, not a part of it.
    """

    pane_id: str
    row: float
    column: float
    whole: bool = False


Preview = BrushPreview | OutlinePreview | ShapePreview | RegionPreview | LoupePreview | GripPreview
