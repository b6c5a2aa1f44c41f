"""Questions for files: what is offered can be read, and what is written ends as its format does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from medview.core.job import Inline
from medview.core.study import Series
from medview.gui.commands import file_commands, form_commands
from medview.gui.commands.file_commands import DRAWN_EXPORTS, FileCommands
from medview.gui.commands.form_commands import ANSWER_EXPORTS, FormCommands
from medview.gui.dialogs.file_choices import IMAGES, LABELS, ask_new_file, endings_of
from medview.io.dicom.scan import scan
from medview.io.reader_pool import InlinePool
from medview.workspace.workspace import Workspace
from tests.gui.cases import SEGMENT, make_case, make_workspace
from tests.helpers.dicom_series import asymmetric, ct_slice

DICOM, NIFTI = "DICOM (*.dcm)", "NIfTI (*.nii.gz *.nii)"
Answer = Callable[[QFileDialog], None]


def asked(qtbot: QtBot, kind: str, *answers: Answer) -> Path | None:
    """Ask for a new file, answer the dialogs in turn and agree to replace whatever is asked about."""
    waiting, over = list(answers), False

    def answer() -> None:
        if over:
            return
        # First, since a dialog may ask another question before it returns.
        QTimer.singleShot(20, answer)
        shown = QApplication.activeModalWidget()
        if isinstance(shown, QMessageBox):
            shown.button(QMessageBox.StandardButton.Yes).click()
        elif isinstance(shown, QFileDialog) and waiting:
            waiting.pop(0)(shown)

    parent = QWidget()
    qtbot.addWidget(parent)
    answer()
    try:
        return ask_new_file(parent, "Export", "labels", kind)
    finally:
        over = True


def typing(path: Path) -> Answer:
    """Type a path and confirm."""

    def answer(dialog: QFileDialog) -> None:
        line = dialog.findChild(QLineEdit)
        assert isinstance(line, QLineEdit)
        line.setText(str(path))
        dialog.accept()

    return answer


@pytest.mark.parametrize(
    ("kind", "typed", "written"),
    [
        (NIFTI, "labels", "labels.nii.gz"),
        (NIFTI, "labels.nii", "labels.nii"),
        (NIFTI, "Labels.NII.GZ", "Labels.NII.GZ"),
        (NIFTI, "labels.v2", "labels.v2.nii.gz"),
        (DICOM, "labels", "labels.dcm"),
        (DICOM, "1.2.840", "1.2.840.dcm"),
    ],
)
def test_a_name_without_the_ending_of_its_format_gets_it(
    qtbot: QtBot, tmp_path: Path, kind: str, typed: str, written: str
) -> None:
    assert asked(qtbot, kind, typing(tmp_path / typed)) == tmp_path / written


def test_a_file_that_only_the_added_ending_makes_exist_is_not_replaced_unasked(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "labels.v2.dcm").write_bytes(b"mine")
    assert asked(qtbot, DICOM, typing(tmp_path / "labels.v2"), QFileDialog.reject) is None
    assert asked(qtbot, DICOM, typing(tmp_path / "labels.v2"), QFileDialog.accept) == tmp_path / "labels.v2.dcm"


def test_every_ending_offered_for_opening_is_of_a_file_that_opens(tmp_path: Path) -> None:
    offered = set(endings_of(IMAGES)) | set(endings_of(LABELS))
    voxels = sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    # Zips hold the others; boxes and marks in JSON are no images and are read in test_drawn_files.
    for ending in sorted(offered - {".zip", ".json"}):
        folder = tmp_path / ending.strip(".")
        folder.mkdir()
        path = folder / f"a{ending}"
        if ending in (".dcm", ".ima"):
            ct_slice(asymmetric()[0], (0.0, 0.0, 0.0)).save_as(path, enforce_file_format=True)
        elif ending in (".png", ".jpg", ".jpeg"):
            Image.fromarray(np.zeros((5, 4), np.uint8)).save(path)
        else:
            sitk.WriteImage(voxels, str(path))
        found = scan(path, Inline(), InlinePool())
        assert [series.best is not None for series in found.series] == [True], ending


_OF_THE_ACTIVE_SERIES = (
    "file.import",
    "file.export_seg",
    "file.export_rtstruct",
    "file.export_slicer",
    "file.export_nifti",
    "file.export_sr",
    "file.export_ko",
    *(name for name, *_others in DRAWN_EXPORTS),
    *(name for name, *_others in ANSWER_EXPORTS),
)


@pytest.mark.parametrize("action_id", _OF_THE_ACTIVE_SERIES)
def test_a_file_that_was_asked_for_one_series_is_not_made_of_another(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action_id: str
) -> None:
    asked_of = make_case()
    workspace: Workspace = make_workspace(asked_of)[0]
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    other = make_case(series=Series("9.9.9", "1.2.3", modality="CT"))
    other.labels.segmentation.segments.append(SEGMENT)

    def answer(*_asked: object) -> Path:
        workspace.add_case(other)
        return tmp_path / "labels.nii.gz"

    monkeypatch.setattr(file_commands, "ask_labels", answer)
    monkeypatch.setattr(file_commands, "ask_new_file", answer)
    monkeypatch.setattr(form_commands, "ask_new_file", answer)
    window = QWidget()
    qtbot.addWidget(window)
    actions = (*FileCommands(window, workspace).actions(), *FormCommands(window, workspace).actions())
    next(action for action in actions if action.action_id == action_id).run(workspace)
    assert said == ["Another series is shown now than when the file was chosen; do it again."]
    assert not any(tmp_path.iterdir())


def test_a_file_is_written_while_its_series_stays_the_active_one(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case()
    case.labels.segmentation.segments.append(SEGMENT)
    workspace: Workspace = make_workspace(case)[0]
    monkeypatch.setattr(file_commands, "ask_new_file", lambda *_asked: tmp_path / "labels.nii.gz")
    window = QWidget()
    qtbot.addWidget(window)
    FileCommands(window, workspace).export_nifti()
    assert (tmp_path / "labels.nii.gz").is_file()
