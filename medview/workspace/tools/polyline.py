"""Draw a line point by point, through slices and planes: Enter or a double click ends it, its first point closes it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from medview.core.changes import AnnotationChange, Command
from medview.core.language import _
from medview.core.trace import TraceKind
from medview.workspace.drawn import TOOL, title
from medview.workspace.handles import GRIP_PX
from medview.workspace.new_drawn import new_trace
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.preview import OutlinePreview
from medview.workspace.pulling import grip, pull, refused
from medview.workspace.stage import Drag, Stage

_SAME_PX = 4.0
"""A click this near to the last point is the second half of a double click, or a hand that trembles."""


def begin(stage: Stage, press: Pointer) -> Polyline | None:
    """Begin a line beside everything that is there; what is under the hand is pulled instead."""
    free = stage.case.editable and stage.bench.overlay_visible and grip(stage, press) is None
    inside = press.voxel_kji(stage.case.volume.geometry) is not None
    return Polyline(stage, press) if free and inside else None


def drag(stage: Stage, press: Pointer) -> Drag:
    """Pull at what is under the hand."""
    if refused(stage):
        return
    held = grip(stage, press)
    if held is not None:
        yield from pull(stage, press, *held)


class Polyline:
    """A line that is being drawn; nothing of the case changes before it is ended. See ``stage.Clicks``."""

    def __init__(self, stage: Stage, press: Pointer) -> None:
        self._stage = stage
        self._pane, self._plane = press.pane, press.plane.plane
        self._points_kji: list[npt.NDArray[np.float64]] = [self._at(press)]

    @property
    def case(self) -> OpenCase:
        """The case it is drawn on."""
        return self._stage.case

    def press(self, pointer: Pointer) -> bool:
        """Add a point, on whatever slice and plane, or close on the first one; True when the line is done."""
        self._pane, self._plane = pointer.pane, pointer.plane.plane
        if self._closes(pointer):
            return self._end(TraceKind.CLOSED)
        if pointer.voxel_kji(self.case.volume.geometry) is None:
            self._stage.say(_("This place lies outside the volume; click inside it."))
        elif self._apart_px(pointer, -1) > _SAME_PX:
            self._points_kji.append(self._at(pointer))
        return False

    def release(self, pointer: Pointer) -> bool:
        """Add the place where a drag ended as a point, as if it had been clicked."""
        return self.press(pointer)

    def close(self) -> bool:
        """End the line, one step of the history; True when it is done. A single point is given up."""
        return True if len(self._points_kji) == 1 else self._end(TraceKind.OPEN)

    def back(self) -> bool:
        """Remove the last point; True when none is left."""
        self._points_kji.pop()
        return not self._points_kji

    @property
    def count(self) -> int:
        """How many places were clicked."""
        return len(self._points_kji)

    def rest(self) -> None:
        """Let loose what a hand holds: nothing here."""

    def preview(self, pointer: Pointer | None) -> OutlinePreview | None:
        """Return the points as the pane that was clicked last sees them, and the line to the pointer."""
        layout = self.case.slice_plane(self._plane)
        geometry = self.case.volume.geometry
        places = tuple(layout.screen(geometry, point)[1:] for point in self._points_kji)
        if pointer is None or pointer.pane != self._pane:
            return OutlinePreview(self._pane, places)
        return OutlinePreview(self._pane, places, (pointer.row, pointer.column), self._closes(pointer))

    def _end(self, kind: TraceKind) -> bool:
        case = self.case
        made = new_trace(self._stage.bench, case, kind, np.stack(self._points_kji))
        if not case.do(Command(f"Draw {title(made)}", (AnnotationChange(None, made),), TOOL)):
            self._stage.say(case.read_only or _("The line cannot be kept now; end it again in a moment."))
            return False
        case.view.active_annotation_id = made.annotation_id
        return True

    def _closes(self, pointer: Pointer) -> bool:
        return len(self._points_kji) >= TraceKind.CLOSED.least and self._apart_px(pointer, 0) <= GRIP_PX

    def _at(self, pointer: Pointer) -> npt.NDArray[np.float64]:
        return pointer.index_kji(self.case.volume.geometry)

    def _apart_px(self, pointer: Pointer, number: int) -> float:
        """Return how far a point is from the pointer; infinitely, when it lies on another slice."""
        geometry = self.case.volume.geometry
        across, row, column = pointer.plane.screen(geometry, self._points_kji[number])
        if abs(across - pointer.slice_index) > 0.5:
            return math.inf
        row_mm, column_mm = pointer.plane.screen_spacing_mm(geometry)
        return math.hypot((row - pointer.row) * row_mm, (column - pointer.column) * column_mm) / pointer.mm_per_px
