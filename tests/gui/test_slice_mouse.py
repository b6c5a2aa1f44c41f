"""What the mouse does on a pane, and what the pane shows of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QCursor, QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from medview.core.plane import Plane
from medview.gui.panes.pointed_at import PointedAt
from medview.gui.panes.slice_view import SliceView
from medview.workspace.actions import action
from medview.workspace.events import LabelsChanged
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.preview import BrushPreview
from medview.workspace.scheme import scheme_names, shipped
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Mode, Tool
from tests.gui.cases import (
    BRIGHT_KJI,
    PANE_PX,
    SEGMENT,
    SHAPE_KJI,
    Painted,
    add_segment,
    at,
    label_voxel,
    make_case,
    make_pane,
    make_workspace,
    pane_of,
    pixels,
    sagittal_geometry,
    screen_position,
)


def test_a_click_puts_the_crosshair_into_the_clicked_voxel(qtbot: QtBot) -> None:
    case = make_case()
    pane = pane_of(qtbot, case, Plane.CORONAL)
    x, y, *_ = screen_position(Plane.CORONAL, (5, 31, 17))
    qtbot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(int(x), int(y)))
    assert case.view.crosshair_kji == (5, 31, 17)


def test_the_wheel_turns_slices_in_whole_notches(qtbot: QtBot) -> None:
    case = make_case()
    pane = pane_of(qtbot, case, Plane.SAGITTAL)
    start = case.view.crosshair_kji[0]
    for eighths in (40, 40, 40):
        turn(pane, eighths)
    first = case.view.crosshair_kji[0]
    assert abs(first - start) == 1
    turn(pane, -120)
    assert case.view.crosshair_kji[0] == start


def turn(pane: SliceView, eighths: int, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    middle = QPointF(PANE_PX / 2, PANE_PX / 2)
    nothing = Qt.MouseButton.NoButton
    event = QWheelEvent(
        middle,
        QPointF(pane.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, eighths),
        nothing,
        held,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(pane, event)


def test_middle_drag_pans_by_what_the_hand_moved(qtbot: QtBot) -> None:
    case = make_case()
    pane = pane_of(qtbot, case, Plane.SAGITTAL)
    pane.grab()
    before = pane.picture_rect
    qtbot.mousePress(pane, Qt.MouseButton.MiddleButton, pos=QPoint(200, 200))
    drag(pane, QPoint(230, 190), Qt.MouseButton.MiddleButton)
    qtbot.mouseRelease(pane, Qt.MouseButton.MiddleButton, pos=QPoint(230, 190))
    pane.grab()
    moved = pane.picture_rect.topLeft() - before.topLeft()
    assert moved.x() == pytest.approx(30, abs=1)
    assert moved.y() == pytest.approx(-10, abs=1)


def drag(pane: SliceView, to: QPoint, button: Qt.MouseButton) -> None:
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(to),
        QPointF(pane.mapToGlobal(to)),
        Qt.MouseButton.NoButton,
        button,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(pane, event)


def test_the_pane_tells_what_lies_under_the_pointer(qtbot: QtBot) -> None:
    case = make_case()
    label_voxel(case, add_segment(case), BRIGHT_KJI)
    pane = pane_of(qtbot, case, Plane.AXIAL)
    x, y, *_ = screen_position(Plane.AXIAL, BRIGHT_KJI)
    with qtbot.waitSignal(pane.pointed_at) as said:
        drag(pane, QPoint(int(x), int(y)), Qt.MouseButton.NoButton)
    told = said.args[0]
    assert isinstance(told, PointedAt)
    assert told.voxel_kji == BRIGHT_KJI
    assert (told.value, told.unit, told.segments) == ((1000.0,), "HU", ("Liver",))
    assert told.point_lps_mm is not None
    expected = sagittal_geometry().point_lps_mm(BRIGHT_KJI)
    assert np.linalg.norm(np.asarray(told.point_lps_mm) - expected) < 0.2
    with qtbot.waitSignal(pane.pointed_at) as said:
        drag(pane, QPoint(1, PANE_PX // 2), Qt.MouseButton.NoButton)
    assert said.args[0] is None


def test_what_lies_under_a_resting_pointer_is_told_again_when_it_changes(qtbot: QtBot) -> None:
    case = make_case()
    segment = add_segment(case)
    pane = pane_of(qtbot, case, Plane.AXIAL)
    x, y, *_ = screen_position(Plane.AXIAL, BRIGHT_KJI)
    drag(pane, QPoint(int(x), int(y)), Qt.MouseButton.NoButton)
    with qtbot.waitSignal(pane.pointed_at) as said:
        label_voxel(case, segment, BRIGHT_KJI)
    assert said.args[0].segments == ("Liver",)
    with qtbot.waitSignal(pane.pointed_at) as said:
        case.view.set_slice(1, BRIGHT_KJI[1] + 1)
    assert said.args[0].value == (-1000.0,)


def test_the_brush_circle_has_the_radius_in_millimetres_and_draws_only_around_itself(qtbot: QtBot) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    add_segment(case)
    case.view.active_segment_id = SEGMENT.segment_id
    workspace, hands = make_workspace(case)
    workspace.bench.mode, workspace.bench.tool, workspace.bench.brush_radius_mm = Mode.ANNOTATE, Tool.BRUSH, 3.0
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    drag(pane, QPoint(199, 159), Qt.MouseButton.NoButton)
    painted = Painted(pane)
    drag(pane, QPoint(200, 160), Qt.MouseButton.NoButton)
    qtbot.waitUntil(lambda: not painted.region.isEmpty())
    radius_px = 3.0 / (max(SHAPE_KJI[1] * 0.7, SHAPE_KJI[2] * 1.3) / PANE_PX)
    # Where the circle was and where it is.
    assert 0 < painted.area_px < 2 * (2 * radius_px + 10) ** 2
    shown = pixels(pane).astype(int)
    on_circle = shown[160, int(200 + radius_px) - 2 : int(200 + radius_px) + 3]
    assert np.abs(on_circle - SEGMENT.colour).max(axis=1).min() < 80


def test_the_brush_circle_grows_with_the_zoom_under_a_resting_pointer(qtbot: QtBot) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    add_segment(case)
    case.view.active_segment_id = SEGMENT.segment_id
    workspace, hands = make_workspace(case)
    workspace.bench.mode, workspace.bench.tool, workspace.bench.brush_radius_mm = Mode.ANNOTATE, Tool.BRUSH, 3.0
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    drag(pane, QPoint(240, 240), Qt.MouseButton.NoButton)
    turn(pane, 120, Qt.KeyboardModifier.ControlModifier)
    assert case.view.cameras[Plane.SAGITTAL].zoom > 1
    radius_px = 3.0 / (max(SHAPE_KJI[1] * 0.7, SHAPE_KJI[2] * 1.3) / PANE_PX) * case.view.cameras[Plane.SAGITTAL].zoom
    # Beside the letters and lines in the middle.
    x, y = 240 + radius_px * np.cos(0.6), 240 + radius_px * np.sin(0.6)
    around = pixels(pane).astype(int)[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3]
    assert np.abs(around - SEGMENT.colour).max(axis=2).min() < 80


def test_painting_shows_at_once_what_was_painted(qtbot: QtBot) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    add_segment(case)
    case.view.active_segment_id = SEGMENT.segment_id
    workspace, hands = make_workspace(case)
    workspace.bench.mode, workspace.bench.tool, workspace.bench.brush_radius_mm = Mode.ANNOTATE, Tool.BRUSH, 3.0
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    qtbot.mousePress(pane, Qt.MouseButton.LeftButton, pos=QPoint(200, 160))
    drag(pane, QPoint(240, 200), Qt.MouseButton.LeftButton)
    during = pixels(pane)
    assert at(during, 220, 180) != (0, 0, 0)
    qtbot.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=QPoint(240, 200))
    assert len(case.history.names) == 1
    case.undo()
    assert at(pixels(pane), 220, 180) == (0, 0, 0)


class Frames(QObject):
    """Counts how often a widget was drawn."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += isinstance(event, QPaintEvent)
        return False


