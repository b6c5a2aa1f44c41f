"""Schemes are changed at once; keys are recorded, conflicts told before anything is kept."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from medview.gui.dialogs.keys import KeysDialog
from medview.gui.dialogs.scheme_editor import SchemeEditor
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.workspace.scheme import scheme_names, shipped
from medview.workspace.scheme_edits import edits_file, save_bindings, with_keys
from medview.workspace.settings import Settings
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.windows import make_window

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def editor(window: MainWindow) -> SchemeEditor:
    window.actions_table.run("settings.keys")
    found = window.findChild(SchemeEditor)
    assert isinstance(found, SchemeEditor)
    return found


def choose(editor: SchemeEditor, action_id: str, mode: Mode) -> None:
    editor.table.choose(action_id, mode)


def press(
    qtbot: QtBot, editor: SchemeEditor, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    editor.record.setFocus()
    qtbot.mouseClick(editor.record, Qt.MouseButton.LeftButton)
    qtbot.keyClick(editor.record, key, held)


# ---------------------------------------------------------------------------------------- schemes


def test_every_key_of_every_shipped_scheme_starts_an_action_there_is_in_the_spelling_of_the_toolkit(
    window: MainWindow,
) -> None:
    known = set(window.actions_table.titles())
    for name in scheme_names():
        bindings = shipped(name)
        assert set(bindings.keys) <= known, name
        for entry in bindings.keys.values():
            for keys in (k for held in entry.values() for k in held):
                assert QKeySequence(keys).toString(QKeySequence.SequenceFormat.PortableText) == keys


def test_another_scheme_holds_at_once_and_is_remembered(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    workspace.add_case(make_case())
    told: list[str] = []
    workspace.settings_changed.connect(lambda: told.append(workspace.settings.scheme))
    window.actions_table.run("scheme.itksnap")
    assert told == ["itksnap"]
    assert window.actions_table["scheme.itksnap"].isChecked()
    assert not window.actions_table["scheme.pacs"].isChecked()
    QApplication.processEvents()
    qtbot.keyClick(window, Qt.Key.Key_1)
    assert workspace.bench.tool is Tool.CROSSHAIR
    assert "(1)" in window.actions_table["tool.crosshair"].toolTip()
    assert window.hands.scheme.name == "ITK-SNAP"
    lung = next(b for b in window.side.findChildren(QPushButton, "preset Lung") if not b.isHidden())
    assert "(Alt+2)" in lung.toolTip()


def test_the_window_begins_with_the_scheme_of_the_settings_and_the_changes_to_it(
    qtbot: QtBot, workspace: Workspace, threads: JobThreads
) -> None:
    save_bindings(with_keys(shipped("slicer"), "tool.angle", Mode, ("Ctrl+J",)))
    workspace.settings = Settings(scheme="slicer")
    window = make_window(qtbot, workspace, threads)
    assert window.hands.scheme.name == "3D Slicer"
    assert "(Ctrl+J)" in window.actions_table["tool.angle"].toolTip()


def test_a_damaged_file_of_changes_is_said_once_the_window_stands(
    qtbot: QtBot, workspace: Workspace, threads: JobThreads
) -> None:
    edits_file("pacs").parent.mkdir(parents=True)
    edits_file("pacs").write_text("{")
    window = make_window(qtbot, workspace, threads)
    qtbot.waitUntil(lambda: "are damaged" in window.message.label.text())
    assert "(L)" in window.actions_table["tool.length"].toolTip()


# ---------------------------------------------------------------------------------------- editing keys


def test_a_recorded_key_is_kept_and_works_at_once(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, editor: SchemeEditor
) -> None:
    workspace.add_case(make_case())
    choose(editor, "tool.angle", Mode.READ)
    press(qtbot, editor, Qt.Key.Key_J, CTRL)
    assert editor.draft.shortcuts("tool.angle", Mode.READ) == ("Ctrl+J",)
    assert editor.problem.text() == ""
    assert editor.count.text() == "1 changed by you, in bold"
    qtbot.mouseClick(editor.save, Qt.MouseButton.LeftButton)
    assert json.loads(edits_file("pacs").read_text())["keys"] == {"tool.angle": {"read": ["Ctrl+J"]}}
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_J, CTRL)
    assert workspace.bench.tool is Tool.ANGLE


def test_a_conflict_is_said_in_words_and_settled_before_anything_can_be_kept(qtbot: QtBot, editor: SchemeEditor) -> None:
    choose(editor, "tool.angle", Mode.READ)
    press(qtbot, editor, Qt.Key.Key_L)
    assert editor.problem.text() == "L would mean Length and Angle while reading."
    assert not editor.save.isEnabled()
    assert editor.take_away.text() == "Only for Angle"
    qtbot.mouseClick(editor.take_away, Qt.MouseButton.LeftButton)
    assert editor.problem.text() == ""
    assert editor.save.isEnabled()
    assert editor.draft.shortcuts("tool.length", Mode.READ) == ()
    assert editor.draft.shortcuts("tool.length", Mode.ANNOTATE) == ("L",)


def test_escape_gives_recording_up_and_reserved_keys_are_refused(qtbot: QtBot, editor: SchemeEditor) -> None:
    choose(editor, "tool.angle", Mode.READ)
    press(qtbot, editor, Qt.Key.Key_Escape)
    assert not editor.record.isChecked()
    assert editor.isVisible()
    press(qtbot, editor, Qt.Key.Key_Tab)
    assert "moves the focus" in editor.problem.text()
    assert editor.draft == shipped("pacs")


def test_signs_are_recorded_without_the_shift_that_makes_them(qtbot: QtBot, editor: SchemeEditor) -> None:
    choose(editor, "brush.larger", Mode.ANNOTATE)
    press(qtbot, editor, Qt.Key.Key_Plus, SHIFT)
    assert editor.draft.shortcuts("brush.larger", Mode.ANNOTATE) == ("+",)
    press(qtbot, editor, Qt.Key.Key_F, SHIFT)
    assert editor.draft.shortcuts("brush.larger", Mode.ANNOTATE) == ("Shift+F",)


def test_a_key_recorded_on_the_title_holds_in_both_modes(qtbot: QtBot, editor: SchemeEditor) -> None:
    editor.table.choose("tool.angle", None)
    assert editor.chosen.text() == "Angle, in both modes"
    press(qtbot, editor, Qt.Key.Key_F5)
    assert {mode: editor.draft.shortcuts("tool.angle", mode) for mode in Mode} == dict.fromkeys(Mode, ("F5",))
    assert editor.chosen.text() == "Angle, in both modes"


def test_one_action_and_all_can_be_reset(qtbot: QtBot, editor: SchemeEditor) -> None:
    for action, key in (("tool.angle", Qt.Key.Key_F5), ("tool.cobb", Qt.Key.Key_F6)):
        choose(editor, action, Mode.READ)
        press(qtbot, editor, key)
    qtbot.mouseClick(editor.remove, Qt.MouseButton.LeftButton)
    assert editor.draft.shortcuts("tool.cobb", Mode.READ) == ()
    qtbot.mouseClick(editor.reset_one, Qt.MouseButton.LeftButton)
    assert editor.draft.shortcuts("tool.cobb", Mode.READ) == ("K",)
    assert editor.draft.shortcuts("tool.angle", Mode.READ) == ("F5",)
    qtbot.mouseClick(editor.reset_all, Qt.MouseButton.LeftButton)
    assert editor.draft == shipped("pacs")
    assert not editor.reset_all.isEnabled()


def test_actions_are_found_by_words_and_by_key(qtbot: QtBot, editor: SchemeEditor) -> None:
    editor.search.setText("slice next")
    assert {"slice.next", "labelled.next"} <= set(editor.table.shown)
    assert not {"slice.previous", "segment.next"} & set(editor.table.shown)
    editor.search.setText("ctrl+shift+z")
    assert editor.table.shown == ["redo"]
    editor.search.setText("nothing like it")
    assert editor.table.shown == []
    assert not editor.record.isEnabled()


def test_another_scheme_can_be_looked_at_and_cancelled(qtbot: QtBot, window: MainWindow, editor: SchemeEditor) -> None:
    editor.schemes.setCurrentIndex(editor.schemes.findData("ohif"))
    assert editor.draft == shipped("ohif")
    qtbot.mouseClick(editor.cancel, Qt.MouseButton.LeftButton)
    assert window.hands.scheme.name == "PACS"


# ---------------------------------------------------------------------------------------- mouse


def test_buttons_are_chosen_by_mode_and_a_mode_without_tool_cannot_be_kept(
    qtbot: QtBot, window: MainWindow, editor: SchemeEditor
) -> None:
    lists = {box.toolTip(): box for box in editor.mouse.findChildren(QComboBox)}
    left = lists["What left button does while annotating"]
    left.setCurrentIndex(left.findData("pan"))
    assert editor.problem.text() == "No button uses the active tool while annotating; give it one under Mouse."
    assert not editor.save.isEnabled()
    right = lists["What right button does while annotating"]
    right.setCurrentIndex(right.findData("tool"))
    assert editor.save.isEnabled()
    qtbot.mouseClick(editor.save, Qt.MouseButton.LeftButton)
    assert json.loads(edits_file("pacs").read_text())["mouse"] == {"annotate": {"left": "pan", "right": "tool"}}
    window.workspace.add_case(make_case())
    window.workspace.bench.mode = Mode.ANNOTATE
    assert window.message.label.text().startswith("Left: move")


def test_the_help_shows_the_scheme_and_leads_to_changing_it(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_table.run("help.keys")
    dialog = window.findChild(KeysDialog)
    assert isinstance(dialog, KeysDialog)
    dialog._change()
    assert window.findChild(SchemeEditor) is not None
