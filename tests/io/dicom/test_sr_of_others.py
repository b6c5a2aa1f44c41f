"""Reports that highdicom writes, as AI programs and workstations do: what becomes of them on the open series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.sr import CodedConcept, GraphicTypeValues, GraphicTypeValues3D
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from medview.core.annotations import BoxAnnotation, Trace
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.trace import TraceKind
from medview.io.dicom.sr_drawn import as_drawn
from medview.io.dicom.sr_read import ImportedReport, ReadFigure
from medview.io.load import LoadedVolume
from tests.helpers.dicom_series import ROOT, asymmetric, write_ct
from tests.helpers.reports import opened, read_onto

SHAPE = (7, 20, 26)
NODULE = CodedConcept("27925004", "SCT", "Nodule")


@pytest.fixture
def ct(tmp_path: Path) -> LoadedVolume:
    def dated(k: int, ds: pydicom.Dataset) -> None:
        for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber", "StudyID"):
            setattr(ds, keyword, "")
        ds.ReferringPhysicianName = ""

    write_ct(tmp_path / "ct", asymmetric(SHAPE), change=dated)
    return opened(tmp_path / "ct")


def source(ct: LoadedVolume, k: int) -> pydicom.Dataset:
    return pydicom.dcmread(ct.entry.frames[k].path)


def flat(ct: LoadedVolume, shape: GraphicTypeValues, points: Sequence[tuple[float, float]], k: int) -> Any:
    """A region on an image; (column, row), whole numbers being corners of pixels."""
    image = highdicom.sr.SourceImageForRegion.from_source_image(source(ct, k))
    return highdicom.sr.ImageRegion(shape, np.asarray(points, dtype=float), image)


def solid(ct: LoadedVolume, shape: GraphicTypeValues3D, points_kji: Sequence[tuple[float, float, float]]) -> Any:
    points = ct.volume.geometry.point_lps_mm(points_kji)
    return highdicom.sr.ImageRegion3D(shape, points, ct.volume.geometry.frame_of_reference_uid)


def area(value: float) -> Any:
    return highdicom.sr.Measurement(codes.SCT.Area, value, codes.UCUM.SquareMillimeter)


def planar(region: Any, numbers: Sequence[Any] = (), judged: Sequence[Any] = (), tracked: str = "") -> Any:
    uid = tracked or generate_uid(prefix=None)
    return highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=highdicom.sr.TrackingIdentifier(uid=uid, identifier="finding"),
        referenced_region=region,
        finding_type=NODULE,
        measurements=list(numbers) or None,
        qualitative_evaluations=list(judged) or None,
    )


def read(ct: LoadedVolume, path: Path, *groups: Any) -> ImportedReport:
    device = highdicom.sr.ObserverContext(
        codes.DCM.Device, highdicom.sr.DeviceObserverIdentifyingAttributes(uid=f"{ROOT}.55", name="finder")
    )
    report = highdicom.sr.MeasurementReport(
        observation_context=highdicom.sr.ObservationContext(observer_device_context=device),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=list(groups),
    )
    document = highdicom.sr.Comprehensive3DSR(
        evidence=[source(ct, k) for k in range(SHAPE[0])],
        content=report,
        series_instance_uid=f"{ROOT}.56",
        series_number=1,
        sop_instance_uid=f"{ROOT}.57",
        instance_number=1,
        manufacturer="another",
    )
    document.save_as(path / "sr.dcm")
    return read_onto(path / "sr.dcm", ct)


def one(found: ImportedReport) -> ReadFigure:
    (figure,) = found.figures
    assert figure.measurement.label == "Nodule"
    return figure


def test_a_frame_around_a_finding_becomes_a_box_on_its_slice(ct: LoadedVolume, tmp_path: Path) -> None:
    corners = [(3.0, 2.0), (11.0, 2.0), (11.0, 7.0), (3.0, 7.0), (3.0, 2.0)]
    found = read(ct, tmp_path, planar(flat(ct, GraphicTypeValues.POLYLINE, corners, 4)))
    figure = one(found)
    box = as_drawn(figure.measurement, figure.drawn_as, ct.volume.geometry)
    assert isinstance(box, BoxAnnotation)
    low, high = box.bounds_kji(ct.volume.geometry)
    np.testing.assert_allclose([low, high], [(4, 2, 3), (5, 7, 11)], atol=1e-4)
    assert (box.label, box.sop_instance_uid) == ("Nodule", ct.volume.sop_instance_uids[4])
    assert found.notes == ()


def test_a_frame_in_the_patient_becomes_a_box_too(ct: LoadedVolume, tmp_path: Path) -> None:
    corners = [(4, 1.5, 2.5), (4, 1.5, 10.5), (4, 6.5, 10.5), (4, 6.5, 2.5), (4, 1.5, 2.5)]
    figure = one(read(ct, tmp_path, planar(solid(ct, GraphicTypeValues3D.POLYLINE, corners))))
    box = as_drawn(figure.measurement, figure.drawn_as, ct.volume.geometry)
    assert isinstance(box, BoxAnnotation)
    np.testing.assert_allclose(box.bounds_kji(ct.volume.geometry)[0], (4, 2, 3), atol=1e-3)


def test_a_rectangle_that_was_measured_is_a_measurement_with_its_number(ct: LoadedVolume, tmp_path: Path) -> None:
    corners = [(3.0, 2.0), (11.0, 2.0), (11.0, 7.0), (3.0, 7.0), (3.0, 2.0)]
    figure = one(read(ct, tmp_path, planar(flat(ct, GraphicTypeValues.POLYLINE, corners, 4), [area(21.6)])))
    assert (figure.measurement.kind, figure.drawn_as) == (MeasurementKind.RECTANGLE, "")
    assert [(s.name, s.value, s.unit) for s in figure.stated] == [("area", 21.6, "mm\u00b2")]


def test_one_lesion_that_is_measured_on_two_slices_under_one_uid_is_two_figures(ct: LoadedVolume, tmp_path: Path) -> None:
    corners = [(3.0, 4.0), (9.0, 4.0), (9.0, 8.0), (3.0, 8.0), (3.0, 4.0)]
    uid = f"{ROOT}.77"
    groups = [planar(flat(ct, GraphicTypeValues.POLYLINE, corners, k), [area(24.0)], tracked=uid) for k in (2, 5)]
    first, second = read(ct, tmp_path, *groups).figures
    assert first.measurement.annotation_id != second.measurement.annotation_id
    again = read(ct, tmp_path, groups[0]).figures
    assert [one.measurement.annotation_id for one in again] == [first.measurement.annotation_id], "known from before"


def test_an_outline_without_right_angles_is_a_polygon_and_an_open_line_a_trace(ct: LoadedVolume, tmp_path: Path) -> None:
    outline = [(3.0, 2.0), (11.0, 3.0), (10.0, 7.0), (3.0, 6.0), (3.0, 2.0)]
    figure = one(read(ct, tmp_path, planar(flat(ct, GraphicTypeValues.POLYLINE, outline, 4))))
    assert (figure.measurement.kind, figure.drawn_as) == (MeasurementKind.POLYGON, "")
    for region in (
        flat(ct, GraphicTypeValues.POLYLINE, outline[:-1], 4),
        solid(ct, GraphicTypeValues3D.POLYLINE, [(1, 2, 3), (2, 5, 4), (4, 6, 9), (5, 2, 2)]),
    ):
        figure = one(read(ct, tmp_path, planar(region)))
        line = as_drawn(figure.measurement, figure.drawn_as, ct.volume.geometry)
        assert isinstance(line, Trace)
        assert (line.kind, len(line.points_lps_mm), line.label) == (TraceKind.OPEN, 4, "Nodule")
    np.testing.assert_allclose(ct.volume.geometry.index_kji(line.points_lps_mm[2]), (4, 6, 9), atol=1e-3)


def test_circles_ellipses_and_points_lie_where_the_report_says(ct: LoadedVolume, tmp_path: Path) -> None:
    circle = one(read(ct, tmp_path, planar(flat(ct, GraphicTypeValues.CIRCLE, [(8.0, 9.0), (12.0, 9.0)], 2))))
    index = ct.volume.geometry.index_kji(circle.measurement.points_lps_mm)
    assert circle.measurement.kind is MeasurementKind.ELLIPSE
    np.testing.assert_allclose(index.mean(axis=0), (2, 8.5, 7.5), atol=1e-4)
    point = one(read(ct, tmp_path, planar(solid(ct, GraphicTypeValues3D.POINT, [(3, 4, 5)]))))
    assert isinstance(point.measurement, Measurement)
    assert point.measurement.kind is MeasurementKind.PROBE
    np.testing.assert_allclose(ct.volume.geometry.index_kji(point.measurement.points_lps_mm), [(3, 4, 5)], atol=1e-3)


def test_numbers_and_judgements_that_no_figure_shows_are_said(ct: LoadedVolume, tmp_path: Path) -> None:
    corners = [(3.0, 2.0), (11.0, 2.0), (11.0, 7.0), (3.0, 7.0), (3.0, 2.0)]
    volume = highdicom.sr.Measurement(codes.SCT.Volume, 812.5, codes.UCUM.CubicMillimeter)
    judged = highdicom.sr.QualitativeEvaluation(codes.DCM.LevelOfSignificance, codes.SCT.NotSignificant)
    found = read(ct, tmp_path, planar(flat(ct, GraphicTypeValues.POLYLINE, corners, 4), [area(21.6), volume], [judged]))
    assert one(found).stated[0].name == "area"
    assert found.notes == (
        "The report also says, which is not kept: "
        "Nodule: Level of Significance: Not significant; Nodule: Volume 812.5 mm3.",
    )


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reportsi.dcm", "The report holds no findings."),
        ("reportsi_with_empty_number_tags.dcm", "The report holds no findings."),
        (
            "test-SR.dcm",
            "1 finding could not be shown: Code has a drawing that is damaged or names no image.",
        ),
    ],
)
def test_reports_without_a_figure_say_so(test_data: Path, ct: LoadedVolume, name: str, said: str) -> None:
    found = read_onto(test_data / "pydicom-testfiles" / "src" / "pydicom" / "data" / "test_files" / name, ct)
    assert (found.figures, found.notes) == ((), (said,))