@pytest.mark.parametrize("plane", list(Plane))
def test_fifty_moves_before_a_frame_are_one_patch_and_one_repaint_around_it(qtbot: QtBot, plane: Plane) -> None:
    way = [QPoint(150 + 3 * n, 190 + round(25 * np.sin(n / 8))) for n in range(51)]

    def painting() -> tuple[OpenCase, Hands, SliceView, list[LabelsChanged]]:
        case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
        add_segment(case)
        case.view.active_segment_id = SEGMENT.segment_id
        case.labels.segmentation.layer(0)
        workspace, hands = make_workspace(case)
        workspace.bench.mode, workspace.bench.tool, workspace.bench.brush_radius_mm = Mode.ANNOTATE, Tool.BRUSH, 3.0
        pane = make_pane(qtbot, workspace, hands, plane)
        told: list[LabelsChanged] = []
        workspace.labels_changed.connect(told.append)
        qtbot.mousePress(pane, Qt.MouseButton.LeftButton, pos=way[0])
        return case, hands, pane, told

    case, _, pane, told = painting()
    painted, frames = Painted(pane), Frames(pane)
    told.clear()
    for at_px in way[1:]:
        drag(pane, at_px, Qt.MouseButton.LeftButton)
    assert told == []
    qtbot.waitUntil(lambda: frames.count > 0)
    painted_px = painted.area_px
    for _ in range(5):
        QApplication.processEvents()
    assert (len(told), len(told[0].changes), frames.count) == (1, 1, 1)
    radius_px = 3.0 / (max(n * mm for n, mm in _sides(plane)) / PANE_PX)
    assert painted_px < (150 + 2 * radius_px + 30) * (50 + 2 * radius_px + 30)
    qtbot.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=way[-1])
    # The same as a hand whose every move was drawn.
    slow, hands, slow_pane, slow_told = painting()
    for at_px in way[1:]:
        drag(slow_pane, at_px, Qt.MouseButton.LeftButton)
        hands.frame()
    assert len(slow_told) > 3
    qtbot.mouseRelease(slow_pane, Qt.MouseButton.LeftButton, pos=way[-1])
    fast_voxels, slow_voxels = (c.labels.segmentation.layer(0).voxels for c in (case, slow))
    assert np.count_nonzero(fast_voxels) > 15
    assert np.count_nonzero(fast_voxels != slow_voxels) <= 0.02 * np.count_nonzero(slow_voxels)


