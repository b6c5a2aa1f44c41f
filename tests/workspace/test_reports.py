"""Measurements of an open case out as a report and in again, with real readers and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medview.core.annotations import BoxAnnotation, Trace
from medview.core.changes import AnnotationChange, Command
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.trace import TraceKind
from medview.core.vector import triple
from medview.io.nifti import write_volume
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.drawn import all_drawn
from medview.workspace.events import Message, Severity
from medview.workspace.jobs import InlineRunner
from medview.workspace.measuring import measured, measurements
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import files, labels, reports
from medview.workspace.operations.open import open_path
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.helpers.dicom_series import ROOT, asymmetric, write_ct
from tests.helpers.reports import ACROSS, ON_SLICES, drawn, every_kind, group, num, save_report


class Desk:
    """A workspace with a project of its own that remembers what it said."""

    def __init__(self, place: Path) -> None:
        self.project = Project.create(place / "p.medview", "Test")
        services = Services(InlinePool(), Registry(place / "bundled", place / "user"), self.project)
        self.workspace = Workspace(InlineRunner(), services)
        self.said: list[Message] = []
        self.workspace.message.connect(self.said.append)

    def open(self, path: Path) -> OpenCase:
        open_path(self.workspace, path)
        assert self.workspace.active is not None, self.said
        self.said.clear()
        return self.workspace.active


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[list[Desk]]:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(Desk(tmp_path / name))
    yield made
    for desk in made:
        desk.project.close()


def draw(case: OpenCase, figures: list[Measurement]) -> list[Measurement]:
    changes = tuple(AnnotationChange(None, one) for one in figures)
    assert case.do(Command("Draw", changes, "measure"))
    return figures


def test_measurements_go_to_another_desk_and_say_the_same_there(desks: list[Desk], tmp_path: Path) -> None:
    here, there = desks
    write_ct(tmp_path / "ct")
    case = here.open(tmp_path / "ct")
    across = [
        Measurement(f"a{one.annotation_id[1:]}", one.kind, one.points_lps_mm)
        for one in every_kind(case.volume.geometry, ACROSS)
    ]
    drawn_here = draw(case, [*every_kind(case.volume.geometry, ON_SLICES), *across])
    path = tmp_path / "m.dcm"
    reports.export_sr(here.workspace, path)
    assert [(m.severity, m.text) for m in here.said] == [(Severity.INFO, f"Wrote {path}.")]

    other = there.open(tmp_path / "ct")
    reports.import_file(there.workspace, path)
    assert [(m.severity, m.text, m.undo) for m in there.said] == [(Severity.INFO, "18 measurements read from m.dcm.", True)]
    back = {one.annotation_id: one for one in measurements(other)}
    for one in drawn_here:
        mine = {q.name: (q.unit, pytest.approx(q.value, rel=1e-6, abs=1e-5)) for q in measured(case, one).quantities}
        theirs = {q.name: (q.unit, q.value) for q in measured(other, back[one.annotation_id]).quantities}
        assert theirs == mine
    assert other.undo() is not None
    assert measurements(other) == []


def test_boxes_and_marks_go_along_and_a_3d_box_is_said_to_stay(desks: list[Desk], tmp_path: Path) -> None:
    here, there = desks
    write_ct(tmp_path / "ct")
    case = here.open(tmp_path / "ct")
    geometry = case.volume.geometry
    flat = BoxAnnotation.on_grid("f" * 32, "Cyst", geometry, (2, 3, 4), (3, 7, 9), flat_edge=0)
    deep = BoxAnnotation.on_grid("d" * 32, "Liver", geometry, (1, 3, 4), (4, 7, 9))
    line = Trace(
        "e" * 32, TraceKind.OPEN, tuple(triple(p) for p in geometry.point_lps_mm([(1, 2, 3), (4, 5, 9), (5, 1, 1)]))
    )
    changes = tuple(AnnotationChange(None, one) for one in (flat, deep, line))
    assert case.do(Command("Draw", changes, "marks"))
    reports.export_sr(here.workspace, tmp_path / "m.dcm")
    assert here.said[-1].severity is Severity.WARNING
    assert "1 thing is a 3-D box" in here.said[-1].text
    other = there.open(tmp_path / "ct")
    reports.import_file(there.workspace, tmp_path / "m.dcm")
    back = {one.annotation_id: one for one in all_drawn(other)}
    assert set(back) == {flat.annotation_id, line.annotation_id}
    found = back[flat.annotation_id]
    assert isinstance(found, BoxAnnotation)
    assert found.sop_instance_uid == case.entry.frames[2].sop_instance_uid
    np.testing.assert_allclose(found.corners_lps_mm(), flat.corners_lps_mm(), atol=1e-3)
    assert measurements(other) == []
    assert other.undo() is not None
    assert all_drawn(other) == []


def test_what_is_here_already_is_not_taken_in_twice_and_stays_as_it_is(desks: list[Desk], tmp_path: Path) -> None:
    here, _ = desks
    write_ct(tmp_path / "ct")
    case = here.open(tmp_path / "ct")
    first, *rest = draw(case, every_kind(case.volume.geometry, ON_SLICES))
    reports.export_sr(here.workspace, tmp_path / "m.dcm")
    case.do(Command("Delete", (AnnotationChange(first, None),), "measure"))
    here.said.clear()
    reports.import_file(here.workspace, tmp_path / "m.dcm")
    assert here.said[-1].text == (
        "1 measurement read from m.dcm. 8 measurements of it were here already and left as they are."
    )
    by_id = {one.annotation_id: one for one in measurements(case)}
    assert [by_id[one.annotation_id] for one in rest] == rest
    assert first.annotation_id in by_id


def test_what_cannot_be_shown_is_said_as_a_warning(desks: list[Desk], tmp_path: Path) -> None:
    here, _ = desks
    write_ct(tmp_path / "ct")
    case = here.open(tmp_path / "ct")
    path = save_report(
        tmp_path / "o.dcm",
        group("Shown", drawn("POINT", (4.5, 3.5), f"{ROOT}.2.1")),
        group("Elsewhere", drawn("POINT", (4.5, 3.5), "1.2.3.4")),
    )
    reports.import_file(here.workspace, path)
    assert [(m.severity, m.text) for m in here.said] == [
        (
            Severity.WARNING,
            "1 measurement read from o.dcm. 1 finding could not be shown: Elsewhere lies on images that are not in this "
            "series.",
        )
    ]
    assert [one.label for one in measurements(case)] == ["Shown"]


def test_numbers_that_differ_from_the_reports_are_said(desks: list[Desk], tmp_path: Path) -> None:
    here, _ = desks
    write_ct(tmp_path / "ct")
    here.open(tmp_path / "ct")
    length = ("410668003", "SCT", "Length")
    ten = drawn("POLYLINE", (1.5, 1.5, 11.5, 1.5), f"{ROOT}.2.1")
    path = save_report(
        tmp_path / "o.dcm",
        group("Right", num(length, 9.0, "mm", ten)),
        group("Wrong", num(length, 1.2, "cm", drawn("POLYLINE", (1.5, 2.5, 11.5, 2.5), f"{ROOT}.2.1"))),
    )
    reports.import_file(here.workspace, path)
    assert here.said[-1].text.endswith("Other numbers than in the report: Wrong: length 12 mm there, 9 mm here.")
    assert here.said[-1].severity is Severity.WARNING


def test_a_report_on_other_pixels_under_the_same_uids_is_refused(desks: list[Desk], tmp_path: Path) -> None:
    here, there = desks
    write_ct(tmp_path / "ct")
    case = here.open(tmp_path / "ct")
    draw(case, every_kind(case.volume.geometry, ON_SLICES))
    reports.export_sr(here.workspace, tmp_path / "m.dcm")
    write_ct(tmp_path / "impostor", asymmetric() + 1)
    other = there.open(tmp_path / "impostor")
    reports.import_file(there.workspace, tmp_path / "m.dcm")
    assert there.said[-1].text == "m.dcm was made on other images than these; open those and import it there."
    assert measurements(other) == []
    there.workspace.close_case(other.key)
    write_ct(tmp_path / "moved", origin_lps_mm=(0.0, 0.0, 0.0))
    other = there.open(tmp_path / "moved")
    reports.import_file(there.workspace, tmp_path / "m.dcm")
    assert "lay elsewhere in the patient" in there.said[-1].text


def test_a_label_file_is_still_read_as_labels(desks: list[Desk], tmp_path: Path) -> None:
    here, _ = desks
    write_ct(tmp_path / "ct")
    case = here.open(tmp_path / "ct")
    segment = labels.add_segment(case, "Liver")
    assert segment is not None
    case.labels.segmentation.layer(0).voxels[2, 3:5, 4:6] = segment.value
    for count, name, write in ((1, "l.nii.gz", files.export_nifti), (2, "l.dcm", files.export_seg)):
        write(here.workspace, tmp_path / name)
        reports.import_file(here.workspace, tmp_path / name)
        assert here.said[-1].text.startswith(f"{count} segments read from {name}.")
    (tmp_path / "notes.txt").write_text("nothing")
    reports.import_file(here.workspace, tmp_path / "notes.txt")
    assert here.said[-1].severity is Severity.ERROR


def test_numbers_of_slices_that_could_not_be_read_are_not_reported(desks: list[Desk], tmp_path: Path) -> None:
    here, _ = desks
    write_ct(tmp_path / "ct")
    case = here.open(tmp_path / "ct")
    draw(case, every_kind(case.volume.geometry, ON_SLICES))
    case.mark_loaded(1, ok=False, reason="damaged")
    reports.export_sr(here.workspace, tmp_path / "m.dcm")
    assert here.said[-1].text.endswith("2 measurements on slices that could not be read were left out.")
    written = pydicom.dcmread(tmp_path / "m.dcm")
    groups = [c for c in written.ContentSequence if c.ConceptNameCodeSequence[0].CodeValue == "126010"]
    assert len(groups[0].ContentSequence) == 7


def test_without_measurements_or_dicom_nothing_is_written_and_the_reason_said(desks: list[Desk], tmp_path: Path) -> None:
    here, _ = desks
    reports.export_sr(here.workspace, tmp_path / "m.dcm")
    assert "no measurements" in here.said[-1].text
    write_ct(tmp_path / "ct")
    case = here.open(tmp_path / "ct")
    draw(case, every_kind(case.volume.geometry, ON_SLICES))
    reports.export_sr(here.workspace, Path(case.entry.frames[0].path))
    assert "one of the source files" in here.said[-1].text
    write_volume(tmp_path / "v.nii.gz", case.volume)
    plain = here.open(tmp_path / "v.nii.gz")
    draw(plain, every_kind(plain.volume.geometry, {MeasurementKind.PROBE: [(0, 0, 0)]}))
    reports.export_sr(here.workspace, tmp_path / "m.dcm")
    assert here.said[-1].text == "A report needs a DICOM series; copy the measurements as a table instead."
    assert not (tmp_path / "m.dcm").exists()


def test_a_report_needs_an_open_series(desks: list[Desk], tmp_path: Path) -> None:
    here, _ = desks
    path = save_report(tmp_path / "o.dcm", group("A", drawn("POINT", (4.5, 3.5), f"{ROOT}.2.1")))
    reports.import_file(here.workspace, path)
    assert here.said[-1].text.startswith("Open the series first")


def test_figures_in_the_patient_come_onto_another_series_of_the_same_frame(desks: list[Desk], tmp_path: Path) -> None:
    here, there = desks
    write_ct(tmp_path / "ct")
    case = here.open(tmp_path / "ct")
    draw(case, every_kind(case.volume.geometry, {MeasurementKind.LENGTH: ACROSS[MeasurementKind.LENGTH]}))
    reports.export_sr(here.workspace, tmp_path / "m.dcm")
    write_ct(tmp_path / "second", asymmetric() + 5, series=f"{ROOT}.7")
    other = there.open(tmp_path / "second")
    reports.import_file(there.workspace, tmp_path / "m.dcm")
    ((one,), (origin,)) = measurements(other), measurements(case)
    np.testing.assert_allclose(one.points_lps_mm, origin.points_lps_mm, atol=1e-3)
