"""Labels of a project as files, and whose images a SEG may point at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation, Trace
from medview.core.attributes import Attribute
from medview.core.changes import AnnotationChange, Command, PromptChange, SegmentChange
from medview.core.errors import StoreError
from medview.core.job import Inline
from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_log import PromptLog
from medview.core.trace import TraceKind
from medview.core.vector import triple
from medview.core.volume import Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.drawn_json import read_drawn
from medview.io.label_files import read_labels
from medview.io.load import LoadedVolume, load_volume
from medview.store.codec_prompts import decode_prompt
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.workspace.keeping import load_stored, tie_pixels
from medview.workspace.project_export import export_project
from tests.helpers.dciodvfy import errors
from tests.helpers.impostors import drawn, drawn_command, genuine


def series_in(folder: Path, volume: Volume) -> LoadedVolume:
    write_series(folder, volume, SeriesIdentity("Phantom^Export", "E-1", seed="export"))
    return load_volume(folder, None, Inline())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A closed project with one segment on the series in ``ct``."""
    loaded = series_in(tmp_path / "ct", genuine())
    with Project.create(tmp_path / "p.medview", "Test") as opened:
        stored = load_stored(opened, loaded.series, loaded.entry, loaded.volume)
        assert stored.reading_id is not None
        tie_pixels(opened, stored, loaded.volume, ())
        opened.journal.append(stored.reading_id, Entry(EntryKind.DO, drawn_command(loaded.volume), 1))
        assert opened.journal.flush()
    return tmp_path / "p.medview"


def test_an_export_in_place_of_an_earlier_one_leaves_no_labels_of_that(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_project(project, out, tmp_path / "ct", Inline(), overwrite=False)
    (out / "case-0001" / "mine.txt").write_text("kept")
    old = out / "case-0002-reading-7"
    old.mkdir()
    (old / "labels.nii.gz").write_bytes(b"of a case that is gone")
    with Project.open(project) as opened:
        (row,) = opened.readings()
        labels = opened.load_reading(row.reading_id).labels
        gone = labels.segmentation.segments[0]
        opened.journal.append(
            row.reading_id, Entry(EntryKind.DO, Command("Delete", (SegmentChange(gone, None, 0),), "segments"), 2)
        )
        assert opened.journal.flush()
    with pytest.raises(StoreError):
        export_project(tmp_path / "none.medview", out, tmp_path / "ct", Inline(), overwrite=True)
    assert (out / "case-0001" / "labels.dcm").is_file(), "of a project that cannot be read nothing comes in its place"
    document = export_project(project, out, tmp_path / "ct", Inline(), overwrite=True)
    assert document["written"] == 0
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == [
        "case-0001/mine.txt",
        "export.json",
    ]


def test_each_case_becomes_a_label_map_and_a_seg_on_its_own_images(project: Path, tmp_path: Path) -> None:
    document = export_project(project, tmp_path / "out", tmp_path / "ct", Inline(), overwrite=False)
    assert document["warnings"] == []
    volume = load_volume(tmp_path / "ct", None, Inline()).volume
    for name in ("labels.nii.gz", "labels.dcm"):
        read = read_labels(tmp_path / "out" / "case-0001" / name, volume)
        np.testing.assert_array_equal(read.layers[0], drawn())
        assert read.pixels_sha256
    assert errors(tmp_path / "out" / "case-0001" / "labels.dcm") == []


def test_no_seg_is_written_on_images_of_the_same_uids_with_other_pixels(project: Path, tmp_path: Path) -> None:
    for number, axis in enumerate(range(3)):
        voxels = np.ascontiguousarray(np.flip(genuine().voxels, axis))
        series_in(tmp_path / f"other-{axis}", Volume(voxels, genuine().geometry, modality="CT"))
        out = tmp_path / f"out-{number}"
        document = export_project(project, out, tmp_path / f"other-{axis}", Inline(), overwrite=False)
        assert document["warnings"] == [
            "case-0001: its images have changed since they were labelled, so no SEG was written."
        ]
        assert not (out / "case-0001" / "labels.dcm").exists()


def test_no_seg_is_written_where_the_images_are_not_there(project: Path, tmp_path: Path) -> None:
    write_series(tmp_path / "else", genuine(), SeriesIdentity("Phantom^Else", "E-2", seed="else"))
    document = export_project(project, tmp_path / "out", tmp_path / "else", Inline(), overwrite=False)
    assert document["warnings"] == ["case-0001: its images are not under the given folder, so no SEG was written."]


def test_boxes_and_marks_are_written_beside_and_come_back_exactly(project: Path, tmp_path: Path) -> None:
    geometry = genuine().geometry
    box = BoxAnnotation.on_grid("b", "Nodule", geometry, (1, 2, 3), (2, 6, 9), flat_edge=0)
    points = tuple(triple(p) for p in geometry.point_lps_mm([(1, 2, 3), (2, 6.1, 9.7)]))
    line = Trace("t", TraceKind.OPEN, points, "Vessel", (Attribute("Grade", 0.1),))
    with Project.open(project) as opened:
        (row,) = opened.readings()
        command = Command("Draw", (AnnotationChange(None, box), AnnotationChange(None, line)), "marks")
        opened.journal.append(row.reading_id, Entry(EntryKind.DO, command, 2))
        assert opened.journal.flush()
    document = export_project(project, tmp_path / "out", None, Inline(), overwrite=False)
    assert "case-0001/boxes.json" in document["cases"][0]["files"]
    sheet = read_drawn(str(tmp_path / "out" / "case-0001" / "boxes.json"))
    assert sheet.things == (box, line)
    assert sheet.geometry.same_grid(geometry)
    assert sheet.pixels_sha256


def test_prompts_are_told_with_what_was_asked_in_patient_millimetres(project: Path, tmp_path: Path) -> None:
    point = Prompt("p", PromptKind.POINT, False, ((1.5, -2.25, 1 / 3),), (0.0, 0.6, 0.8), 2.5)
    with Project.open(project) as opened:
        (row,) = opened.readings()
        segment = opened.load_reading(row.reading_id).labels.segmentation.segments[0]
        log = PromptLog(segment.segment_id, "net@1.0", "ab" * 32, (point,))
        change = Command("Prompt", (PromptChange(None, log),), "prompt")
        opened.journal.append(row.reading_id, Entry(EntryKind.DO, change, 2))
        assert opened.journal.flush()
    document = export_project(project, tmp_path / "out", None, Inline(), overwrite=False)
    told = document["cases"][0]["labels"]["segments"][0]["prompts"]
    assert (told["engine"], told["model_sha256"], told["settled"]) == ("net@1.0", "ab" * 32, [])
    assert decode_prompt(told["given"][0]) == point
