"""Scissors on the picture in three dimensions, with a mouse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.changes import Command
from medview.core.label_patch import LabelPatch
from medview.gui.panes.volume_view import VolumeView
from medview.workspace.open_case import OpenCase
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import add_segment, make_workspace
from tests.gui.panes.test_volume_view import ball_case, view_of, wait_fine

LEFT, NO_KEY, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def case() -> OpenCase:
    """A ball, and a segment that holds everything."""
    made = ball_case()
    segment = add_segment(made)
    layer = made.labels.segmentation.layer(0)
    full = layer.voxels.copy()
    full[:] = segment.value
    patch = LabelPatch.between(layer, Box.whole(full.shape), full)
    assert patch is not None
    assert made.do(Command("Fill", (patch,)))
    made.view.active_segment_id = segment.segment_id
    return made


@pytest.fixture
def workspace(case: OpenCase) -> Workspace:
    return make_workspace(case)[0]


@pytest.fixture
def view(qtbot: QtBot, workspace: Workspace) -> Iterator[VolumeView]:
    made = view_of(qtbot, workspace)
    yield made
    made.shut()


def drag(view: VolumeView, *places: tuple[int, int], held: Qt.KeyboardModifier = NO_KEY, let_go: bool = True) -> None:
    canvas = view.canvas
    QTest.mousePress(canvas, LEFT, held, QPoint(*places[0]))
    for x, y in places[1:]:
        QTest.mouseMove(canvas, QPoint(x, y))
    if let_go:
        QTest.mouseRelease(canvas, LEFT, held, QPoint(*places[-1]))


def test_a_line_around_the_middle_cuts_a_hole_escape_drops_one_and_shift_turns(
    qtbot: QtBot, view: VolumeView, workspace: Workspace, case: OpenCase
) -> None:
    wait_fine(qtbot, view)
    whole = case.labels.segmentation.count(case.labels.segmentation.segments[0])
    middle = view.canvas.rect().center()
    ring = [(middle.x() + a, middle.y() + b) for a, b in ((-40, -40), (40, -40), (40, 40), (-40, 40))]

    def left() -> int:
        return case.labels.segmentation.count(case.labels.segmentation.segments[0])

    before = workspace.scene.orbit
    drag(view, *ring)
    assert workspace.scene.orbit != before
    assert left() == whole
    workspace.scene.orbit = before
    set_tool(workspace, Tool.SCISSORS)
    wait_fine(qtbot, view)
    drag(view, *ring, let_go=False)
    QTest.keyClick(view.canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(view.canvas, LEFT, NO_KEY, QPoint(*ring[-1]))
    assert left() == whole
    drag(view, *ring, held=SHIFT)
    assert workspace.scene.orbit != before
    assert left() == whole
    workspace.scene.orbit = before
    wait_fine(qtbot, view)
    drag(view, *ring)
    assert workspace.scene.orbit == before
    assert 0 < left() < whole
    command = case.history.next_undo()
    assert command is not None
    assert command.name == "Cut Liver"
