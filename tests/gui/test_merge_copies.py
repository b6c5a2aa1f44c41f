"""Copies of the project are merged from the window: chosen, told of one by one, and the open case shows what came."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.core.job import Inline
from medview.core.reading_status import ReadingStatus
from medview.gui.dialogs.merge_copies import MergeDialog
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.io.reader_pool import InlinePool
from medview.store.project import Project
from medview.workspace.case_adding import AddCases, WantedPlace
from medview.workspace.workspace import Workspace
from tests.workspace.queued import queue_workspace, write_small_ct


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview", "Nodules", reader="Ada") as made:
        AddCases(made, (WantedPlace(write_small_ct(tmp_path / "images", "s0")),), InlinePool()).run(Inline())
    shutil.copytree(tmp_path / "p.medview", tmp_path / "grace.medview")
    with Project.open(tmp_path / "grace.medview", reader="Grace") as copy:
        AddCases(copy, (WantedPlace(write_small_ct(tmp_path / "images", "s1")),), InlinePool()).run(Inline())
        images = copy.worklist.images(1)
        reading = copy.reading(images.key, images.geometry, images.sources)
        copy.set_status(reading.reading_id, ReadingStatus.DONE)
    with Project.open(tmp_path / "p.medview", reader="Ada") as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path, threads: JobThreads, project: Project) -> Workspace:
    made = queue_workspace(tmp_path, threads, project)
    made.worklist.load()
    return made


def lines(dialog: MergeDialog) -> list[str]:
    return [dialog.report.item(n).text().strip() for n in range(dialog.report.count())]


def test_copies_are_chosen_merged_in_a_job_and_told_of(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: len(workspace.worklist.rows) == 1)
    window.actions_table.run("project.merge")
    (dialog,) = window.findChildren(MergeDialog)
    assert not dialog.merge.isEnabled()
    assert workspace.worklist.merging.add(tmp_path / "grace.medview")
    workspace.worklist.merging.add(tmp_path / "images")
    assert "is no project" in dialog.state.text()
    qtbot.mouseClick(dialog.merge, Qt.MouseButton.LeftButton)
    assert dialog.cancel.isVisible()
    assert not dialog.add.isEnabled()
    qtbot.waitUntil(lambda: not workspace.worklist.merging.working)
    assert lines(dialog)[0] == "grace.medview"
    assert lines(dialog)[1].startswith("Joined: 1 new case, 1 new patient, 1 new reader")
    assert dialog.copies.count() == 0
    assert not dialog.cancel.isVisible()
    qtbot.waitUntil(lambda: len(workspace.worklist.rows) == 2)
    dialog.close()
    window.actions_table.run("project.merge")
    again = window.findChildren(MergeDialog)[-1]
    assert lines(again)[0] == "grace.medview", "what came of it is still to be read"
    again.close()


def test_a_copy_is_taken_off_the_list_by_key(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    window.actions_table.run("project.merge")
    (dialog,) = window.findChildren(MergeDialog)
    assert workspace.worklist.merging.add(tmp_path / "grace.medview")
    dialog.copies.setFocus()
    dialog.copies.setCurrentRow(0)
    dialog.remove.click()
    assert workspace.worklist.merging.chosen == ()
    assert not dialog.remove.isEnabled()
    dialog.close()
    qtbot.waitUntil(lambda: not workspace.runner.jobs)  # type: ignore[attr-defined]
