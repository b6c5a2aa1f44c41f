"""A labelled dataset is imported from the window: looked at first, what does not fit is shown, then a new layer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.core.geometry import Geometry
from medview.gui.dialogs.import_dataset import ImportDatasetDialog
from medview.gui.main_window import MainWindow
from medview.io import nifti
from medview.io.other_grid import Way
from medview.store.project import Project
from medview.workspace.dataset_words import guessed_form
from medview.workspace.jobs import InlineRunner
from medview.workspace.workspace import Workspace
from tests.helpers.grids import turned_grid
from tests.workspace.queued import queue_workspace

GRID = turned_grid(degrees=12.0, shape_kji=(6, 14, 11))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Three volumes: one whose label map fits, one whose states another place, one whose is damaged."""
    place = tmp_path / "set"
    for folder in ("images", "labels"):
        (place / folder).mkdir(parents=True)
    rng = np.random.default_rng(3)
    for n in range(3):
        nifti.write_label_map(
            place / "images" / f"p{n}.nii.gz", rng.integers(0, 200, GRID.shape_kji).astype(np.uint8), GRID
        )
    labels = np.zeros(GRID.shape_kji, dtype=np.uint8)
    labels[1:4, 3:9, 2:7] = 1
    nifti.write_label_map(place / "labels" / "p0.nii.gz", labels, GRID)
    affine = np.array(GRID.affine_lps)
    affine[:3, 3] = GRID.point_lps_mm((0, 0, 1.4))
    nifti.write_label_map(place / "labels" / "p1.nii.gz", labels, Geometry(GRID.shape_kji, affine))
    (place / "labels" / "p2.nii.gz").write_bytes(b"\x1f\x8b broken")
    return place


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.medview", "Lungs", reader="Ada") as made:
        yield made


@pytest.fixture
def workspace(tmp_path: Path, project: Project) -> Workspace:
    made = queue_workspace(tmp_path, InlineRunner(), project)
    made.worklist.load()
    return made


@pytest.fixture
def dialog(window: MainWindow, dataset: Path) -> ImportDatasetDialog:
    window.actions_table.run("project.import")
    (found,) = window.findChildren(ImportDatasetDialog)
    assert not found.look.isEnabled()
    found.choose(dataset)
    found.fields.values.setText("1=Lung")
    return found


def cells(dialog: ImportDatasetDialog, row: int) -> list[str]:
    return [dialog.table.item(row, column).text() for column in range(dialog.table.columnCount())]


def test_it_says_what_it_found_before_anything_is_written(
    dialog: ImportDatasetDialog, workspace: Workspace, qtbot: QtBot
) -> None:
    assert dialog.fields.wanted().form == "nifti-pairs", "guessed from the names"
    assert not dialog.start.isEnabled()
    qtbot.mouseClick(dialog.look, Qt.MouseButton.LeftButton)
    assert cells(dialog, 0) == ["p0.nii.gz", "p0.nii.gz", "new", "Lung", "Yes"]
    assert cells(dialog, 1)[2:] == ["new", "", "Another grid: left out"]
    assert cells(dialog, 2)[4] == "Left out"
    said = dialog.summary.text()
    assert "3 images, 1 with labels that fit." in said
    assert "1 lies on another grid" in said
    assert "Holds: Lung (1)." in said
    assert workspace.worklist.rows == ()
    assert dialog.start.isEnabled()


