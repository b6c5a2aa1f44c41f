"""RT structure sets out and in through the window's menu and the study browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.job import Inline
from medview.core.label_patch import LabelPatch
from medview.edit.segments import new_segment
from medview.gui.browser.study_tree import can_be_imported
from medview.gui.commands import file_commands
from medview.gui.main_window import MainWindow
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.events import Message, Severity
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import OpenCase
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.gui.test_report_files import entry
from tests.helpers.dicom_series import write_ct
from tests.helpers.structure_sets import Drawn, around, structure_set


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    project = Project.create(tmp_path / "p.medview", "Test")
    yield Workspace(InlineRunner(), Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b"), project))
    project.close()


def draw(case: OpenCase) -> np.ndarray:
    """Draw a box with a hole; return its mask."""
    segmentation = case.labels.segmentation
    segment = replace(new_segment(segmentation, "Lung"), group="ORGAN")
    mask = np.zeros(segmentation.geometry.shape_kji, np.uint8)
    mask[2:5, 2:8, 3:11] = segment.value
    mask[3, 4:6, 6:8] = 0
    layer = segmentation.layer(segment.layer_id)
    patch = LabelPatch.between(layer, Box.whole(mask.shape), mask)
    assert patch is not None
    case.do(Command("Draw", (SegmentChange(None, segment, 0), patch), "brush"))
    return np.asarray(mask > 0)


def test_contours_are_exported_from_the_file_menu_and_come_back_as_they_were(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ct(tmp_path / "ct")
    window.files.open(tmp_path / "ct")
    export = entry(window, "Export contours (DICOM RTSTRUCT)")
    assert not export.isEnabled()
    case = workspace.active
    assert case is not None
    mask = draw(case)
    qtbot.waitUntil(export.isEnabled)
    monkeypatch.setattr(file_commands, "ask_new_file", lambda *_args: tmp_path / "rt.dcm")
    export.trigger()
    case.undo()
    assert case.labels.segmentation.segments == []
    window.files.read_labels(tmp_path / "rt.dcm")
    (segment,) = case.labels.segmentation.segments
    assert (segment.name, segment.group) == ("Lung", "ORGAN")
    np.testing.assert_array_equal(case.labels.segmentation.mask(segment), mask)


def test_no_contours_are_exported_while_the_patient_is_hidden(
    window: MainWindow, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ct(tmp_path / "ct")
    window.files.open(tmp_path / "ct")
    assert workspace.active is not None
    draw(workspace.active)
    workspace.bench.identity_hidden = True
    monkeypatch.setattr(file_commands, "ask_new_file", lambda *_args: tmp_path / "rt.dcm")
    window.files.export_rtstruct()
    assert not (tmp_path / "rt.dcm").exists()


def test_what_was_left_out_of_a_structure_set_is_said_with_what_was_read(
    window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    write_ct(tmp_path / "ct")
    window.files.open(tmp_path / "ct")
    case = workspace.active
    assert case is not None
    said: list[Message] = []
    workspace.message.connect(said.append)
    volume = case.volume
    regions = [Drawn("Lung", [around((2, 3), (7, 10), volume, 2)]), Drawn("Isocentre", [[0, 0, 0]], kind="POINT")]
    structure_set(volume, regions).save_as(tmp_path / "rt.dcm")
    window.files.read_labels(tmp_path / "rt.dcm")
    assert said[-1].text == (
        "1 segments read from rt.dcm. Points and open lines are no regions and were left out: Isocentre."
    )
    assert said[-1].severity is Severity.WARNING


def test_a_double_click_on_a_structure_set_draws_its_regions_on_the_open_series(
    window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    write_ct(tmp_path / "study" / "ct")
    volume = load_volume(tmp_path / "study" / "ct", None, Inline()).volume
    regions = [Drawn("Lung", [around((2, 3), (7, 10), volume, 2)])]
    structure_set(volume, regions).save_as(tmp_path / "study" / "rt.dcm")
    window.files.open(tmp_path / "study")
    (images,) = [one for one in workspace.series if one.volumes]
    (structures,) = [one for one in workspace.series if one.modality == "RTSTRUCT"]
    assert can_be_imported(structures)
    window.files.open_series(images, images.best)
    window.studies.labels_wanted.emit(Path(structures.paths[0]))
    case = workspace.active
    assert case is not None
    assert [one.name for one in case.labels.segmentation.segments] == ["Lung"]
