"""With identity hidden, no name of a patient, and of no file and folder that may be called after one, is on screen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.study import DamagedFile, ScanResult
from medview.gui.browser.study_tree import ROW_ROLE, Row
from medview.gui.dialogs.damaged import DamagedDialog
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.main_window import MainWindow
from medview.gui.parts.identity import message_text
from medview.io.nifti import write_label_map
from medview.workspace.events import Message, Severity
from medview.workspace.jobs import Lane, Outcome
from medview.workspace.operations.files import export_nifti, import_labels
from medview.workspace.operations.open import open_path
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.helpers.dicom_series import asymmetric

NAME = "Roe^Jane"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / NAME
    made.mkdir()
    return made


def on_screen(window: MainWindow) -> str:
    """Return every text of the window, tooltips, lists, tree and pictures included."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    said = [window.windowTitle(), *(pane_text for pane in window.panes.panes.values() for pane_text in pane.shown_text())]
    for widget in window.findChildren(QWidget):
        said.append(widget.toolTip())
        if isinstance(widget, QLabel):
            said.append(widget.text())
        elif isinstance(widget, QListWidget):
            items = [widget.item(n) for n in range(widget.count())]
            said += [text for item in items for text in (item.text(), item.toolTip())]
    model = window.studies.model
    for patient in (model.item(n) for n in range(model.rowCount())):
        for study in (patient.child(n) for n in range(patient.rowCount())):
            for item in (patient, study, *(study.child(n) for n in range(study.rowCount()))):
                row: Row = item.data(ROW_ROLE)
                said += [row.title, row.detail, item.text(), item.toolTip()]
    return "\n".join(said)


def nifti(path: Path) -> Path:
    """Write a label map with one segment, which is an image too, and return where."""
    labels = (asymmetric() > 400).astype(np.uint8)
    write_label_map(
        path, labels, Geometry.from_spacing((labels.shape[0], labels.shape[1], labels.shape[2]), (5.0, 0.9, 0.6))
    )
    return path


def test_a_file_is_named_nowhere_in_the_window(window: MainWindow, workspace: Workspace, folder: Path) -> None:
    path = nifti(folder / f"{NAME}.nii.gz")
    open_path(workspace, path)
    assert workspace.active is not None
    # Without a project nothing is kept, and so nothing may be changed.
    workspace.active.read_only = ""
    import_labels(workspace, path)
    assert NAME in on_screen(window)
    workspace.bench.identity_hidden = True
    assert NAME not in on_screen(window)
    assert window.message.label.text() == "1 segments read from a file."
    window.actions_table.run("undo")
    assert window.message.label.text() == "Undone: Import labels"
    assert NAME not in on_screen(window)
    window.actions_table.run("redo")
    export_nifti(workspace, folder / "out.nii.gz")
    assert (folder / "out.nii.gz").is_file()
    assert window.message.label.text() == "Wrote the file."
    assert NAME not in on_screen(window)
    workspace.bench.identity_hidden = False
    assert window.message.label.text() == f"Wrote {folder / 'out.nii.gz'}."


def test_what_went_wrong_is_told_without_the_file_and_in_full_once_identity_is_shown(
    window: MainWindow, workspace: Workspace, folder: Path
) -> None:
    workspace.bench.identity_hidden = True
    open_path(workspace, folder)
    assert NAME not in on_screen(window)
    assert window.message.label.text().startswith("There is something to know")
    (folder / f"{NAME}.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 40)
    open_path(workspace, folder / f"{NAME}.dcm")
    assert NAME not in on_screen(window)
    workspace.bench.identity_hidden = False
    assert f"{NAME}.dcm" in window.message.label.text()


def test_news_with_a_path_in_it_is_withheld_however_it_is_worded() -> None:
    for text in ("Copied it to /data/Roe.", "C:\\Roe is there."):
        assert "Roe" not in message_text(Message(text), hidden=True)
        assert message_text(Message(text), hidden=False) == text
    assert message_text(Message("Deleted Liver.", undo=True), hidden=True) == "Deleted Liver."
    assert "Roe" not in message_text(Message("Roe is locked", Severity.ERROR), hidden=True)


def test_reasons_why_slices_are_damaged_name_their_files_only_while_identity_is_shown(
    window: MainWindow, workspace: Workspace
) -> None:
    case = make_case()
    case.load.mark(case.view.crosshair_kji[0], ok=False, reason=f"{NAME}.dcm is damaged: it ends early.")
    workspace.add_case(case)
    assert NAME in on_screen(window)
    workspace.bench.identity_hidden = True
    assert NAME not in on_screen(window)
    assert "Slice 2 is damaged. The other 6 are shown." in on_screen(window)


@dataclass(frozen=True)
class Looking:
    """A request named after a folder."""

    gate: threading.Event
    title: str = f"Looking into {NAME}"
    lane: Lane = Lane.READ

    def run(self, context: JobContext) -> None:
        context.progress(0.5, f"{NAME}/1.dcm")
        while not self.gate.wait(0.01):
            context.raise_if_cancelled()


def test_jobs_are_of_a_kind_only(qtbot: QtBot, window: MainWindow, workspace: Workspace, threads: JobThreads) -> None:
    gate = threading.Event()
    jobs = [threads.submit(Looking(gate), Outcome(lambda _value: None)) for _ in range(2)]
    shown = window.status.jobs
    qtbot.waitUntil(lambda: shown.label.isVisible() and NAME in shown.label.text() and NAME in shown.more.toolTip())
    workspace.bench.identity_hidden = True
    assert (shown.label.text(), shown.more.toolTip()) == ("Reading", "Reading")
    assert shown.bar.value() == 500
    for job in jobs:
        job.cancel()


def test_the_list_of_damaged_files_and_the_search_say_no_name(
    qtbot: QtBot, window: MainWindow, workspace: Workspace
) -> None:
    file = DamagedFile(f"/data/{NAME}/1.dcm", f"{NAME}.dcm ends early.")
    series = replace(make_case().series, patient_name=NAME, patient_id=NAME)
    workspace.add_scan("a", ScanResult((series,), (file,)))
    window.studies.search.setText("Roe")
    for hidden in (False, True):
        workspace.bench.identity_hidden = hidden
        dialog = DamagedDialog([file], hidden=hidden)
        qtbot.addWidget(dialog)
        said = "\n".join(label.text() + label.toolTip() for label in dialog.findChildren(QLabel))
        assert (NAME in said) is not hidden
    assert window.studies.search.text() == ""
    assert NAME not in on_screen(window)


@pytest.mark.parametrize("export", ["export_seg", "export_sr"])
def test_no_dicom_file_is_written_while_identity_is_hidden(
    window: MainWindow, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, export: str
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("medview.gui.commands.file_commands.ask_new_file", lambda *arguments: asked.append(arguments))
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    workspace.add_case(make_case())
    workspace.bench.identity_hidden = True
    getattr(window.files, export)()
    assert asked == []
    assert said[-1].startswith("A DICOM file repeats the patient's identity")
    workspace.bench.identity_hidden = False
    getattr(window.files, export)()
    assert len(asked) == 1


@pytest.mark.parametrize(("modality", "warned"), [("US", True), ("CT", False)])
def test_what_cannot_be_hidden_is_said(window: MainWindow, workspace: Workspace, modality: str, warned: bool) -> None:
    case = make_case()
    case.series = replace(case.series, modality=modality)
    workspace.add_case(case)
    burnt_in = "Text burnt into the picture may still say who it is"
    assert burnt_in not in on_screen(window)
    workspace.bench.identity_hidden = True
    assert (burnt_in in on_screen(window)) == warned
