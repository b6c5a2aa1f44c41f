"""Ctrl+K: everything is found from anywhere, done with Enter, and what is greyed says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.study import ScanResult
from medview.gui.dialogs.model_run import ModelRunDialog
from medview.gui.dialogs.palette import Palette
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.panes.key_focus import KeyFocus
from medview.workspace.search_words import WORDS, search_words
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import SERIES, make_case
from tests.gui.windows import bare_workspace, make_window
from tests.ml.small_packs import small_pack

CTRL = Qt.KeyboardModifier.ControlModifier


def opened(window: MainWindow) -> Palette:
    return window.findChild(Palette)  # type: ignore[return-value]


def find(qtbot: QtBot, window: MainWindow, text: str) -> Palette:
    window.actions_table.run("help.find")
    palette = opened(window)
    palette.field.setText(text)
    return palette


def titles(palette: Palette) -> list[str]:
    return [palette.model.entry(row).title for row in range(palette.model.rowCount())]


def gone(window: MainWindow) -> bool:
    return window.findChild(Palette) is None


def test_typing_and_enter_do_an_action(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    workspace.add_case(make_case())
    palette = find(qtbot, window, "axis long")
    assert titles(palette) == ["Long and short axis"]
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: workspace.bench.tool is Tool.BIDIRECTIONAL)
    qtbot.waitUntil(lambda: gone(window))


def test_models_are_found_and_run_by_name_and_those_that_do_not_fit_say_why(
    qtbot: QtBot, tmp_path: Path, threads: JobThreads
) -> None:
    small_pack(tmp_path / "packs" / "organs")
    workspace = bare_workspace(tmp_path, threads)
    window = make_window(qtbot, workspace, threads)
    palette = find(qtbot, window, "model organs")
    entry = palette.model.entry(0)
    assert entry.title.startswith("Run ")
    assert entry.why_not == "Open a series first."
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: gone(window))
    workspace.add_case(make_case())
    palette = find(qtbot, window, "run organs")
    assert not palette.model.entry(0).why_not
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    # Nobody knows yet what the model takes on this computer.
    qtbot.waitUntil(lambda: window.findChild(ModelRunDialog) is not None)
    dialog = window.findChild(ModelRunDialog)
    assert dialog is not None
    assert "Organs (example)" in dialog.windowTitle()
    dialog.close()


def test_keys_are_shown_as_they_are_in_the_mode_and_found_by(
    window: MainWindow, qtbot: QtBot, workspace: Workspace
) -> None:
    workspace.add_case(make_case())
    workspace.bench.mode = Mode.ANNOTATE
    palette = find(qtbot, window, "brush")
    shown = {palette.model.entry(row).title: palette.model.entry(row).keys for row in range(palette.model.rowCount())}
    assert shown["Brush"] == "1, B"
    palette.field.setText("ctrl z")
    assert titles(palette) == ["Undo"]


@pytest.mark.parametrize("place", ["search", "number", "pane", "list"])
def test_it_opens_from_any_focus_and_typing_reaches_no_key_of_the_window(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, place: str
) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    focus = KeyFocus(app)
    case = make_case()
    workspace.add_case(case)
    workspace.add_scan("x", ScanResult((case.series,)))
    QApplication.processEvents()
    widget = {
        "search": window.studies.search,
        "number": window.side.window_part.center,
        "pane": window.panes,
        "list": window.studies.tree,
    }[place]
    widget.setFocus()
    before = (case.view.crosshair_kji, workspace.bench.tool, case.view.window)
    try:
        qtbot.keyClick(widget, Qt.Key.Key_K, CTRL)
        palette = opened(window)
        assert palette.field.hasFocus()
        for key in (Qt.Key.Key_L, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_2):
            qtbot.keyClick(palette.field, key)
        assert palette.field.text().casefold() == "l2"
        assert (case.view.crosshair_kji, workspace.bench.tool, case.view.window) == before
        qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: gone(window))
        assert widget.hasFocus()
    finally:
        focus.stop()


def test_arrows_go_round_and_a_page_stops_at_the_end(qtbot: QtBot, window: MainWindow) -> None:
    palette = find(qtbot, window, "")
    last = palette.model.rowCount() - 1
    qtbot.keyClick(palette.field, Qt.Key.Key_Up)
    assert palette.list.currentIndex().row() == last
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == 0
    for _ in range(last):
        qtbot.keyClick(palette.field, Qt.Key.Key_PageDown)
    assert palette.list.currentIndex().row() == last


def test_what_makes_no_sense_now_says_why_and_stays(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    palette = find(qtbot, window, "brush smaller")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.note.text() == "Smaller brush: no series is open."
    assert palette.isVisible()
    palette.close()
    qtbot.waitUntil(lambda: gone(window))
    workspace.add_case(make_case())
    palette = find(qtbot, window, "accept proposal")
    assert palette.model.entry(0).why_not == "No model has proposed anything"
    palette.field.setText("xyzzy")
    assert "Nothing is called that" in palette.note.text()


def test_windows_are_found_by_name(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    case = make_case()
    workspace.add_case(case)
    palette = find(qtbot, window, "lung")
    qtbot.mouseClick(
        palette.list.viewport(), Qt.MouseButton.LeftButton, pos=palette.list.visualRect(palette.model.index(0)).center()
    )
    qtbot.waitUntil(lambda: case.view.window.center == -600)


def test_open_series_are_found_and_shown_and_files_are_not_named_while_hidden(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    first = make_case(series=replace(SERIES, series_uid="1.1", description="Thorax thin"))
    other = make_case(series=replace(SERIES, series_uid="1.2", description="Doe head"))
    for case in (first, other):
        workspace.add_case(case)
    workspace.add_scan("x", ScanResult((first.series, other.series)))
    palette = find(qtbot, window, "thorax")
    assert titles(palette) == ["CT Thorax thin"]
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: workspace.active is first)


def test_a_click_beside_it_closes_it_and_another_ctrl_k_as_well(qtbot: QtBot, window: MainWindow) -> None:
    palette = find(qtbot, window, "")
    assert palette.size() == window.size()
    qtbot.mouseClick(palette, Qt.MouseButton.LeftButton, pos=QPoint(5, window.height() - 5))
    qtbot.waitUntil(lambda: gone(window))
    palette = find(qtbot, window, "")
    window.resize(1100, 700)
    qtbot.waitUntil(lambda: palette.size() == window.size())
    qtbot.keyClick(palette.field, Qt.Key.Key_K, CTRL)
    qtbot.waitUntil(lambda: gone(window))


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("MPR", "Three planes"),
        ("mpr 3d", "Three planes and 3-D"),
        ("oblique", "Planes of the patient, interpolated"),
        ("oblique", "Crosshair"),
        ("sync", "Link: same place of one frame of reference"),
        ("sync scroll", "Link: scroll together from here"),
        ("prior", "Compare with the earlier study"),
        ("MIP", "Slab: off, MIP, MinIP, mean"),
        ("mip thicker", "Thicker slab"),
        ("registration", "Register the fused series"),
        ("3D", "Three planes and 3-D"),
        ("volume rendering", "Three planes and 3-D"),
        ("cine", "Play or stop"),
        ("cine 4d", "Play time, not slices"),
        ("histogram", "Show or hide panels"),
        ("key image", "Mark or unmark as key image"),
        ("second monitor", "Pane in a window of its own, or back"),
        ("pet-ct", "Show or hide the fused series"),
        ("4d next", "Next time point"),
        ("recist", "Long and short axis"),
        ("roi", "Ellipse with mean and area"),
        ("dicom header", "Tags of this image"),
        ("anonymize", "Hide patient identity"),
        ("scout", "Show or hide reference lines"),
    ],
)
def test_a_radiologists_word_leads_to_the_action_whatever_it_is_called_here(
    qtbot: QtBot, window: MainWindow, query: str, title: str
) -> None:
    assert title in titles(find(qtbot, window, query))[:8]


def test_words_beside_the_titles_belong_to_actions_that_are_there(window: MainWindow) -> None:
    ids = set(window.actions_table.titles())
    groups = {action_id.partition(".")[0] for action_id in ids}
    assert [key for key in WORDS if key not in ids | groups] == []
    for action_id in ids:
        if action_id.partition(".")[0] in {
            "layout",
            "link",
            "plane",
            "planes",
            "fusion",
            "time",
            "cine",
            "slab",
            "keyimage",
        }:
            assert search_words(action_id), action_id


def test_what_is_called_so_comes_before_what_is_only_known_by_it(qtbot: QtBot, window: MainWindow) -> None:
    assert titles(find(qtbot, window, "window"))[0] == "Window"
    assert titles(find(qtbot, window, "compare"))[0] == "Compare with the earlier study"


def test_number_keys_say_which_window_they_set(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    workspace.add_case(make_case())
    palette = find(qtbot, window, "preset lung")
    entry = palette.model.entry(0)
    assert (entry.title, entry.detail, entry.keys) == ("Window preset 2", "Lung", "2")
