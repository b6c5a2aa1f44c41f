"""Series in time: read, shown, measured, exported and drawn as curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import SimpleITK as sitk

from medview.core.changes import AnnotationChange, Command
from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.pixel_hash import pixels_sha256
from medview.io import times_reader
from medview.io.dicom.scan import scan
from medview.io.reader_pool import InlinePool
from medview.io.times_reader import ReadTimePoint, TimesReader
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.actions import action
from medview.workspace.cine import USUAL_IN_TIME_HZ, begin, rate_of
from medview.workspace.events import Message, Severity
from medview.workspace.jobs import InlineRunner
from medview.workspace.measuring import jump_to, measured, measurements, where
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import files, labels, reports
from medview.workspace.operations.open import open_path
from medview.workspace.services import Services
from medview.workspace.time_axis import axis_of, go_to, stands_at, time_text
from medview.workspace.time_curves import curve_table, request_of, subject_of
from medview.workspace.workspace import Workspace
from tests.helpers.contrast import LESION_KJI, STORED_ZERO, TIMES_S, VESSEL_KJI, write_contrast
from tests.helpers.enhanced import enhanced_ct, one
from tests.helpers.strokes import stroke_patch

SHAPE_KJI = (7, 64, 56)


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
        return self.workspace.active


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.project.close()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return tmp_path / "study"


def truth(folder: Path) -> list[npt.NDArray[np.int16]]:
    return write_contrast(folder, SHAPE_KJI)


def region(case: OpenCase, k: int = 3, *, label: str = "") -> Measurement:
    points = case.volume.geometry.point_lps_mm(
        np.asarray([(k, 19.5, 17.5), (k, 19.5, 29.5), (k, 35.5, 29.5), (k, 35.5, 17.5)])
    )
    uid, number = case.image_of(k)
    corners = tuple((float(x), float(y), float(z)) for x, y, z in points)
    return Measurement(f"r{case.view.time_index}", MeasurementKind.RECTANGLE, corners, label, uid, number)


def draw(case: OpenCase, *figures: Measurement) -> None:
    assert case.do(Command("Draw", tuple(AnnotationChange(None, one) for one in figures), "measure"))


def test_every_time_point_is_read_after_the_first_and_shown_when_it_is_chosen(desk: Desk, study: Path) -> None:
    written = truth(study)
    case = desk.open(study)
    assert len(case.times) == len(TIMES_S)
    assert [job.title for job in desk.workspace.runner.jobs].count("Reading Contrast in time") == 2  # type: ignore[attr-defined]
    shown = []
    case.view.events.time_index.connect(lambda _index: shown.append(case.volume))
    for n, stored in enumerate(written):
        go_to(case, n)
        np.testing.assert_array_equal(case.volume.voxels, stored)
        assert case.volume is case.times[n].volume
        assert case.load.complete
        assert set(case.volume.sop_instance_uids) == {f"2.25.1234567890.2.{k + 1}.{n}" for k in range(SHAPE_KJI[0])}
    # Who listens finds the volume already changed.
    assert shown == [time.volume for time in case.times[1:]]


def test_keys_step_through_time_and_stop_at_its_ends(desk: Desk, study: Path) -> None:
    truth(study)
    case = desk.open(study)
    assert time_text(case) == "Time 1/10, 0.0 s"
    action("time.next").run(desk.workspace)
    assert (case.view.time_index, time_text(case)) == (1, "Time 2/10, 3.0 s")
    action("time.last").run(desk.workspace)
    action("time.next").run(desk.workspace)
    assert time_text(case) == "Time 10/10, 56.0 s"
    action("time.first").run(desk.workspace)
    action("time.previous").run(desk.workspace)
    assert case.view.time_index == 0


def test_further_times_that_do_not_fit_are_refused_in_a_sentence_and_the_first_stays(
    desk: Desk, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = truth(study)
    monkeypatch.setattr(times_reader, "available_memory", lambda: 2 * 9 * written[0].nbytes - 1)
    case = desk.open(study)
    assert len(case.times) == 1
    assert [(m.severity, m.text) for m in desk.said] == [
        (
            Severity.WARNING,
            "The other 9 time points need 0.0 GB and there is no room for them; the first is shown.",
        )
    ]
    np.testing.assert_array_equal(case.volume.voxels, written[0])
    action("time.next").run(desk.workspace)
    assert case.view.time_index == 0
    assert desk.said[-1].text == "Time point 2 of 10 is not read."


def test_reading_says_which_time_point_and_can_be_cancelled_between_slices(study: Path) -> None:
    truth(study)
    (series,) = scan(study, Inline()).series
    said: list[tuple[float, str]] = []
    parts: list[ReadTimePoint] = []

    class Watched(Inline):
        def progress(self, fraction: float, text: str) -> None:
            said.append((fraction, text))

        def partial(self, value: object) -> None:
            assert isinstance(value, ReadTimePoint)
            parts.append(value)
            if value.time_point == 4:
                self.cancel()

    with pytest.raises(CancelledError):
        TimesReader(InlinePool()).read(series, series.volumes[0], Watched())
    assert [part.time_point for part in parts] == [1, 2, 3, 4]
    assert "Reading time point 3 of 10" in [text for _, text in said]
    fractions = [fraction for fraction, _ in said]
    assert fractions == sorted(fractions)
    assert 0.0 <= fractions[0] < fractions[-1] < 0.5


def test_a_damaged_slice_of_a_later_time_is_said_and_costs_that_slice_only(desk: Desk, study: Path) -> None:
    written = truth(study)
    victim = study / "04" / "0002.dcm"
    victim.write_bytes(victim.read_bytes()[:-40])
    case = desk.open(study)
    assert case.load.damaged == ()
    assert "Time point 5 holds damaged slices." in [message.text for message in desk.said]
    told: list[int] = []
    case.load_changed.connect(lambda: told.append(case.view.time_index))
    go_to(case, 4)
    assert (case.load.damaged, told) == ((2,), [4])
    np.testing.assert_array_equal(case.volume.voxels[3], written[4][3])
    k = 2
    case.view.crosshair_kji = (k, 30, 24)
    subject = subject_of(case)
    assert subject is not None
    curve = request_of(case, subject).run(Inline())
    assert list(np.flatnonzero(np.isnan(curve.mean))) == [4]


def test_labels_stay_those_of_the_first_time_point_whichever_is_shown(desk: Desk, study: Path, tmp_path: Path) -> None:
    written = truth(study)
    case = desk.open(study)
    go_to(case, 6)
    segment = labels.add_segment(case, "Lesion")
    gesture = case.gesture("brush")
    patch = stroke_patch(case.labels.segmentation, segment, (3, 20, 20), (3, 24, 20), radius_mm=3.0)
    assert patch is not None
    gesture.apply(patch)
    gesture.commit("Brush")
    files.export_seg(desk.workspace, tmp_path / "seg.dcm")
    assert desk.said[-1].text.startswith("Wrote")
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    referenced = {one.ReferencedSOPInstanceUID for one in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert referenced
    assert referenced <= set(case.times[0].volume.sop_instance_uids)
    assert case.anchor.volume is case.times[0].volume
    assert desk.project.journal.flush()
    assert desk.project.readings()[0].pixels_sha256 == pixels_sha256(replace(case.volume, voxels=written[0]))
    files.import_labels(desk.workspace, tmp_path / "seg.dcm")
    assert "1 segments read" in desk.said[-1].text


def test_a_measurement_belongs_to_the_time_it_was_drawn_on(desk: Desk, study: Path, tmp_path: Path) -> None:
    written = truth(study)
    case = desk.open(study)
    first = region(case)
    go_to(case, 5)
    sixth = region(case)
    draw(case, first, sixth)
    go_to(case, 2)
    for figure, time in ((first, 0), (sixth, 5)):
        mean = measured(case, figure).quantity("mean")
        assert mean is not None
        inside = written[time][3, 20:36, 18:30].astype(float)
        assert mean.value == pytest.approx(inside.mean() - STORED_ZERO, rel=1e-5)
    assert where(case, sixth).endswith(", time 6")
    jump_to(case, sixth)
    assert case.view.time_index == 5

    reports.export_sr(desk.workspace, tmp_path / "m.dcm")
    assert [m.text for m in desk.said if m.severity is Severity.WARNING] == []
    report = pydicom.dcmread(tmp_path / "m.dcm")
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence
    drawn_on = {case.times[0].volume.sop_instance_uids[3], case.times[5].volume.sop_instance_uids[3]}
    assert {one.ReferencedSOPInstanceUID for one in evidence} == drawn_on

    case.do(Command("Delete", tuple(AnnotationChange(one, None) for one in (first, sixth)), "measure"))
    go_to(case, 0)
    reports.import_file(desk.workspace, tmp_path / "m.dcm")
    assert desk.said[-1].severity is Severity.INFO, desk.said[-1].text
    assert sorted(case.images.time(one) for one in measurements(case)) == [0, 5]


def test_a_figure_across_the_slices_remembers_its_time_too(desk: Desk, study: Path) -> None:
    truth(study)
    case = desk.open(study)
    uid, number = case.images.across(7)
    assert uid == ""
    figure = replace(region(case), sop_instance_uid=uid, frame_number=number)
    assert case.images.time(figure) == 7


def test_cine_plays_time_where_there_is_time_and_slices_where_it_is_asked_for(desk: Desk, study: Path) -> None:
    truth(study)
    case = desk.open(study)
    go_to(case, 8)
    run = begin(case, case.acquired_plane, 10.0, 100.0, in_time=True)
    assert run is not None
    assert (run.plane, run.count) == (None, 10)
    shown = []
    for n in range(4):
        run.show(case, run.slice_at(100.05 + n / 10))
        shown.append(run.stands(case))
    assert shown == [8, 9, 0, 1]
    slices = begin(case, case.acquired_plane, 10.0, 100.0)
    assert slices is not None
    assert (slices.plane, slices.count) == (case.acquired_plane, SHAPE_KJI[0])


def test_motion_is_played_as_fast_as_it_was_and_contrast_faster(desk: Desk, study: Path) -> None:
    truth(study)
    case = desk.open(study)
    assert rate_of(case) == USUAL_IN_TIME_HZ
    case.entry = replace(case.entry, times_s=tuple(0.04 * n for n in range(10)))
    assert rate_of(case) == pytest.approx(25.0)


def test_the_curve_is_of_the_chosen_measurement_else_of_the_crosshair(desk: Desk, study: Path) -> None:
    written = truth(study)
    case = desk.open(study)
    case.view.crosshair_kji = VESSEL_KJI
    subject = subject_of(case)
    assert subject is not None
    assert subject.name == "Voxel 24, 30, 5"
    curve = request_of(case, subject).run(Inline())
    np.testing.assert_array_equal(curve.mean, [float(stored[VESSEL_KJI]) - STORED_ZERO for stored in written])
    figure = region(case, label="Artery")
    draw(case, figure)
    case.view.active_annotation_id = figure.annotation_id
    chosen = subject_of(case)
    assert chosen is not None
    assert chosen.name.startswith("Artery, axial ")
    curve = request_of(case, chosen).run(Inline())
    np.testing.assert_allclose(
        curve.mean, [s[3, 20:36, 18:30].astype(float).mean() - STORED_ZERO for s in written], rtol=1e-5
    )
    axis = axis_of(case)
    assert axis is not None
    assert (axis.name, axis.unit, axis.values) == ("Time", "s", TIMES_S)
    rows = [row.split("\t") for row in curve_table(chosen, axis, curve).splitlines()]
    assert rows[0][:4] == ["Time (s)", "Value mean (HU)", "Value SD (HU)", "Voxels"]
    assert [float(row[0]) for row in rows[1:]] == list(TIMES_S)
    assert float(rows[4][1]) == pytest.approx(curve.mean[3], rel=1e-5)


def test_a_segment_has_a_curve_and_an_empty_one_has_none(desk: Desk, study: Path) -> None:
    truth(study)
    case = desk.open(study)
    segment = labels.add_segment(case, "Lesion")
    assert subject_of(case, segment.segment_id) is None
    gesture = case.gesture("brush")
    patch = stroke_patch(case.labels.segmentation, segment, LESION_KJI, LESION_KJI, radius_mm=2.0)
    assert patch is not None
    gesture.apply(patch)
    gesture.commit("Brush")
    subject = subject_of(case, segment.segment_id)
    assert subject is not None
    assert subject.name == "Lesion"
    curve = request_of(case, subject).run(Inline())
    assert (curve.voxels == case.labels.segmentation.mask(segment).sum()).all()


def test_a_nifti_in_time_opens_with_all_its_volumes_and_their_seconds(desk: Desk, tmp_path: Path) -> None:
    voxels = np.random.default_rng(8).integers(-300, 900, (19, 4, 6, 5)).astype(np.int16)
    image = sitk.JoinSeries([sitk.GetImageFromArray(one) for one in voxels], 0.0, 1.5)
    image.SetMetaData("xyzt_units", "10")
    sitk.WriteImage(image, str(tmp_path / "t.nii.gz"))
    case = desk.open(tmp_path / "t.nii.gz")
    assert len(case.times) == 19
    for time, stored in zip(case.times, voxels, strict=True):
        np.testing.assert_array_equal(time.volume.voxels, stored)
    go_to(case, 3)
    assert time_text(case).startswith("Time 4/19")
    draw(case, region_of_plain(case))
    go_to(case, 0)
    (figure,) = measurements(case)
    assert case.images.time(figure) == 3
    mean = measured(case, figure).quantity("mean")
    assert mean is not None
    assert mean.value == pytest.approx(voxels[3, 2, 1:4, 1:3].mean())


def region_of_plain(case: OpenCase) -> Measurement:
    points = case.volume.geometry.point_lps_mm(np.asarray([(2, 0.5, 0.5), (2, 0.5, 2.5), (2, 3.5, 2.5), (2, 3.5, 0.5)]))
    uid, number = case.image_of(2)
    corners = tuple((float(x), float(y), float(z)) for x, y, z in points)
    return Measurement("n", MeasurementKind.RECTANGLE, corners, "", uid, number)


@pytest.mark.data
@pytest.mark.parametrize(
    ("source", "reference", "interval_s"),
    [
        ("20180918GE", "DCM2NIIX_regression_test_4.nii", 5.0),
        ("20180918Si", "EPI_PE=AP_3.nii", 2.435),
    ],
)
def test_a_real_series_in_time_and_its_curve_are_those_of_the_truth_beside_it(
    desk: Desk, test_data: Path, source: str, reference: str, interval_s: float
) -> None:
    case = desk.open(test_data / "mr-fmri-4d" / "In" / source)
    theirs = sitk.ReadImage(str(test_data / "mr-fmri-4d" / "Ref" / reference))
    values = sitk.GetArrayFromImage(theirs)
    assert len(case.times) == len(values)
    assert case.entry.times_s == pytest.approx([n * interval_s for n in range(len(values))])
    geometry = case.volume.geometry
    # ITK knows where a voxel of the truth lies in the patient; our grid may run the other way.
    first = sitk.Extract(theirs, (*theirs.GetSize()[:3], 0), (0, 0, 0, 0))
    kji = np.argwhere(np.ones(geometry.shape_kji, dtype=bool))
    points = geometry.point_lps_mm(kji.astype(float))
    matrix = np.asarray(first.GetDirection()).reshape(3, 3) * np.asarray(first.GetSpacing())
    ijk = np.rint((points - np.asarray(first.GetOrigin())) @ np.linalg.inv(matrix).T).astype(int)
    for n, time in enumerate(case.times):
        expected = values[n][ijk[:, 2], ijk[:, 1], ijk[:, 0]].reshape(geometry.shape_kji)
        np.testing.assert_array_equal(time.volume.values(), expected)
    k, j, i = geometry.shape_kji[0] // 2, 20, 33
    case.view.crosshair_kji = (k, j, i)
    subject = subject_of(case)
    assert subject is not None
    curve = request_of(case, subject).run(Inline())
    at = np.ravel_multi_index((k, j, i), geometry.shape_kji)
    np.testing.assert_array_equal(curve.mean, values[:, ijk[at, 2], ijk[at, 1], ijk[at, 0]])


def test_a_file_with_several_times_gets_no_seg_and_a_report_points_at_the_frame_that_was_drawn_on(
    desk: Desk, study: Path, tmp_path: Path
) -> None:
    # The file holds the later time first.
    frames = np.stack([np.full((20, 16), 100 * time + k, dtype=np.int16) for time in (1, 0) for k in range(4)])
    positions = [(-3.0, 4.0, 5.0 * k) for _ in range(2) for k in range(4)]
    ds = enhanced_ct(frames, positions, [(1, 0, 0, 0, 1, 0)] * 8)
    ds.PatientName, ds.PatientBirthDate, ds.PatientSex, ds.StudyDate, ds.StudyTime = "P^One", "", "", "20260101", "120000"
    ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName, ds.Manufacturer, ds.SeriesNumber = "1", "", "", "M", 3
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence = one(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    for n, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        del group.PlaneOrientationSequence
        time = 1 if n < 4 else 0
        stamp = f"2026010112000{2 * time}.500000"
        group.FrameContentSequence = one(TemporalPositionIndex=time + 1, FrameAcquisitionDateTime=stamp)
    study.mkdir()
    ds.save_as(study / "e.dcm", enforce_file_format=True)
    case = desk.open(study / "e.dcm")
    assert case.entry.times_s == (0.0, 2.0)
    assert [int(time.volume.voxels[2, 0, 0]) for time in case.times] == [2, 102]
    go_to(case, 1)
    segment = labels.add_segment(case, "Somewhere")
    gesture = case.gesture("brush")
    patch = stroke_patch(case.labels.segmentation, segment, (1, 9, 8), (2, 9, 8), radius_mm=2.0)
    assert patch is not None
    gesture.apply(patch)
    gesture.commit("Brush")
    files.export_seg(desk.workspace, tmp_path / "seg.dcm")
    assert "several images at one place" in desk.said[-1].text
    assert not (tmp_path / "seg.dcm").exists()

    figure = region_of_plain(case)
    draw(case, figure)
    reports.export_sr(desk.workspace, tmp_path / "m.dcm")
    assert desk.said[-1].text.startswith("Wrote"), desk.said[-1].text
    text = str(pydicom.dcmread(tmp_path / "m.dcm"))
    assert "Referenced Frame Number" in text
    assert [line.split("'")[1] for line in text.splitlines() if "Referenced Frame Number" in line] == ["3"]


@pytest.mark.data
def test_a_colour_loop_has_a_curve_over_its_frames(desk: Desk, test_data: Path) -> None:
    loop = test_data / "pydicom-testfiles" / "src" / "pydicom" / "data" / "test_files" / "examples_ybr_color.dcm"
    case = desk.open(loop)
    axis = axis_of(case)
    assert axis is not None
    assert (axis.unit, len(axis.values)) == ("s", 30)
    assert axis.values[1] == pytest.approx(1 / 30, rel=1e-3)
    case.view.crosshair_kji = (4, 120, 160)
    subject = subject_of(case)
    assert subject is not None
    assert subject.name == "Pixel 160, 120"
    curve = request_of(case, subject).run(Inline())
    np.testing.assert_allclose(curve.mean, case.volume.voxels[:, 120, 160].astype(float) @ [0.299, 0.587, 0.114])
    go_to(case, 12)
    assert (stands_at(case), case.view.crosshair_kji[0]) == (12, 12)
