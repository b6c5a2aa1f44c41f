"""The folder models are trained on: every voxel, who belongs where, and what nobody looked at."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.annotations import ImageLabel
from medview.core.changes import AnnotationChange, Command, SegmentChange
from medview.core.errors import MedViewError, StoreError
from medview.core.job import Inline
from medview.io.datasets.dataset_case import WriteOptions
from medview.io.datasets.neutral_read import NeutralDataset, read_neutral
from medview.io.reader_pool import InlinePool
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.workspace.export_selection import ExportRun, Include
from medview.workspace.neutral_export import export_neutral, keep_splits
from tests.workspace.exported import LUNG, Labelled, labelled, leaks


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    """Case 1 is still in work; case 2 is drawn on two slices only."""
    states = (ReadingStatus.IN_WORK, ReadingStatus.DONE, ReadingStatus.APPROVED)
    return labelled(tmp_path_factory.mktemp("project"), unsure=True, finish=states.__getitem__)


def written(made: Labelled, out: Path, **more: Any) -> tuple[NeutralDataset, Mapping[int, str], list[str]]:
    said: list[str] = []
    with Project.open(made.project, read_only=True) as project:
        _, planned = export_neutral(ExportRun("dataset", **more), project, out, Inline(), InlinePool(), said.extend)
    return read_neutral(out), planned.made, said


def test_images_and_overlapping_labels_come_back_voxel_for_voxel_mapped_from_the_disk(
    made: Labelled, tmp_path: Path
) -> None:
    dataset, _, _ = written(made, tmp_path / "out", include=Include.ALL)
    assert [case.key for case in dataset.cases] == ["case_0001", "case_0002", "case_0003"]
    for case, loaded, drawn in zip(dataset.cases, made.loaded, made.drawn, strict=True):
        image, layers = case.image(), case.layers()
        assert isinstance(layers, np.memmap)
        np.testing.assert_array_equal(image.values(), loaded.volume.values())
        np.testing.assert_allclose(image.geometry.affine_lps, loaded.volume.geometry.affine_lps)
        for told, segment in zip(case.said["segments"], drawn.segments, strict=True):
            np.testing.assert_array_equal(layers[told["layer"]] == told["value"], drawn.mask(segment))


def test_only_finished_cases_are_written_unless_others_are_asked_for(made: Labelled, tmp_path: Path) -> None:
    dataset, _, said = written(made, tmp_path / "out")
    assert [case.key for case in dataset.cases] == ["case_0002", "case_0003"]
    assert dataset.facts["left_out"] == {"excluded": 0, "not_done": 1, "unlabelled": 0}
    assert "1 case is left out: it is not done." in said
    approved, _, _ = written(made, tmp_path / "approved", include=Include.APPROVED)
    assert [case.said["status"] for case in approved.cases] == ["approved"]


def test_what_nobody_looked_at_is_unknown_and_no_background(made: Labelled, tmp_path: Path) -> None:
    dataset, _, said = written(made, tmp_path / "out", include=Include.ALL)
    first, second, _ = (case.said for case in dataset.cases)
    assert first["done_slices"] is None
    assert second["done_slices"] == {"k": [1, 2], "j": [], "i": []}
    assert any("unknown, not background" in sentence for sentence in said)
    assert (first["absent"], first["unknown"], first["unsure"]) == (["Cyst"], [], True)
    assert [one["name"] for one in dataset.facts["classes"]] == ["Lung", "Nodule", "Lobe", "Cyst"]
    assert [one["class"] for one in first["segments"]] == [1, 2, 2, 3, 4, None]


def test_answers_boxes_codes_models_and_readers_stand_in_the_list(made: Labelled, tmp_path: Path) -> None:
    dataset, _, _ = written(made, tmp_path / "out")
    said = dataset.cases[0].said
    assert said["answers"][0]["answer"][0]["text"] == "Good"
    assert [one["label"] for one in said["drawn"]] == ["Tumour", "Vessel"]
    assert said["segments"][0]["code"]["value"] == "39607008"
    assert said["segments"][3]["source"] == {
        "kind": "model",
        "model": "lobes",
        "version": "2.1",
        "sha256": "ab" * 32,
        "corrected": True,
    }
    assert (said["reader"], said["patient"]) == ("Reader Rut", "P0002")


def test_nobody_is_named_in_any_byte_and_the_checksums_hold(made: Labelled, tmp_path: Path) -> None:
    written(made, tmp_path / "out", include=Include.ALL, options=WriteOptions("Lungs", licence="CC BY 4.0"))
    assert leaks(tmp_path / "out") == []
    assert leaks(tmp_path / "out", [one.series.study_uid for one in made.loaded]) == []
    check = ["sha256sum", "--quiet", "--check", "checksums.sha256"]
    assert subprocess.run(check, cwd=tmp_path / "out", check=False).returncode == 0
    card = (tmp_path / "out" / "DATASET.md").read_text()
    for line in ("# Lungs", "| CT | 3 |", "| Reader Rut | 3 |", "| in work | 1 |", "| Lung | 3 |", "Licence: CC BY 4.0."):
        assert line in card


def test_splits_are_kept_by_the_project_and_stay_when_others_come(tmp_path: Path) -> None:
    states = [ReadingStatus.DONE, ReadingStatus.DONE, ReadingStatus.IN_WORK]
    made = labelled(tmp_path / "in", finish=states.__getitem__)
    first, splits, said = written(made, tmp_path / "first")
    assert set(splits) == {1, 2}
    assert "2 cases had no split and were given one." in said
    with Project.open(made.project) as project:
        keep_splits(project, dict(splits))
        reading = project.cases()[2].readings[0].reading_id
        project.set_status(reading, ReadingStatus.DONE)
        project.worklist.exclude([1], "blurred")
    second, more, _ = written(made, tmp_path / "second")
    assert set(more) == {3}
    assert [case.key for case in second.cases] == ["case_0002", "case_0003"]
    assert second.cases[0].split == first.cases[1].split
    assert second.facts["left_out"]["excluded"] == 1


def test_a_case_of_two_readers_without_consensus_is_not_written_in_silence(tmp_path: Path) -> None:
    made = labelled(tmp_path / "in")
    with Project.open(made.project, reader="Other Olaf") as project:
        (row,) = [one for one in project.readings() if one.case_id == 1]
        own = project.reading(row.key, row.geometry, row.sources)
        project.journal.append(
            own.reading_id, Entry(EntryKind.DO, Command("Add", (SegmentChange(None, LUNG, 0),), "brush"), 1)
        )
        assert project.journal.flush()
    with pytest.raises(StoreError, match="has no consensus"):
        written(made, tmp_path / "out")
    dataset, _, told = written(made, tmp_path / "left out", without_undecided=True)
    assert [case.key for case in dataset.cases] == ["case_0002", "case_0003"]
    assert "1 case is left out: several read it, and it has no consensus." in told
    dataset, _, _ = written(made, tmp_path / "out", reader="Reader Rut")
    assert [case.said["reader"] for case in dataset.cases] == ["Reader Rut"] * 3
    with Project.open(made.project) as project:
        project.set_status(row.reading_id, ReadingStatus.IN_WORK)
    # Nobody is through with it: whose labels count is decided later.
    dataset, _, told = written(made, tmp_path / "not done")
    assert [case.key for case in dataset.cases] == ["case_0002", "case_0003"]
    assert "1 case is left out: it is not done." in told


def test_what_was_drawn_at_a_later_time_point_is_left_out_and_no_number_of_an_image_gets_out(tmp_path: Path) -> None:
    made = labelled(tmp_path / "in")
    own = made.loaded[0].volume.sop_instance_uids[2]
    on_first = ImageLabel("first", "motion", says="present", subject="slice", point_lps_mm=(1.0, 2.0, 3.0),
                          normal_lps=(0.0, 0.0, 1.0), sop_instance_uid=own)  # fmt: skip
    on_later = replace(made.box, annotation_id="later", sop_instance_uid="1.2.3.4.5")
    with Project.open(made.project) as project:
        (row,) = [one for one in project.readings() if one.case_id == 1]
        changes = (AnnotationChange(None, on_first), AnnotationChange(None, on_later))
        project.journal.append(row.reading_id, Entry(EntryKind.DO, Command("Say", changes, "box"), 2))
        assert project.journal.flush()
    dataset, _, told = written(made, tmp_path / "out")
    assert "1 box, point or statement of a later time point is left out: images of the first are written." in told
    first = dataset.cases[0].said
    assert [one["label"] for one in first["image_labels"]] == ["motion"]
    assert len([one for one in first["drawn"] if one["kind"] == "box"]) == 1
    for loaded in made.loaded:
        assert leaks(tmp_path / "out", loaded.volume.sop_instance_uids) == []


def test_a_case_whose_images_are_gone_is_named(tmp_path: Path) -> None:
    made = labelled(tmp_path / "in")
    shutil.move(made.folders[1], tmp_path / "elsewhere")
    with pytest.raises(MedViewError, match=r"^Case 2: The files of this series are no longer where they were"):
        written(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_changed_or_cut_off_file_is_found_when_the_folder_is_read(made: Labelled, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written(made, out)
    image = out / "images" / "case_0002.npy"
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)
    with pytest.raises(MedViewError, match=r"images/case_0002\.npy"):
        read_neutral(out)
    image.write_bytes(data[:-40])
    with pytest.raises(MedViewError, match="is damaged"):
        read_neutral(out, check=False).cases[0].image()


@pytest.mark.parametrize("change", ["file", "case", "split", "layers", "version"])
def test_lines_that_lead_elsewhere_are_refused(made: Labelled, tmp_path: Path, change: str) -> None:
    out = tmp_path / "out"
    written(made, out)
    lines = (out / "cases.jsonl").read_text().splitlines()
    line = json.loads(lines[0])
    if change == "file":
        line["image"]["file"] = "../p.npy"
    elif change == "layers":
        line["labels"]["layers"] = 99
    elif change != "version":
        line[change] = "../../etc"
    else:
        facts = json.loads((out / "dataset.json").read_text())
        (out / "dataset.json").write_text(json.dumps({**facts, "version": 2}))
    (out / "cases.jsonl").write_text("\n".join([json.dumps(line), *lines[1:]]) + "\n")

    def read() -> None:
        first = read_neutral(out, check=False).cases[0]
        first.image()
        first.layers()

    with pytest.raises(MedViewError, match=r"damaged|not those|newer"):
        read()


def test_images_that_are_others_now_stop_the_export_and_leave_nothing(tmp_path: Path) -> None:
    import pydicom

    made = labelled(tmp_path / "in")
    victim = sorted(made.folders[1].iterdir())[0]
    dataset = pydicom.dcmread(victim)
    dataset.PixelData = bytes(len(dataset.PixelData))
    dataset.save_as(victim)
    (tmp_path / "here").mkdir()
    with pytest.raises(MedViewError, match="have changed since"):
        written(made, tmp_path / "here" / "out")
    assert list((tmp_path / "here").iterdir()) == []
