"""The list of boxes and marks, over a case that holds hundreds."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit, QMainWindow
from pytestqt.qtbot import QtBot

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.attributes import Attribute, Choice
from medview.core.changes import AnnotationChange, Command
from medview.core.trace import TraceKind
from medview.core.vector import triple
from medview.gui.commands.file_commands import FileCommands
from medview.gui.panels.drawn import DrawnPanel
from medview.gui.parts.drawn_model import EYE, LABEL
from medview.gui.parts.qt_actions import QtActions
from medview.workspace.actions import ACTIONS
from medview.workspace.drawn import all_drawn
from medview.workspace.open_case import OpenCase
from medview.workspace.scheme import Scheme
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case, make_workspace
from tests.helpers.timing import allowed_s


@pytest.fixture
def case() -> OpenCase:
    return make_case()


@pytest.fixture
def desk(case: OpenCase) -> Workspace:
    return make_workspace(case)[0]


@pytest.fixture
def panel(qtbot: QtBot, desk: Workspace) -> DrawnPanel:
    files = FileCommands(None, desk)  # type: ignore[arg-type]
    holder = QComboBox()
    qtbot.addWidget(holder)
    made = DrawnPanel(desk, QtActions(holder, desk, Scheme.load(), [*ACTIONS, *files.actions()]))
    qtbot.addWidget(made)
    made.resize(300, 600)
    made.show()
    return made


def box(case: OpenCase, name: str, label: str, k: int = 1) -> BoxAnnotation:
    return BoxAnnotation.on_grid(name, label, case.volume.geometry, (k, 2, 3), (k + 1, 6, 9), flat_edge=0)


def add(case: OpenCase, *things: Drawn) -> None:
    assert case.do(Command("Add", tuple(AnnotationChange(None, one) for one in things)))


def shown(panel: DrawnPanel) -> list[str]:
    panel.refresh()
    return [panel.filter.index(n, LABEL).data() for n in range(panel.filter.rowCount())]


def click(panel: DrawnPanel, row: int, column: int = LABEL) -> None:
    place = panel.view.visualRect(panel.filter.index(row, column)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_click_shows_the_place_and_chooses_the_thing(panel: DrawnPanel, case: OpenCase) -> None:
    add(case, box(case, "a", "Nodule", 1), box(case, "b", "Cyst", 4))
    assert shown(panel) == ["Nodule", "Cyst"]
    click(panel, 1)
    assert case.view.crosshair_kji[0] == 4
    assert case.view.active_annotation_id == "b"
    assert panel.detail.label.text() == "Cyst"
    case.view.active_annotation_id = "a"
    assert [one.annotation_id for one in panel.selected()] == ["a"]
    assert case.view.crosshair_kji[0] == 4


def test_the_search_looks_through_labels_kinds_and_attributes(panel: DrawnPanel, case: OpenCase) -> None:
    point = Trace("p", TraceKind.POINT, (triple(case.volume.geometry.point_lps_mm((2, 3, 4))),), "Apex")
    graded = box(case, "b", "Cyst", 2)
    graded = BoxAnnotation(
        graded.annotation_id, graded.label, graded.corner_lps_mm, graded.edges_lps_mm, flat_edge=0,
        attributes=(Attribute("Side", Choice("left", ("left", "right"))),),
    )  # fmt: skip
    add(case, box(case, "a", "Nodule"), graded, point)
    shown(panel)
    for words, found in (("nod", ["Nodule"]), ("left side", ["Cyst"]), ("point", ["Apex"]), ("none such", [])):
        panel.search.setText(words)
        assert shown(panel) == found


def test_several_are_labelled_and_deleted_in_one_step(panel: DrawnPanel, case: OpenCase) -> None:
    add(case, *(box(case, str(n), f"Box {n}", n) for n in range(1, 5)))
    shown(panel)
    panel.view.selectAll()
    assert panel.detail.label.placeholderText() == "Different labels"
    panel.detail.label.setText("Lesion")
    panel.detail.label.editingFinished.emit()
    assert {one.label for one in all_drawn(case)} == {"Lesion"}
    assert shown(panel) == ["Lesion"] * 4
    assert len(panel.selected()) == 4
    panel.remove.click()
    assert all_drawn(case) == []
    assert case.undo() is not None
    assert case.undo() is not None
    assert sorted(one.label for one in all_drawn(case)) == ["Box 1", "Box 2", "Box 3", "Box 4"]


def test_the_eye_hides_and_shows(panel: DrawnPanel, case: OpenCase) -> None:
    add(case, box(case, "a", "Nodule"))
    shown(panel)
    click(panel, 0, EYE)
    assert not all_drawn(case)[0].visible
    shown(panel)
    click(panel, 0, EYE)
    assert all_drawn(case)[0].visible


def test_attributes_are_added_changed_and_removed(panel: DrawnPanel, case: OpenCase) -> None:
    add(case, box(case, "a", "Nodule"), box(case, "b", "Nodule", 3))
    shown(panel)
    click(panel, 0)
    editor = panel.detail.attributes
    editor.name.setText("Side")
    editor.kind.setCurrentIndex(editor.kind.findData("choice"))
    assert not editor.add.isEnabled()
    editor.options.setText("left, right, left")
    editor.add.click()
    assert all_drawn(case)[0].attributes == (Attribute("Side", Choice("left", ("left", "right"))),)
    panel.refresh()
    combo = panel.findChild(QComboBox, "attribute Side")
    assert combo is not None
    combo.textActivated.emit("right")
    assert all_drawn(case)[0].attributes[0].words == "right"
    # A second thing takes kind and choices from the first by the name alone.
    click(panel, 1)
    editor.kind.setCurrentIndex(0)
    editor.name.setText("Side")
    QTest.keyClick(editor.name, Qt.Key.Key_Return)
    assert all_drawn(case)[1].attributes == (Attribute("Side", Choice("right", ("left", "right"))),)
    panel.refresh()
    editor.name.setText("Note")
    editor.add.click()
    panel.refresh()
    line = panel.findChild(QLineEdit, "attribute Note")
    assert line is not None
    line.setText("spiculated")
    line.editingFinished.emit()
    assert all_drawn(case)[1].attributes[1] == Attribute("Note", "spiculated")
    assert len(case.history.names) == 6


def test_attributes_are_filled_one_after_the_other(qtbot: QtBot, panel: DrawnPanel, case: OpenCase) -> None:
    notes = (Attribute("Kind", ""), Attribute("Side", ""), Attribute("Size", 1.0))
    add(case, replace(box(case, "a", "Nodule"), attributes=notes), replace(box(case, "b", "Cyst", 3), attributes=notes))
    shown(panel)
    click(panel, 0)
    kind, side = (panel.findChild(QLineEdit, f"attribute {name}") for name in ("Kind", "Side"))
    assert kind is not None
    assert side is not None
    panel.activateWindow()
    kind.setFocus()
    qtbot.waitUntil(kind.hasFocus)
    QTest.keyClicks(kind, "round")
    side.setFocus()
    QTest.keyClicks(side, "le")
    # The list follows what was written a moment ago.
    panel.refresh()
    assert side.hasFocus()
    QTest.keyClicks(side, "ft")
    QTest.keyClick(side, Qt.Key.Key_Return)
    assert [one.words for one in all_drawn(case)[0].attributes] == ["round", "left", "1"]
    assert panel.detail.attributes.name.text() == ""
    # Taken back while the hands are still in the field, it is not written again when they leave it.
    assert case.undo() is not None
    panel.refresh()
    assert side.text() == ""
    assert kind.text() == "round"
    # What is half typed for one thing is not written to the next, which has the same attributes.
    QTest.keyClicks(side, "ri")
    case.view.active_annotation_id = "b"
    panel.refresh()
    assert side.text() == ""
    kind.setFocus()
    assert [one.words for one in all_drawn(case)[1].attributes] == ["", "", "1"]


def test_two_attributes_changed_before_the_list_follows_are_both_kept(panel: DrawnPanel, case: OpenCase) -> None:
    notes = (Attribute("Side", Choice("left", ("left", "right"))), Attribute("Size", 1.0))
    add(case, replace(box(case, "a", "Nodule"), attributes=notes))
    shown(panel)
    click(panel, 0)
    combo, size = panel.findChild(QComboBox, "attribute Side"), panel.findChild(QLineEdit, "attribute Size")
    assert combo is not None
    assert size is not None
    combo.textActivated.emit("right")
    size.setText("7,5")
    size.editingFinished.emit()
    assert [one.words for one in all_drawn(case)[0].attributes] == ["right", "7.5"]
    assert case.undo() is not None
    assert [one.words for one in all_drawn(case)[0].attributes] == ["right", "1"]


def test_a_case_that_cannot_be_changed_can_be_looked_through(panel: DrawnPanel, case: OpenCase) -> None:
    add(case, box(case, "a", "Nodule"))
    case.read_only = "These labels belong to another window."
    shown(panel)
    click(panel, 0)
    assert not panel.detail.label.isEnabled()
    assert not panel.remove.isEnabled()
    assert not panel.detail.attributes.name.isEnabled()
    click(panel, 0, EYE)
    assert all_drawn(case)[0].visible


def test_the_list_is_copied_as_a_table(panel: DrawnPanel, case: OpenCase) -> None:
    add(case, box(case, "a", "Nodule\twith tab"), box(case, "b", "Cyst", 3))
    shown(panel)
    panel.copy.click()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:4] == ["Label", "Kind", "Slice", "Size"]
    assert [line.split("\t")[0] for line in lines[1:]] == ["Nodule with tab", "Cyst"]
    assert len({line.count("\t") for line in lines}) == 1


def test_two_hundred_are_listed_sorted_and_found_at_once(panel: DrawnPanel, case: OpenCase) -> None:
    rng = np.random.default_rng(5)
    last = case.volume.geometry.shape_kji[0] - 1
    add(case, *(box(case, f"{n:03d}", f"Thing {n}", int(rng.integers(0, last))) for n in range(200)))
    begun = time.perf_counter()
    panel.refresh()
    panel.search.setText("thing 198")
    taken = time.perf_counter() - begun
    assert taken < allowed_s(0.2)
    assert panel.filter.rowCount() == 1
    panel.search.clear()
    panel.view.sortByColumn(LABEL, Qt.SortOrder.DescendingOrder)
    assert panel.filter.index(0, LABEL).data() == "Thing 99"
    case.view.active_annotation_id = "150"
    assert panel.selected()[0].annotation_id == "150"
    assert panel.view.height() < 300


def test_the_list_takes_no_room_before_there_is_anything_to_draw(
    panel: DrawnPanel, desk: Workspace, case: OpenCase
) -> None:
    assert not panel.wanted
    desk.bench.tool = Tool.BOX
    assert panel.wanted
    assert panel.empty.isVisibleTo(panel)
    desk.bench.tool = Tool.WINDOW
    assert not panel.wanted
    add(case, box(case, "a", "Nodule"))
    panel.refresh()
    assert panel.wanted


def test_a_number_is_a_number_or_stays_as_it_was(panel: DrawnPanel, case: OpenCase) -> None:
    add(case, replace(box(case, "a", "Nodule"), attributes=(Attribute("Grade", 2.5),)))
    shown(panel)
    click(panel, 0)
    line = panel.findChild(QLineEdit, "attribute Grade")
    assert line is not None
    assert line.text() == "2.5"
    line.setText("three")
    line.editingFinished.emit()
    assert line.text() == "2.5"
    line.setText("\u22123,25")
    line.editingFinished.emit()
    assert all_drawn(case)[0].attributes == (Attribute("Grade", -3.25),)


def test_in_the_list_delete_deletes_all_that_is_chosen_and_enter_goes_to_the_label(
    qtbot: QtBot, desk: Workspace, case: OpenCase
) -> None:
    # In a window whose own Delete key stands for the one thing that was touched last.
    window = QMainWindow()
    qtbot.addWidget(window)
    actions = QtActions(window, desk, Scheme.load(), [*ACTIONS, *FileCommands(window, desk).actions()])
    panel = DrawnPanel(desk, actions)
    window.setCentralWidget(panel)
    window.show()
    window.activateWindow()
    add(case, *(box(case, str(n), f"Box {n}", n) for n in range(1, 5)))
    shown(panel)
    click(panel, 0)
    panel.view.setFocus()
    QTest.keyClick(panel.view, Qt.Key.Key_Return)
    qtbot.waitUntil(panel.detail.label.hasFocus)
    assert panel.detail.label.selectedText() == "Box 1"
    panel.view.setFocus()
    panel.view.selectAll()
    QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    assert all_drawn(case) == []
    assert case.history.names[-1] == "Delete 4 boxes and marks"
