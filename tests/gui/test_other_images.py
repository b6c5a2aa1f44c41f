"""A SEG and an RTSTRUCT made on another series of the same frame of reference are looked at before they are taken in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.segmentation import Segment, Segmentation
from medview.core.volume import Rescale, Volume
from medview.gui.dialogs.other_grid import OtherGridDialog
from medview.gui.main_window import MainWindow
from medview.io.dicom.rtstruct_writer import write_rtstruct
from medview.io.dicom.scan import scan
from medview.io.dicom.seg_write import write_seg
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.other_grid import Way
from medview.store.project import Project
from medview.workspace.jobs import InlineRunner
from medview.workspace.workspace import Workspace
from tests.helpers.strokes import fill_layer
from tests.workspace.queued import queue_workspace

FRAME = "1.2.826.0.1.3680043.8.498.77"
COARSE = Geometry.from_spacing((10, 24, 20), (3.0, 1.6, 1.8), (-11.0, -14.0, 40.0))
FINE = Geometry.from_spacing((17, 30, 34), (1.9, 1.1, 0.9), (-9.3, -11.2, 38.7))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Project.create(tmp_path / "p.medview", "Test") as project:
        yield queue_workspace(tmp_path, InlineRunner(), project)


def framed(grid: Geometry, frame: str = FRAME) -> Geometry:
    return Geometry(grid.shape_kji, grid.affine_lps, frame)


def write(folder: Path, seed: str, grid: Geometry, study_of: Path | None = None) -> list[Path]:
    """Write a series, in the study of another one."""
    rng = np.random.default_rng(len(seed))
    voxels = rng.integers(900, 1500, grid.shape_kji).astype(np.int16)
    volume = Volume(voxels, grid, modality="CT", unit="HU", rescale=Rescale(1.0, -1024.0))
    paths = list(write_series(folder / seed, volume, SeriesIdentity("Doe^Jo", "7", seed=seed), durable=False))
    if study_of is not None:
        study = pydicom.dcmread(study_of, stop_before_pixels=True).StudyInstanceUID
        for path in paths:
            dataset = pydicom.dcmread(path)
            dataset.StudyInstanceUID = study
            dataset.save_as(path)
    return paths


def drawn(grid: Geometry) -> tuple[Segmentation, np.ndarray]:
    mask = np.zeros(grid.shape_kji, dtype=np.uint8)
    mask[2:7, 5:16, 4:13] = 1
    mask[4, 8, 7] = 0
    labels = Segmentation(grid)
    labels.segments.append(Segment("a", "Lesion", (230, 159, 0), 0, 1))
    fill_layer(labels, 0, mask)
    return labels, mask


def carried(mask: np.ndarray, own: Geometry, wanted: Geometry) -> np.ndarray:
    """Return a mask on another grid, as SimpleITK carries it."""
    image = SimpleITK.GetImageFromArray(mask)
    image.SetSpacing([float(mm) for mm in own.spacing_kji_mm[::-1]])
    image.SetOrigin([float(mm) for mm in own.affine_lps[:3, 3]])
    image.SetDirection([float(part) for part in own.directions_kji[::-1].T.ravel()])
    grid = SimpleITK.Image([int(n) for n in wanted.shape_kji[::-1]], SimpleITK.sitkUInt8)
    grid.SetSpacing([float(mm) for mm in wanted.spacing_kji_mm[::-1]])
    grid.SetOrigin([float(mm) for mm in wanted.affine_lps[:3, 3]])
    grid.SetDirection([float(part) for part in wanted.directions_kji[::-1].T.ravel()])
    found = SimpleITK.Resample(image, grid, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor)
    return np.asarray(SimpleITK.GetArrayFromImage(found))


def asked(window: MainWindow) -> OtherGridDialog:
    (dialog,) = window.findChildren(OtherGridDialog)
    return dialog


def test_a_seg_of_another_series_comes_down_where_simpleitk_carries_it(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    own, wanted = framed(COARSE), framed(FINE)
    paths = write(tmp_path, "a", own)
    write(tmp_path, "b", wanted, paths[0])
    labels, mask = drawn(own)
    write_seg(tmp_path / "seg.dcm", labels, paths)
    window.files.open(tmp_path / "b")
    case = workspace.active
    assert case is not None
    window.files.read_labels(tmp_path / "seg.dcm")
    dialog = asked(window)
    assert list(dialog.buttons) == [Way.PLACE], "its size is another one"
    assert not case.labels.segmentation.segments
    qtbot.mouseClick(dialog.buttons[Way.PLACE], Qt.MouseButton.LeftButton)
    (segment,) = case.labels.segmentation.segments
    assert segment.name == "Lesion"
    judged = carried(mask, own, wanted) == 1
    assert judged.any()
    np.testing.assert_array_equal(case.labels.segmentation.mask(segment), judged)


def test_contours_of_another_series_are_looked_at_too(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    own, wanted = framed(COARSE), framed(FINE)
    paths = write(tmp_path, "a", own)
    write(tmp_path, "b", wanted, paths[0])
    labels, _mask = drawn(own)
    (series,) = scan(tmp_path / "a", Inline()).series
    assert series.best is not None
    write_rtstruct(tmp_path / "rs.dcm", labels, series.best.frames)
    window.files.open(tmp_path / "b")
    case = workspace.active
    assert case is not None
    window.files.read_labels(tmp_path / "rs.dcm")
    dialog = asked(window)
    assert not case.labels.segmentation.segments
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.findChildren(OtherGridDialog))
    assert not case.labels.segmentation.segments, "Enter leaves it out"
    window.files.read_labels(tmp_path / "rs.dcm")
    qtbot.mouseClick(asked(window).buttons[Way.PLACE], Qt.MouseButton.LeftButton)
    assert [segment.name for segment in case.labels.segmentation.segments] == ["Lesion"]
    window.files.open(tmp_path / "a")
    qtbot.waitUntil(lambda: not window.findChildren(OtherGridDialog))
    window.files.read_labels(tmp_path / "rs.dcm")
    assert not window.findChildren(OtherGridDialog), "on its own images nothing is asked"
    assert workspace.active is not None
    assert [segment.name for segment in workspace.active.labels.segmentation.segments] == ["Lesion"]


@pytest.mark.parametrize(("frame", "same_study"), [("1.2.3.99", True), (FRAME, False)])
def test_a_seg_of_another_examination_is_refused_without_a_question(
    window: MainWindow, workspace: Workspace, tmp_path: Path, frame: str, same_study: bool
) -> None:
    own, wanted = framed(COARSE), framed(FINE, frame)
    paths = write(tmp_path, "a", own)
    write(tmp_path, "b", wanted, paths[0] if same_study else None)
    write_seg(tmp_path / "seg.dcm", drawn(own)[0], paths)
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    window.files.open(tmp_path / "b")
    window.files.read_labels(tmp_path / "seg.dcm")
    assert not window.findChildren(OtherGridDialog)
    assert "seg.dcm" in said[-1]
    assert workspace.active is not None
    assert not workspace.active.labels.segmentation.segments
