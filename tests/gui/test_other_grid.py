"""Labels of another grid are looked at before they are taken in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.core.geometry import Geometry
from medview.gui.dialogs.other_grid import OtherGridDialog
from medview.gui.main_window import MainWindow
from medview.io import nifti
from medview.io.other_grid import Way
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import OpenCase
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.helpers.dicom_series import write_ct


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    project = Project.create(tmp_path / "p.medview", "Test")
    yield Workspace(InlineRunner(), Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b"), project))
    project.close()


def moved_map(window: MainWindow, workspace: Workspace, folder: Path) -> tuple[OpenCase, np.ndarray]:
    """Open a series; write labels whose file says that they lie one column further to the side."""
    write_ct(folder / "ct")
    window.files.open(folder / "ct")
    case = workspace.active
    assert case is not None
    geometry = case.volume.geometry
    labels = np.zeros(geometry.shape_kji, dtype=np.uint8)
    labels[2:5, 3:7, 4:9] = 1
    affine = np.array(geometry.affine_lps)
    affine[:3, 3] = geometry.point_lps_mm((0, 0, 1))
    nifti.write_label_map(folder / "a.nii.gz", labels, Geometry(geometry.shape_kji, affine))
    return case, labels


def asked(window: MainWindow) -> OtherGridDialog:
    (dialog,) = window.findChildren(OtherGridDialog)
    return dialog


def test_a_map_of_another_grid_is_shown_and_taken_in_as_one_says(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    case, labels = moved_map(window, workspace, tmp_path)
    window.files.read_labels(tmp_path / "a.nii.gz")
    dialog = asked(window)
    assert not case.labels.segmentation.segments
    assert list(dialog.buttons) == [Way.PLACE, Way.VOXELS]
    qtbot.mouseClick(dialog.buttons[Way.PLACE], Qt.MouseButton.LeftButton)
    (segment,) = case.labels.segmentation.segments
    np.testing.assert_array_equal(case.labels.segmentation.mask(segment), np.roll(labels, 1, axis=2) == 1)
    case.undo()
    assert not case.labels.segmentation.segments
    qtbot.waitUntil(lambda: not window.findChildren(OtherGridDialog))
    window.files.read_labels(tmp_path / "a.nii.gz")
    qtbot.mouseClick(asked(window).buttons[Way.VOXELS], Qt.MouseButton.LeftButton)
    (segment,) = case.labels.segmentation.segments
    np.testing.assert_array_equal(case.labels.segmentation.mask(segment), labels == 1)


def test_enter_leaves_it_out(qtbot: QtBot, window: MainWindow, workspace: Workspace, tmp_path: Path) -> None:
    case, _labels = moved_map(window, workspace, tmp_path)
    window.files.read_labels(tmp_path / "a.nii.gz")
    qtbot.keyClick(asked(window), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.findChildren(OtherGridDialog))
    assert not case.labels.segmentation.segments


def test_what_lies_nowhere_on_the_images_is_refused_without_a_question(
    window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    case, labels = moved_map(window, workspace, tmp_path)
    affine = np.array(case.volume.geometry.affine_lps)
    affine[:3, 3] += 900.0
    affine[:3, 2] *= 1.1
    nifti.write_label_map(tmp_path / "b.nii", labels[:-1], Geometry(labels[:-1].shape, affine))
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    window.files.read_labels(tmp_path / "b.nii")
    assert not window.findChildren(OtherGridDialog)
    assert "b.nii was made on another grid" in said[-1]
