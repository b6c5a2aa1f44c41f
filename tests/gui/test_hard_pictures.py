"""Pictures that are hard to show: huge, single, very many, gone from the disk."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.study import Verdict
from medview.gui.main_window import MainWindow
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.files import export_seg
from medview.workspace.operations.labels import add_segment
from medview.workspace.operations.open import open_path, open_series
from medview.workspace.view_state import Camera
from medview.workspace.wheel import step_slice
from medview.workspace.workspace import Workspace
from tests.gui.cases import pixels
from tests.helpers.dicom_series import write_ct
from tests.helpers.timing import allowed_s

LONGEST_FRAME_S = 0.1


def opened(workspace: Workspace, folder: Path) -> OpenCase:
    open_path(workspace, folder)
    assert workspace.active is not None
    return workspace.active


def as_mammogram(_k: int, ds: FileDataset) -> None:
    ds.Modality = "MG"
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.2"
    for keyword in (
        "ImageOrientationPatient",
        "ImagePositionPatient",
        "SliceThickness",
        "RescaleSlope",
        "RescaleIntercept",
    ):
        delattr(ds, keyword)
    ds.PhotometricInterpretation = "MONOCHROME1"
    ds.PatientOrientation = ["P", "F"]
    ds.ImagerPixelSpacing = ds.PixelSpacing
    del ds.PixelSpacing


def test_a_mammogram_of_twelve_million_pixels_is_hung_alone_and_drawn_at_once(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    rows, columns = 4000, 3000
    j, i = np.ogrid[:rows, :columns]
    stored = (60000 - 9 * np.hypot(j - 2000, i)).clip(0, 65535).astype(np.uint16)
    stored[1000:1010, 700:710] = 65535
    write_ct(tmp_path / "mg", stored[np.newaxis], change=as_mammogram)
    case = opened(workspace, tmp_path / "mg")
    assert workspace.bench.layout.layout_id == "1x1"
    assert case.volume.voxels.dtype == np.uint16
    assert case.volume.geometry.shape_kji == (1, rows, columns)
    window.resize(1280, 800)
    pane = window.panes.panes["1"]
    qtbot.waitUntil(lambda: pane.width() > 400)
    plane = pane.plane
    took = []
    for n in range(6):
        case.view.set_camera(plane, Camera((0.0, 0.0), 1.0 + 3 * n))
        begun = time.perf_counter()
        pixels(pane)
        took.append(time.perf_counter() - begun)
    assert sorted(took)[len(took) // 2] < allowed_s(LONGEST_FRAME_S)
    # Low values are white: the chest wall on the left holds the highest, and is dark.
    case.view.set_camera(plane, Camera())
    shown = pixels(pane)
    area = pane.picture_rect
    assert shown[area.center().y(), area.left() + 4].max() < shown[area.center().y(), area.right() - 4].max()
    text = " ".join(pane.shown_text())
    assert "at detector" in text


def test_a_series_of_one_slice_has_one_pane_and_no_wheel(window: MainWindow, workspace: Workspace, tmp_path: Path) -> None:
    write_ct(tmp_path / "one", np.arange(130, dtype=np.int16).reshape(1, 10, 13))
    case = opened(workspace, tmp_path / "one")
    assert workspace.bench.layout.layout_id == "1x1"
    step_slice(case, case.acquired_plane, 5)
    assert case.view.crosshair_kji[0] == 0
    # Its thickness is stated, so there is something to see across it.
    assert case.entry.verdict is Verdict.VOLUME


def test_a_single_picture_without_thickness_has_no_other_planes_and_says_so(
    window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    write_ct(tmp_path / "mg", np.arange(1, 131, dtype=np.uint16).reshape(1, 10, 13), change=as_mammogram)
    case = opened(workspace, tmp_path / "mg")
    assert case.entry.verdict is Verdict.STACK
    window.actions_table.run("layout.planes")
    QApplication.processEvents()
    across = [pane for pane in window.panes.panes.values() if pane.plane is not case.acquired_plane]
    assert len(across) == 2
    assert all("A single picture has no other planes" in pane.shown_text() for pane in across)


def test_two_thousand_slices_open_and_scroll_from_end_to_end(
    window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    count = 2000
    voxels = np.zeros((count, 12, 16), dtype=np.int16)
    voxels[:, 2, 3] = np.arange(count)
    write_ct(tmp_path / "many", voxels, axes=np.eye(3), step_lps_mm=(0.0, 0.0, 0.5))
    case = opened(workspace, tmp_path / "many")
    assert case.load.complete
    assert case.volume.geometry.shape_kji[0] == count
    np.testing.assert_array_equal(case.volume.voxels[:, 2, 3], np.arange(count))
    for steps, at in ((10_000, count), (-10_000, 1)):
        step_slice(case, case.acquired_plane, steps)
        assert f"Axial {at}/{count}" in window.panes.panes["axial"].shown_text()


@pytest.fixture
def said(workspace: Workspace) -> list[str]:
    texts: list[str] = []
    heard.append(lambda message: texts.append(message.text))
    workspace.message.connect(heard[-1])
    return texts


heard: list[object] = []
"""Listeners, kept: signals hold them weakly."""


def test_a_series_that_vanishes_while_it_is_open_stays_on_the_screen_and_only_exports_fail(
    window: MainWindow, workspace: Workspace, tmp_path: Path, said: list[str]
) -> None:
    write_ct(tmp_path / "ct")
    case = opened(workspace, tmp_path / "ct")
    shutil.rmtree(tmp_path / "ct")
    before = pixels(window.panes.panes["axial"])
    step_slice(case, case.acquired_plane, 1)
    step_slice(case, case.acquired_plane, -1)
    np.testing.assert_array_equal(pixels(window.panes.panes["axial"]), before)
    case.read_only = ""
    add_segment(case, "Liver")
    case.labels.segmentation.layer(0).voxels[2, 3:5, 4:7] = 1
    export_seg(workspace, tmp_path / "labels.dcm")
    assert not (tmp_path / "labels.dcm").exists()
    assert said[-1] == "0000.dcm is no longer there; scan the folder again."


def test_slices_that_vanish_before_they_are_read_are_named_and_the_others_are_shown(
    window: MainWindow, workspace: Workspace, tmp_path: Path, said: list[str]
) -> None:
    write_ct(tmp_path / "ct")
    write_ct(tmp_path / "other", series="2.25.77.8")
    open_path(workspace, tmp_path)
    series = next(s for s in workspace.series if s.series_uid != "2.25.77.8")
    for path in sorted((tmp_path / "ct").glob("*.dcm"))[:2]:
        path.unlink()
    open_series(workspace, series)
    case = workspace.active
    assert case is not None
    assert len(case.load.damaged) == 2
    assert case.load.complete
    assert any("damaged" in text for text in said), said
