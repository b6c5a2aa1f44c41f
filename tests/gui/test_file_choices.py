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
from medview.gui.dialogs.file_choices import IMAGES, LABELS, ask_new_file, endings_of
from medview.io.dicom.scan import scan
from medview.io.reader_pool import InlinePool
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
