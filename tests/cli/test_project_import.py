"""Datasets of other programs become projects with one command each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.changes import Command, SegmentChange
from medview.core.errors import CancelledError, DiskFullError
from medview.core.job import Inline
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.core.source import SourceKind
from medview.io import nifti
from medview.io.datasets.foreign import BY_IMAGE, DatasetRequest
from medview.io.dicom.seg import write_seg
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool
from medview.store import recover
from medview.store.entry import Entry, EntryKind
from medview.store.import_book import ImportBook
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.workspace.dataset_import import ImportRun, import_dataset
from medview.workspace.keeping import Tie, load_stored, tie_pixels
from medview.workspace.label_intake import LabelIntake, PlacedCase
from tests.cli.conftest import Cli
from tests.helpers.dicom_series import write_ct
from tests.helpers.grids import turned_grid
from tests.io.datasets.pictures import holed_mask, save_mask, save_picture
from tests.io.datasets.test_classes import arrays
from tests.io.datasets.test_dicom_labels import in_study, study
from tests.io.datasets.test_nnunet import dataset as nnunet_dataset
from tests.io.datasets.test_voc import dataset as voc_dataset

SUNNYBROOK_PATIENT = r"(SC-[A-Z]+(?:-N?I)?-\d+)"
GRID = turned_grid(degrees=25.0, shape_kji=(4, 5, 7))


@pytest.fixture
def project(cli: Cli, tmp_path: Path) -> Path:
    place = tmp_path / "p.medview"
    assert cli("project", "create", place).code == 0
    return place


def pictures(folder: Path) -> Path:
    for patient in ("p1", "p2"):
        for number in range(2):
            name = f"{patient}-{number}.png"
            save_picture(folder / "images" / name, seed=number + 2 * int(patient[1]))
            save_mask(folder / "masks" / name, np.roll(holed_mask(), number, axis=1).astype(np.uint8) * 255)
    (folder / "splits.csv").write_text("name,split\np1-0,train\np1-1,train\np2-0,val\np2-1,val\n")
    return folder


def test_pictures_with_masks_become_cases_with_patients_splits_and_labels(cli: Cli, project: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set")
    given = ["--format", "image-mask", "--label-values", "255=LV", "--patient-from", "(p.)-", "--split-from"]
    done = cli("project", "import", project, source, *given, source / "splits.csv", "--json")
    assert done.code == 0, done.err
    found = done.document
    assert (found["cases"], found["added"], found["labelled"], found["patients"]) == (4, 4, 4, 2)
    assert found["splits"] == {"train": 2, "val": 2}
    assert found["split_by"] == "patient"
    assert found["labels"] == [{"name": "LV", "cases": 4}]
    assert found["warnings"] == []
    cases = cli("project", "list", project, "--json").document["cases"]
    assert [(case["patient"], case["split"], case["status"]) for case in cases] == [
        ("P0001", "train", "done"),
        ("P0001", "train", "done"),
        ("P0002", "validation", "done"),
        ("P0002", "validation", "done"),
    ]
    assert cli("project", "verify", project, "--json").document["problems"] == []


def test_a_case_opens_in_the_window_with_the_labels_that_were_imported(cli: Cli, project: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set")
    assert cli("project", "import", project, source, "--format", "image-mask", "--label-values", "255=LV").code == 0
    with Project.open(project) as opened:
        for number in range(2):
            loaded = load_volume(source / "images" / f"p1-{number}.png", None, Inline())
            stored = load_stored(opened, loaded.series, loaded.entry, loaded.volume)
            assert stored.problem == ""
            assert tie_pixels(opened, stored, loaded.volume, ()) == Tie()
            assert stored.loaded is not None
            segmentation = stored.loaded.labels.segmentation
            (segment,) = segmentation.segments
            assert (segment.name, segment.source.title) == ("LV", "import")
            np.testing.assert_array_equal(segmentation.mask(segment)[0], np.roll(holed_mask(), number, axis=1))
            assert [command.name for command in stored.loaded.undo] == [f"Import image-mask p1-{number}.png"]


def test_importing_again_adds_nothing_and_another_format_adds_a_layer(cli: Cli, project: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set")
    given = (source, "--format", "image-mask", "--label-values", "255=LV", "--json")
    cli("project", "import", project, *given)
    again = cli("project", "import", project, *given).document
    assert (again["added"], again["labelled"], again["known"]) == (0, 0, 4)
    for path in (source / "masks").iterdir():
        path.rename(path.with_name(f"{path.stem}_mask.png"))
    renamed = cli("project", "import", project, *given).document
    assert (renamed["labelled"], renamed["known"]) == (0, 4)
    with Project.open(project, read_only=True) as opened:
        assert [len(files) for files in opened.imports.of_readings().values()] == [1, 1, 1, 1]


def test_importing_again_adds_nothing_to_a_case_that_went_through_more_steps_than_can_be_undone(
    cli: Cli, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pictures(tmp_path / "set")
    given = (source, "--format", "image-mask", "--label-values", "255=LV", "--json")
    cli("project", "import", project, *given)
    monkeypatch.setattr(recover, "UNDO_STEPS_KEPT", 2)
    with Project.open(project) as opened:
        row = opened.readings()[0]
        opened.load_reading(row.reading_id)
        for n in range(4):
            name = f"Import image-mask {n}"
            change = SegmentChange(None, Segment(f"s{n}", f"Thing {n}", (9, 99, 200), 0, 2 + n), 1 + n)
            opened.journal.append(row.reading_id, Entry(EntryKind.DO, Command(name, (change,), "segments"), 2 + n))
        assert opened.journal.flush()
        assert len(opened.load_reading(row.reading_id).undo) == 2
        opened.set_status(row.reading_id, ReadingStatus.APPROVED)
    again = cli("project", "import", project, *given).document
    assert (again["added"], again["labelled"], again["known"]) == (0, 0, 4)
    with Project.open(project) as opened:
        segments = opened.load_reading(row.reading_id).labels.segmentation.segments
        assert [one.name for one in segments] == ["LV", "Thing 0", "Thing 1", "Thing 2", "Thing 3"]


def test_a_series_that_somebody_opens_while_an_import_runs_gets_its_labels_and_stops_nothing(
    cli: Cli, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pictures(tmp_path / "set")
    request = DatasetRequest(None, source / "images", source / "masks", {255: "LV"})
    with Project.open(project) as opened:
        read = LabelIntake._read

        def meanwhile(intake: LabelIntake, one: PlacedCase) -> Any:
            if not opened.readings():
                # A person opens the first of them, after the import has looked what is begun.
                opened.reading(one.stored.key, one.stored.geometry, one.stored.sources)
            return read(intake, one)

        monkeypatch.setattr(LabelIntake, "_read", meanwhile)
        report = import_dataset(ImportRun("image-mask", request), opened, Inline(), InlinePool())
        assert report.labelled == 4
        for row in opened.readings():
            assert [one.name for one in opened.load_reading(row.reading_id).labels.segmentation.segments] == ["LV"]
        assert len(opened.readings()) == 4
        assert opened.verify().problems == ()


def test_other_labels_under_the_same_names_of_files_come_in_a_layer_of_their_own(
    cli: Cli, project: Path, tmp_path: Path
) -> None:
    source = pictures(tmp_path / "set")
    given = (source, "--format", "image-mask", "--label-values", "255=LV", "--json")
    cli("project", "import", project, *given)
    for path in (source / "masks").iterdir():
        save_mask(path, np.roll(holed_mask(), 2, axis=0).astype(np.uint8) * 255)
    for counts in ((0, 4, 0), (0, 0, 4)):
        more = cli("project", "import", project, *given).document
        assert (more["added"], more["labelled"], more["known"]) == counts
    with Project.open(project, read_only=True) as opened:
        loaded = opened.load_reading(opened.readings()[0].reading_id)
    segmentation = loaded.labels.segmentation
    first, second = segmentation.segments
    assert [first.name, second.name] == ["LV", "LV 2"]
    assert first.layer_id != second.layer_id
    np.testing.assert_array_equal(segmentation.mask(second)[0], np.roll(holed_mask(), 2, axis=0))
    assert [command.name for command in loaded.undo] == ["Import image-mask p1-0.png", "Import image-mask p1-0.png (2)"]


def test_boxes_volumes_channels_and_classes_come_in_too(cli: Cli, project: Path, tmp_path: Path) -> None:
    boxes = cli("project", "import", project, voc_dataset(tmp_path / "voc"), "--format", "voc", "--json").document
    assert (boxes["boxes"], boxes["labels"], boxes["split_by"]) == (1, [{"name": "cell", "cases": 1}], "image")
    assert any("splits are by image" in warning for warning in boxes["warnings"])
    volumes = cli(
        "project", "import", project, nnunet_dataset(tmp_path / "nnunet"), "--format", "nnunet", "--json"
    ).document
    assert (volumes["cases"], volumes["labelled"], volumes["added"]) == (2, 2, 4)
    assert any("2 further channels became cases" in warning for warning in volumes["warnings"])
    np.savez_compressed(tmp_path / "my.npz", **arrays())
    given = ("--format", "medmnist-npz", "--label-values", "0=well,1=ill,2=odd", "--split-from", "npz", "--json")
    classes = cli("project", "import", project, tmp_path / "my.npz", *given).document
    assert classes["labels"] == [{"name": "ill", "cases": 1}, {"name": "odd", "cases": 1}, {"name": "well", "cases": 2}]
    assert (classes["splits"], classes["added"]) == ({"train": 4}, 4)
    assert len(list((project / "images").iterdir())) == 1
    assert cli("project", "import", project, tmp_path / "my.npz", *given).document["known"] == 4
    assert len(list((project / "images").iterdir())) == 1
    assert cli("project", "verify", project, "--json").document["problems"] == []


def test_the_same_image_twice_is_one_case_with_both_labels_and_is_told(cli: Cli, project: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set")
    (source / "images" / "p2-0.png").write_bytes((source / "images" / "p1-1.png").read_bytes())
    given = (source, "--format", "image-mask", "--label-values", "255=LV", "--json")
    document = cli("project", "import", project, *given).document
    assert (document["cases"], document["added"], document["labelled"]) == (3, 3, 3)
    assert document["labels"] == [{"name": "LV", "cases": 3}]
    assert any("1 image is the very same as another" in warning for warning in document["warnings"])
    cases = cli("project", "list", project, "--json").document["cases"]
    assert [len(case["readings"]) for case in cases] == [1, 1, 1]
    assert cli("project", "import", project, *given).document["known"] == 3
    assert cli("project", "verify", project, "--json").document["problems"] == []


def test_labels_alone_are_enough_where_their_images_are_cases_already(cli: Cli, project: Path, tmp_path: Path) -> None:
    drawn = study(tmp_path / "s", "one")
    assert cli("project", "add", project, tmp_path / "s" / "ct").code == 0
    (tmp_path / "labels").mkdir()
    (tmp_path / "s" / "seg.dcm").rename(tmp_path / "labels" / "seg.dcm")
    given = ("project", "import", project, tmp_path / "labels", "--format", "dicom-seg", "--json")
    document = cli(*given).document
    assert (document["cases"], document["added"], document["labelled"], document["warnings"]) == (1, 0, 1, [])
    with Project.open(project, read_only=True) as opened:
        (row,) = opened.readings()
        segmentation = opened.load_reading(row.reading_id).labels.segmentation
    np.testing.assert_array_equal(segmentation.mask(segmentation.segments[0]), drawn == 1)
    assert cli(*given).document["known"] == 1


def test_a_case_that_a_seg_names_comes_before_another_series_on_the_same_slices(
    cli: Cli, project: Path, tmp_path: Path
) -> None:
    study(tmp_path / "s", "one")
    assert cli("project", "add", project, tmp_path / "s" / "ct").code == 0
    write_ct(tmp_path / "labels" / "twin", series="2.25.78", change=in_study)
    (tmp_path / "s" / "seg.dcm").rename(tmp_path / "labels" / "seg.dcm")
    document = cli("project", "import", project, tmp_path / "labels", "--format", "dicom-seg", "--json").document
    assert (document["added"], document["labelled"]) == (0, 1)
    assert not any("placed by its position" in warning for warning in document["warnings"])
    with Project.open(project, read_only=True) as opened:
        assert [row.key.series_uid for row in opened.readings()] == ["2.25.3"]


def test_a_seg_that_was_drawn_on_other_pixels_is_refused_or_left_out(cli: Cli, project: Path, tmp_path: Path) -> None:
    study(tmp_path / "s", "one")
    study(tmp_path / "t", "three")
    loaded = load_volume(tmp_path / "s" / "ct", None, Inline())
    labels = np.ones(loaded.volume.geometry.shape_kji, dtype=np.uint8)
    segmentation = Segmentation(
        loaded.volume.geometry, {0: LabelLayer.drawn(0, labels)}, [Segment("b", "Heart", (200, 9, 9), 0, 1)]
    )
    sources = [Path(path) for path in loaded.entry.dicom_paths]
    write_seg(tmp_path / "s" / "seg.dcm", segmentation, sources, pixels_sha256="ab" * 32)
    given = ("project", "import", project, "--images", tmp_path / "s", "--labels", tmp_path / "t", "--format", "dicom-seg")
    refused = cli(*given)
    assert refused.code == 1
    assert "seg.dcm was made on other images" in refused.err
    document = cli(*given, "--leave-out", "--json").document
    assert (document["left_out"], document["labelled"] + document["known"]) == (1, 1)
    assert any("Left out: seg.dcm was made on other images" in warning for warning in document["warnings"])


def test_two_segs_of_one_series_become_layers_of_one_reading(cli: Cli, project: Path, tmp_path: Path) -> None:
    first = study(tmp_path / "s", "one")
    (tmp_path / "s" / "seg.dcm").rename(tmp_path / "s" / "first.dcm")
    loaded = load_volume(tmp_path / "s" / "ct", None, Inline())
    again = np.roll(first, 1, axis=2)
    segmentation = Segmentation(
        loaded.volume.geometry, {0: LabelLayer.drawn(0, again)}, [Segment("b", "Heart", (200, 9, 9), 0, 1)]
    )
    write_seg(tmp_path / "s" / "second.dcm", segmentation, [Path(path) for path in loaded.entry.dicom_paths])
    document = cli("project", "import", project, tmp_path / "s", "--format", "dicom-seg", "--json").document
    assert (document["cases"], document["added"], document["labelled"]) == (1, 1, 1)
    assert document["labels"] == [{"name": "Heart", "cases": 1}, {"name": "Lung one", "cases": 1}]
    with Project.open(project) as opened:
        stored = load_stored(opened, loaded.series, loaded.entry, loaded.volume)
        assert tie_pixels(opened, stored, loaded.volume, ()) == Tie()
        assert stored.loaded is not None
        drawn = {s.name: stored.loaded.labels.segmentation.mask(s) for s in stored.loaded.labels.segmentation.segments}
    np.testing.assert_array_equal(drawn["Lung one"], first == 1)
    np.testing.assert_array_equal(drawn["Heart"], again == 1)


def test_a_planted_file_is_named_and_nothing_is_imported(cli: Cli, project: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set")
    save_picture(source / "images" / "planted.png")
    done = cli("project", "import", project, source, "--format", "image-mask")
    assert done.code == 1
    assert "planted.png" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert cli("project", "list", project, "--json").document["cases"] == []
    wrong = cli("project", "import", project, source, "--format", "nothing")
    assert wrong.code == 1
    assert "nothing is no format" in wrong.err


def test_a_project_that_is_not_there_is_made_by_the_import_and_only_if_something_comes_in(cli: Cli, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set")
    given = (tmp_path / "new.medview", source, "--format", "image-mask", "--label-values", "255=LV")
    save_picture(source / "images" / "planted.png")
    assert "planted.png" in cli("project", "import", *given).err
    assert not (tmp_path / "new.medview").exists()
    (source / "images" / "planted.png").unlink()
    done = cli("project", "import", *given, "--json")
    assert (done.code, done.document["added"]) == (0, 4)
    info = cli("project", "info", tmp_path / "new.medview", "--json").document
    assert (info["name"], info["cases"]) == ("new", 4)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("kept")
    refused = cli("project", "import", tmp_path / "folder", *given[1:])
    assert (refused.code, (tmp_path / "folder" / "mine.txt").read_text()) == (1, "kept")


def test_a_damaged_file_stops_the_import_and_what_came_before_stays(
    cli: Cli, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pictures(tmp_path / "set")
    monkeypatch.setattr("medview.workspace.label_intake.AT_ONCE", 2)
    whole = (source / "masks" / "p2-0.png").read_bytes()
    (source / "masks" / "p2-0.png").write_bytes(whole[:-40])
    given = (source, "--format", "image-mask", "--label-values", "255=LV")
    done = cli("project", "import", project, *given)
    assert done.code == 1
    assert "p2-0.png is damaged" in done.err
    assert "2 cases were imported before; importing again goes on there." in done.err
    (source / "masks" / "p2-0.png").write_bytes(whole)
    document = cli("project", "import", project, *given, "--json").document
    assert (document["known"], document["labelled"]) == (2, 2)


def test_labels_of_a_named_reader_leave_mine_alone_and_it_is_known_where_they_are_from(
    cli: Cli, project: Path, tmp_path: Path
) -> None:
    source = pictures(tmp_path / "set")
    given = (source, "--format", "image-mask", "--label-values", "255=LV")
    assert cli("project", "import", project, *given, "--json").document["labelled"] == 4
    theirs = cli("project", "import", project, *given, "--reader", "Dr. Who", "--json").document
    assert (theirs["reader"], theirs["added"], theirs["labelled"], theirs["known"]) == ("Dr. Who", 0, 4, 0)
    assert cli("project", "import", project, *given, "--reader", "Dr. Who", "--json").document["known"] == 4
    cases = cli("project", "list", project, "--json").document["cases"]
    assert [len({reading["reader"] for reading in case["readings"]}) for case in cases] == [2, 2, 2, 2]
    said = [e for e in cli("project", "log", project, "--json").document["entries"] if e["kind"] == "imported"]
    assert [e["who"] for e in said[4:]] == ["Dr. Who"] * 4
    assert [(e["details"]["format"], e["details"]["file"]) for e in said[:2]] == [
        ("image-mask", "p1-0.png"),
        ("image-mask", "p1-1.png"),
    ]
    with Project.open(project, read_only=True) as opened:
        row = next(row for row in opened.readings() if row.reader == "Dr. Who")
        (segment,) = opened.load_reading(row.reading_id).labels.segmentation.segments
    assert segment.source.kind is SourceKind.IMPORT
    assert datetime.fromisoformat(segment.source.created_utc) <= datetime.now(UTC)
    agreed = cli("project", "import", project, *given, "--reader", "consensus")
    assert agreed.code == 1
    assert "nobody's consensus" in agreed.err


class StopsAt(Inline):
    """Somebody presses Cancel while a case is read."""

    def __init__(self, case: int) -> None:
        self._left = case

    def progress(self, fraction: float, text: str = "") -> None:
        self._left -= text.startswith("Case ")

    def raise_if_cancelled(self) -> None:
        if self._left <= 0:
            raise CancelledError


def test_an_import_that_is_cancelled_keeps_whole_cases_and_goes_on_there(project: Path, tmp_path: Path) -> None:
    run = ImportRun("image-mask", DatasetRequest(pictures(tmp_path / "set"), label_values={255: "LV"}))
    with Project.open(project) as opened:
        with pytest.raises(CancelledError):
            import_dataset(run, opened, StopsAt(2), InlinePool())
        done = [row.status for row in opened.cases()]
        assert done == [ReadingStatus.DONE, ReadingStatus.DONE, ReadingStatus.TO_DO, ReadingStatus.TO_DO]
        report = import_dataset(run, opened, Inline(), InlinePool())
        assert (report.added, report.known, report.labelled) == (0, 2, 2)
        assert [row.gestures for row in opened.readings()] == [1, 1, 1, 1]


def test_a_case_is_done_only_once_its_labels_are_kept(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ImportRun("image-mask", DatasetRequest(pictures(tmp_path / "set"), label_values={255: "LV"}))

    def full(*_arguments: object) -> None:
        raise DiskFullError("The disk is full.")

    with Project.open(project) as opened:
        with monkeypatch.context() as broken:
            broken.setattr(ImportBook, "finish", full)
            with pytest.raises(DiskFullError):
                import_dataset(run, opened, Inline(), InlinePool())
        assert {row.status for row in opened.cases()} == {ReadingStatus.IN_WORK}
        report = import_dataset(run, opened, Inline(), InlinePool())
        assert (report.known, report.labelled) == (4, 0)
        assert {row.status for row in opened.cases()} == {ReadingStatus.DONE}
        assert [row.gestures for row in opened.readings()] == [1, 1, 1, 1]
        assert all(len(files) == 1 for files in opened.imports.of_readings().values())


def test_pictures_on_which_there_is_nothing_are_done_and_known(cli: Cli, project: Path, tmp_path: Path) -> None:
    source = voc_dataset(tmp_path / "voc")
    for path in source.rglob("*.xml"):
        text = path.read_text()
        path.write_text(text[: text.index("<object>")] + text[text.rindex("</object>") + len("</object>") :])
    first = cli("project", "import", project, source, "--format", "voc", "--json").document
    again = cli("project", "import", project, source, "--format", "voc", "--json").document
    assert first["boxes"] == 0
    assert (again["labelled"], again["known"]) == (0, first["labelled"])


@pytest.mark.data
def test_real_pictures_masks_boxes_and_classes_come_in_with_one_command_each(
    cli: Cli, project: Path, tmp_path: Path, test_data: Path
) -> None:
    hearts, cells = tmp_path / "hearts", tmp_path / "cells"
    for part in ("Images", "Labels"):
        files = sorted(path for path in (test_data / "train-seg-sunnybrook" / "Data" / "Train" / part).rglob("*.png"))
        (hearts / part).mkdir(parents=True)
        for path in (*files[:2], *files[-2:]):
            (hearts / part / path.name).symlink_to(path)
    given = ("--format", "image-mask", "--label-values", "255=LV", "--patient-from", SUNNYBROOK_PATIENT)
    found = cli("project", "import", project, hearts, *given, "--json").document
    assert (found["labelled"], found["patients"], found["split_by"]) == (4, 2, "patient")
    assert found["labels"] == [{"name": "LV", "cases": 4}]
    boxes = 0
    for part in ("Annotations", "JPEGImages"):
        (cells / part).mkdir(parents=True)
        for path in sorted((test_data / "train-det-bccd" / "BCCD" / part).iterdir())[:3]:
            (cells / part / path.name).symlink_to(path)
            boxes += path.read_text().count("<object>") if path.suffix == ".xml" else 0
    found = cli("project", "import", project, cells, "--format", "voc", "--json").document
    assert (found["labelled"], found["boxes"], found["split_by"], found["warnings"]) == (3, boxes, "image", [BY_IMAGE])
    whole = np.load(next((test_data / "train-cls-pneumoniamnist").glob("*.npz")))
    few = {name: array[: 4 if name.startswith("train") else 3] for name, array in whole.items()}
    np.savez_compressed(tmp_path / "few.npz", **few)
    classes = (tmp_path / "few.npz", "--format", "medmnist-npz", "--label-values", "0=normal,1=pneumonia")
    found = cli("project", "import", project, *classes, "--split-from", "npz", "--json").document
    ill = int(few["train_labels"].sum() + few["val_labels"].sum())
    assert (found["splits"], found["split_by"]) == ({"train": 4, "val": 3}, "image")
    assert {one["name"]: one["cases"] for one in found["labels"]} == {
        name: count for name, count in (("normal", 7 - ill), ("pneumonia", ill)) if count
    }


@pytest.mark.data
def test_real_volumes_come_in_with_their_patients(cli: Cli, project: Path, tmp_path: Path, test_data: Path) -> None:
    (root,) = (test_data / "train-seg-hippocampus").rglob("TrainingSet")
    for part in ("images", "labels"):
        (tmp_path / "h" / part).mkdir(parents=True)
        for path in sorted((root / part).iterdir())[:5]:
            (tmp_path / "h" / part / path.name).symlink_to(path)
    given = ("--images", tmp_path / "h" / "images", "--labels", tmp_path / "h" / "labels", "--format", "nifti-pairs")
    values = ("--label-values", "1=Anterior,2=Posterior", "--patient-from", r"hippocampus_\d+", "--json")
    document = cli("project", "import", project, *given, *values).document
    assert (document["cases"], document["patients"], document["split_by"]) == (5, 5, "patient")
    assert document["labels"] == [{"name": "Anterior", "cases": 5}, {"name": "Posterior", "cases": 5}]
    path = sorted((tmp_path / "h" / "images").iterdir())[2]
    loaded = load_volume(path, None, Inline())
    with Project.open(project, read_only=True) as opened:
        row = opened.find_reading(
            type(opened.readings()[0].key)(loaded.series.study_uid, loaded.series.series_uid), loaded.volume.geometry
        )
        assert row is not None
        segmentation = opened.load_reading(row.reading_id).labels.segmentation
    truth = nifti.read_voxels(str(tmp_path / "h" / "labels" / path.name))
    for value, segment in enumerate(segmentation.segments, start=1):
        np.testing.assert_array_equal(segmentation.mask(segment), truth == value)
