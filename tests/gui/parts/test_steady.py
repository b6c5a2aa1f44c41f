"""Scrolling through the side column changes nothing on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QDoubleSpinBox, QScrollBar, QSlider, QWidget
from pytestqt.qtbot import QtBot

from medview.edit.effects.table import EFFECTS
from medview.gui.main_window import MainWindow
from medview.gui.parts.steady import SteadySpinBox
from medview.workspace.operations import labels
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.windows import bare_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = bare_workspace(tmp_path)
    case = make_case()
    made.add_case(case)
    for name in ("Liver", "Spleen"):
        labels.add_segment(case, name)
    return made


def turn_wheel(widget: QWidget) -> None:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        widget.mapToGlobal(middle),
        QPoint(0, 0),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def value(widget: QWidget) -> object:
    if isinstance(widget, QComboBox):
        return widget.currentIndex()
    assert isinstance(widget, QSlider | QDoubleSpinBox)
    return widget.value()


def test_the_wheel_passes_every_control_of_the_side_column(window: MainWindow, workspace: Workspace) -> None:
    case = workspace.active
    assert case is not None
    before = case.history.names
    seen = set()
    for mode in (Mode.READ, Mode.ANNOTATE):
        workspace.bench.mode = mode
        for tool, effect in zip(Tool, [*EFFECTS, *[None] * len(Tool)], strict=False):
            workspace.bench.tool = tool
            if mode is Mode.ANNOTATE and effect is not None:
                workspace.effects.open(effect.effect_id)
            for kind in (QSlider, QComboBox, QAbstractSpinBox):
                for control in window.side.findChildren(kind):
                    if isinstance(control, QScrollBar) or not control.isVisible():
                        continue
                    seen.add(kind)
                    control.clearFocus()
                    was = value(control)
                    turn_wheel(control)
                    assert value(control) == was, (control.objectName(), control.toolTip())
                    assert control.focusPolicy() is not Qt.FocusPolicy.WheelFocus
    assert seen == {QSlider, QComboBox, QAbstractSpinBox}
    assert case.history.names == before


def test_a_number_that_is_being_edited_follows_the_wheel(qtbot: QtBot) -> None:
    box = SteadySpinBox()
    qtbot.addWidget(box)
    box.show()
    box.setValue(5.0)
    qtbot.waitExposed(box)
    box.activateWindow()
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    turn_wheel(box)
    assert box.value() == 4.0
