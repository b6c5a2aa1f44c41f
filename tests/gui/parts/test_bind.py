"""Widgets show fields and write back what the person does."""

from __future__ import annotations

import pytest
import shiboken6
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QSlider, QWidget
from pytestqt.qtbot import QtBot

from medview.gui.parts.bind import Subscriptions, bind, field_signal, follow
from medview.workspace.view_state import Bench, CaseView, Tool
from tests.gui.cases import make_case


def kept(qtbot: QtBot, widget: QWidget) -> QWidget:
    qtbot.addWidget(widget)
    return widget


def test_a_check_box_shows_a_field_and_writes_it(qtbot: QtBot) -> None:
    bench, box = Bench(), QCheckBox()
    kept(qtbot, box)
    bind(box, bench, "overlay_visible")
    assert box.isChecked()
    box.click()
    assert bench.overlay_visible is False
    bench.overlay_visible = True
    assert box.isChecked()


def test_a_slider_works_in_its_own_unit(qtbot: QtBot) -> None:
    bench, slider = Bench(), QSlider()
    kept(qtbot, slider)
    slider.setRange(0, 100)
    bind(slider, bench, "overlay_opacity", to_widget=lambda part: round(part * 100), from_widget=lambda v: v / 100)
    assert slider.value() == 35
    slider.setValue(60)
    assert bench.overlay_opacity == pytest.approx(0.6)


def test_showing_a_field_does_not_write_it_back(qtbot: QtBot) -> None:
    bench, slider = Bench(), QSlider()
    kept(qtbot, slider)
    slider.setRange(0, 10)
    bind(slider, bench, "overlay_opacity", to_widget=lambda part: round(part * 10), from_widget=lambda v: v / 10)
    bench.overlay_opacity = 0.333
    assert bench.overlay_opacity == 0.333


def test_a_combo_box_binds_the_data_of_its_items(qtbot: QtBot) -> None:
    bench, combo = Bench(), QComboBox()
    kept(qtbot, combo)
    for tool in Tool:
        combo.addItem(tool.value, tool)
    bind(combo, bench, "tool")
    assert combo.currentData() is Tool.WINDOW
    combo.setCurrentIndex(combo.findData(Tool.ERASER))
    assert bench.tool is Tool.ERASER


def test_a_line_edit_writes_when_editing_ends(qtbot: QtBot) -> None:
    view: CaseView = make_case().view
    edit = QLineEdit()
    kept(qtbot, edit)
    bind(edit, view, "active_segment_id")
    qtbot.keyClicks(edit, "s7")
    assert view.active_segment_id == ""
    edit.editingFinished.emit()
    assert view.active_segment_id == "s7"


def test_an_action_binds_its_check_mark(qtbot: QtBot) -> None:
    bench, owner = Bench(), QWidget()
    kept(qtbot, owner)
    action = QAction("Hide identity", owner)
    action.setCheckable(True)
    bind(action, bench, "identity_hidden")
    action.trigger()
    assert bench.identity_hidden


def test_nothing_is_called_after_the_widget_is_gone(qtbot: QtBot) -> None:
    bench, label = Bench(), QLabel()
    seen: list[bool] = []
    follow(label, bench, "overlay_visible", seen.append)
    shiboken6.delete(label)
    bench.overlay_visible = False
    assert seen == [True]


def test_subscriptions_end_together(qtbot: QtBot) -> None:
    bench, owner = Bench(), QWidget()
    kept(qtbot, owner)
    seen: list[object] = []
    subscriptions = Subscriptions(owner)
    subscriptions.add(field_signal(bench, "tool"), seen.append)
    subscriptions.add(field_signal(bench, "mode"), seen.append)
    bench.tool = Tool.BRUSH
    subscriptions.clear()
    bench.tool = Tool.ERASER
    assert seen == [Tool.BRUSH]


def test_a_widget_without_a_value_cannot_be_bound(qtbot: QtBot) -> None:
    label = QLabel()
    kept(qtbot, label)
    with pytest.raises(TypeError, match="QLabel"):
        bind(label, Bench(), "tool")
