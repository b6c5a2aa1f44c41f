"""Every control says what it does, and with which key it is done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QMenuBar,
    QScrollBar,
    QSlider,
    QTabBar,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from medview.core.study import DamagedFile
from medview.gui.dialogs.about import AboutDialog
from medview.gui.dialogs.damaged import DamagedDialog
from medview.gui.dialogs.notice import NoticeDialog
from medview.gui.dialogs.tags import TagsDialog
from medview.gui.main_window import MainWindow
from medview.io.dicom.tag_list import TagList, TagRow
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace
from tests.gui.cases import SERIES, add_segment, make_case

CONTROLS = (QAbstractButton, QComboBox, QSlider, QAbstractSpinBox, QLineEdit)
DIALOGS = ("view.corners", "hanging.rules", "queue.rules", "help.keys", "settings.keys", "help.find")
SAYS_ITSELF = ("Close", "OK", "Cancel")


@pytest.fixture
def reading(window: MainWindow, workspace: Workspace) -> MainWindow:
    """The window with two series open, a segment and a key image, so that every part has something to offer."""
    other, case = make_case(series=replace(SERIES, series_uid="1.2.3.5")), make_case()
    add_segment(case)
    workspace.add_case(other)
    workspace.add_case(case)
    window.actions_table.run("keyimage.toggle")
    QApplication.processEvents()
    return window


def controls(window: QWidget) -> list[QWidget]:
    """Return what can be operated, without what Qt puts inside its own controls."""
    found = [w for kind in CONTROLS for w in window.findChildren(kind)]
    inner = (QComboBox, QAbstractSpinBox, QLineEdit, QScrollBar, QMenuBar, QMenu, QTabBar)
    return [w for w in found if not isinstance(w.parentWidget(), inner) and not w.objectName().startswith("qt_")]


def nameless(window: QWidget) -> list[str]:
    """Return the controls that do not say what they do."""
    return [
        f"{type(one).__name__} {one.objectName()!r} {getattr(one, 'text', str)()!r} in {type(one.parentWidget()).__name__}"
        for one in controls(window)
        if not one.toolTip() and not (isinstance(one, QAbstractButton) and one.text() in SAYS_ITSELF)
    ]


@pytest.mark.parametrize("mode", Mode)
def test_every_control_of_the_window_says_what_it_does(reading: MainWindow, workspace: Workspace, mode: Mode) -> None:
    workspace.bench.mode = mode
    QApplication.processEvents()
    assert len(controls(reading)) > 50
    assert nameless(reading) == []


@pytest.mark.parametrize("action_id", DIALOGS)
def test_every_control_of_the_dialogs_says_what_it_does(reading: MainWindow, action_id: str) -> None:
    before = set(reading.findChildren(QWidget))
    reading.actions_table.run(action_id)
    shown = [w for w in reading.findChildren(QWidget) if (w not in before and w.isWindow()) or w.objectName() == "palette"]
    assert shown
    assert [line for dialog in shown for line in nameless(dialog)] == []


def test_every_control_of_the_other_dialogs_says_what_it_does(qtbot: QtBot, workspace: Workspace) -> None:
    tags = TagList("slice.dcm", (TagRow(0, "(0018,0050)", "SliceThickness", "", "DS", "5.0"),), "")
    damaged = DamagedFile("slice.dcm", "It ends early.")
    for dialog in (TagsDialog(tags, workspace), AboutDialog(), NoticeDialog(), DamagedDialog([damaged])):
        qtbot.addWidget(dialog)
        assert controls(dialog)
        assert nameless(dialog) == []


@pytest.mark.parametrize("mode", Mode)
def test_the_tooltip_of_a_button_names_the_key_that_does_the_same(
    reading: MainWindow, workspace: Workspace, mode: Mode
) -> None:
    workspace.bench.mode = mode
    QApplication.processEvents()
    offered = [b for b in reading.findChildren(QToolButton) if b.defaultAction() is not None]
    buttons = [b for b in offered if not b.defaultAction().shortcut().isEmpty()]
    assert len(buttons) > 20
    for button in buttons:
        keys = button.defaultAction().shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        assert button.toolTip().endswith(f"({keys})"), button.toolTip()
