"""Series to measure on, figures of every kind, and reports as other programs write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import Comprehensive3DSRStorage, ExplicitVRLittleEndian

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.measurement import Measurement, MeasurementKind
from medview.io.dicom.sr_read import ImportedReport, ReportTarget, read_sr
from medview.io.dicom.sr_write import Reported, ReportSource
from medview.io.load import LoadedVolume, load_volume
from medview.workspace.operations.reports import reported
from tests.helpers.dicom_series import ROOT

Points = Sequence[tuple[float, float, float]]

ON_SLICES: dict[MeasurementKind, Points] = {
    MeasurementKind.LENGTH: [(2, 1.25, 2), (2, 5, 9.5)],
    MeasurementKind.BIDIRECTIONAL: [(3, 1, 2), (3, 2, 4), (3, 1, 1), (3, 8, 9)],
    MeasurementKind.ANGLE: [(1, 1, 1), (1, 5, 5), (1, 2, 9)],
    MeasurementKind.COBB: [(1, 1, 1), (1, 1, 5), (1, 5, 5), (1, 7, 9)],
    MeasurementKind.PROBE: [(0, 3, 4)],
    MeasurementKind.ELLIPSE: [(4, 2, 5), (4, 8, 5), (4, 5, 3), (4, 5, 7)],
    MeasurementKind.RECTANGLE: [(5, 2, 3), (5, 2, 8), (5, 6, 8), (5, 6, 3)],
    MeasurementKind.POLYGON: [(6, 2, 3), (6, 2, 8), (6, 6, 8)],
    MeasurementKind.FREEHAND: [(6, 2, 3), (6, 2, 8), (6, 6, 8), (6, 7.5, 1)],
}
"""Every kind on a slice of the phantom, voxel indices (k, j, i). The second axis of BIDIRECTIONAL is the long one."""

ACROSS: dict[MeasurementKind, Points] = {
    kind: [(j / 2 + 0.25, 4, i) for _, j, i in points] for kind, points in ON_SLICES.items()
}
"""Every kind on row 4, across the slices."""


def figure(geometry: Geometry, kind: MeasurementKind, points_kji: Points, label: str = "", number: int = 1) -> Measurement:
    points = tuple((float(x), float(y), float(z)) for x, y, z in geometry.point_lps_mm(points_kji))
    return Measurement(f"{number:032x}", kind, points, label)


def every_kind(geometry: Geometry, table: dict[MeasurementKind, Points]) -> list[Measurement]:
    return [
        figure(geometry, kind, points, f"{kind.value} \u00e4\u00f6", number)
        for number, (kind, points) in enumerate(table.items(), start=1)
    ]


def opened(folder: Path) -> LoadedVolume:
    return load_volume(folder, None, Inline())


def source_of(loaded: LoadedVolume, pixels: str = "") -> ReportSource:
    volume = loaded.volume
    frames = loaded.entry.frames[: volume.geometry.shape_kji[0]]
    return ReportSource(volume.geometry, frames, volume.modality, pixels)


def with_numbers(loaded: LoadedVolume, figures: Sequence[Measurement]) -> list[Reported]:
    return [reported(loaded.volume, one) for one in figures]


def read_onto(path: Path, loaded: LoadedVolume) -> ImportedReport:
    return read_sr(str(path), ReportTarget(loaded.volume.geometry, source_of(loaded).images))


# ------------------------------------------------------------------------------------------- reports of others


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


FINDING = ("121071", "DCM", "Finding")
GROUP = ("125007", "DCM", "Measurement Group")
MEASUREMENTS = ("126010", "DCM", "Imaging Measurements")


def item(value_type: str, concept: tuple[str, str, str], *children: Dataset, **values: Any) -> Dataset:
    one = Dataset()
    one.RelationshipType, one.ValueType = "CONTAINS", value_type
    one.ConceptNameCodeSequence = [code(*concept)]
    for keyword, value in values.items():
        setattr(one, keyword, value)
    if children:
        one.ContentSequence = list(children)
    return one


def group(label: str, *children: Dataset) -> Dataset:
    found = item("CODE", FINDING, ConceptCodeSequence=[code("X1", "99OTHER", label)])
    return item("CONTAINER", GROUP, found, *children)


def image(uid: str, *frames: int) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", uid
    if frames:
        reference.ReferencedFrameNumber = list(frames)
    return item("IMAGE", ("121324", "DCM", "Source image"), ReferencedSOPSequence=[reference])


def drawn(shape: str, points: Sequence[float], uid: str, *frames: int) -> Dataset:
    region = ("111030", "DCM", "Image Region")
    return item("SCOORD", region, image(uid, *frames), GraphicType=shape, GraphicData=list(points))


def drawn_in_patient(shape: str, points: Sequence[float], frame: str = f"{ROOT}.3") -> Dataset:
    region = ("111030", "DCM", "Image Region")
    return item("SCOORD3D", region, GraphicType=shape, GraphicData=list(points), ReferencedFrameOfReferenceUID=frame)


def num(concept: tuple[str, str, str], value: float, unit: str, *children: Dataset) -> Dataset:
    measured = Dataset()
    measured.NumericValue = f"{value:.8g}"
    measured.MeasurementUnitsCodeSequence = [code(unit, "UCUM", unit)]
    return item("NUM", concept, *children, MeasuredValueSequence=[measured])


def save_report(path: Path, *groups: Dataset) -> Path:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = Comprehensive3DSRStorage, f"{ROOT}.900"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = Comprehensive3DSRStorage, f"{ROOT}.900"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.Modality = f"{ROOT}.1", f"{ROOT}.901", "SR"
    ds.PatientID, ds.PatientName = "P1", "Phantom^One"
    root = item("CONTAINER", ("126000", "DCM", "Imaging Measurement Report"), item("CONTAINER", MEASUREMENTS, *groups))
    for element in root:
        if element.keyword != "RelationshipType":
            ds.add(element)
    ds.save_as(path, enforce_file_format=True)
    return path
