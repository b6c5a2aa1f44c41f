"""Agreement in the window: compared in a job, a table, plots, and a case opened from any of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.gui.dialogs import agreement
from medview.gui.dialogs.agreement import AgreementDialog
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.store.project import Project
from medview.workspace.workspace import Workspace
from tests.workspace.compared import compared_project
from tests.workspace.queued import queue_workspace


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compared_project(tmp_path_factory.mktemp("compared"), 3)


@pytest.fixture
def project(place: Path) -> Iterator[Project]:
    with Project.open(place, reader="Ada") as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path, threads: JobThreads, project: Project) -> Workspace:
    made = queue_workspace(tmp_path, threads, project)
    made.worklist.load()
    return made


@pytest.fixture
def dialog(window: MainWindow, workspace: Workspace, qtbot: QtBot) -> AgreementDialog:
    qtbot.waitUntil(lambda: len(workspace.worklist.rows) == 3)
    window.actions_table.run("project.agree")
    (found,) = window.findChildren(AgreementDialog)
    return found


def compared(dialog: AgreementDialog, workspace: Workspace, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.compare, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.worklist.agreeing.found is not None, timeout=20_000)


def test_readers_are_compared_and_the_figures_stand_in_the_table(
    dialog: AgreementDialog, workspace: Workspace, qtbot: QtBot
) -> None:
    assert not dialog.export.isEnabled()
    qtbot.mouseClick(dialog.compare, Qt.MouseButton.LeftButton)
    assert dialog.cancel.isVisible()
    qtbot.waitUntil(lambda: workspace.worklist.agreeing.found is not None, timeout=20_000)
    assert not dialog.cancel.isVisible()
    names = {dialog.table.item(n, 0).text() for n in range(dialog.table.rowCount())}
    assert names == {"Liver", "Nodule"}
    assert dialog.state.text().startswith("3 cases of 3 patients were compared.")
    assert dialog.export.isEnabled()
    assert not dialog.kinds.isTabEnabled(1), "nobody drew a box"
    assert dialog.kinds.isTabEnabled(2)
    dialog.tolerance.setValue(5.0)
    assert dialog.table.rowCount() == 0
    assert workspace.worklist.agreeing.conventions.tolerance_mm == 5.0


def test_a_dot_and_a_line_of_the_list_open_their_case(dialog: AgreementDialog, workspace: Workspace, qtbot: QtBot) -> None:
    compared(dialog, workspace, qtbot)
    place = dialog.detail.by_case
    qtbot.waitUntil(lambda: place.plot is not None, timeout=20_000)
    plot = place.plot
    assert len(plot.dots.dots) == 3
    assert dialog.detail.differences.plot.dots.title == "Liver: volumes"
    scatter = plot._scatter
    wanted = plot.dots.dots[1].case
    plot._on_pressed(scatter, [scatter.points()[1]])
    qtbot.waitUntil(lambda: workspace.active is not None and workspace.active.ready, timeout=20_000)
    assert workspace.worklist.current is not None
    assert f"case-{workspace.worklist.current.case_id:04d}" == wanted
    listed = dialog.detail.cases
    other = next(n for n in range(3) if not listed.item(n).text().startswith(wanted))
    listed.setCurrentRow(other)
    name = listed.item(other).text()[:9]
    dialog.detail._on_enter()
    qtbot.waitUntil(
        lambda: (
            workspace.worklist.current is not None
            and f"case-{workspace.worklist.current.case_id:04d}" == name
            and workspace.active is not None
            and workspace.active.ready
        ),
        timeout=20_000,
    )
    assert dialog.isVisible(), "it stays beside the case"


def test_answers_have_a_confusion_table_or_differences(dialog: AgreementDialog, workspace: Workspace, qtbot: QtBot) -> None:
    compared(dialog, workspace, qtbot)
    dialog.kinds.setCurrentIndex(2)
    assert dialog.detail.confusion.isVisible()
    assert dialog.detail.confusion.view.rowCount() == 3
    assert not dialog.detail.by_case.isVisible()
    assert not dialog.detail.figure.isVisible()
    dialog.table.setCurrentCell(dialog.table.rowCount() - 1, 0)
    assert not dialog.detail.confusion.isVisible()
    assert dialog.detail.differences.isVisible()


def test_the_tables_are_written_where_somebody_says(
    dialog: AgreementDialog, workspace: Workspace, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared(dialog, workspace, qtbot)
    monkeypatch.setattr(agreement, "ask_folder", lambda *_args: tmp_path)
    dialog.export.click()
    qtbot.waitUntil(lambda: (tmp_path / "Readers-agreement" / "agreement.json").exists(), timeout=20_000)
    dialog.copy.click()
    qtbot.waitUntil(lambda: not workspace.runner.jobs, timeout=20_000)  # type: ignore[attr-defined]
