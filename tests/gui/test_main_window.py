"""The window as a whole: pages, keys, lines at the bottom, menus."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from medview.core.job import JobContext
from medview.core.segmentation import Segment
from medview.core.study import ScanResult, Series
from medview.gui.chrome.saved_dot import SavedDot
from medview.gui.chrome.status_line import pointed_text
from medview.gui.commands.menus import EFFECTS_HERE, MENUS, RECENT
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.panes.key_focus import KeyFocus
from medview.gui.panes.pointed_at import PointedAt
from medview.gui.parts.computer import computer_line
from medview.gui.parts.message_line import mouse_hint
from medview.gui.parts.theme_tokens import DARK
from medview.gui.segments.segment_cells import Cell, tip_of
from medview.gui.segments.segment_model import ROW_ROLE
from medview.store.entry import SavedKind, SavedState
from medview.workspace.durations import duration
from medview.workspace.events import Severity
from medview.workspace.jobs import JobStatus, Lane, Outcome
from medview.workspace.layout import LAYOUTS, grid
from medview.workspace.layout_actions import use_layout
from medview.workspace.operations import labels
from medview.workspace.scheme import Scheme
from medview.workspace.view_state import Bench, Mode, Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import SERIES, add_segment, label_voxel, make_case

SMALLEST_SCREEN_PX = 800


@dataclass(frozen=True)
class Waiting:
    """A request that waits for a gate."""

    gate: threading.Event
    title: str = "Running a model"
    lane: Lane = Lane.MODEL

    def run(self, context: JobContext) -> None:
        context.progress(0.4, "tile 2 of 5")
        while not self.gate.wait(0.01):
            context.raise_if_cancelled()


# ---------------------------------------------------------------------------------------- centre and title


def test_the_centre_goes_from_start_page_to_choice_to_pictures_and_back(window: MainWindow, workspace: Workspace) -> None:
    assert window.centre.currentWidget() is window.start
    workspace.add_scan("a", ScanResult((Series("1.9", "1.8"),)))
    assert window.centre.currentWidget() is window._choose
    workspace.add_case(make_case())
    assert window.centre.currentWidget() is window.panes
    workspace.close_case(SERIES.series_uid)
    assert window.centre.currentWidget() is window._choose


def test_the_title_never_names_the_patient_and_nothing_when_hidden(window: MainWindow, workspace: Workspace) -> None:
    series = replace(SERIES, patient_name="Roe^Jane", patient_id="MRN-7", description="Thorax 1.0")
    workspace.add_case(make_case(series=series))
    assert window.windowTitle() == "Thorax 1.0 – MedView"
    workspace.bench.identity_hidden = True
    assert window.windowTitle() == "MedView"


def test_hidden_identity_hides_recent_places_too(window: MainWindow, workspace: Workspace, tmp_path: Path) -> None:
    workspace.remember(str(tmp_path))
    assert len(window.start.findChildren(QPushButton, "recent place")) == 1
    assert window._recent.actions()[0].text() == str(tmp_path)
    workspace.bench.identity_hidden = True
    assert window._recent.actions() == []


def test_recent_places_that_are_gone_are_not_offered(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    window.start.show_recent((str(tmp_path / "gone"), str(tmp_path)))
    QApplication.processEvents()
    rows = [row for row in window.start.findChildren(QPushButton, "recent place") if row.isVisible()]
    assert len(rows) == 1
    with qtbot.waitSignal(window.start.place_wanted) as wanted:
        qtbot.mouseClick(rows[0], Qt.MouseButton.LeftButton)
    assert wanted.args == [str(tmp_path)]


def test_a_recent_place_that_may_not_be_looked_at_is_offered_and_stops_nothing(
    window: MainWindow, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = Path.stat

    def refused(path: Path, **how: bool) -> os.stat_result:
        if path == tmp_path / "far":
            raise PermissionError(errno.EACCES, "refused")
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", refused)
    workspace.remember(str(tmp_path / "far"))
    rows = window.start.findChildren(QPushButton, "recent place")
    assert [row.toolTip() for row in rows] == [f"Open {tmp_path / 'far'}"]
    looked: list[Path] = []
    monkeypatch.setattr(Path, "stat", lambda path, **how: looked.append(path) or stat(path, **how))
    workspace.active_changed.emit()
    assert tmp_path / "far" not in looked


def test_one_line_says_what_the_computer_can_do(window: MainWindow) -> None:
    assert window.start.computer.text() == computer_line()
    assert "processor cores" in computer_line()
    assert computer_line().count("\n") == 0


# ---------------------------------------------------------------------------------------- keys


def test_f11_folds_the_panels_away_and_back(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert not window.studies.isVisible()
    assert not window.side.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert window.studies.isVisible()


def test_number_keys_are_presets_in_read_and_tools_in_annotate(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    case = make_case()
    workspace.add_case(case)
    QApplication.processEvents()
    qtbot.keyClick(window, Qt.Key.Key_2)
    assert case.view.window.center == -600
    qtbot.keyClick(window, Qt.Key.Key_F3)
    assert workspace.bench.mode is Mode.ANNOTATE
    qtbot.keyClick(window, Qt.Key.Key_2)
    assert workspace.bench.tool is Tool.ERASER
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert case.view.window.center == 40


def test_arrow_keys_stay_with_a_list_that_has_the_focus(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    focus = KeyFocus(app)
    try:
        case = make_case()
        workspace.add_case(case)
        workspace.add_scan("a", ScanResult((Series("1.9", "1.8"), Series("1.7", "1.6"))))
        QApplication.processEvents()
        before = case.view.crosshair_kji
        window.studies.tree.setFocus()
        qtbot.keyClick(window.studies.tree, Qt.Key.Key_Down)
        assert case.view.crosshair_kji == before
        window.panes.setFocus()
        window.studies.tree.clearFocus()
        qtbot.keyClick(window, Qt.Key.Key_Up)
        assert case.view.crosshair_kji != before
    finally:
        focus.stop()


def test_undo_key_says_what_was_undone(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    case = make_case()
    workspace.add_case(case)
    window.actions_table.run("segment.add")
    qtbot.waitUntil(lambda: window.actions_table["undo"].isEnabled())
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert case.labels.segmentation.segments == []
    assert window.message.label.text() == "Undone: Add Segment 1"


def test_menus_hold_every_action_they_name_and_each_shows_its_keys(window: MainWindow) -> None:
    for entries in MENUS.values():
        for entry in entries:
            if entry and entry not in (RECENT, EFFECTS_HERE):
                assert window.actions_table[entry].text()
    assert "(Ctrl+O)" in window.actions_table["file.open_folder"].toolTip()
    assert ("Undo", "Ctrl+Z") in window.actions_table.shortcut_table()


def test_no_menu_is_taller_than_the_smallest_screen(window: MainWindow) -> None:
    menus = [entry.menu() for entry in window.top.menus.actions()]
    assert len(menus) == len(MENUS)
    assert [menu.title() for menu in menus if menu.sizeHint().height() > SMALLEST_SCREEN_PX - window.top.height()] == []


def test_menu_entries_that_switch_something_show_how_it_stands(window: MainWindow, workspace: Workspace) -> None:
    workspace.add_case(make_case())
    table = window.actions_table
    for action_id in ("view.crosshair", "view.reference_lines", "link.zoom", "link.window"):
        before = table[action_id].isChecked()
        table.run(action_id)
        assert table[action_id].isChecked() is not before, action_id
    table.run("layout.1x2")
    assert [key for key in LAYOUTS if table[f"layout.{key}"].isChecked()] == ["1x2"]


def test_the_way_out_of_a_tool_is_a_button_in_sight_in_every_mode(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    workspace.add_case(make_case())
    for mode in Mode:
        workspace.bench.mode = mode
        workspace.bench.tool = Tool.LENGTH
        button = window.top.findChild(QToolButton, "top tool.window")
        assert button.isVisible()
        qtbot.waitUntil(button.isEnabled)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert workspace.bench.tool is Tool.WINDOW


# ---------------------------------------------------------------------------------------- message line


def test_good_news_about_one_series_goes_when_another_is_shown_but_what_is_wrong_stays(
    window: MainWindow, workspace: Workspace
) -> None:
    workspace.say("Found 2 series in 1 study.")
    workspace.add_case(make_case())
    assert window.message.label.text() == "Found 2 series in 1 study."
    workspace.say("The earlier study is on the right.")
    workspace.add_case(make_case(series=replace(SERIES, series_uid="1.2.3.5")))
    assert window.message.label.text().startswith("Left: window")
    workspace.say("Slice 3 is damaged.", Severity.WARNING)
    workspace.add_case(make_case(series=replace(SERIES, series_uid="1.2.3.6")))
    assert window.message.label.text() == "Slice 3 is damaged."


def test_a_message_replaces_the_hint_and_closing_it_brings_the_hint_back(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    workspace.add_case(make_case())
    hint = window.message.label.text()
    assert "Left: window" in hint
    workspace.say("Slice 4 is damaged: it ends early. The other 6 are shown.", Severity.WARNING)
    assert window.message.label.text().startswith("Slice 4")
    assert not window.message.undo.isVisible()
    qtbot.mouseClick(window.message.dismiss, Qt.MouseButton.LeftButton)
    assert window.message.label.text() == hint


def test_the_undo_link_takes_back_what_its_message_tells_and_goes_once_something_newer_is_done(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    case, other = make_case(), make_case(series=replace(SERIES, series_uid="1.2.3.5"))
    for opened in (other, case):
        workspace.add_case(opened)
    liver = labels.add_segment(case, "Liver")
    assert liver is not None
    workspace.say("Added Liver.", undo=True)
    assert window.message.undo.isVisible()
    label_voxel(case, liver, (1, 2, 3))
    assert window.message.label.text() == "Added Liver."
    assert not window.message.undo.isVisible()

    workspace.say("Painted.", undo=True)
    workspace.show(other.key)
    assert not window.message.undo.isVisible()
    workspace.show(case.key)
    QApplication.processEvents()
    qtbot.mouseClick(window.message.undo, Qt.MouseButton.LeftButton)
    assert case.history.names == ("Add Liver",)


def test_the_hint_says_what_the_hands_do_in_each_mode() -> None:
    scheme = Scheme.load()
    assert "Right: zoom" in mouse_hint(scheme, Bench())
    annotating = mouse_hint(scheme, Bench(mode=Mode.ANNOTATE, tool=Tool.BRUSH))
    assert "Left: paint" in annotating
    assert "Right: window" in annotating


# ---------------------------------------------------------------------------------------- status line


def test_the_pointer_text_has_the_sides_of_the_picture_millimetres_voxel_value_unit_and_segments() -> None:
    at = PointedAt((40, 12, 7), (-12.34, 5.0, -100.06), (-871.0,), "HU", ("Lungs",))
    assert pointed_text(at) == "R 12.3 P 5.0 F 100.1 mm   voxel 7, 12, 40   \u2212871 HU   Lungs"
    colour = PointedAt((0, 1, 2), None, (10.0, 20.0, 30.0), "", ())
    assert pointed_text(colour) == "voxel 2, 1, 0   RGB 10 20 30"


def test_a_long_job_shows_progress_and_cancel_stops_it(qtbot: QtBot, window: MainWindow, threads: JobThreads) -> None:
    gate = threading.Event()
    job = threads.submit(Waiting(gate), Outcome(lambda _value: None))
    qtbot.waitUntil(window.status.jobs.label.isVisible)
    assert window.status.jobs.label.text() == "Running a model: tile 2 of 5"
    assert window.status.jobs.bar.value() == 400
    qtbot.mouseClick(window.status.jobs.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: job.status is JobStatus.CANCELLED)
    assert not window.status.jobs.label.isVisible()


def test_remaining_time_is_rough_and_in_words() -> None:
    assert [duration(s) for s in (0.2, 8.4, 89, 130, 4000, 7500)] == ["1 s", "8 s", "89 s", "2 min", "67 min", "2 h 5 min"]


def test_the_saved_dot_says_writing_saved_and_why_not(qtbot: QtBot) -> None:
    dot = SavedDot(DARK)
    qtbot.addWidget(dot)
    dot.show_state(None)
    assert dot.isHidden()
    shown = []
    for state in (
        SavedState(SavedKind.WRITING, waiting=2),
        SavedState(SavedKind.SAVED),
        SavedState(SavedKind.FAILED, "The disk is full; free some room.", 3),
    ):
        dot.show_state(state)
        shown.append((dot.label.text(), dot._dot.colour))
    assert shown == [("Saving", DARK.quiet), ("Saved", DARK.good), ("Not saved", DARK.error)]
    assert "The disk is full" in dot.toolTip()
    assert "3 changes are waiting" in dot.toolTip()


def test_the_check_chip_leads_to_the_notes(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    workspace.add_case(make_case())
    workspace.bench.mode = Mode.ANNOTATE
    assert not window.side.sections["check"].isVisible()
    qtbot.mouseClick(window.status.check, Qt.MouseButton.LeftButton)
    assert window.side.sections["check"].isVisible()


def test_the_check_chip_brings_back_panels_that_are_folded_away(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    workspace.add_case(make_case())
    workspace.bench.panels_visible = False
    qtbot.mouseClick(window.status.check, Qt.MouseButton.LeftButton)
    assert window.side.sections["check"].isVisible()


def test_keys_wake_and_sleep_with_the_series_under_the_pointer(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    empty, labelled = make_case(), make_case(series=Series("9.9.9", "1.2.3", modality="CT"))
    workspace.add_case(empty)
    use_layout(workspace, grid(1, 2))
    first, second = (cell.pane_id for cell in workspace.bench.layout.slices)
    segment = add_segment(labelled)
    labelled.view.active_segment_id = segment.segment_id
    workspace.add_case(labelled, second)
    copy = window.actions_table["slice.copy"]
    workspace.bench.pointed = second
    qtbot.waitUntil(copy.isEnabled)
    workspace.bench.pointed = first
    qtbot.waitUntil(lambda: not copy.isEnabled())
    workspace.bench.pointed = second
    qtbot.waitUntil(copy.isEnabled)


def test_long_names_are_cut_and_whole_in_the_tooltip(window: MainWindow, workspace: Workspace) -> None:
    case = make_case()
    name = "A name for a segment that is far longer than any panel has room for"
    case.labels.segmentation.segments.append(Segment("s9", name, (1, 2, 3), 0, 1))
    workspace.bench.mode = Mode.ANNOTATE
    workspace.add_case(case)
    QApplication.processEvents()
    tree = window.side.segments.tree
    index = tree.rows.index_of("s9")
    place = tree.delegate.cells_at(tree.visualRect(index), index)[Cell.NAME]
    assert tree.viewport().rect().contains(place)
    assert tip_of(Cell.NAME, index.data(ROW_ROLE)).startswith(name)


@pytest.mark.parametrize("size", [(1280, 800), (1024, 640), (1920, 1080)])
def test_nothing_is_wider_than_the_side_column(
    window: MainWindow, workspace: Workspace, size: tuple[int, int], themed: None
) -> None:
    workspace.add_case(make_case())
    for mode in Mode:
        workspace.bench.mode = mode
        window.resize(*size)
        QApplication.processEvents()
        assert window.side.widget().width() <= window.side.viewport().width()
        assert window.side.widget().minimumSizeHint().width() <= window.side.viewport().width()
