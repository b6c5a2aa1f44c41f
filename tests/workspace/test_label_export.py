"""Labels of a project as files that others accept, with every voxel and without who they are of."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.errors import MedViewError, StoreError, WriteError
from medview.core.job import Inline
from medview.core.segmentation import Segmentation
from medview.core.source import Source, SourceKind
from medview.edit.copied import copied
from medview.edit.rules import LabelWriter
from medview.io.datasets.dataset_case import WriteOptions
from medview.io.datasets.writers import WRITERS
from medview.io.drawn_json import read_drawn
from medview.io.imported_labels import ImportedLabels
from medview.io.label_files import read_labels
from medview.io.reader_pool import InlinePool
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.workspace import label_export
from medview.workspace.export_selection import ExportRun, Include
from medview.workspace.exporting import export_as
from medview.workspace.label_export import LABEL_FORMS, export_labels
from tests.helpers.dciodvfy import errors
from tests.helpers.dcmqi import by_dcmqi
from tests.workspace.exported import LUNG, SECRETS, Labelled, labelled, leaks


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """One project for all: nothing here changes it."""
    return labelled(tmp_path_factory.mktemp("project"), finish=lambda n: (ReadingStatus.IN_WORK, ReadingStatus.DONE)[n > 0])


def written(made: Labelled, out: Path, form: str, **more: Any) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    with Project.open(made.project, read_only=True) as project:
        document = export_labels(ExportRun(form, **more), project, out, Inline(), InlinePool(), said.extend)
    return document, said


def masks(found: ImportedLabels) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    return {s.name: found.layers[s.layer_id] == s.value for s in found.segments}


def assert_same(found: dict[str, np.ndarray], drawn: Segmentation) -> None:  # type: ignore[type-arg]
    for segment in drawn.segments:
        if drawn.count(segment):
            np.testing.assert_array_equal(found[segment.name], drawn.mask(segment), err_msg=segment.name)


@pytest.mark.parametrize("form", LABEL_FORMS)
def test_every_voxel_comes_back_and_nobody_is_named(made: Labelled, tmp_path: Path, form: str) -> None:
    document, said = written(made, tmp_path / "out", form)
    assert document["written"] == 3
    assert document["warnings"][: len(said)] == said
    for number, drawn in enumerate(made.drawn):
        folder = tmp_path / "out" / f"case_000{number + 1}"
        found: dict[str, np.ndarray] = {}  # type: ignore[type-arg]
        for path in sorted(folder.glob("labels*")):
            if path.suffix != ".json":
                found |= masks(read_labels(path, made.loaded[number].volume))
        assert_same(found, drawn)
        sheet = read_drawn(str(folder / "boxes.json"))
        assert [one.label for one in sheet.things] == ["Tumour", "Vessel"]
        np.testing.assert_allclose(sheet.things[0].bounds_kji(sheet.geometry), made.box.bounds_kji(sheet.geometry))
    assert leaks(tmp_path / "out") == []
    if form in ("nifti", "nrrd"):
        # These need no images, so nothing leads to them.
        assert leaks(tmp_path / "out", [one.series.study_uid for one in made.loaded]) == []
    check = ["sha256sum", "--quiet", "--check", "checksums.sha256"]
    assert subprocess.run(check, cwd=tmp_path / "out", check=False).returncode == 0


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_datasets_of_other_programs_name_nobody_and_lead_to_no_study(made: Labelled, tmp_path: Path, form: str) -> None:
    with Project.open(made.project, read_only=True) as project:
        run = ExportRun(form, reader="Reader Rut")
        done = export_as(run, project, tmp_path / "out", Inline(), InlinePool(), lambda _said: None)
    assert done.document["written"] == 3
    assert leaks(tmp_path / "out", [*SECRETS, *(one.series.study_uid for one in made.loaded)]) == []


def test_the_leak_test_would_find_what_stands_in_the_sources(made: Labelled) -> None:
    found = {line.partition(": ")[2] for folder in made.folders for line in leaks(folder)}
    assert found == set(SECRETS)


@pytest.mark.parametrize("form", ["seg", "rtstruct"])
def test_dicom_objects_are_sound_and_still_point_at_their_series(made: Labelled, tmp_path: Path, form: str) -> None:
    written(made, tmp_path / "out", form)
    path = tmp_path / "out" / "case_0002" / "labels.dcm"
    assert errors(path) == []
    dataset = pydicom.dcmread(path)
    source = pydicom.dcmread(sorted(made.folders[1].iterdir())[0])
    assert (str(dataset.PatientName), dataset.PatientID) == ("P0002", "P0002")
    assert dataset.StudyInstanceUID == source.StudyInstanceUID
    assert source.SeriesInstanceUID in str(dataset)
    assert dataset.PatientBirthDate == dataset.StudyDate == dataset.AccessionNumber == ""


def test_highdicom_reads_the_voxels_the_model_and_the_reader(made: Labelled, tmp_path: Path) -> None:
    written(made, tmp_path / "out", "seg")
    seg = highdicom.seg.segread(str(tmp_path / "out" / "case_0001" / "labels.dcm"))
    assert str(seg.ContentCreatorName) == "Reader Rut"
    lobe = seg.get_segment_description(4)
    assert (lobe.segment_label, lobe.algorithm_identification[0].AlgorithmName) == ("Lobe", "lobes")
    assert seg.get_segment_description(1).segmented_property_type.meaning == "Lung"
    drawn = made.drawn[0]
    uids = list(made.loaded[0].volume.sop_instance_uids)
    read = seg.get_pixels_by_source_instance(uids, ignore_spatial_locations=True, assert_missing_frames_are_empty=True)
    for number, segment in enumerate(drawn.segments):
        np.testing.assert_array_equal(read[..., number] > 0, drawn.mask(segment), err_msg=segment.name)


def test_simpleitk_finds_the_same_voxels_in_nifti_and_nrrd(made: Labelled, tmp_path: Path) -> None:
    written(made, tmp_path / "nifti", "nifti")
    written(made, tmp_path / "nrrd", "nrrd")
    drawn = made.drawn[2]
    for layer, name in enumerate(("labels.nii.gz", "labels-2.nii.gz")):
        image = SimpleITK.ReadImage(str(tmp_path / "nifti" / "case_0003" / name))
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), drawn.layers[layer].voxels)
    both = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "nrrd" / "case_0003" / "labels.seg.nrrd")))
    for layer in range(2):
        np.testing.assert_array_equal(both[..., layer], drawn.layers[layer].voxels)


def test_what_a_format_cannot_hold_is_said_before_and_kept_beside(made: Labelled, tmp_path: Path) -> None:
    document, said = written(made, tmp_path / "out", "nifti")
    assert "Codes of segments and the models they come from are only told by export.json." in said
    assert "Where segments overlap there are several label maps for a case." in said
    assert "1 case is not marked done." in said
    first, second, _ = document["cases"]
    assert first["segments"][0]["code"] == {"value": "39607008", "scheme": "SCT", "meaning": "Lung"}
    assert first["segments"][3]["source"]["model"] == "lobes"
    assert first["segments"][4]["absent"]
    assert (first["reader"], first["status"], first["patient"]) == ("Reader Rut", "in work", "P0001")
    assert second["done_slices"] == {"k": [1, 2], "j": [], "i": []}
    answers = json.loads((tmp_path / "out" / "answers.json").read_text())["answers"]
    assert [one["answer"][0]["text"] for one in answers] == ["Good"] * 3
    assert {one["study_uid"] for one in answers} == {""}


def test_only_what_is_far_enough_is_written_when_that_is_asked_for(made: Labelled, tmp_path: Path) -> None:
    document, _ = written(made, tmp_path / "out", "nrrd", include=Include.DONE)
    assert [case["case"] for case in document["cases"]] == ["case_0002", "case_0003"]
    assert document["left_out"] == {"excluded": 0, "not_done": 1, "unlabelled": 0}
    with pytest.raises(StoreError, match="3 of its cases are labelled and not done"):
        written(made, tmp_path / "none", "nrrd", include=Include.APPROVED)
    with pytest.raises(StoreError, match="no labels to write"):
        written(made, tmp_path / "none", "nrrd", reader="consensus")


def test_an_earlier_export_gives_way_and_a_folder_with_anything_else_does_not(made: Labelled, tmp_path: Path) -> None:
    out, again = tmp_path / "out", WriteOptions(overwrite=True)
    written(made, out, "nrrd")
    with pytest.raises(WriteError, match="not empty"):
        written(made, out, "nifti")
    written(made, out, "nifti", options=again)
    assert not list(out.rglob("*.nrrd"))
    (out / "mine.txt").write_text("kept")
    with pytest.raises(WriteError, match="holds more than an earlier export"):
        written(made, out, "nifti", options=again)
    assert (out / "mine.txt").read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_images_that_moved_are_found_in_the_folder_that_is_named(made: Labelled, tmp_path: Path) -> None:
    document, _ = written(made, tmp_path / "out", "seg", images=made.folders[0].parent)
    assert document["written"] == 3
    (tmp_path / "empty").mkdir()
    with pytest.raises(MedViewError, match="not under the given folder"):
        written(made, tmp_path / "none", "seg", images=tmp_path / "empty")
    assert not (tmp_path / "none").exists()


def test_a_file_that_does_not_read_back_is_not_left_there(
    made: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = label_export.write_seg_nrrd

    def torn(path: Path, segmentation: Segmentation, pixels: str = "") -> None:
        other = Segmentation(segmentation.geometry, dict(segmentation.layers), list(segmentation.segments))
        other.layers[0] = other.layers[0].copy()
        other.layers[0].voxels[1, 3, 5] ^= 1
        real(path, other, pixels)

    monkeypatch.setattr(label_export, "write_seg_nrrd", torn)
    with pytest.raises(WriteError, match="did not read back the same"):
        written(made, tmp_path / "out", "nrrd")
    assert list(tmp_path.iterdir()) == []


def test_dcmqi_reads_every_seg_with_its_voxels_codes_and_who_drew_it(made: Labelled, tmp_path: Path) -> None:
    written(made, tmp_path / "out", "seg")
    for number, drawn in enumerate(made.drawn, start=1):
        found = by_dcmqi(tmp_path / "out" / f"case_000{number}" / "labels.dcm", tmp_path / f"dcmqi-{number}")
        for segment in drawn.segments:
            if drawn.count(segment):
                read = found.pop(segment.name)
                np.testing.assert_array_equal(read.on_grid(drawn.geometry), drawn.mask(segment), err_msg=segment.name)
                by_hand = segment.source.kind is not SourceKind.MODEL
                assert read.said["SegmentAlgorithmType"] == ("MANUAL" if by_hand else "SEMIAUTOMATIC")
                if segment.code is not None:
                    assert read.code() == (segment.code.value, segment.code.scheme, segment.code.meaning)
                assert np.abs(np.subtract(read.said["recommendedDisplayRGBValue"], segment.colour)).max() <= 1
                if not by_hand:
                    assert read.said["SegmentAlgorithmName"] == segment.source.model_id
        assert not [name for name, read in found.items() if len(read.points_lps_mm)]


def _corrected(project: Project, of: int) -> int:
    """Let whoever opened a project correct a reading: a corner more of its first segment."""
    row, _fresh = project.review.begin_review(of)
    labels = project.load_reading(of, beside=True).labels
    drawn_by = Source(SourceKind.READER, "Reader Rut", job_id=f"reading-{of}")
    project.journal.append(
        row.reading_id, Entry(EntryKind.DO, Command("Labels", tuple(copied(labels, drawn_by)), "review"))
    )
    assert project.journal.flush()
    labels = project.load_reading(row.reading_id).labels
    writer = LabelWriter(labels.segmentation, Box((0, 0, 0), (1, 2, 2)))
    writer.add(labels.segmentation.segments[0], np.ones((1, 2, 2), dtype=np.bool_))
    project.journal.append(row.reading_id, Entry(EntryKind.DO, Command("Brush", tuple(writer.changes()), "brush")))
    assert project.journal.flush()
    return row.reading_id


def test_an_edit_that_is_approved_with_the_readers_labels_is_what_is_written_and_both_are_named(tmp_path: Path) -> None:
    made = labelled(tmp_path)
    with Project.open(made.project, reader="Reviewer Ruth") as project:
        readings = {row.case_id: row.reading_id for row in project.readings()}
        edits = {case_id: _corrected(project, readings[case_id]) for case_id in (1, 2)}
        project.review.approve(edits[1])
    document, said = written(made, tmp_path / "out", "nrrd")
    assert "1 case is written as a reviewer corrected it." in said
    assert "1 case is written as its reader drew it: the edit of a reviewer is not approved." in said
    told = {one["case"]: one for one in document["cases"]}
    assert (told["case_0001"]["reader"], told["case_0001"]["corrected_by"]) == ("Reader Rut", "Reviewer Ruth")
    assert (told["case_0002"]["reader"], told["case_0002"]["corrected_by"]) == ("Reader Rut", None)
    lung = told["case_0001"]["segments"][0]
    assert lung["source"] == {"kind": "reader", "model": "Reader Rut", "version": None, "sha256": None, "corrected": True}
    lobe = told["case_0001"]["segments"][3]
    assert (lobe["source"]["kind"], lobe["source"]["model"]) == ("model", "lobes")
    voxels = {key: one["segments"][0]["voxels"] for key, one in told.items()}
    drawn = [one.count(one.segments[0]) for one in made.drawn]
    assert [voxels[f"case_{n:04}"] for n in (1, 2, 3)] == [drawn[0] + 4, drawn[1], drawn[2]]
    document, _said = written(made, tmp_path / "own", "nrrd", reader="Reader Rut")
    assert [one["corrected_by"] for one in document["cases"]] == [None, None, None]
    document, _said = written(made, tmp_path / "edits", "seg", reader="Reviewer Ruth, review")
    assert [one["case"] for one in document["cases"]] == ["case_0001", "case_0002"]
    (seg,) = (tmp_path / "edits" / "case_0001").glob("*.dcm")
    assert "corrected by Reviewer Ruth" in str(pydicom.dcmread(seg).ContentCreatorName)
    assert errors(seg) == []


def test_a_reading_is_written_on_the_voxels_it_was_drawn_on_and_on_no_others(tmp_path: Path) -> None:
    made = labelled(tmp_path)
    with Project.open(made.project, reader="Reader Rosa") as project:
        (first, *_others) = project.readings()
        own = project.reading(first.key, first.geometry, first.sources)
        project.attach_pixels(own.reading_id, "0" * 64)
        added = SegmentChange(None, replace(LUNG, layer_id=0), 0)
        project.journal.append(own.reading_id, Entry(EntryKind.DO, Command("Add", (added,), "segments")))
        assert project.journal.flush()
    document, _said = written(made, tmp_path / "rut", "seg", reader="Reader Rut")
    assert document["written"] == 3
    document, _said = written(made, tmp_path / "rosa", "nrrd", reader="Reader Rosa")
    assert document["written"] == 1
    with pytest.raises(WriteError):
        written(made, tmp_path / "images", "seg", reader="Reader Rosa")
