"""The strip of slices follows strokes, marks and scrolling in a pane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.plane import Plane, SlicePlane
from medview.gui.layers.slice_strip import WIDTH_PX
from medview.gui.parts.theme_tokens import DARK
from medview.workspace.operations import segments as ops
from medview.workspace.slice_marks import set_done
from tests.gui.cases import LABELLED_KJI, PANE_PX, SEGMENT, Painted, add_segment, label_voxel, make_case, pane_of, pixels

GREEN = QColor(DARK.good).getRgb()[:3]


def rows_of(shown: npt.NDArray[np.uint8], x: int, colour: tuple[int, ...]) -> list[int]:
    """Rows of a column of pixels that have a colour."""
    return [y for y in range(PANE_PX) if tuple(int(c) for c in shown[y, x]) == colour]


@pytest.mark.parametrize("plane", Plane)
def test_a_stroke_on_another_slice_shows_in_the_strip_and_redraws_nothing_else(qtbot: QtBot, plane: Plane) -> None:
    case = make_case()
    segment = add_segment(case)
    case.view.active_segment_id = segment.segment_id
    case.view.crosshair_kji = (0, 0, 0)
    pane = pane_of(qtbot, case, plane)
    assert rows_of(pixels(pane), PANE_PX - WIDTH_PX, SEGMENT.colour) == []
    painted = Painted(pane)
    label_voxel(case, segment, LABELLED_KJI)
    QApplication.processEvents()
    if plane is not Plane.SAGITTAL:
        assert painted.area_px <= (WIDTH_PX + 1) * PANE_PX
    shown = pixels(pane)
    layout = case.slice_plane(plane)
    assert isinstance(layout, SlicePlane)
    axis = layout.normal_axis
    count, index = case.volume.geometry.shape_kji[axis], LABELLED_KJI[axis]
    place = index if layout.normal_flip else count - 1 - index
    blue = rows_of(shown, PANE_PX - WIDTH_PX, SEGMENT.colour)
    assert blue
    low, high = 2 + place * (PANE_PX - 4) / count, 2 + (place + 1) * (PANE_PX - 4) / count
    assert low - 1 <= blue[0] <= blue[-1] <= high + 1
    assert blue[-1] - blue[0] + 1 >= (high - low) - 3


def test_marks_and_hidden_segments_show_at_once(qtbot: QtBot) -> None:
    case = make_case()
    segment = add_segment(case)
    label_voxel(case, segment, LABELLED_KJI)
    pane = pane_of(qtbot, case, Plane.SAGITTAL)
    case.view.active_segment_id = segment.segment_id
    layout = case.slice_plane(Plane.SAGITTAL)
    assert isinstance(layout, SlicePlane)

    def seen() -> tuple[bool, bool]:
        shown = pixels(pane)
        labels, done = (rows_of(shown, PANE_PX - x, c) for x, c in ((WIDTH_PX, SEGMENT.colour), (1, GREEN)))
        return bool(labels), bool(done)

    assert seen() == (True, False)
    set_done(case, layout, done=True)
    assert seen() == (True, True)
    case.undo()
    assert seen() == (True, False)
    ops.set_visible(case, [segment.segment_id], visible=False)
    set_done(case, layout, done=True)
    assert seen() == (True, True), "where the active segment is, is told even while it is hidden"


def test_the_line_in_the_strip_goes_with_the_slice(qtbot: QtBot) -> None:
    case = make_case()
    label_voxel(case, add_segment(case), LABELLED_KJI)
    pane = pane_of(qtbot, case, Plane.SAGITTAL)
    seen = []
    for k in (1, 5):
        case.view.set_slice(0, k)
        shown = pixels(pane)
        bright = [y for y in range(PANE_PX) if shown[y, PANE_PX - 1].min() > 200]
        seen.append(sum(bright) / len(bright))
    assert abs(abs(seen[0] - seen[1]) - 4 * (PANE_PX - 4) / 7) < 3
