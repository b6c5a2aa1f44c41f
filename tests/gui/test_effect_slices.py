"""Filled slices are stepped through and accepted from the side column and by key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.changes import Command
from medview.edit.rules import LabelWriter
from medview.gui.main_window import MainWindow
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.windows import bare_workspace

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def case() -> OpenCase:
    return make_case()


@pytest.fixture
def workspace(tmp_path: Path, case: OpenCase) -> Workspace:
    made = bare_workspace(tmp_path)
    made.add_case(case)
    made.bench.mode = Mode.ANNOTATE
    return made


def drawn(case: OpenCase, *boxes: Box) -> None:
    """Draw boxes in a new segment."""
    segment = labels.add_segment(case, "Liver")
    assert segment is not None
    for box in boxes:
        writer = LabelWriter(case.labels.segmentation, box)
        writer.add(segment, np.ones(box.shape_kji, dtype=bool))
        case.do(Command("Brush", tuple(writer.changes())))


def filled(case: OpenCase) -> list[int]:
    mask = case.labels.segmentation.mask(case.labels.segmentation.segments[0])
    return [int(n) for n in np.flatnonzero(mask.any(axis=(1, 2)))]


def press(qtbot: QtBot, window: MainWindow, name: str) -> None:
    button = window.side.effects.slices.findChild(QPushButton, f"button effect.{name}")
    assert isinstance(button, QPushButton)
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_buttons_step_and_apply(qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase) -> None:
    drawn(case, Box((1, 5, 5), (2, 18, 12)), Box((5, 6, 5), (6, 18, 12)))
    slices = window.side.effects.slices
    workspace.effects.open("threshold")
    workspace.effects.preview()
    assert not slices.isVisibleTo(window.side.effects)
    workspace.effects.open("between_slices")
    workspace.effects.preview()
    assert slices.isVisibleTo(window.side.effects)
    assert "Ctrl+Shift+Return" in slices.buttons["apply_slice"].toolTip()
    case.view.set_slice(0, 1)
    press(qtbot, window, "next_slice")
    press(qtbot, window, "next_slice")
    assert case.view.crosshair_kji[0] == 3
    press(qtbot, window, "apply_slice")
    assert filled(case) == [1, 3, 5]
    assert case.history.names[-1] == "Fill between slices: slice 4"
    press(qtbot, window, "previous_slice")
    assert case.view.crosshair_kji[0] == 2


def test_keys_do_the_same(qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase) -> None:
    drawn(case, Box((1, 5, 5), (2, 18, 12)), Box((5, 6, 5), (6, 18, 12)))
    workspace.effects.open("between_slices")
    workspace.effects.preview()
    case.view.set_slice(0, 1)
    ready = window.actions_table["effect.next_slice"].isEnabled
    qtbot.waitUntil(ready)
    qtbot.keyClick(window, Qt.Key.Key_PageUp, ALT)
    assert case.view.crosshair_kji[0] == 2
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL | SHIFT)
    assert filled(case) == [1, 2, 5]
    qtbot.waitUntil(ready)
    qtbot.keyClick(window, Qt.Key.Key_PageUp, ALT)
    qtbot.keyClick(window, Qt.Key.Key_PageUp, ALT)
    qtbot.keyClick(window, Qt.Key.Key_PageDown, ALT)
    assert case.view.crosshair_kji[0] == 3
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)
    assert filled(case) == [1, 2, 3, 4, 5]
    assert workspace.bench.effect.effect_id == ""