def test_labels_of_another_grid_are_shown_and_come_in_as_somebody_decides(
    dialog: ImportDatasetDialog, workspace: Workspace, project: Project, qtbot: QtBot
) -> None:
    dialog.look.click()
    assert dialog.table.currentRow() == 1, "what has to be decided is shown first"
    assert set(dialog.misplaced.choices) == {"leave", "place", "voxels"}
    assert dialog.misplaced.choices["leave"].isChecked()
    dialog.misplaced.choices["place"].click()
    assert cells(dialog, 1)[4] == "Where it lies"
    assert list(workspace.worklist.importing.decided.values()) == [Way.PLACE]
    dialog.start.click()
    assert dialog.state.text().startswith("3 cases, 3 of them new; 2 got labels, which are those of Ada.")
    assert not dialog.start.isEnabled()
    rows = {row.description: row for row in project.cases()}
    assert len(rows) == 3
    held = project.load_reading(rows["p1.nii.gz"].readings[0].reading_id).labels.segmentation
    (segment,) = held.segments
    assert segment.name == "Lung"
    expected = np.zeros(GRID.shape_kji, dtype=bool)
    expected[1:4, 3:9, 3:8] = True
    np.testing.assert_array_equal(held.mask(segment), expected)


def test_left_out_labels_leave_the_image_a_case_and_cases_are_found_again(
    dialog: ImportDatasetDialog, workspace: Workspace, project: Project
) -> None:
    dialog.look.click()
    dialog.start.click()
    assert len(workspace.worklist.rows) == 3
    assert sum(bool(row.readings) for row in workspace.worklist.rows) == 1
    dialog.look.click()
    assert [cells(dialog, row)[2] for row in range(3)] == ["case 1", "case 2", "case 3"]
    assert "3 are cases already" in dialog.summary.text()
    dialog.start.click()
    assert "1 had these labels already." in dialog.state.text()


def test_an_open_case_shows_what_was_imported_as_a_further_layer(
    dialog: ImportDatasetDialog, workspace: Workspace, dataset: Path
) -> None:
    dialog.look.click()
    dialog.start.click()
    workspace.worklist.open(1)
    case = workspace.active
    assert case is not None
    assert [segment.name for segment in case.labels.segmentation.segments] == ["Lung"]
    labels = np.zeros(GRID.shape_kji, dtype=np.uint8)
    labels[3:5, 1:12, 1:10] = 1
    nifti.write_label_map(dataset / "labels" / "p0.nii.gz", labels, GRID)
    dialog.look.click()
    dialog.start.click()
    first, second = case.labels.segmentation.segments
    assert first.layer_id != second.layer_id, "never into labels that are there"
    assert case.labels.segmentation.count(second) == labels.sum()
    assert case.editable
    assert case.undo() is not None
    assert len(case.labels.segmentation.segments) == 1


def test_what_is_said_anew_puts_what_was_found_aside(dialog: ImportDatasetDialog, workspace: Workspace) -> None:
    dialog.look.click()
    dialog.fields.values.clear()
    dialog.fields.values.textEdited.emit("")
    assert workspace.worklist.importing.found is None
    assert dialog.table.rowCount() == 0
    dialog.fields.values.setText("one=Lung")
    dialog.look.click()
    assert "VALUE=NAME" in dialog.state.text()


def test_formats_are_guessed_by_the_names_of_their_files(tmp_path: Path, dataset: Path) -> None:
    def made(name: str, *files: str) -> Path:
        for file in files:
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_bytes(b"")
        return tmp_path / name

    assert guessed_form(dataset) == "nifti-pairs"
    assert guessed_form(made("nn", "dataset.json", "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz")) == "nnunet"
    assert guessed_form(made("yo", "data.yaml", "images/a.png", "labels/a.txt")) == "yolo"
    assert guessed_form(made("vo", "Annotations/a.xml", "JPEGImages/a.jpg")) == "voc"
    assert guessed_form(made("co", "train.json", "a.png")) == "coco"
    assert guessed_form(made("ma", "images/a.png", "masks/a.png")) == "image-mask"
    assert guessed_form(made("cl", "cat/a.png", "dog/b.png")) == "class-folders"
    assert guessed_form(made("np", "a.npz") / "a.npz") == "medmnist-npz"
    assert guessed_form(made("dc", "1/a.dcm")) == "dicom-seg"
    assert guessed_form(made("no", "a.txt")) == ""
