"""The line across the window while labels are not safe or cannot be changed: what it says and what its buttons do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segment
from medview.gui.app import Program
from medview.gui.chrome.project_banner import ProjectBanner
from medview.gui.commands import project_keeper
from medview.gui.commands.project_keeper import Access
from medview.gui.parts.theme_tokens import DARK
from medview.store import ballast, lock_watch
from medview.store import journal as journal_module
from medview.store.case_images import CaseKey
from medview.store.entry import SavedKind, SavedState
from medview.store.personal import personal_project
from medview.store.project import Project
from medview.workspace.keeping import keep, load_stored
from medview.workspace.model_line import ModelLines, Verdict
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations.open import restore
from medview.workspace.requests import ReadSeries
from tests.gui.cases import make_case
from tests.helpers.small_disk import small_disk
from tests.ml.small_packs import small_pack

FULL = SavedState(SavedKind.FAILED, "The disk has no room for x.medview; free some space and saving goes on by itself.", 3)


@pytest.fixture
def banner(qtbot: QtBot) -> ProjectBanner:
    made = ProjectBanner()
    qtbot.addWidget(made)
    return made


def _offers(banner: ProjectBanner) -> list[str]:
    buttons = {
        "retry": banner.retry,
        "copy": banner.copy,
        "write": banner.write,
        "recover": banner.recover,
        "dismiss": banner.dismiss,
    }
    return [name for name, button in buttons.items() if not button.isHidden()]


def test_there_is_no_line_while_all_is_well(banner: ProjectBanner) -> None:
    assert banner.isHidden()
    for state in (SavedState(SavedKind.WRITING, waiting=2), SavedState(SavedKind.SAVED), None):
        banner.show_saved(state)
        assert banner.isHidden()


def test_what_is_not_saved_is_said_in_red_until_it_is(banner: ProjectBanner) -> None:
    banner.show_saved(FULL)
    assert banner.label.text() == f"Not saved. {FULL.reason} 3 changes are kept in memory and not on disk."
    assert (banner.property("role"), banner.label.property("role")) == ("alarm", "error")
    assert _offers(banner) == ["retry", "copy"]
    # It does not blink with every try.
    banner.show_saved(SavedState(SavedKind.WRITING, waiting=3))
    assert banner.isVisibleTo(None)
    assert banner.property("role") == "alarm"
    banner.show_saved(SavedState(SavedKind.SAVED))
    assert banner.isHidden()


def test_a_disk_that_is_nearly_full_is_said_in_amber_and_can_be_waved_away(qtbot: QtBot, banner: ProjectBanner) -> None:
    scarce = SavedState(SavedKind.SAVED, warning="The disk has little room left.")
    banner.show_saved(scarce)
    assert banner.label.text() == "The disk has little room left."
    assert banner.property("role") == "caution"
    assert _offers(banner) == ["copy", "dismiss"]
    qtbot.mouseClick(banner.dismiss, Qt.MouseButton.LeftButton)
    banner.show_saved(scarce)
    assert banner.isHidden()
    banner.show_saved(SavedState(SavedKind.SAVED, warning="The disk is full, the reserve is used."))
    assert not banner.isHidden()


def test_the_buttons_ask_for_what_they_say(qtbot: QtBot, banner: ProjectBanner) -> None:
    asked: list[str] = []
    banner.retry_wanted.connect(lambda: asked.append("retry"))
    banner.copy_wanted.connect(lambda: asked.append("copy"))
    banner.write_wanted.connect(lambda: asked.append("write"))
    banner.show_saved(FULL)
    for button in (banner.retry, banner.copy):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    banner.show_saved(SavedState(SavedKind.SAVED))
    banner.show_access(Access("x.medview can be written again.", free=True))
    qtbot.mouseClick(banner.write, Qt.MouseButton.LeftButton)
    assert asked == ["retry", "copy", "write"]


# ------------------------------------------------------------------------------------------------ in the program


def _known(home: Path) -> None:
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "settings.json").write_text(json.dumps({"notice_seen": True}), encoding="utf-8")


def _add_case(program: Program, case: OpenCase) -> None:
    """Open a case as a series is: labels of the project on it, and every step to the journal."""
    services = program.workspace.services
    program.workspace.add_case(case)
    stored = load_stored(services.project, case.series, case.entry, case.volume)
    restore(case, services, stored, ReadSeries())
    case.load_changed.emit()


def _noise(case: OpenCase, segment: Segment, seed: int) -> None:
    """A stroke that does not compress."""
    whole = Box.whole(case.volume.geometry.shape_kji)
    noise = np.random.default_rng(seed).integers(0, 255, whole.shape_kji, dtype=np.uint8)
    gesture = case.gesture("brush")
    patch = LabelPatch.between(case.labels.segmentation.layer(segment.layer_id), whole, noise)
    assert patch is not None
    gesture.apply(patch)
    gesture.commit("Noise")


def test_a_second_window_reads_says_who_writes_and_goes_on_once_it_may(
    home: Path, program: Program, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lock_watch, "LOOK_EVERY_S", 0.02)
    _known(home)
    first = personal_project(home / "data")
    theirs = make_case()
    key = CaseKey("1.2.3", theirs.key, "1.2.3")
    stored = load_stored(first, theirs.series, theirs.entry, theirs.volume)
    keep(theirs, first, stored)
    labels.add_segment(theirs, "Liver")
    assert first.journal.flush()

    program.keeper.open()
    banner, workspace = program.window.banner, program.workspace
    workspace.trainings.conductor.look()
    assert banner.isVisible()
    assert banner.label.text().startswith("personal.medview is being written by ")
    assert not banner.write.isVisible()
    assert not program.window.status.saved.isVisible()
    case = make_case()
    _add_case(program, case)
    assert case.read_only == banner.label.text()
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver"]

    # The first window goes on, and is closed.
    labels.add_segment(theirs, "Spleen")
    first.close()
    qtbot.waitUntil(banner.write.isVisible)
    assert "personal.medview can be written again" in banner.label.text()
    assert case.read_only
    qtbot.mouseClick(banner.write, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not case.read_only)
    assert [s.name for s in case.labels.segmentation.segments] == ["Liver", "Spleen"]
    assert banner.isHidden()
    labels.add_segment(case, "Kidney")
    project = workspace.services.project
    assert project is not None
    qtbot.waitUntil(lambda: project.journal.state.kind is SavedKind.SAVED)
    qtbot.waitUntil(lambda: program.window.status.saved.label.text() == "Saved")
    # Trainings and versions are those of the project that is written now, not of the copy that was read.
    pack = small_pack(tmp_path / "pack", name="Organs")
    ModelLines(project).add("segmentation", pack, Verdict.KEPT, reason="")
    workspace.trainings.conductor.use_version("segmentation", 1)
    qtbot.waitUntil(lambda: [one.spec.name for one in workspace.trainings.current_packs] == ["Organs v1"])
    with Project.open(project.path, read_only=True) as on_disk:
        row = on_disk.find_reading(key, case.volume.geometry) or on_disk.readings()[0]
        names = [s.name for s in on_disk.load_reading(row.reading_id).labels.segmentation.segments]
    assert names == ["Liver", "Spleen", "Kidney"]


def test_of_two_windows_that_wait_the_slower_one_goes_on_waiting(
    home: Path, program: Program, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_watch, "LOOK_EVERY_S", 0.02)
    _known(home)
    banner = program.window.banner
    first = personal_project(home / "data")
    program.keeper.open()
    first.close()
    qtbot.waitUntil(banner.write.isVisible)
    faster = personal_project(home / "data")
    qtbot.mouseClick(banner.write, Qt.MouseButton.LeftButton)
    assert "is being written by" in banner.label.text()
    assert not banner.write.isVisible()
    faster.close()
    qtbot.waitUntil(banner.write.isVisible)
    qtbot.mouseClick(banner.write, Qt.MouseButton.LeftButton)
    assert program.workspace.services.project is not None
    assert not program.workspace.services.project.read_only
    assert banner.isHidden()


def test_a_series_that_is_being_read_is_waited_for_before_the_project_is_written(
    home: Path, program: Program, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_watch, "LOOK_EVERY_S", 0.02)
    _known(home)
    first = personal_project(home / "data")
    program.keeper.open()
    case = make_case()
    case.reading = True
    program.workspace.add_case(case)
    first.close()
    qtbot.waitUntil(program.window.banner.write.isVisible)
    copy = program.workspace.services.project
    program.keeper.write()
    assert program.workspace.services.project is copy
    assert "still being read" in program.window.message.label.text()


@pytest.mark.parametrize("there", [False, True])
def test_a_disk_that_was_full_at_the_start_is_tried_again_by_a_click(
    full_home: Path, program: Program, qtbot: QtBot, there: bool
) -> None:
    if there:
        personal_project(full_home).close()
    filler = full_home / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(full_home).free))
    program.keeper.open()
    banner = program.window.banner
    assert "The disk has no room for personal.medview" in banner.label.text()
    assert _offers(banner) == ["write", "dismiss"]
    case = make_case()
    _add_case(program, case)
    assert case.read_only
    qtbot.mouseClick(banner.write, Qt.MouseButton.LeftButton)
    assert "The disk has no room" in banner.label.text()
    filler.unlink()
    qtbot.mouseClick(banner.write, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not case.read_only)
    assert banner.isHidden()
    labels.add_segment(case, "Liver")
    project = program.workspace.services.project
    assert project is not None
    assert project.journal.flush()
    qtbot.waitUntil(lambda: program.window.status.saved.label.text() == "Saved")


def test_a_newer_project_is_read_and_says_why(home: Path, program: Program) -> None:
    _known(home)
    personal_project(home / "data").close()
    with sqlite3.connect(home / "data" / "personal.medview" / "project.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    program.keeper.open()
    assert "was written by a newer MedView" in program.window.banner.label.text()
    assert program.workspace.services.project is not None
    assert program.workspace.services.project.read_only
    assert not program.window.banner.write.isVisible()


def test_what_is_missing_from_the_labels_is_named_once_and_listed_whole(home: Path, program: Program) -> None:
    _known(home)
    with personal_project(home / "data") as project:
        case = make_case()
        keep(case, project, load_stored(project, case.series, case.entry, case.volume))
        for name in ("Liver", "Spleen", "Kidney"):
            labels.add_segment(case, name)
    with sqlite3.connect(home / "data" / "personal.medview" / "project.db") as connection:
        connection.execute("UPDATE journal SET payload = x'00' WHERE seq < 3")
    connection.close()
    program.keeper.open()
    again = make_case()
    program.workspace.add_case(again)
    stored = load_stored(program.workspace.services.project, again.series, again.entry, again.volume)
    said = restore(again, program.workspace.services, stored, ReadSeries())
    assert len(again.losses) >= 2
    assert said.startswith(again.losses[0])
    assert "(tool " in said
    assert said.count("damaged on disk") == 1
    assert f"{len(again.losses) - 1} more loss" in said


def test_a_damaged_project_is_read_and_recovered_by_one_click_and_kept(home: Path, program: Program, qtbot: QtBot) -> None:
    _known(home)
    path = home / "data" / "personal.medview"
    with personal_project(home / "data") as project:
        case = make_case()
        keep(case, project, load_stored(project, case.series, case.entry, case.volume))
        for name in ("Liver", "Spleen"):
            labels.add_segment(case, name)
    hurt = bytes(4096) + (path / "project.db").read_bytes()[4096:]
    (path / "project.db").write_bytes(hurt)
    program.keeper.open()
    banner = program.window.banner
    assert "The database of personal.medview is damaged and can only be read" in banner.label.text()
    assert _offers(banner) == ["recover", "dismiss"]
    again = make_case()
    _add_case(program, again)
    assert [s.name for s in again.labels.segmentation.segments] == ["Liver", "Spleen"]
    assert again.read_only
    qtbot.mouseClick(banner.recover, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not again.read_only, timeout=20_000)
    assert banner.isHidden()
    (kept,) = (home / "data").glob("personal-damaged-*.medview")
    assert (kept / "project.db").read_bytes() == hurt
    assert "nothing was lost. The damaged project is kept as personal-damaged-" in program.window.message.label.text()
    labels.add_segment(again, "Kidney")
    project = program.workspace.services.project
    assert project is not None
    assert project.journal.flush()
    assert project.verify().problems == ()
    assert [s.name for s in again.labels.segmentation.segments] == ["Liver", "Spleen", "Kidney"]


@pytest.fixture
def full_home(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Labels are kept on a disk of four megabytes, with a reserve of 300 kB."""
    monkeypatch.setattr(journal_module, "RETRY_S", 0.05)
    monkeypatch.setattr(ballast, "LOOK_FOR_ROOM_S", 0.05)
    monkeypatch.setattr(ballast, "BALLAST_BYTES", 300_000)
    _known(home)
    with small_disk(tmp_path / "small", megabytes=4) as place:
        monkeypatch.setenv("MEDVIEW_DATA", str(place))
        yield place