def _sides(plane: Plane) -> list[tuple[int, float]]:
    """Return (voxels, mm) of the sides of a picture of ``sagittal_geometry``."""
    axes = {Plane.AXIAL: (0, 2), Plane.CORONAL: (0, 1), Plane.SAGITTAL: (2, 1)}[plane]
    return [(SHAPE_KJI[axis], (4.0, 0.7, 1.3)[axis]) for axis in axes]


def test_a_release_or_escape_right_after_a_move_loses_nothing_and_keeps_nothing(qtbot: QtBot) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    workspace, hands = make_workspace(case)
    workspace.bench.mode, workspace.bench.tool, workspace.bench.brush_radius_mm = Mode.ANNOTATE, Tool.BRUSH, 3.0
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    qtbot.mousePress(pane, Qt.MouseButton.LeftButton, pos=QPoint(200, 160))
    drag(pane, QPoint(300, 260), Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=QPoint(300, 260))
    assert at(pixels(pane), 300, 260) != (0, 0, 0)
    case.undo()
    qtbot.mousePress(pane, Qt.MouseButton.LeftButton, pos=QPoint(200, 160))
    drag(pane, QPoint(300, 260), Qt.MouseButton.LeftButton)
    qtbot.keyClick(pane, Qt.Key.Key_Escape)
    hands.frame()
    qtbot.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=QPoint(300, 260))
    assert not any(layer.voxels.any() for layer in case.labels.segmentation.layers.values())


