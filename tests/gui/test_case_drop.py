"""Folders and studies dropped on the list of cases become cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from medview.gui.main_window import MainWindow
from medview.gui.parts.series_mime import encode_several
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.operations.open import open_path
from medview.workspace.workspace import Workspace
from tests.workspace.queued import queue_workspace, write_small_ct

COPY, NONE = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "Nodules.medview", "Nodules", reader="Ada") as made:
        yield made


@pytest.fixture
def workspace(tmp_path: Path, project: Project) -> Workspace:
    made = queue_workspace(tmp_path, InlineRunner(), project)
    made.worklist.load()
    return made


def drop(widget: QWidget, data: QMimeData) -> bool:
    """Drag data over a widget and let go; whether it was taken."""
    enter = QDragEnterEvent(QPoint(5, 5), COPY, data, Qt.MouseButton.LeftButton, NONE)
    widget.dragEnterEvent(enter)
    if not enter.isAccepted():
        return False
    widget.dropEvent(QDropEvent(QPointF(5, 5), COPY, data, Qt.MouseButton.LeftButton, NONE))
    return True


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def test_folders_dropped_on_the_list_become_cases(window: MainWindow, workspace: Workspace, tmp_path: Path) -> None:
    window.actions_table.run("case.list")
    folders = [write_small_ct(tmp_path / "images", name) for name in ("s0", "s1")]
    panel = window.left.cases
    data = files(*folders)
    enter = QDragEnterEvent(QPoint(5, 5), COPY, data, Qt.MouseButton.LeftButton, NONE)
    panel.dragEnterEvent(enter)
    assert "add its series as cases" in panel.progress.text()
    assert drop(panel, data)
    assert [row.description for row in workspace.worklist.rows] == ["series s0", "series s1"]
    assert panel.progress.text() == "0 of 2 done by Ada"
    assert workspace.active is None, "they are listed, not opened"


def test_a_study_is_dropped_over_the_tab_without_looking_into_its_files_again(
    window: MainWindow, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("s0", "s1"):
        write_small_ct(tmp_path / "images", name, study="study")
    open_path(workspace, tmp_path / "images")
    window.studies.refresh()
    model = window.studies.tree.model()
    study = model.index(0, 0, model.index(0, 0))
    data = model.mimeData([study])
    monkeypatch.setattr("medview.workspace.case_adding.scan", lambda *_args: pytest.fail("it was scanned"))
    assert not workspace.bench.cases_listed
    assert drop(window.left.to_cases, data)
    assert workspace.bench.cases_listed
    assert sorted(row.description for row in workspace.worklist.rows) == ["series s0", "series s1"]
    assert {row.patient for row in workspace.worklist.rows} == {"P0001"}


def test_what_becomes_no_case_is_not_taken(window: MainWindow, workspace: Workspace, tmp_path: Path) -> None:
    with Project.create(tmp_path / "Other.medview", "Other"):
        pass
    assert not drop(window.left.cases, files(tmp_path / "Other.medview"))
    workspace.services.project = None
    assert not drop(window.left.cases, files(tmp_path))


def test_a_project_that_is_only_read_says_why_nothing_is_added(
    window: MainWindow, workspace: Workspace, project: Project, tmp_path: Path
) -> None:
    told: list[str] = []
    workspace.message.connect(lambda message: told.append(message.text))
    folder = write_small_ct(tmp_path / "images", "s0")
    with Project.open(project.path, read_only=True) as copy:
        workspace.services.project = copy
        assert drop(window.left.cases, files(folder))
        assert told[-1] == copy.read_only_reason
    workspace.services.project = project
    assert workspace.worklist.rows == ()


def test_what_this_window_knows_no_longer_is_not_taken(window: MainWindow, workspace: Workspace, tmp_path: Path) -> None:
    open_path(workspace, write_small_ct(tmp_path / "images", "s0"))
    (series,) = workspace.series
    data = encode_several([(series, series.best)], files=False)
    workspace.scans.clear()
    assert not drop(window.left.cases, data), "this window knows it no longer"
