"""Draw a polygon corner by corner: each click adds one; a click on the first, a double click or Enter closes it."""

from __future__ import annotations

import math
import uuid

import numpy as np
import numpy.typing as npt

from medview.core.changes import AnnotationChange, Command
from medview.core.language import _
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.oblique import PlaneLayout
from medview.workspace.measuring import GRIP_PX, held, name_of
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.preview import OutlinePreview
from medview.workspace.stage import Stage

_LEAST_CORNERS = 3
_FLAT = 1e-3
"""Rounding across a slice, in slices."""
_SAME_PX = 4.0
"""A click this near to the last corner is the second half of a double click, or a hand that trembles."""


def begin(stage: Stage, press: Pointer) -> Polygon | None:
    """Begin a polygon beside every figure that is there; one that is under the hand is pulled instead."""
    free = stage.case.editable and held(stage.case, press) is None
    return Polygon(stage, press) if free else None


class Polygon:
    """A polygon that is being drawn; nothing of the case changes before it is closed. See ``stage.Clicks``."""

    def __init__(self, stage: Stage, press: Pointer) -> None:
        self._stage = stage
        self._pane, self._plane = press.pane, press.plane.plane
        self._image = stage.case.image_of(int(press.slice_index)) if press.plane.acquired else ("", 0)
        self._corners_kji: list[npt.NDArray[np.float64]] = [self._at(press)]

    @property
    def case(self) -> OpenCase:
        """The case it is drawn on."""
        return self._stage.case

    def press(self, pointer: Pointer) -> bool:
        """Add a corner, or close on the first one; True when the polygon is done."""
        if not self._mine(pointer):
            self._stage.say(_("Finish the polygon on its own slice first, or press Escape to give it up."))
            return False
        if self._closes(pointer):
            return self.close()
        if self._apart_px(pointer, self._corners_kji[-1]) > _SAME_PX:
            self._corners_kji.append(self._at(pointer))
        return False

    def release(self, pointer: Pointer) -> bool:
        """Add the place where a drag ended as a corner, as if it had been clicked."""
        return self.press(pointer) if self._mine(pointer) else False

    def close(self) -> bool:
        """Make the polygon a measurement, one step of the history; True when it is done. A single corner is given up."""
        if len(self._corners_kji) == 1:
            return True
        if len(self._corners_kji) < _LEAST_CORNERS:
            self._stage.say(_("A polygon needs three corners; click the next one, or press Escape to give it up."))
            return False
        case = self.case
        geometry = case.volume.geometry
        points = geometry.point_lps_mm(np.stack(self._corners_kji))
        lps_mm = tuple((float(x), float(y), float(z)) for x, y, z in points)
        made = Measurement(uuid.uuid4().hex, MeasurementKind.POLYGON, lps_mm, "", *self._image)
        if not case.do(Command(name_of(made.kind), (AnnotationChange(None, made),), "measure")):
            self._stage.say(case.read_only or _("The polygon cannot be kept now; close it again in a moment."))
            return False
        case.view.active_annotation_id = made.annotation_id
        return True

    def back(self) -> bool:
        """Remove the last corner; True when none is left."""
        self._corners_kji.pop()
        return not self._corners_kji

    @property
    def count(self) -> int:
        """How many places were clicked."""
        return len(self._corners_kji)

    def rest(self) -> None:
        """Let loose what a hand holds: nothing here."""

    def preview(self, pointer: Pointer | None) -> OutlinePreview | None:
        """Return the corners as the pane lies now, and the line to the pointer."""
        layout = self.case.slice_plane(self._plane)
        if not self._lies_on(layout, self.case.position_on(layout)):
            return None
        corners = tuple(self._screen(layout, corner) for corner in self._corners_kji)
        if pointer is None or not self._mine(pointer):
            return OutlinePreview(self._pane, corners)
        return OutlinePreview(self._pane, corners, (pointer.row, pointer.column), self._closes(pointer))

    def _mine(self, pointer: Pointer) -> bool:
        return pointer.pane == self._pane and self._lies_on(pointer.plane, pointer.slice_index)

    def _lies_on(self, layout: PlaneLayout, index: float) -> bool:
        """Whether all corners lie on a slice, however it is turned on the screen."""
        across = [layout.screen(self.case.volume.geometry, corner)[0] for corner in self._corners_kji]
        return max(abs(at - index) for at in across) <= _FLAT

    def _closes(self, pointer: Pointer) -> bool:
        enough = len(self._corners_kji) >= _LEAST_CORNERS
        return enough and self._apart_px(pointer, self._corners_kji[0]) <= GRIP_PX

    def _at(self, pointer: Pointer) -> npt.NDArray[np.float64]:
        return pointer.index_kji(self.case.volume.geometry)

    def _apart_px(self, pointer: Pointer, corner_kji: npt.NDArray[np.float64]) -> float:
        row, column = self._screen(pointer.plane, corner_kji)
        row_mm, column_mm = pointer.plane.screen_spacing_mm(self.case.volume.geometry)
        return math.hypot((row - pointer.row) * row_mm, (column - pointer.column) * column_mm) / pointer.mm_per_px

    def _screen(self, layout: PlaneLayout, corner_kji: npt.NDArray[np.float64]) -> tuple[float, float]:
        _, row, column = layout.screen(self.case.volume.geometry, corner_kji)
        return row, column
