"""Measurements out and in through the window's menu and the study browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from medview.core.changes import AnnotationChange, Command
from medview.core.measurement import MeasurementKind
from medview.gui.commands import file_commands
from medview.gui.main_window import MainWindow
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.measuring import measurements
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.helpers.dicom_series import ROOT, write_ct
from tests.helpers.reports import ON_SLICES, drawn, figure, group, save_report


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    project = Project.create(tmp_path / "p.medview", "Test")
    yield Workspace(InlineRunner(), Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b"), project))
    project.close()


def entry(window: MainWindow, text: str) -> QAction:
    (found,) = [one for one in window.findChildren(QAction) if one.text().startswith(text)]
    return found


def test_measurements_are_exported_from_the_file_menu_once_there_are_some(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ct(tmp_path / "ct")
    window.files.open(tmp_path / "ct")
    export = entry(window, "Export measurements and marks (DICOM SR)")
    assert not export.isEnabled()
    case = workspace.active
    assert case is not None
    length = figure(case.volume.geometry, MeasurementKind.LENGTH, ON_SLICES[MeasurementKind.LENGTH])
    case.do(Command("Length", (AnnotationChange(None, length),), "measure"))
    qtbot.waitUntil(export.isEnabled)
    monkeypatch.setattr(file_commands, "ask_new_file", lambda *_args: tmp_path / "m.dcm")
    export.trigger()
    assert (tmp_path / "m.dcm").is_file()
    case.undo()
    window.files.read_labels(tmp_path / "m.dcm")
    assert len(measurements(case)) == 1


def test_a_double_click_on_a_report_shows_its_findings_on_the_open_series(
    window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    write_ct(tmp_path / "study" / "ct")
    save_report(tmp_path / "study" / "report.dcm", group("Spot", drawn("POINT", (4.5, 3.5), f"{ROOT}.2.1")))
    window.files.open(tmp_path / "study")
    (images,) = [one for one in workspace.series if one.volumes]
    (report,) = [one for one in workspace.series if one.modality == "SR"]
    window.files.open_series(images, images.best)
    window.studies.labels_wanted.emit(Path(report.paths[0]))
    case = workspace.active
    assert case is not None
    assert [one.label for one in measurements(case)] == ["Spot"]
