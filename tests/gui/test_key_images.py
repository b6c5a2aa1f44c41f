"""Key images in the window: a key, a mark on the picture, a list, pictures and DICOM."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from medview.core.plane import Plane
from medview.gui.commands import file_commands, key_image_commands
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.workspace.key_images import key_images, toggle
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.time_points import TimePoint
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case, pixels
from tests.gui.windows import bare_workspace


@pytest.fixture
def workspace(tmp_path: Path, threads: JobThreads) -> Workspace:
    workspace = bare_workspace(tmp_path, threads)
    case = make_case()
    case.series = replace(case.series, patient_name="Doe^Jane", patient_id="MRN-77")
    workspace.add_case(case)
    return workspace


@pytest.fixture
def case(workspace: Workspace) -> OpenCase:
    assert workspace.active is not None
    return workspace.active


def rows(window: MainWindow) -> list[str]:
    return [label.text() for label in window.side.key_images.findChildren(QLabel) if not label.isHidden()]


def button(window: MainWindow, tip: str) -> QToolButton:
    buttons = window.side.key_images.findChildren(QToolButton)
    return next(one for one in buttons if one.toolTip().startswith(tip) and not one.isHidden())


def test_the_key_marks_the_slice_under_the_pointer_and_the_picture_says_so(
    qtbot: QtBot, window: MainWindow, case: OpenCase
) -> None:
    window.workspace.bench.pointed = "coronal"
    qtbot.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    (marked,) = key_images(case)
    layout = case.layouts()[Plane.CORONAL]
    index = case.view.crosshair_kji[layout.normal_axis]
    assert marked.slice_index(layout, case.volume.geometry) == index
    assert window.message.label.text() == f"Marked Coronal {index + 1} as a key image."
    assert window.message.undo.isVisible()
    assert "Key image" in window.panes.panes["coronal"].shown_text()
    assert "Key image" not in window.panes.panes["axial"].shown_text()
    case.view.set_slice(layout.normal_axis, index + 1)
    assert "Key image" not in window.panes.panes["coronal"].shown_text()
    window.message.undo.click()
    assert key_images(case) == []


def test_the_mark_is_drawn(window: MainWindow, case: OpenCase) -> None:
    pane = window.panes.panes["axial"]
    window.workspace.bench.pointed = "axial"
    before = pixels(pane)
    window.actions_table.run("keyimage.toggle")
    after = pixels(pane)
    changed = np.argwhere((before != after).any(axis=2))
    height, width = before.shape[:2]
    assert len(changed) > 200
    assert changed[:, 0].max() < height / 3
    assert changed[:, 1].min() > width / 2
    window.actions_table.run("keyimage.toggle")
    np.testing.assert_array_equal(pixels(pane), before)
    assert key_images(case) == []


def test_the_list_stands_where_there_are_some_and_jumps(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    section = window.side.sections["key images"]
    assert section.isHidden()
    window.workspace.bench.pointed = "sagittal"
    window.actions_table.run("keyimage.toggle")
    layout = case.layouts()[Plane.SAGITTAL]
    here = case.view.crosshair_kji[layout.normal_axis]
    qtbot.waitUntil(lambda: rows(window) == [f"Sagittal {here + 1}"])
    assert not section.isHidden()
    label = next(one for one in window.side.key_images.findChildren(QLabel) if not one.isHidden())
    assert label.property("role") == "accent"
    case.view.set_slice(layout.normal_axis, here + 2)
    qtbot.waitUntil(lambda: label.property("role") == "")
    button(window, "Show it").click()
    assert case.view.crosshair_kji[layout.normal_axis] == here
    button(window, "Unmark").click()
    qtbot.waitUntil(section.isHidden)
    assert key_images(case) == []
    case.undo()
    qtbot.waitUntil(lambda: not section.isHidden())


def test_a_note_stands_in_the_list_and_on_the_picture_and_can_be_undone(
    qtbot: QtBot, window: MainWindow, case: OpenCase
) -> None:
    window.workspace.bench.pointed = "axial"
    window.actions_table.run("keyimage.toggle")
    qtbot.waitUntil(lambda: len(rows(window)) == 1)
    button(window, "Write a note").click()
    asked = window.side.key_images.findChild(QInputDialog)
    assert asked is not None
    asked.setTextValue("  Nodule,\n 8 mm ")
    asked.accept()
    qtbot.waitUntil(lambda: [text.partition(": ")[2] for text in rows(window)] == ["Nodule, 8 mm"])
    assert "Key image: Nodule, 8 mm" in window.panes.panes["axial"].shown_text()
    case.undo()
    assert key_images(case)[0].label == ""


def test_all_key_images_are_saved_as_their_panes_show_them_and_nothing_is_replaced(
    qtbot: QtBot, window: MainWindow, case: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = window.workspace.bench
    assert not window.actions_table["keyimage.save"].isEnabled()
    bench.pointed = "axial"
    window.actions_table.run("keyimage.toggle")
    axis = case.layouts()[Plane.AXIAL].normal_axis
    first = case.view.crosshair_kji[axis]
    case.view.set_slice(axis, first + 1)
    window.actions_table.run("keyimage.toggle")
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "key-image-1.png").write_bytes(b"mine")
    monkeypatch.setattr(key_image_commands, "ask_folder", lambda *_: folder)
    window.actions_table.run("keyimage.save")
    qtbot.waitUntil(lambda: window.message.label.text().startswith("Wrote 2 key images into keys."), timeout=20_000)
    assert (folder / "key-image-1.png").read_bytes() == b"mine"
    bench.pointed = "coronal"
    for number, index in ((2, first), (3, first + 1)):
        case.view.set_slice(axis, index)
        with Image.open(folder / f"key-image-{number}.png") as saved:
            np.testing.assert_array_equal(np.asarray(saved), pixels(window.panes.panes["axial"]))
    assert len(list(folder.iterdir())) == 3


def test_a_key_image_in_time_is_saved_as_it_is_at_its_time_whichever_is_shown(
    qtbot: QtBot, window: MainWindow, case: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.entry = replace(case.entry, time_points=4)
    for n in range(1, 4):
        load = LoadState(case.load.total)
        load.mark_all_ready()
        # A later time is brighter everywhere.
        case.times.append(TimePoint(replace(case.volume, voxels=np.full_like(case.volume.voxels, 60 * n)), load))
    pane, layout = window.panes.panes["axial"], case.slice_plane(Plane.AXIAL)
    window.workspace.bench.pointed = "coronal"
    shown = {}
    for time_index in (1, 3):
        case.view.time_index = time_index
        assert toggle(case, layout, case.position_on(layout)) is not None
        shown[time_index] = pixels(pane)
    case.view.time_index = 0
    assert "Key image" not in pane.shown_text()
    monkeypatch.setattr(key_image_commands, "ask_folder", lambda *_: tmp_path)
    window.workspace.bench.pointed = "axial"
    window.actions_table.run("keyimage.save")
    qtbot.waitUntil(lambda: window.message.label.text().startswith("Wrote 2 key images"), timeout=20_000)
    for number, time_index in ((1, 1), (2, 3)):
        with Image.open(tmp_path / f"key-image-{number}.png") as saved:
            np.testing.assert_array_equal(np.asarray(saved), shown[time_index])


def test_a_dicom_document_is_refused_while_the_identity_is_hidden(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_args: object) -> Path:
        raise AssertionError("asked for a file")

    monkeypatch.setattr(file_commands, "ask_new_file", ask)
    window.actions_table.run("keyimage.toggle")
    window.workspace.bench.identity_hidden = True
    window.actions_table.run("file.export_ko")
    assert "hidden" in window.message.label.text()


def test_a_series_that_cannot_be_changed_offers_no_mark(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    case.read_only = "Locked."
    window.actions_table.refresh()
    assert not window.actions_table["keyimage.toggle"].isEnabled()
    window.actions_table.run("keyimage.toggle")
    assert key_images(case) == []
