"""An outline drawn by clicks and drags, adjusted by its anchors, and written when it is finished. See ``stage.Clicks``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medview.core.language import _
from medview.core.oblique import PlaneLayout
from medview.core.screen_map import ScreenMap
from medview.workspace.open_case import OpenCase
from medview.workspace.outline_hits import GRIP_PX, anchor_under, apart_px, free_corners, holds, lies_on, line_under
from medview.workspace.outline_shape import Join, OutlineShape, straight
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.preview import ShapePreview
from medview.workspace.stage import Stage

FloatArray = npt.NDArray[np.float64]
Place = Callable[[Pointer], FloatArray]
"""Where an anchor belongs for a hand, as a fractional voxel index."""

_SAME_PX = 4.0
"""A click this near to the last anchor is the second half of a double click, or a hand that trembles."""
_STEP_PX = 1.5
"""Between the points of a line drawn by a free hand."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A closed outline, to be written.

    Attributes
    ----------
    corners : ndarray of float64, shape (n, 2)
        Screen rows and columns.
    at : float
        Position across the pictures of the plane.
    erase : bool
        It was begun with Ctrl.
    """

    stage: Stage
    layout: PlaneLayout
    at: float
    corners: FloatArray
    erase: bool


@dataclass(frozen=True, slots=True)
class OutlineKind:
    """What sets the tools made of outlines apart.

    Attributes
    ----------
    finish : callable
        Writes a Drawn; returns whether it could, after saying why not.
    least : int
        Anchors an outline needs.
    always_erases : bool
        It takes away whether Ctrl is held or not.
    ways : callable or None
        Makes, for the picture a press is on, what joins anchors and what says where they belong. Without it lines are
        straight, anchors are where the hand is, and a drag draws with a free hand.
    """

    finish: Callable[[Drawn], bool]
    least: int = 3
    always_erases: bool = False
    ways: Callable[[Stage, Pointer], tuple[Join, Place]] | None = None


@dataclass(slots=True, eq=False)
class _Hold:
    """What the hand does with the button down.

    Attributes
    ----------
    anchor : int or None
        Number of the one that follows the hand.
    line : int or None
        Number of one that was pressed; it bends once the hand moves.
    carried : ndarray or None
        Where the hand was last that carries the whole outline.
    free : list of ndarray
        What it has drawn freely.
    """

    anchor: int | None = None
    line: int | None = None
    carried: FloatArray | None = None
    free: list[FloatArray] = field(default_factory=list)


class OutlineClicks:
    """An outline on one picture: open at first, then closed and adjustable, then written, or dropped."""

    def __init__(self, stage: Stage, press: Pointer, kind: OutlineKind) -> None:
        self._stage, self._kind = stage, kind
        self._grid = stage.case.volume.geometry
        self._last: int | None = None
        """Number of the anchor that was touched last."""
        self._hold = _Hold()
        self._begin(press)

    @property
    def case(self) -> OpenCase:
        """The case it is drawn on."""
        return self._stage.case

    @property
    def finished(self) -> bool:
        """Whether it is closed and could be written."""
        return self.shape.closed

    def press(self, pointer: Pointer) -> bool:
        """Take hold of an anchor or a line, put an anchor, close; beside a closed outline write it and begin the next."""
        self._hold = _Hold()
        if not self._mine(pointer):
            if self.shape.closed:
                self._next(pointer)
            else:
                self._stage.say(_("Finish the outline on its own slice first, or press Escape to give it up."))
            return False
        alt = Modifiers.ALT in pointer.modifiers
        anchor, line = anchor_under(self._grid, pointer, self.shape), line_under(self._grid, pointer, self.shape)
        if anchor is not None:
            self._press_anchor(anchor, alt=alt)
        elif alt:
            self._hold.anchor = None if line is None else self.shape.insert(line, self._place(pointer))
        elif not self.shape.closed:
            if apart_px(self._grid, pointer, self.shape.anchors_kji[-1]) > _SAME_PX:
                self.shape.add(self._place(pointer))
                self._hold.anchor = None if self._free_hand else self.shape.count - 1
        elif line is not None:
            self._hold.line = line
        elif holds(self._grid, pointer, self.shape):
            self._hold.carried = self._at(pointer)
        else:
            self._next(pointer)
        return False

    def move(self, pointer: Pointer) -> None:
        """Move what is held, or draw with a free hand."""
        if not self._mine(pointer):
            return
        if self._hold.line is not None:
            self._hold = _Hold(self.shape.insert(self._hold.line, self._place(pointer)))
        if self._hold.anchor is not None:
            self.shape.move(self._hold.anchor, self._place(pointer))
            self._last = self._hold.anchor
        elif self._hold.carried is not None:
            at = self._at(pointer)
            self.shape.shift(at - self._hold.carried)
            self._hold.carried = at
        elif self._free_hand and not self.shape.closed:
            before = self._hold.free[-1] if self._hold.free else self.shape.anchors_kji[-1]
            if apart_px(self._grid, pointer, before) >= _STEP_PX:
                self._hold.free.append(self._at(pointer))

    def release(self, pointer: Pointer) -> bool:
        """Let go; a free line that was the whole outline, or came back to its beginning, is closed by it."""
        free, self._hold = self._hold.free, _Hold()
        if not free or not self._mine(pointer):
            return False
        alone = self.shape.count == 1
        corners = free_corners(self._grid, pointer, [self.shape.anchors_kji[-1], *free])
        if corners is not None:
            self.shape.add(*corners)
            if self.shape.count >= self._kind.least and (alone or self._at_first(pointer)):
                self.shape.close()
        elif apart_px(self._grid, pointer, self.shape.anchors_kji[-1]) > _SAME_PX:
            self.shape.add(self._at(pointer))
        return False

    def close(self) -> bool:
        """Close an open outline; write a closed one, True when that is done. A single anchor is given up."""
        if self.shape.closed:
            return self._finish()
        if self.shape.count == 1:
            return True
        if self.shape.count < self._kind.least:
            self._stage.say(_("An outline needs three points; click the next one, or press Escape to give it up."))
            return False
        self.shape.close()
        return False

    def double_click(self, pointer: Pointer) -> bool:
        """Close an open outline; put an anchor on a line of a closed one, or write it where there is no line."""
        self._hold = _Hold()
        if not self.shape.closed:
            return self.close()
        if not self._mine(pointer) or anchor_under(self._grid, pointer, self.shape) is not None:
            return False
        line = line_under(self._grid, pointer, self.shape)
        if line is None:
            return self._finish()
        self._last = self.shape.insert(line, self._place(pointer))
        return False

    def back(self) -> bool:
        """Open a closed outline, or remove the last anchor; True when none is left."""
        self._hold = _Hold()
        self._last = None
        if not self.shape.closed and self.shape.count == 1:
            return True
        self.shape.back()
        return False

    @property
    def count(self) -> int:
        """How many anchors there are."""
        return self.shape.count

    def rest(self) -> None:
        """Let loose what a hand holds that is no longer there."""
        self._hold = _Hold()

    def remove(self, pointer: Pointer | None) -> None:
        """Remove the anchor under the pointer, or else the one that was moved or put last."""
        self._hold = _Hold()
        mine = pointer is not None and self._mine(pointer)
        under = anchor_under(self._grid, pointer, self.shape) if pointer is not None and mine else None
        self._remove(under if under is not None else self._last)

    def let_go(self) -> None:
        """Write a closed outline before another tool or case is taken; say that an open one is given up."""
        if self.shape.closed:
            self._finish()
        elif self.shape.count > 1:
            self._stage.say(_("The outline was still open, so it was given up."))

    def preview(self, pointer: Pointer | None) -> ShapePreview | None:
        """Return the outline as the pane lies now; None on another slice than its own."""
        case, shape = self.case, self.shape
        layout = case.slice_plane(self._layout.plane)
        if not lies_on(self._grid, shape, layout, case.position_on(layout)):
            return None
        mine = pointer if pointer is not None and self._mine(pointer) else None
        segment, seen = case.active_segment, ScreenMap.of(layout, self._grid)
        under = anchor_under(self._grid, mine, shape) if mine is not None else None
        points = shape.points_kji()
        return ShapePreview(
            self._pane,
            _pairs(seen, np.concatenate([points, self._hold.free]) if self._hold.free else points),
            _pairs(seen, np.stack(shape.anchors_kji)),
            _pairs(seen, self._rubber(mine)),
            segment.colour if segment is not None else case.labels.segmentation.free_colour(),
            closed=shape.closed,
            erasing=self._erase,
            held=self._hold.anchor if self._hold.anchor is not None else under,
        )

    def _begin(self, press: Pointer) -> None:
        self._pane, self._layout, self._slice = press.pane, press.plane, press.slice_index
        self._erase = self._kind.always_erases or Modifiers.CTRL in press.modifiers
        join: Join = straight
        self._place: Place = self._at
        if self._kind.ways is not None:
            join, self._place = self._kind.ways(self._stage, press)
        self.shape = OutlineShape(self._place(press), join)
        self._hold, self._last = _Hold(None if self._free_hand else 0), None

    def _press_anchor(self, anchor: int, *, alt: bool) -> None:
        if alt:
            self._remove(anchor)
        elif anchor == 0 and not self.shape.closed and self.shape.count >= self._kind.least:
            self.shape.close()
        elif self.shape.closed or not self._free_hand or anchor < self.shape.count - 1:
            # From the last anchor of an open one a free hand goes on.
            self._hold.anchor = self._last = anchor

    def _next(self, pointer: Pointer) -> None:
        if self._finish():
            self._begin(pointer)

    def _finish(self) -> bool:
        corners = ScreenMap.of(self._layout, self._grid).screen(self.shape.points_kji())[:, 1:]
        return self._kind.finish(Drawn(self._stage, self._layout, self._slice, corners, self._erase))

    def _remove(self, anchor: int | None) -> None:
        if anchor is not None and anchor < self.shape.count > (self._kind.least if self.shape.closed else 1):
            self.shape.remove(anchor)
            self._last = None

    def _rubber(self, pointer: Pointer | None) -> FloatArray:
        """Return the line to where the next anchor would be."""
        if pointer is None or self.shape.closed or self._hold.anchor is not None or self._hold.free:
            return np.empty((0, 3))
        last = self.shape.anchors_kji[-1]
        closes = self.shape.count >= self._kind.least and self._at_first(pointer)
        to = self.shape.anchors_kji[0] if closes else self._place(pointer)
        return np.concatenate([last[None], self.shape.join(last, to), to[None]])

    @property
    def _free_hand(self) -> bool:
        return self._kind.ways is None

    def _at_first(self, pointer: Pointer) -> bool:
        return apart_px(self._grid, pointer, self.shape.anchors_kji[0]) <= GRIP_PX

    def _mine(self, pointer: Pointer) -> bool:
        return pointer.pane == self._pane and lies_on(self._grid, self.shape, pointer.plane, pointer.slice_index)

    def _at(self, pointer: Pointer) -> FloatArray:
        return pointer.index_kji(self._grid)


def _pairs(seen: ScreenMap, points_kji: FloatArray) -> tuple[tuple[float, float], ...]:
    return tuple((row, column) for _across, row, column in seen.screen(points_kji).tolist()) if len(points_kji) else ()
