"""The list of segments, used like a person would."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPoint, Qt
from PySide6.QtGui import QColor, QFontMetrics, QGuiApplication, QHelpEvent
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QColorDialog, QLineEdit, QMenu, QToolTip
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segment, SegmentRole, SegmentStatus
from medview.core.source import Source, SourceKind
from medview.gui.dialogs.label_sets import LabelSetsDialog
from medview.gui.main_window import MainWindow
from medview.gui.panels.segments import SegmentsPanel
from medview.gui.parts.theme import ui_font
from medview.gui.segments.name_edit import NameEdit
from medview.gui.segments.segment_cells import Cell, badges, tip_of
from medview.gui.segments.segment_menu import segment_menu
from medview.gui.segments.segment_tree import SegmentTree
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import segments as ops
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.windows import bare_workspace
from tests.helpers.timing import allowed_s, typical_of

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
"""The offscreen platform says so of everything that pops up."""


@pytest.fixture
def case() -> OpenCase:
    return make_case()


@pytest.fixture
def workspace(tmp_path: Path, case: OpenCase, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path / "config"))
    made = bare_workspace(tmp_path)
    made.add_case(case)
    made.bench.mode = Mode.ANNOTATE
    return made


@pytest.fixture
def panel(window: MainWindow) -> SegmentsPanel:
    return window.side.segments


def add(case: OpenCase, *names: str, **fields: object) -> list[str]:
    """Add segments and return their ids."""
    first = len(case.labels.segmentation.segments)
    made = [
        replace(Segment(f"s{first + n}", name, (20 * n % 255, 90, 200), 0, first + n + 1), **fields)
        for n, name in enumerate(names)
    ]
    case.do(Command("Add", tuple(SegmentChange(None, s, first + n) for n, s in enumerate(made))))
    return [s.segment_id for s in made]


def draw(case: OpenCase, segment_id: str, box: Box) -> None:
    segment = case.labels.segmentation.segment(segment_id)
    layer = case.labels.segmentation.layer(segment.layer_id)
    patch = LabelPatch.between(layer, box, np.full(box.shape_kji, segment.value, dtype=np.uint8))
    assert patch is not None
    case.do(Command("Brush", (patch,)))


def settle() -> None:
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()


def place(tree: SegmentTree, index: QModelIndex, cell: Cell) -> QPoint:
    settle()
    found = tree.delegate.cells_at(tree.visualRect(index), index)[cell].center()
    assert tree.viewport().rect().contains(found)
    return found


def click(
    qtbot: QtBot, tree: SegmentTree, key: str | QModelIndex, cell: Cell,
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:  # fmt: skip
    index = tree.rows.index_of(key) if isinstance(key, str) else key
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, modifier, place(tree, index, cell))


def shown(tree: SegmentTree) -> list[str]:
    """Names as they stand from top to bottom, members of folded groups left out."""
    found: list[str] = []

    def walk(model: QAbstractItemModel, parent: QModelIndex) -> None:
        for n in range(model.rowCount(parent)):
            index = model.index(n, 0, parent)
            found.append(index.data())
            if tree.isExpanded(index):
                walk(model, index)

    walk(tree.rows, QModelIndex())
    return found


def heading(tree: SegmentTree, name: str) -> QModelIndex:
    return next(index for group, index in tree.rows.groups() if group == name)


def field(tree: SegmentTree) -> QLineEdit:
    settle()
    found = tree.viewport().findChild(QLineEdit)
    assert isinstance(found, QLineEdit)
    return found


# ---------------------------------------------------------------------------------------- one segment


def test_a_click_makes_a_segment_the_active_one_and_its_buttons_do_not(
    qtbot: QtBot, panel: SegmentsPanel, case: OpenCase
) -> None:
    liver, spleen = add(case, "Liver", "Spleen")
    click(qtbot, panel.tree, spleen, Cell.NAME)
    assert case.view.active_segment_id == spleen
    click(qtbot, panel.tree, liver, Cell.EYE)
    click(qtbot, panel.tree, liver, Cell.CUBE)
    click(qtbot, panel.tree, liver, Cell.LOCK)
    changed = case.labels.segmentation.segment(liver)
    assert (changed.visible, changed.visible_3d, changed.locked) == (False, False, True)
    assert case.view.active_segment_id == spleen
    assert case.history.names[-3:] == ("Hide Liver", "Hide Liver in 3-D", "Lock Liver")


def test_a_double_click_renames_in_place_and_escape_keeps_the_old_name(
    qtbot: QtBot, panel: SegmentsPanel, case: OpenCase
) -> None:
    (liver,) = add(case, "Liver")
    tree = panel.tree
    for typed, key, name in (("next 1", Qt.Key.Key_Return, "next 1"), ("Wrong", Qt.Key.Key_Escape, "next 1")):
        at = place(tree, tree.rows.index_of(liver), Cell.NAME)
        qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.mouseDClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=at)
        edit = field(tree)
        qtbot.keyClicks(edit, typed)
        qtbot.keyClick(edit, key)
        settle()
        assert case.labels.segmentation.segment(liver).name == name


def test_a_code_that_is_picked_while_typing_comes_with_the_name(qtbot: QtBot, panel: SegmentsPanel, case: OpenCase) -> None:
    (one,) = add(case, "Segment 1")
    panel.tree.begin_rename(one)
    edit = field(panel.tree)
    assert isinstance(edit, NameEdit)
    qtbot.keyClicks(edit, "left lung")
    popup = edit.suggestions.popup()
    assert popup is not None
    assert popup.isVisible()
    assert popup.model().index(0, 0).data() == "Lung"
    edit.suggestions.activated.emit("Lung")
    assert edit.text() == "left lung", "what is typed says it already"
    popup.hide()
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    settle()
    segment = case.labels.segmentation.segment(one)
    assert segment.name == "left lung"
    assert segment.code is not None
    assert (segment.code.value, segment.code.scheme, segment.code.meaning) == ("39607008", "SCT", "Lung")


def test_a_name_without_a_code_is_as_good(qtbot: QtBot, panel: SegmentsPanel, case: OpenCase) -> None:
    (one,) = add(case, "Segment 1")
    panel.tree.begin_rename(one)
    edit = field(panel.tree)
    qtbot.keyClicks(edit, "Thing")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    settle()
    assert (case.labels.segmentation.segment(one).name, case.labels.segmentation.segment(one).code) == ("Thing", None)


def test_the_volume_follows_every_stroke(qtbot: QtBot, panel: SegmentsPanel, case: OpenCase) -> None:
    (liver,) = add(case, "Liver")
    case.view.active_segment_id = liver
    row = panel.tree.rows.index_of(liver)
    assert row.data(Qt.ItemDataRole.UserRole + 1).size == ""
    draw(case, liver, Box((1, 2, 2), (5, 30, 20)))
    ml = 4 * 28 * 18 * case.volume.geometry.voxel_volume_mm3 / 1000
    qtbot.waitUntil(lambda: row.data(Qt.ItemDataRole.UserRole + 1).size == f"{ml:.2f} mL")
    qtbot.waitUntil(lambda: panel.details.size_label.text().startswith(f"{ml:.2f} mL"))


def test_axes_and_values_are_told_a_moment_after_the_stroke(qtbot: QtBot, panel: SegmentsPanel, case: OpenCase) -> None:
    (liver,) = add(case, "Liver")
    case.view.active_segment_id = liver
    draw(case, liver, Box((1, 2, 2), (5, 30, 20)))
    assert case.figures.last(case.labels.segmentation.segment(liver)) is None, "not while the hand may go on"
    qtbot.waitUntil(lambda: "mm" in panel.details.size_label.text())
    assert panel.details.values_label.text() == "mean \u2212999 HU, SD 45, \u22121000 to 1000"


def test_the_tooltip_says_who_made_it_what_it_is_and_what_a_click_does(
    qtbot: QtBot, panel: SegmentsPanel, case: OpenCase
) -> None:
    source = Source(SourceKind.MODEL, "organs", "1.2", corrected=True)
    (liver,) = add(case, "Liver", source=source, role=SegmentRole.IGNORE)
    tree, index = panel.tree, panel.tree.rows.index_of(liver)
    row = index.data(Qt.ItemDataRole.UserRole + 1)
    said = tip_of(Cell.NAME, row)
    assert "Model organs 1.2, corrected by hand" in said
    assert "training leaves its voxels out" in said
    assert badges(row) == ["mdi6.help-circle-outline", "mdi6.account-edit-outline"]
    assert len({tip_of(cell, row) for cell in Cell}) >= 6
    at = place(tree, index, Cell.LOCK)
    QApplication.sendEvent(tree.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, tree.viewport().mapToGlobal(at)))
    assert QToolTip.text() == "Lock: nothing may change its voxels"
    QToolTip.hideText()


def test_the_colour_is_asked_for_and_given_to_all_that_are_chosen(panel: SegmentsPanel, case: OpenCase) -> None:
    ids = add(case, "Liver", "Spleen")
    panel.tree.ask_colour(ids)
    dialog = panel.tree.findChild(QColorDialog)
    assert isinstance(dialog, QColorDialog)
    dialog.setCurrentColor(QColor(1, 2, 3))
    dialog.accept()
    assert {s.colour for s in case.labels.segmentation.segments} == {(1, 2, 3)}
    assert case.history.names[-1] == "Colour Liver, Spleen"


def test_a_drag_of_the_opacity_is_one_change(panel: SegmentsPanel, case: OpenCase) -> None:
    (liver,) = add(case, "Liver")
    case.view.active_segment_id = liver
    steps, slider = len(case.history.names), panel.details.opacity
    assert slider.value() == 100
    slider.setSliderDown(True)
    for value in (80, 50, 30):
        slider.setValue(value)
        assert case.labels.segmentation.segment(liver).opacity == value / 100
    slider.setSliderDown(False)
    assert case.history.names[steps:] == ("Opacity of Liver",)
    case.undo()
    assert slider.value() == 100


def test_outline_unsure_and_absent_are_buttons_that_show_their_state(
    qtbot: QtBot, panel: SegmentsPanel, case: OpenCase
) -> None:
    (liver,) = add(case, "Liver")
    case.view.active_segment_id = liver
    settle()
    for action_id in ("segment.outline", "segment.unsure", "segment.absent"):
        qtbot.mouseClick(panel.details.toggles[action_id], Qt.MouseButton.LeftButton)
        assert panel.details.toggles[action_id].isChecked()
    segment = case.labels.segmentation.segment(liver)
    assert (segment.outline_only, segment.role, segment.absent) == (True, SegmentRole.IGNORE, True)
    case.undo()
    assert not panel.details.toggles["segment.absent"].isChecked()
    draw(case, liver, Box((1, 2, 2), (3, 5, 5)))
    qtbot.mouseClick(panel.details.toggles["segment.absent"], Qt.MouseButton.LeftButton)
    assert not panel.details.toggles["segment.absent"].isChecked()
    assert not case.labels.segmentation.segment(liver).absent


# ---------------------------------------------------------------------------------------- several segments


def test_several_are_chosen_and_changed_together(
    qtbot: QtBot, panel: SegmentsPanel, window: MainWindow, case: OpenCase
) -> None:
    a, b, c, d = add(case, "A", "B", "C", "D")
    tree = panel.tree
    click(qtbot, tree, b, Cell.NAME)
    click(qtbot, tree, d, Cell.NAME, Qt.KeyboardModifier.ShiftModifier)
    assert case.view.chosen_segment_ids == (b, c, d)
    click(qtbot, tree, c, Cell.NAME, Qt.KeyboardModifier.ControlModifier)
    assert case.view.chosen_segment_ids == (b, d)
    assert case.view.active_segment_id in (b, d)
    window.actions_table.run("segment.lock")
    assert [s.locked for s in case.labels.segmentation.segments] == [False, True, False, True]
    ops.set_locked(case, [d], locked=False)
    window.actions_table.run("segment.delete")
    assert [s.name for s in case.labels.segmentation.segments] == ["A", "B", "C"], "the locked one stays"
    case.view.active_segment_id = a
    assert case.view.chosen_segment_ids == (a,), "a segment reached by key is chosen alone"


def test_the_key_for_deleting_deletes_what_is_chosen_while_the_list_has_the_focus(
    qtbot: QtBot, panel: SegmentsPanel, case: OpenCase
) -> None:
    a, b, _c = add(case, "A", "B", "C")
    click(qtbot, panel.tree, a, Cell.NAME)
    click(qtbot, panel.tree, b, Cell.NAME, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(panel.tree, Qt.Key.Key_Delete)
    assert [s.name for s in case.labels.segmentation.segments] == ["C"]


def test_an_empty_case_offers_label_sets(qtbot: QtBot, panel: SegmentsPanel, window: MainWindow, case: OpenCase) -> None:
    settle()
    assert panel.sets.isVisible()
    qtbot.mouseClick(panel.sets, Qt.MouseButton.LeftButton)
    dialog = window.findChild(LabelSetsDialog)
    assert dialog is not None
    dialog.close()
    add(case, "A")
    settle()
    assert not panel.sets.isVisible()


def test_only_some_are_shown_and_all_again(panel: SegmentsPanel, window: MainWindow, case: OpenCase) -> None:
    a, _b = add(case, "A", "B")
    case.view.active_segment_id = a
    window.actions_table.run("segment.solo")
    assert case.view.solo_segment_ids == (a,)
    assert panel._solo.isVisible()
    window.actions_table.run("segment.solo")
    assert case.view.solo_segment_ids == ()
    assert not panel._solo.isVisible()


def test_the_menu_offers_states_groups_and_what_has_a_key(
    qtbot: QtBot, panel: SegmentsPanel, window: MainWindow, case: OpenCase
) -> None:
    a, b = add(case, "A", "B")
    ops.set_group(case, [b], "Bones")
    case.view.active_segment_id = a
    menu = segment_menu(case, panel.tree, window.actions_table, window)
    qtbot.addWidget(menu)
    parts = {m.title(): m for m in menu.findChildren(QMenu)}
    texts = [action.text() for action in menu.actions()]
    for wanted in ("Rename", "Another one of the same", "Colour...", "Hide in 3-D", "Delete the segment"):
        assert wanted in texts
    states = {action.text(): action for action in parts["Status"].actions()}
    assert [name for name, action in states.items() if action.isChecked()] == ["In work"]
    states["Done"].trigger()
    assert case.labels.segmentation.segment(a).status is SegmentStatus.DONE
    groups = {action.text(): action for action in parts["Group"].actions()}
    groups["Bones"].trigger()
    assert case.labels.segmentation.segment(a).group == "Bones"


def test_a_click_on_the_state_offers_all_states(qtbot: QtBot, panel: SegmentsPanel, case: OpenCase) -> None:
    (a,) = add(case, "A")
    click(qtbot, panel.tree, a, Cell.STATUS)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == "Flagged").trigger()
    menu.close()
    assert case.labels.segmentation.segment(a).status is SegmentStatus.FLAGGED


# ---------------------------------------------------------------------------------------- groups, search, order


def test_groups_stand_where_their_first_member_does_and_fold(qtbot: QtBot, panel: SegmentsPanel, case: OpenCase) -> None:
    add(case, "Liver", "Rib", "Spleen", "Spine")
    ops.set_group(case, ["s1", "s3"], "Bones")
    tree = panel.tree
    assert shown(tree) == ["Liver", "Bones", "Rib", "Spine", "Spleen"]
    click(qtbot, tree, heading(tree, "Bones"), Cell.FOLD)
    assert shown(tree) == ["Liver", "Bones", "Spleen"]
    assert case.view.folded_groups == {"Bones"}
    case.view.active_segment_id = "s3"
    assert shown(tree) == ["Liver", "Bones", "Spleen"], "a folded group stays folded"
    click(qtbot, tree, heading(tree, "Bones"), Cell.EYE)
    assert [s.visible for s in case.labels.segmentation.segments] == [True, False, True, False]
    click(qtbot, tree, heading(tree, "Bones"), Cell.NAME)
    assert shown(tree) == ["Liver", "Bones", "Rib", "Spine", "Spleen"]
    tree.begin_group_rename("Bones")
    edit = field(tree)
    qtbot.keyClicks(edit, "Skeleton")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    settle()
    assert {s.group for s in case.labels.segmentation.segments} == {"", "Skeleton"}


def test_search_and_state_narrow_the_list(panel: SegmentsPanel, case: OpenCase) -> None:
    add(case, *(f"Rib {n}" for n in range(6)), "Liver", "Left kidney")
    ops.set_group(case, ["s7"], "Organs")
    ops.set_status(case, ["s2", "s7"], SegmentStatus.DONE)
    settle()
    assert panel.search.isVisible()
    panel.search.setText("rib")
    assert shown(panel.tree) == [f"Rib {n}" for n in range(6)]
    panel.search.setText("kid left")
    assert shown(panel.tree) == ["Organs", "Left kidney"]
    panel.search.setText("organs")
    assert shown(panel.tree) == ["Organs", "Left kidney"]
    panel.search.clear()
    panel.status.setCurrentIndex(panel.status.findText("Done"))
    assert shown(panel.tree) == ["Rib 2", "Organs", "Left kidney"]
    ops.set_status(case, ["s2"], SegmentStatus.TO_DO)
    assert shown(panel.tree) == ["Organs", "Left kidney"], "the list follows"


def test_rows_are_dropped_before_others_and_into_groups(panel: SegmentsPanel, case: OpenCase) -> None:
    add(case, "A", "B", "C", "D")
    ops.set_group(case, ["s3"], "G")
    rows, root = panel.tree.rows, QModelIndex()

    def drop(names: list[str], row: int, parent: QModelIndex) -> None:
        data = rows.mimeData([rows.index_of(one) for one in names])
        rows.dropMimeData(data, Qt.DropAction.MoveAction, row, 0, parent)

    drop(["s2", "s0"], 1, root)
    assert [s.name for s in case.labels.segmentation.segments] == ["A", "C", "B", "D"]
    drop(["s0"], -1, heading(panel.tree, "G"))
    assert shown(panel.tree) == ["C", "B", "G", "D", "A"]
    assert case.labels.segmentation.segment("s0").group == "G"
    drop(["s1"], 0, heading(panel.tree, "G"))
    assert shown(panel.tree) == ["C", "G", "B", "D", "A"]
    drop(["s3"], -1, root)
    assert shown(panel.tree) == ["C", "G", "B", "A", "D"]
    assert case.labels.segmentation.segment("s3").group == ""
    case.undo()
    assert shown(panel.tree) == ["C", "G", "B", "D", "A"]


def test_the_model_keeps_its_promises_to_qt(qtbot: QtBot, panel: SegmentsPanel, case: OpenCase) -> None:
    tester = QAbstractItemModelTester(panel.tree.rows, QAbstractItemModelTester.FailureReportingMode.Fatal)
    add(case, "A", "B", "C", "D")
    ops.set_group(case, ["s1", "s3"], "G")
    ops.new_instance(case, "s2")
    ops.delete(case, ["s0", "s3"])
    panel.search.setText("b")
    panel.search.clear()
    for _ in range(4):
        case.undo()
    assert tester.model() is panel.tree.rows


# ---------------------------------------------------------------------------------------- many segments


def test_choosing_one_of_120_segments_takes_no_time_and_looks_at_no_voxels(
    qtbot: QtBot, panel: SegmentsPanel, case: OpenCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add(case, *(f"Structure {n}" for n in range(120)))
    for n in range(0, 120, 3):
        ops.set_group(case, [ids[n]], ("Bones", "Vessels")[n % 2])
    for n in range(8):
        draw(case, ids[n], Box((n % 7, 2 * n, 3), (n % 7 + 1, 2 * n + 2, 9)))
    case.view.active_segment_id = ids[0]
    settle()
    qtbot.waitUntil(
        lambda: case.figures.current(case.labels.segmentation, case.labels.segmentation.segments[0]) is not None
    )
    untouched = case.labels.segmentation.layers[0].voxels

    class Forbidden:
        """Stands for the voxels while nobody may look at them."""

        shape = untouched.shape

        def __getitem__(self, _key: object) -> object:
            raise AssertionError("voxels were looked at")

    def choose(n: int) -> float:
        began = time.perf_counter()
        case.view.active_segment_id = ids[n]
        panel.tree.viewport().repaint()
        return time.perf_counter() - began

    with monkeypatch.context() as patched:
        patched.setattr(case.labels.segmentation.layers[0], "voxels", Forbidden())
        turns = iter(range(5, 115, 7))
        assert typical_of(lambda: choose(next(turns))) < allowed_s(0.02)
        panel.watch._pace.stop()


def test_a_stroke_among_120_segments_costs_the_list_little(panel: SegmentsPanel, case: OpenCase) -> None:
    ids = add(case, *(f"Structure {n}" for n in range(120)))
    draw(case, ids[60], Box((1, 2, 2), (5, 30, 20)))

    def refresh() -> float:
        began = time.perf_counter()
        panel.tree.rows.refresh()
        return time.perf_counter() - began

    assert typical_of(refresh) < allowed_s(0.01)


# ---------------------------------------------------------------------------------------- read only, pieces, table


def test_a_read_only_case_is_listed_and_changes_nothing(
    qtbot: QtBot, panel: SegmentsPanel, workspace: Workspace, case: OpenCase
) -> None:
    (liver,) = add(case, "Liver")
    before = list(case.labels.segmentation.segments)
    case.read_only = "Another window is writing."
    workspace.load_changed.emit()
    settle()
    assert panel._read_only.text() == "Another window is writing."
    for cell in (Cell.EYE, Cell.CUBE, Cell.LOCK, Cell.STATUS, Cell.COLOUR):
        click(qtbot, panel.tree, liver, cell)
    panel.tree.begin_rename(liver)
    assert panel.tree.viewport().findChild(QLineEdit) is None
    assert not panel.add.isEnabled()
    assert case.labels.segmentation.segments == before
    click(qtbot, panel.tree, liver, Cell.NAME)
    assert case.view.active_segment_id == liver
    assert not panel.details.opacity.isEnabled()


def test_pieces_of_the_segment_are_listed_a_click_goes_there_and_a_table_is_copied(
    qtbot: QtBot, window: MainWindow, case: OpenCase
) -> None:
    (nodule,) = add(case, "Nodule")
    case.view.active_segment_id = nodule
    draw(case, nodule, Box((1, 2, 2), (3, 6, 8)))
    draw(case, nodule, Box((5, 30, 15), (6, 33, 18)))
    pieces = window.side.lesions
    window.side.ensureWidgetVisible(pieces)
    qtbot.waitUntil(lambda: pieces.model.rowCount() == 2)
    assert pieces.said.text() == "Nodule: 2 pieces"
    cells = [pieces.model.index(0, column).data() for column in range(4)]
    assert cells[0] == "1"
    assert cells[1].endswith("mL")
    assert pieces.model.headerData(2, Qt.Orientation.Horizontal) == "Axes, mm"
    assert "mm" not in cells[2]
    assert cells[3].endswith("HU")
    pieces.view.selectRow(1)
    assert case.labels.segmentation.layers[0].voxels[case.view.crosshair_kji] == 1
    assert case.view.crosshair_kji[0] == 5
    qtbot.mouseClick(pieces.copy, Qt.MouseButton.LeftButton)
    rows = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    assert [row[:2] for row in rows] == [["Segment", "Number"], ["Nodule", "1"], ["Nodule", "2"]]
    assert len({len(row) for row in rows}) == 1
    draw(case, nodule, Box((0, 20, 1), (1, 22, 3)))
    qtbot.waitUntil(lambda: pieces.model.rowCount() == 3)


def test_pieces_that_are_still_being_measured_are_not_copied(
    qtbot: QtBot, workspace: Workspace, window: MainWindow, case: OpenCase
) -> None:
    (nodule,) = add(case, "Nodule")
    case.view.active_segment_id = nodule
    draw(case, nodule, Box((1, 2, 2), (3, 6, 8)))
    pieces = window.side.lesions
    window.side.ensureWidgetVisible(pieces)
    qtbot.waitUntil(lambda: pieces.model.rowCount() == 1)
    QGuiApplication.clipboard().setText("before")
    said: list[str] = []
    workspace.message.connect(lambda told: said.append(told.text))
    draw(case, nodule, Box((5, 30, 15), (6, 33, 18)))
    assert pieces.model.rowCount() == 1, "of a moment ago"
    pieces.copy.click()
    assert QGuiApplication.clipboard().text() == "before"
    assert said == ["Nodule is still being measured; copy it in a moment."]
    qtbot.waitUntil(lambda: pieces.model.rowCount() == 2)
    pieces.copy.click()
    assert len(QGuiApplication.clipboard().text().splitlines()) == 3


def test_while_the_first_voxels_are_measured_nobody_reads_that_there_are_none(
    qtbot: QtBot, window: MainWindow, case: OpenCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nodule,) = add(case, "Nodule")
    case.view.active_segment_id = nodule
    pieces = window.side.lesions
    assert pieces.said.text() == "Nodule holds no voxels."
    monkeypatch.setattr("medview.gui.segments.figure_watch.want_figures", lambda *_: None)
    draw(case, nodule, Box((1, 2, 2), (3, 6, 8)))
    qtbot.waitUntil(lambda: pieces.said.text() == "Measuring Nodule")


def test_axes_of_large_pieces_stand_on_one_line_and_sizes_are_not_cut(
    qtbot: QtBot, window: MainWindow, case: OpenCase
) -> None:
    (nodule,) = add(case, "Nodule")
    case.view.active_segment_id = nodule
    draw(case, nodule, Box((1, 2, 2), (3, 6, 8)))
    pieces = window.side.lesions
    qtbot.waitUntil(lambda: pieces.model.rowCount() == 1)
    font = pieces.view.fontMetrics()
    assert font.horizontalAdvance("282.8 × 205.1") + 12 < pieces.view.columnWidth(2)
    draw(case, nodule, Box((1, 2, 12), (2, 16, 24)))
    header = pieces.view.horizontalHeader()
    for column in range(4):
        assert header.sectionSizeHint(column) <= header.sectionSize(column)
    tree = window.side.segments.tree
    index = tree.rows.index(0, 0)
    size = tree.delegate.cells_at(tree.visualRect(index), index)[Cell.SIZE]
    assert QFontMetrics(ui_font()).horizontalAdvance("13684 mL") <= size.width()


def test_pieces_are_measured_while_only_they_can_be_seen(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    window.side.sections["segments"].set_open(open_=False)
    (nodule,) = add(case, "Nodule")
    case.view.active_segment_id = nodule
    draw(case, nodule, Box((1, 2, 2), (3, 6, 8)))
    qtbot.waitUntil(lambda: window.side.lesions.model.rowCount() == 1)


def test_nothing_is_measured_while_nobody_looks(
    qtbot: QtBot, workspace: Workspace, window: MainWindow, case: OpenCase
) -> None:
    workspace.bench.mode = Mode.READ
    settle()
    (nodule,) = add(case, "Nodule")
    case.view.active_segment_id = nodule
    draw(case, nodule, Box((1, 2, 2), (3, 6, 8)))
    assert not window.side.segments.watch._pace.isActive()
