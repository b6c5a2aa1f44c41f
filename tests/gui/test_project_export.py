"""The project is exported from the window: what is lost stands there before, and what was written is on the disk after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.gui.dialogs.project_export import ProjectExportDialog
from medview.gui.main_window import MainWindow
from medview.io.datasets.neutral_read import read_neutral
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.workspace.jobs import InlineRunner
from medview.workspace.workspace import Workspace
from tests.workspace.exported import labelled
from tests.workspace.queued import queue_workspace


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    states = (ReadingStatus.IN_WORK, ReadingStatus.DONE, ReadingStatus.DONE)
    made = labelled(tmp_path, finish=states.__getitem__)
    with Project.open(made.project, reader="Reader Rut") as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path, project: Project) -> Workspace:
    made = queue_workspace(tmp_path, InlineRunner(), project)
    made.worklist.load()
    return made


@pytest.fixture
def told(workspace: Workspace) -> list[str]:
    """What the person reads."""
    found: list[str] = []
    workspace.message.connect(lambda message: found.append(message.text))
    return found


@pytest.fixture
def dialog(window: MainWindow, tmp_path: Path) -> ProjectExportDialog:
    window.actions_table.run("project.export")
    (found,) = window.findChildren(ProjectExportDialog)
    found.choose_place(tmp_path / "exports")
    (tmp_path / "exports").mkdir()
    return found


def choose(dialog: ProjectExportDialog, form: str) -> None:
    forms = [dialog.form.itemData(n).form for n in range(dialog.form.count())]
    dialog.form.setCurrentIndex(forms.index(form))


def said(dialog: ProjectExportDialog) -> list[str]:
    return [dialog.losses.item(n).text() for n in range(dialog.losses.count())]


def test_every_format_says_what_is_lost_before_anything_is_written(dialog: ProjectExportDialog, tmp_path: Path) -> None:
    for n in range(dialog.form.count()):
        dialog.form.setCurrentIndex(n)
        assert dialog.export.isEnabled()
        assert len(said(dialog)) > 1
        assert dialog.about.text()
    choose(dialog, "nifti")
    assert "Where segments overlap there are several label maps for a case." in said(dialog)
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_dataset_of_finished_cases_is_written_noted_and_said(
    dialog: ProjectExportDialog, told: list[str], project: Project, tmp_path: Path
) -> None:
    choose(dialog, "dataset")
    assert dialog.done_only.isChecked()
    assert "1 case is left out: it is not done." in said(dialog)
    dialog.licence.setText("CC BY 4.0")
    dialog.export.click()
    dataset = read_neutral(tmp_path / "exports" / "p-dataset")
    assert [case.key for case in dataset.cases] == ["case_0002", "case_0003"]
    assert dataset.facts["licence"] == "CC BY 4.0"
    assert told[-1].startswith("2 cases were written to p-dataset.")
    assert [row.split for row in project.cases()] != ["", "", ""]
    assert project.activity.entries()[-1].kind == "exported"


def test_what_cannot_be_written_is_said_and_waits_for_another_choice(dialog: ProjectExportDialog) -> None:
    choose(dialog, "nrrd")
    dialog.reader.setCurrentIndex(1)
    assert said(dialog) == ["p.medview holds no labels to write."]
    assert not dialog.export.isEnabled()
    dialog.reader.setCurrentIndex(2)
    assert dialog.reader.currentText() == "Reader Rut"
    assert dialog.export.isEnabled()


def test_an_earlier_export_is_replaced_only_when_that_is_said(
    window: MainWindow, dialog: ProjectExportDialog, workspace: Workspace, told: list[str], tmp_path: Path
) -> None:
    choose(dialog, "nrrd")
    dialog.export.click()
    assert (tmp_path / "exports" / "p-nrrd" / "case_0001").is_dir()
    for overwrite in (False, True):
        again = ProjectExportDialog(workspace, window, tmp_path / "exports")
        choose(again, "nrrd")
        again.overwrite.setChecked(overwrite)
        again.export.click()
        assert ("were written" if overwrite else "not empty") in told[-1]
