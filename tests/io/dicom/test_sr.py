"""Structured reports: what is measured comes back as it was, and what cannot be shown is named (rows 44 and 45)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset

from medview.core.errors import GeometryError, ReadError, WriteError
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.source import SourceKind
from medview.core.study import Verdict
from medview.io.dicom import sr_content, sr_read, sr_write
from medview.io.dicom.sr_figures import POLYLINE, principal_axes
from medview.io.dicom.sr_read import ReportTarget, read_sr
from medview.io.dicom.sr_write import ReportSource, write_sr
from medview.io.load import LoadedVolume
from medview.workspace.operations.reports import reported
from tests.helpers import dciodvfy
from tests.helpers.dicom_series import ROOT, STEP_MM, asymmetric, oblique, slightly_uneven, write_ct
from tests.helpers.enhanced import enhanced_ct
from tests.helpers.mutate import mutated
from tests.helpers.pet import make_pet
from tests.helpers.reports import (
    ACROSS,
    ON_SLICES,
    Points,
    drawn,
    drawn_in_patient,
    every_kind,
    figure,
    group,
    image,
    item,
    num,
    opened,
    read_onto,
    save_report,
    source_of,
    with_numbers,
)

Kind = MeasurementKind
LENGTH = ("410668003", "SCT", "Length")
FIRST = f"{ROOT}.2.1"


@pytest.fixture
def ct(tmp_path: Path) -> LoadedVolume:
    write_ct(tmp_path / "ct")
    return opened(tmp_path / "ct")


def round_trip(loaded: LoadedVolume, figures: list[Measurement], path: Path) -> list[Measurement]:
    """Write, let the judges look, read; return what came back, in the order of ``figures``."""
    assert write_sr(path, with_numbers(loaded, figures), source_of(loaded)) == ()
    assert dciodvfy.errors(path) == []
    assert foreign_numbers(path) == pytest.approx(sorted(n for f in figures for n in numbers(loaded, f)), rel=1e-6)
    report = read_onto(path, loaded)
    assert report.notes == ()
    back = {one.measurement.annotation_id: one for one in report.figures}
    assert len(report.figures) == len(figures)
    for one in report.figures:
        mine = {s.name: s.value for s in reported(loaded.volume, one.measurement).stated}
        assert {s.name: s.value for s in one.stated} == pytest.approx(mine, rel=1e-6, abs=1e-5)
    return [back[one.annotation_id].measurement for one in figures]


def numbers(loaded: LoadedVolume, one: Measurement) -> list[float]:
    return [s.value for s in reported(loaded.volume, one).stated]


def foreign_numbers(path: Path) -> list[float]:
    """Every number highdicom finds in the measurement groups of a report."""
    content = highdicom.sr.srread(path).content
    groups = [*content.get_planar_roi_measurement_groups(), *content.get_image_measurement_groups()]
    return sorted(float(measurement.value) for one in groups for measurement in one.get_measurements())


def assert_same(back: Measurement, drawn: Measurement) -> None:
    assert (back.kind, back.label) == (drawn.kind, drawn.label)
    assert back.source.kind is SourceKind.IMPORT
    mine, theirs = np.asarray(drawn.points_lps_mm), np.asarray(back.points_lps_mm)
    if drawn.kind in (Kind.BIDIRECTIONAL, Kind.ELLIPSE):
        # The long axis comes first in a report.
        orders = [mine, mine[[2, 3, 0, 1]]]
        assert min(np.abs(theirs - order).max() for order in orders) <= 1e-3
    else:
        np.testing.assert_allclose(theirs, mine, atol=1e-3)


def test_every_kind_of_figure_on_acquired_slices_comes_back_as_it_was(ct: LoadedVolume, tmp_path: Path) -> None:
    figures = every_kind(ct.volume.geometry, ON_SLICES)
    back = round_trip(ct, figures, tmp_path / "m.dcm")
    for one, other in zip(back, figures, strict=True):
        assert_same(one, other)
        k = round(float(other.points_kji(ct.volume.geometry)[0, 0]))
        assert (one.sop_instance_uid, one.frame_number) == (ct.entry.frames[k].sop_instance_uid, 0)
    written = pydicom.dcmread(tmp_path / "m.dcm")
    assert written.SOPClassUID == pydicom.uid.ComprehensiveSRStorage


def test_every_kind_of_figure_across_the_slices_comes_back_as_it_was(ct: LoadedVolume, tmp_path: Path) -> None:
    figures = every_kind(ct.volume.geometry, ACROSS)
    for one, other in zip(round_trip(ct, figures, tmp_path / "m.dcm"), figures, strict=True):
        assert_same(one, other)
    assert pydicom.dcmread(tmp_path / "m.dcm").SOPClassUID == pydicom.uid.Comprehensive3DSRStorage


def test_figures_on_a_slightly_uneven_volume_come_back_on_their_slices(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", axes=np.eye(3), change=slightly_uneven)
    loaded = opened(tmp_path / "ct")
    assert loaded.entry.verdict is Verdict.VOLUME
    figures = every_kind(loaded.volume.geometry, ON_SLICES)
    for one, other in zip(round_trip(loaded, figures, tmp_path / "m.dcm"), figures, strict=True):
        assert_same(one, other)
        k = round(float(other.points_kji(loaded.volume.geometry)[0, 0]))
        assert one.sop_instance_uid == loaded.entry.frames[k].sop_instance_uid


def test_a_box_on_the_last_frame_of_a_multi_frame_image_comes_back_on_the_last_frame(tmp_path: Path) -> None:
    axes = oblique()
    positions = [np.asarray((-31.0, 17.5, 42.25)) + k * STEP_MM * axes[2] for k in range(30)]
    frames = asymmetric((30, 10, 13))
    ds = enhanced_ct(frames, positions, [(*axes[0], *axes[1])] * 30)
    (tmp_path / "ct").mkdir()
    ds.save_as(tmp_path / "ct" / "one.dcm", enforce_file_format=True)
    loaded = opened(tmp_path / "ct")
    corners = [(2, 3), (2, 8), (6, 8), (6, 3)]
    boxes = [
        figure(loaded.volume.geometry, Kind.RECTANGLE, [(k, j, i) for j, i in corners], number=k + 1) for k in (0, 14, 29)
    ]
    back = round_trip(loaded, boxes, tmp_path / "m.dcm")
    assert [one.frame_number for one in back] == [loaded.entry.frames[k].number for k in (0, 14, 29)]
    assert {one.frame_number for one in back} == {0, 14, 29}
    for one, other in zip(back, boxes, strict=True):
        assert_same(one, other)
    groups = highdicom.sr.srread(tmp_path / "m.dcm").content.get_planar_roi_measurement_groups()
    named = [list(np.atleast_1d(g.roi.ContentSequence[0].ReferencedSOPSequence[0].ReferencedFrameNumber)) for g in groups]
    assert sorted(int(n) for (n,) in named) == [1, 15, 30]


def radiograph(folder: Path, **spacing: object) -> LoadedVolume:
    def flat(k: int, ds: FileDataset) -> None:
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "FrameOfReferenceUID"):
            delattr(ds, keyword)
        ds.Modality = "CR"
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = pydicom.uid.ComputedRadiographyImageStorage
        for keyword, value in spacing.items():
            setattr(ds, keyword, value)

    write_ct(folder, asymmetric((1, 10, 13)), change=flat)
    return opened(folder)


ON_A_PICTURE: dict[Kind, Points] = {kind: [(0, j, i) for _, j, i in points] for kind, points in ON_SLICES.items()}


@pytest.mark.parametrize(
    ("spacing", "unit", "said"),
    [
        ({}, "{pixels}", "Lengths are in pixels: the images state no pixel size."),
        ({"ImagerPixelSpacing": [0.2, 0.3]}, "mm", "Millimetres are at detector."),
        (
            {"ImagerPixelSpacing": [0.2, 0.3], "EstimatedRadiographicMagnificationFactor": "1.25"},
            "mm",
            "Millimetres are estimated.",
        ),
    ],
)
def test_a_radiograph_keeps_its_pixels_and_says_what_its_millimetres_are_true_of(
    tmp_path: Path, spacing: dict[str, object], unit: str, said: str
) -> None:
    loaded = radiograph(tmp_path / "cr", **spacing)
    figures = every_kind(loaded.volume.geometry, ON_A_PICTURE)
    for one, other in zip(round_trip(loaded, figures, tmp_path / "m.dcm"), figures, strict=True):
        assert_same(one, other)
    content = highdicom.sr.srread(tmp_path / "m.dcm").content
    (length,) = content.get_image_measurement_groups(tracking_uid=f"2.25.{1}")
    assert length.get_measurements()[0].unit.value == unit
    words = [one.TextValue for one in length[0].ContentSequence if one.ValueType == "TEXT"]
    assert said in words


def test_uptake_is_written_with_its_own_unit_beside_the_activity(tmp_path: Path) -> None:
    write_ct(tmp_path / "pt", change=lambda _k, ds: make_pet(ds))
    loaded = opened(tmp_path / "pt")
    figures = every_kind(loaded.volume.geometry, ON_SLICES)
    round_trip(loaded, figures, tmp_path / "m.dcm")
    content = highdicom.sr.srread(tmp_path / "m.dcm").content
    regions = content.get_planar_roi_measurement_groups()
    units = {m.name.meaning: m.unit.value for one in regions for m in one.get_measurements()}
    assert units["SUVbw"] == "g/ml{SUVbw}"
    assert units["Activity concentration"] == "Bq/ml"
    mean = next(m for m in regions[0].get_measurements(name=pydicom.sr.codedict.codes.DCM.Suvbw) if m.derivation)
    assert mean.derivation.meaning == "Mean"


def test_a_place_without_a_value_is_written_as_a_point(tmp_path: Path) -> None:
    def coloured(k: int, ds: FileDataset) -> None:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
        ds.Modality, ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = "OT", 3, "RGB", 0
        ds.BitsAllocated = ds.BitsStored = 8
        ds.HighBit, ds.PixelRepresentation, ds.PixelData = 7, 0, bytes(10 * 13 * 3)

    write_ct(tmp_path / "sc", asymmetric((1, 10, 13)), change=coloured)
    loaded = opened(tmp_path / "sc")
    assert loaded.volume.colour
    probe = figure(loaded.volume.geometry, Kind.PROBE, [(0, 3, 4)], "Here")
    (back,) = round_trip(loaded, [probe], tmp_path / "m.dcm")
    assert_same(back, probe)


def test_an_ellipse_is_written_by_its_long_and_short_axis_even_where_space_is_stretched() -> None:
    turn = np.linspace(0, 2 * np.pi, 50)[:, None]
    a, b = np.array([3.0, 1.0]), np.array([-1.0, 2.0])
    ends = principal_axes(np.stack([-a, a, -b, b]) + 5.0)
    long, short = (ends[1] - ends[0]) / 2, (ends[3] - ends[2]) / 2
    assert abs(long @ short) < 1e-9
    assert np.linalg.norm(long) > np.linalg.norm(short)
    on_it = np.cos(turn) * a + np.sin(turn) * b
    along = np.linalg.solve(np.stack([long, short], axis=1), on_it.T)
    np.testing.assert_allclose((along**2).sum(axis=0), 1.0, atol=1e-9)


def test_a_report_holds_no_name_of_its_reader_and_says_what_it_is_for(ct: LoadedVolume, tmp_path: Path) -> None:
    write_sr(tmp_path / "m.dcm", with_numbers(ct, every_kind(ct.volume.geometry, ON_SLICES)), source_of(ct))
    written = pydicom.dcmread(tmp_path / "m.dcm")
    assert "Research use. Not a medical device." in written.SeriesDescription
    said = {c.ConceptNameCodeSequence[0].CodeMeaning: c for c in written.ContentSequence}
    assert said["Person Observer Name"].PersonName == "MedView user"
    assert said["Device Observer Manufacturer"].TextValue == "MedView"
    assert said["Comment"].TextValue == "Research use. Not a medical device."
    assert (written.PatientID, written.StudyInstanceUID) == ("P1", f"{ROOT}.1")
    listed = written.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert len(listed.ReferencedSOPSequence) == ct.volume.geometry.shape_kji[0]


def test_invalid_values_of_the_source_are_not_repeated_and_are_named(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", change=lambda _k, ds: setattr(ds, "PatientSex", "X"))
    loaded = opened(tmp_path / "ct")
    (note,) = write_sr(
        tmp_path / "m.dcm", with_numbers(loaded, every_kind(loaded.volume.geometry, ON_SLICES)), source_of(loaded)
    )
    assert note.endswith(": PatientSex.")
    assert dciodvfy.errors(tmp_path / "m.dcm") == []


@pytest.mark.parametrize("how", [None, "", "by hand"])
def test_identity_that_was_removed_stays_said_even_where_the_source_does_not_say_how(
    tmp_path: Path, how: str | None
) -> None:
    def removed(k: int, ds: FileDataset) -> None:
        ds.PatientIdentityRemoved, ds.DeidentificationMethodCodeSequence = "YES", []
        if how is not None:
            ds.DeidentificationMethod = how

    write_ct(tmp_path / "ct", change=removed)
    loaded = opened(tmp_path / "ct")
    figures = every_kind(loaded.volume.geometry, ON_SLICES)
    write_sr(tmp_path / "m.dcm", with_numbers(loaded, figures), source_of(loaded))
    assert dciodvfy.errors(tmp_path / "m.dcm") == []
    written = pydicom.dcmread(tmp_path / "m.dcm")
    assert written.PatientIdentityRemoved == "YES"
    assert written.DeidentificationMethod == (how or "Not stated by the source images")


def test_figures_on_other_images_or_on_none_are_refused_in_one_sentence(ct: LoadedVolume, tmp_path: Path) -> None:
    path = tmp_path / "m.dcm"
    length = with_numbers(ct, [figure(ct.volume.geometry, Kind.LENGTH, ON_SLICES[Kind.LENGTH])])
    with pytest.raises(WriteError, match="no measurements"):
        write_sr(path, [], source_of(ct))
    with pytest.raises(GeometryError, match="points at DICOM images"):
        write_sr(path, length, ReportSource(ct.volume.geometry, ()))
    elsewhere = Measurement("1" * 32, Kind.PROBE, ((0.0, 0.0, 0.0),), sop_instance_uid="1.2.3")
    with pytest.raises(GeometryError, match="not those the measurements were drawn on"):
        write_sr(path, with_numbers(ct, [elsewhere]), source_of(ct))
    # The files were exchanged for others since they were opened.
    write_ct(tmp_path / "ct", origin_lps_mm=(-31.0, 17.5, 99.0))
    with pytest.raises(GeometryError, match="not those the measurements were drawn on"):
        write_sr(path, length, source_of(ct))
    assert not path.exists()


def test_a_figure_across_images_without_a_place_is_left_out_and_said(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct", change=lambda _k, ds: delattr(ds, "FrameOfReferenceUID"))
    loaded = opened(tmp_path / "ct")
    geometry = loaded.volume.geometry
    figures = [figure(geometry, Kind.LENGTH, table[Kind.LENGTH], number=n) for n, table in enumerate((ON_SLICES, ACROSS))]
    (note,) = write_sr(tmp_path / "m.dcm", with_numbers(loaded, figures), source_of(loaded))
    assert note == "1 measurement lies across images that have no place in the patient and cannot be in a report."
    assert len(read_onto(tmp_path / "m.dcm", loaded).figures) == 1


def test_a_slice_that_bears_the_identifier_of_another_is_not_pointed_at(ct: LoadedVolume, tmp_path: Path) -> None:
    frames = list(ct.entry.frames)
    frames[3] = replace(frames[3], sop_instance_uid=frames[2].sop_instance_uid)
    source = ReportSource(ct.volume.geometry, tuple(frames))
    on_two, on_four = (with_numbers(ct, [figure(ct.volume.geometry, Kind.PROBE, [(k, 3, 4)])]) for k in (2, 4))
    with pytest.raises(WriteError, match="others share their identifier"):
        write_sr(tmp_path / "m.dcm", on_two, source)
    assert write_sr(tmp_path / "m.dcm", on_four, source) == ()
    write_sr(tmp_path / "two.dcm", on_two, source_of(ct))
    report = read_sr(str(tmp_path / "two.dcm"), ReportTarget(ct.volume.geometry, source.images))
    assert [why for _, why in report.hidden] == ["names an image whose identifier several share here"]


def test_a_report_that_does_not_read_back_the_same_never_takes_its_name(
    ct: LoadedVolume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.dcm"
    path.write_bytes(b"what stood there")
    whole: Callable[..., object] = sr_write.report_of

    def shifted(dataset: FileDataset, target: object) -> object:
        for one in dataset.ContentSequence[-2].ContentSequence:
            for child in one.ContentSequence:
                if child.ValueType == "SCOORD":
                    child.GraphicData = [n + 0.1 for n in child.GraphicData]
        return whole(dataset, target)

    monkeypatch.setattr(sr_write, "report_of", shifted)
    with pytest.raises(WriteError, match="did not read back the same"):
        write_sr(path, with_numbers(ct, every_kind(ct.volume.geometry, ON_SLICES)), source_of(ct))
    assert path.read_bytes() == b"what stood there"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["m.dcm"]


# ------------------------------------------------------------------------------------------- reports of others


def test_annotations_of_a_report_that_cannot_be_shown_are_listed_with_a_warning(ct: LoadedVolume, tmp_path: Path) -> None:
    geometry = ct.volume.geometry
    x, y, z = (float(n) for n in geometry.point_lps_mm((2.0, 3.0, 4.0)))
    corners = ((1.0, 2.0, 2.0), (2.0, 8.0, 3.0), (4.0, 8.0, 9.0), (1.0, 2.0, 9.0), (1.0, 2.0, 2.0))
    bent = [float(n) for n in geometry.point_lps_mm(corners).ravel()]
    segment = image(FIRST)
    segment.ReferencedSOPSequence[0].ReferencedSegmentNumber = 1
    path = save_report(
        tmp_path / "other.dcm",
        group("Shown", drawn("POINT", (4.5, 3.5), FIRST)),
        group("Elsewhere", drawn("POINT", (4.5, 3.5), "1.2.3.4")),
        group("Outside", drawn("POINT", (400.0, 3.5), FIRST)),
        group("Open line", drawn("POLYLINE", (1, 1, 2, 2, 3, 1, 4, 4), FIRST)),
        group("Ball", drawn_in_patient("ELLIPSOID", [x, y, z] * 6)),
        group("Other frame", drawn_in_patient("POINT", (x, y, z), "1.2.3")),
        group("Far away", drawn_in_patient("POINT", (x + 900.0, y, z))),
        group("Oblique", drawn_in_patient("POLYLINE", (x, y, z, *geometry.point_lps_mm((4.0, 5.0, 7.0))))),
        group("Bent", drawn_in_patient("POLYGON", bent)),
        group("Words", num(LENGTH, 12.0, "mm")),
        group("Segmented", segment),
        group("Damaged", drawn("POINT", (4.5, 3.5, 1.0), FIRST)),
        num(("118538004", "SCT", "Mass"), 3.0, "g"),
    )
    report = read_onto(path, ct)
    assert [one.measurement.label for one in report.figures] == ["Shown", "Open line", "Oblique"]
    assert [what for what, _ in report.hidden] == [
        "Elsewhere",
        "Outside",
        "Ball",
        "Other frame",
        "Far away",
        "Bent",
        "Words",
        "Segmented",
        "Damaged",
        "Mass",
    ]
    note, said = report.notes
    assert said == "The report also says, which is not kept: Mass: Mass 3 g."
    assert note.startswith("10 findings could not be shown: Elsewhere lies on images that are not in this series; ")
    assert note.endswith("; and 2 more.")


def test_figures_in_the_patient_lie_where_the_report_says_on_any_series_of_that_frame(
    ct: LoadedVolume, tmp_path: Path
) -> None:
    geometry = ct.volume.geometry
    corners = geometry.point_lps_mm([(2, 1, 1), (2, 1, 6), (2, 5, 6), (2, 1, 1)])
    path = save_report(tmp_path / "other.dcm", group("Region", drawn_in_patient("POLYGON", list(corners.ravel()))))
    ((one,),) = (read_onto(path, ct).figures,)
    assert one.measurement.kind is Kind.POLYGON
    np.testing.assert_allclose(one.measurement.points_lps_mm, corners[:3], atol=1e-3)
    assert one.measurement.sop_instance_uid == ct.entry.frames[2].sop_instance_uid


def test_shapes_of_others_become_figures_of_ours(ct: LoadedVolume, tmp_path: Path) -> None:
    area = ("G-A166", "SRT", "Area")
    long, short = ("G-A185", "SRT", "Long Axis"), ("G-A186", "SRT", "Short Axis")
    angle, cobb = ("1483009", "SCT", "Angle"), ("285285000", "SCT", "Cobb angle")
    path = save_report(
        tmp_path / "other.dcm",
        group("Line", num(("G-D7FE", "SRT", "Length"), 0.3, "cm", drawn("POLYLINE", (1.5, 1.5, 4.5, 1.5), FIRST))),
        group(
            "Axes",
            num(short, 1.2, "mm", drawn("POLYLINE", (3.5, 2.5, 3.5, 4.5), FIRST)),
            num(long, 3.6, "mm", drawn("POLYLINE", (1.5, 3.5, 5.5, 3.5), FIRST)),
        ),
        group("Angle", num(angle, 90.0, "deg", drawn("POLYLINE", (1, 1, 4, 1, 4, 4), FIRST))),
        group("Spine", num(cobb, 10.0, "deg", drawn("POLYLINE", (1, 1, 4, 1, 1, 6, 4, 7), FIRST))),
        group("Open outline", num(area, 4.0, "mm2", drawn("POLYLINE", (1, 1, 4, 1, 4, 4, 1, 4), FIRST))),
        group("Circle", drawn("CIRCLE", (5.0, 5.0, 5.0, 8.0), FIRST)),
        group("Two places", drawn("MULTIPOINT", (2.5, 2.5, 3.5, 3.5), FIRST)),
    )
    report = read_onto(path, ct)
    assert report.notes == ()
    assert [(one.measurement.label, one.measurement.kind) for one in report.figures] == [
        ("Line", Kind.LENGTH),
        ("Axes", Kind.BIDIRECTIONAL),
        ("Angle", Kind.ANGLE),
        ("Spine", Kind.COBB),
        ("Open outline", Kind.RECTANGLE),
        ("Circle", Kind.ELLIPSE),
        ("Two places", Kind.PROBE),
        ("Two places", Kind.PROBE),
    ]
    by_label = {one.measurement.label: one for one in report.figures}
    (length,) = by_label["Line"].stated
    assert (length.name, length.value, length.unit) == ("length", pytest.approx(3.0), "mm")
    # The corner of the picture is (0, 0) in a report and half a pixel outside the centre of the first one.
    start = ct.volume.geometry.index_kji(by_label["Line"].measurement.points_lps_mm[0])
    np.testing.assert_allclose(start, (0, 1, 1), atol=1e-6)
    axes = by_label["Axes"].measurement.points_kji(ct.volume.geometry)
    np.testing.assert_allclose(axes[:, 1:], [(3, 1), (3, 5), (2, 3), (4, 3)], atol=1e-6)


def test_a_graphic_that_several_numbers_were_taken_from_is_shown_once(ct: LoadedVolume, tmp_path: Path) -> None:
    at = drawn("POINT", (4.5, 3.5), FIRST)
    value = ("112031", "DCM", "Attenuation Coefficient")
    path = save_report(tmp_path / "o.dcm", group("Spot", num(value, 3.0, "[hnsf'U]", at), num(LENGTH, 1.0, "mm", at)))
    assert len(read_onto(path, ct).figures) == 1


def test_a_finding_of_several_images_is_shown_on_the_first_and_said(tmp_path: Path) -> None:
    positions = [(0.0, 0.0, 5.0 * k) for k in range(4)]
    ds = enhanced_ct(asymmetric((4, 10, 13)), positions, [(1, 0, 0, 0, 1, 0)] * 4)
    (tmp_path / "ct").mkdir()
    ds.save_as(tmp_path / "ct" / "one.dcm", enforce_file_format=True)
    loaded = opened(tmp_path / "ct")
    spot = (4.5, 3.5)
    path = save_report(
        tmp_path / "o.dcm",
        group("Three", drawn("POINT", spot, f"{ROOT}.500", 2, 3, 4)),
        group("All", drawn("POINT", spot, f"{ROOT}.500")),
        group("None", drawn("POINT", spot, f"{ROOT}.500", 5)),
        group("Zero", drawn("POINT", spot, f"{ROOT}.500", 0)),
    )
    report = read_onto(path, loaded)
    assert [one.measurement.frame_number for one in report.figures] == [1]
    assert [what for what, _ in report.hidden] == ["All", "None", "Zero"]
    assert report.notes[1] == "1 finding belongs to several images and can be seen on the first of them."


def test_an_image_named_elsewhere_in_the_tree_is_found(ct: LoadedVolume, tmp_path: Path) -> None:
    region = item("SCOORD", ("111030", "DCM", "Image Region"), GraphicType="POINT", GraphicData=[4.5, 3.5])
    reference = pydicom.Dataset()
    reference.RelationshipType, reference.ReferencedContentItemIdentifier = "SELECTED FROM", [1, 1, 2]
    region.ContentSequence = [reference]
    path = save_report(tmp_path / "o.dcm", group("Spot", region), image(FIRST))
    ((one,),) = (read_onto(path, ct).figures,)
    assert one.measurement.sop_instance_uid == FIRST
    reference.ReferencedContentItemIdentifier = [1, 1, 9, 9]
    path = save_report(tmp_path / "o.dcm", group("Spot", region), image(FIRST))
    assert [what for what, _ in read_onto(path, ct).hidden] == ["Spot"]


def test_a_report_too_large_for_a_person_is_cut_off_with_a_word(
    ct: LoadedVolume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sr_read, "MAX_FINDINGS", 3)
    monkeypatch.setattr(sr_content, "MAX_FINDINGS", 3)
    cloud = [n / 40 for n in range(2 * 201)]
    path = save_report(
        tmp_path / "o.dcm",
        group("Cloud", drawn("MULTIPOINT", cloud, FIRST)),
        group("Places", drawn("MULTIPOINT", (1, 1, 2, 2, 3, 3, 4, 4), FIRST)),
        *[group(f"{n}", drawn("POINT", (n, n), FIRST)) for n in range(4)],
    )
    report = read_onto(path, ct)
    assert [one.measurement.label for one in report.figures] == ["Places"] * 3
    assert [what for what, _ in report.hidden] == ["Cloud", "Places", "0"]
    assert report.notes[-1] == "Only the first 3 findings were read."


def test_the_same_report_gives_the_same_identities_every_time(ct: LoadedVolume, tmp_path: Path) -> None:
    path = save_report(
        tmp_path / "o.dcm",
        group("A", drawn("POINT", (4.5, 3.5), FIRST)),
        group("B", drawn("MULTIPOINT", (2.5, 2.5, 3.5, 3.5), FIRST)),
    )
    first, second = ([one.measurement.annotation_id for one in read_onto(path, ct).figures] for _ in range(2))
    assert first == second
    assert len(set(first)) == 3


def test_a_file_that_is_no_report_is_refused(ct: LoadedVolume) -> None:
    with pytest.raises(ReadError, match="no structured report"):
        read_onto(Path(ct.entry.frames[0].path), ct)


def test_damaged_reports_are_read_or_refused_and_never_break_the_reader(ct: LoadedVolume, tmp_path: Path) -> None:
    path = tmp_path / "m.dcm"
    write_sr(path, with_numbers(ct, every_kind(ct.volume.geometry, ON_SLICES)), source_of(ct))
    whole, dice = path.read_bytes(), random.Random(4401)
    other = Path(ct.entry.frames[0].path).read_bytes()
    outcomes = set()
    for _ in range(150):
        path.write_bytes(mutated(whole, other, dice))
        try:
            report = read_onto(path, ct)
        except ReadError:
            outcomes.add("refused")
        else:
            assert all(np.isfinite(one.measurement.points_lps_mm).all() for one in report.figures)
            outcomes.add("read")
    assert outcomes == {"refused", "read"}


@pytest.mark.data
def test_reports_of_another_library_are_shown_on_the_image_they_belong_to(test_data: Path, tmp_path: Path) -> None:
    folder = test_data / "pydicom-testfiles" / "src" / "pydicom" / "data" / "test_files"
    loaded = opened(folder / "CT_small.dcm")
    reports = test_data / "seg-highdicom" / "data" / "test_files"
    one = read_onto(reports / "sr_document.dcm", loaded)
    assert [(f.measurement.label, f.measurement.kind) for f in one.figures] == [("Spinal cord", Kind.ELLIPSE)]
    assert one.notes == ()
    several = read_onto(reports / "sr_document_with_multiple_groups.dcm", loaded)
    assert [(f.measurement.label, f.drawn_as) for f in several.figures] == [("Nodule", ""), ("Aorta", POLYLINE)]
    assert dict(several.hidden).keys() >= {"Vertebra"}
    assert len(several.hidden) == 2
    said = several.notes[1]
    for words in ("Nodule: Diameter 10 mm", "Nodule: Level of Significance: Not significant", "Vertebra: Volume 200 mm3"):
        assert words in said


def test_a_region_at_an_angle_to_the_slices_says_that_its_values_are_interpolated(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct")
    loaded = opened(tmp_path / "ct")
    geometry = loaded.volume.geometry
    middle = geometry.point_lps_mm((np.asarray(geometry.shape_kji) - 1) / 2)
    right, down, _ = oblique(7)
    corners = [middle + a * right + b * down for a, b in ((-3, -1.2), (-3, 1.2), (2, 1.2), (2, -1.2))]
    places = [(float(k), float(j), float(i)) for k, j, i in geometry.index_kji(corners)]
    one = figure(geometry, Kind.RECTANGLE, places)
    assert write_sr(tmp_path / "m.dcm", with_numbers(loaded, [one]), source_of(loaded)) == ()
    assert dciodvfy.errors(tmp_path / "m.dcm") == []
    (group,) = highdicom.sr.srread(tmp_path / "m.dcm").content.get_planar_roi_measurement_groups()
    words = [item.TextValue for item in group[0].ContentSequence if item.ValueType == "TEXT"]
    assert "Values interpolated on an oblique plane." in words
    (back,) = read_onto(tmp_path / "m.dcm", loaded).figures
    mine = {quantity.name: quantity.value for quantity in reported(loaded.volume, one).stated}
    assert set(mine) == {"area", "mean", "SD", "min", "max"}
    assert {s.name: s.value for s in back.stated} == pytest.approx(mine, rel=1e-5)
    again = {s.name: s.value for s in reported(loaded.volume, back.measurement).stated}
    assert again == pytest.approx(mine, rel=1e-3)


def test_a_line_at_an_angle_to_all_slices_comes_back(tmp_path: Path) -> None:
    write_ct(tmp_path / "ct")
    loaded = opened(tmp_path / "ct")
    geometry = loaded.volume.geometry
    line = figure(geometry, Kind.LENGTH, [(1.2, 3.4, 4.1), (4.4, 7.7, 9.3)])
    (back,) = round_trip(loaded, [line], tmp_path / "m.dcm")
    np.testing.assert_allclose(back.points_lps_mm, line.points_lps_mm, atol=1e-3)