def test_a_full_disk_is_told_across_the_window_until_there_is_room_again(
    full_home: Path, program: Program, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program.keeper.open()
    banner, dot = program.window.banner, program.window.status.saved
    case = make_case()
    _add_case(program, case)
    labels.add_segment(case, "Liver")
    (segment,) = case.labels.segmentation.segments
    project = program.workspace.services.project
    assert project is not None
    qtbot.waitUntil(lambda: not ballast.Ballast(project.path).missing_bytes)
    filler = full_home / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(full_home).free))

    _noise(case, segment, 0)
    qtbot.waitUntil(lambda: "into its last reserve" in banner.label.text() and banner.isVisible())
    assert dot.label.text() in ("Saved", "Saving")
    for seed in range(1, 40):
        _noise(case, segment, seed)
    qtbot.waitUntil(lambda: banner.property("role") == "alarm", timeout=10_000)
    assert banner.label.text().startswith("Not saved. The disk has no room for personal.medview")
    assert dot.label.text() == "Not saved"
    assert dot._dot.colour == DARK.error

    # The way out: everything elsewhere, what waits included.
    elsewhere = tmp_path / "elsewhere.medview"
    monkeypatch.setattr(project_keeper, "ask_new_file", lambda *_args: elsewhere)
    qtbot.mouseClick(banner.copy, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "elsewhere.medview holds everything" in program.window.message.label.text(), timeout=20_000)
    with Project.open(elsewhere, read_only=True) as copy:
        loaded = copy.load_reading(copy.readings()[0].reading_id)
    assert np.array_equal(loaded.labels.segmentation.layer(0).voxels, case.labels.segmentation.layer(0).voxels)
    assert len(loaded.undo) == len(case.history.names)
    assert banner.property("role") == "alarm"

    filler.unlink()
    qtbot.mouseClick(banner.retry, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(banner.isHidden, timeout=10_000)
    qtbot.waitUntil(lambda: project.journal.state == SavedState(SavedKind.SAVED), timeout=10_000)
    qtbot.waitUntil(lambda: dot.label.text() == "Saved")
    assert not ballast.Ballast(project.path).missing_bytes