def test_ctrl_and_the_keys_for_the_size_show_under_a_hand_that_rests(qtbot: QtBot) -> None:
    case = make_case()
    workspace, hands = make_workspace(case)
    workspace.bench.mode, workspace.bench.tool, workspace.bench.brush_radius_mm = Mode.ANNOTATE, Tool.BRUSH, 3.0
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    drag(pane, QPoint(240, 240), Qt.MouseButton.NoButton)
    shown = hands.preview
    assert isinstance(shown, BrushPreview)
    assert not shown.erasing
    qtbot.keyPress(pane, Qt.Key.Key_Control)
    assert hands.preview == replace(shown, erasing=True)
    qtbot.keyRelease(pane, Qt.Key.Key_Control, Qt.KeyboardModifier.ControlModifier)
    assert hands.preview == shown
    action("brush.larger").run(workspace)
    assert hands.preview == replace(shown, radius_mm=workspace.bench.brush_radius_mm)
    labels.add_segment(case, "Liver")
    spleen = labels.add_segment(case, "Spleen")
    assert spleen is not None
    assert isinstance(hands.preview, BrushPreview)
    assert hands.preview.colour == spleen.colour
    action("segment.next").run(workspace)
    assert hands.preview.colour == case.labels.segmentation.segments[0].colour
    action("tool.window").run(workspace)
    assert hands.preview is None


@pytest.mark.parametrize("scheme", list(scheme_names()))
def test_ctrl_erases_and_the_right_button_never_draws_in_any_scheme(qtbot: QtBot, scheme: str) -> None:
    case = make_case(voxels=np.full(SHAPE_KJI, -1000, np.int16))
    workspace, hands = make_workspace(case)
    hands.scheme.use(shipped(scheme))
    workspace.bench.mode, workspace.bench.tool, workspace.bench.brush_radius_mm = Mode.ANNOTATE, Tool.BRUSH, 4.0
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    at_px, left = QPoint(200, 160), Qt.MouseButton.LeftButton
    qtbot.mouseClick(pane, left, pos=at_px)
    assert case.labels.segmentation.layer(0).voxels.any()
    qtbot.mouseClick(pane, left, Qt.KeyboardModifier.ControlModifier, at_px)
    assert not case.labels.segmentation.layer(0).voxels.any()
    assert workspace.bench.tool is Tool.BRUSH
    entries, window = case.history.names, case.view.window
    qtbot.mousePress(pane, Qt.MouseButton.RightButton, pos=at_px)
    drag(pane, at_px + QPoint(60, 30), Qt.MouseButton.RightButton)
    qtbot.mouseRelease(pane, Qt.MouseButton.RightButton, pos=at_px + QPoint(60, 30))
    assert case.history.names == entries
    zooms = {"itksnap", "ohif", "slicer"}
    assert (case.view.window != window) == (scheme not in zooms)


def _ring_px(pane: SliceView, hands: Hands) -> tuple[float, float]:
    preview, viewport = hands.preview, pane._picture.viewport
    assert isinstance(preview, BrushPreview)
    assert viewport is not None
    place = viewport.point_px(preview.row, preview.column)
    return place.x(), place.y()


def test_the_ring_of_the_brush_stays_under_a_pointer_that_rests_while_the_pane_or_the_picture_changes(
    qtbot: QtBot,
) -> None:
    case = make_case()
    workspace, hands = make_workspace(case)
    workspace.bench.mode = Mode.ANNOTATE
    set_tool(workspace, Tool.BRUSH)
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    QCursor.setPos(pane.mapToGlobal(QPoint(150, 200)))
    QTest.mouseMove(pane, QPoint(150, 200))
    pixels(pane)
    assert _ring_px(pane, hands) == pytest.approx((150, 200), abs=1)
    pane.resize(PANE_PX + 160, PANE_PX + 90)
    qtbot.waitUntil(lambda: pixels(pane) is not None and _ring_px(pane, hands) == pytest.approx((150, 200), abs=1))
    before = hands.preview
    case.view.set_camera(Plane.SAGITTAL, case.view.cameras[Plane.SAGITTAL].zoomed(1.3))
    qtbot.waitUntil(lambda: hands.preview != before)
    pixels(pane)
    assert _ring_px(pane, hands) == pytest.approx((150, 200), abs=1)
    # Where the pane went away from under the pointer, no ring is left.
    pane.resize(160, 160)
    qtbot.waitUntil(lambda: hands.preview is None)
