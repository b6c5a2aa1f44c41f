"""What a series carries while it is dragged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from pytestqt.qtbot import QtBot

from medview.core.study import Frame, ScanResult, Series, Verdict, VolumeEntry
from medview.gui.browser.study_tree import ROW_ROLE
from medview.gui.main_window import MainWindow
from medview.gui.panels.studies import StudiesPanel
from medview.gui.parts.series_mime import SERIES_MIME, STUDY_MIME, decode, decode_series, encode, series_files
from medview.gui.parts.theme_tokens import DARK
from medview.workspace.events import Message
from medview.workspace.workspace import Workspace
from tests.gui.cases import sagittal_geometry
from tests.helpers.dicom_series import write_ct

GRID = sagittal_geometry()
FRAMES = (Frame("/data/Roe Jane/b.dcm", 0, "1.2"), Frame("/data/Roe Jane/b.dcm", 1, "1.2"), Frame("/data/a.dcm", 0, "1.3"))
FIRST = VolumeEntry(Verdict.VOLUME, (), GRID, GRID.shape_kji, FRAMES)
SECOND = replace(FIRST, frames=(Frame("/data/Roe Jane/b.zip::12"), Frame("/data/c.dcm")))
REFUSED = replace(FIRST, verdict=Verdict.REFUSED)
CHEST = Series("/data/Roe Jane/b.nii", "1", "MRN-7", "Roe^Jane", "CT", "Thorax", volumes=(FIRST, SECOND, REFUSED))


@pytest.fixture
def found(workspace: Workspace) -> Workspace:
    workspace.add_scan("a", ScanResult((replace(CHEST, series_uid="9.9", volumes=(FIRST,)), CHEST)))
    return workspace


@pytest.mark.parametrize("entry", [FIRST, SECOND])
def test_a_pane_reads_which_series_and_which_volume(found: Workspace, entry: VolumeEntry) -> None:
    assert decode(encode(CHEST, entry, files=True), found) == (CHEST, entry)


def test_the_key_says_nothing_about_the_patient() -> None:
    data = encode(CHEST, SECOND, files=False)
    assert data.formats() == [SERIES_MIME]
    said = bytes(data.data(SERIES_MIME).data()).decode()
    assert not any(secret in said for secret in ("Roe", "Jane", "MRN", "Thorax", "data"))
    assert json.loads(said)["volume"] == 1


@pytest.mark.parametrize(
    "said",
    [b"", b"[]", b"{}", b"\xff", b'{"series": 3, "volume": 0}', b'{"series": "x", "volume": null}', b"9" * 10_000],
)
def test_what_another_program_offers_under_the_name_is_refused(found: Workspace, said: bytes) -> None:
    data = QMimeData()
    data.setData(SERIES_MIME, said)
    assert decode(data, found) is None


def test_a_volume_that_is_refused_unknown_or_gone_is_not_taken(found: Workspace) -> None:
    assert decode(encode(CHEST, REFUSED, files=False), found) is None
    assert decode(encode(CHEST, None, files=False), found) is None
    assert decode(QMimeData(), found) is None
    data = encode(CHEST, FIRST, files=False)
    found.scans.clear()
    assert decode(data, found) is None


def test_the_files_are_offered_once_each_and_members_of_archives_are_none() -> None:
    assert [url.toLocalFile() for url in encode(CHEST, FIRST, files=True).urls()] == ["/data/Roe Jane/b.dcm", "/data/a.dcm"]
    assert series_files(CHEST, SECOND) == ["/data/c.dcm"]
    assert series_files(replace(CHEST, volumes=(), paths=("/x/seg.dcm",)), None) == ["/x/seg.dcm"]


def series_rows(panel: StudiesPanel) -> list[QModelIndex]:
    model = panel.tree.model()
    found = [model.index(0, 0)]
    for index in found:
        found += [model.index(n, 0, index) for n in range(model.rowCount(index))]
    return [index for index in found if index.data(ROW_ROLE).series is not None]


@pytest.fixture
def panel(qtbot: QtBot, found: Workspace) -> StudiesPanel:
    for scan in list(found.scans):
        found.scans[scan] = ScanResult(
            (replace(CHEST, volumes=()), replace(CHEST, series_uid="8", volumes=(), paths=("/x/s.dcm",)))
        )
    shown = StudiesPanel(found, DARK)
    qtbot.addWidget(shown)
    return shown


def test_series_and_studies_can_be_dragged_and_only_copied(panel: StudiesPanel) -> None:
    model = panel.tree.model()
    patient = model.index(0, 0)
    assert model.flags(patient) & Qt.ItemFlag.ItemIsDragEnabled
    assert all(model.flags(index) & Qt.ItemFlag.ItemIsDragEnabled for index in series_rows(panel))
    assert model.supportedDragActions() == Qt.DropAction.CopyAction
    assert panel.tree.dragEnabled()
    assert not panel.tree.acceptDrops()


def test_a_study_carries_its_series_and_stands_for_the_first_where_one_is_wanted(found: Workspace, qtbot: QtBot) -> None:
    panel = StudiesPanel(found, DARK)
    qtbot.addWidget(panel)
    patient = panel.tree.model().index(0, 0)
    data = panel.tree.model().mimeData([patient])
    assert {series.series_uid for series in decode_series(data, found)} == {"9.9", CHEST.series_uid}
    one = decode(data, found)
    assert one is not None
    assert one[0].series_uid in ("9.9", CHEST.series_uid)
    assert "Roe" not in bytes(data.data(STUDY_MIME).data()).decode()
    data.setData(STUDY_MIME, b"{1")
    assert decode_series(data, found) == ()


def test_files_do_not_leave_while_the_identity_is_hidden_and_it_is_said_once(panel: StudiesPanel, found: Workspace) -> None:
    said: list[Message] = []
    found.message.connect(said.append)
    index = series_rows(panel)[1]
    data = panel.tree.model().mimeData([index])
    assert [url.toLocalFile() for url in data.urls()] == ["/x/s.dcm"]
    found.bench.identity_hidden = True
    index = series_rows(panel)[1]
    for _ in range(2):
        data = panel.tree.model().mimeData([index])
        assert data.hasFormat(SERIES_MIME)
        assert not data.hasUrls()
    assert len(said) == 1
    assert "hidden" in said[0].text
    found.bench.identity_hidden = False
    assert panel.tree.model().mimeData([series_rows(panel)[1]]).hasUrls()


def test_a_series_dropped_on_the_window_is_opened_and_not_searched_again(window: MainWindow, tmp_path: Path) -> None:
    workspace = window.workspace
    write_ct(tmp_path / "ct")
    window.files.open(tmp_path / "ct")
    case = workspace.active
    assert case is not None
    workspace.close_case(case.key)
    scans = dict(workspace.scans)
    data = encode(case.series, case.entry, files=True)
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), copy, data, Qt.MouseButton.LeftButton, none)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    window.dropEvent(QDropEvent(QPointF(5, 5), copy, data, Qt.MouseButton.LeftButton, none))
    assert workspace.active is not None
    assert workspace.active.key == case.key
    assert workspace.scans == scans
