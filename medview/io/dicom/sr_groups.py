"""Measurement groups of a structured report: TID 1410 for regions, TID 1501 for everything else, inside TID 1500."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highdicom
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

import medview
from medview.core.geometry import Calibration, Geometry
from medview.core.measurement import Measurement, MeasurementKind
from medview.io.dicom.attributes import text
from medview.io.dicom.group import made_uid
from medview.io.dicom.repeated import person_name
from medview.io.dicom.sr_codes import COMMENT, LABEL, OWN_SCHEME, Stated, coded, procedure
from medview.io.dicom.sr_figures import principal_axes

FloatArray = npt.NDArray[np.float64]

MEANING_LETTERS = 64
"""Longest meaning of a code."""

_KINDS = MeasurementKind
_CONTAINS = highdicom.sr.RelationshipTypeValues.CONTAINS


@dataclass(frozen=True, slots=True)
class Reported:
    """A measurement, its numbers, and what has to be known about them.

    Attributes
    ----------
    reason : str
        Why lengths are in pixels, or empty.
    note : str
        What has to be known about the values, or empty.
    drawn_as : str
        What it is where it is no measurement, see ``sr_drawn``; empty otherwise.
    """

    measurement: Measurement
    stated: tuple[Stated, ...] = ()
    reason: str = ""
    note: str = ""
    drawn_as: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A measurement group ready to be written.

    Attributes
    ----------
    points_lps_mm : ndarray, shape (points, 3)
        Where its figure comes back; axes are in the order the report wants, the long one first.
    in_patient : bool
        Whether it is drawn in the patient and not on an image.
    """

    template: (
        highdicom.sr.MeasurementsAndQualitativeEvaluations | highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations
    )
    points_lps_mm: FloatArray
    in_patient: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Canvas:
    """Where a figure is drawn: an image and a frame of it, or the patient."""

    geometry: Geometry
    image: tuple[Dataset, int] | None

    def points(self, measurement: Measurement) -> FloatArray:
        """Return column and row from the outer corner of the first pixel, or LPS millimetres."""
        if self.image is None:
            return np.asarray(measurement.points_lps_mm, dtype=np.float64)
        return np.asarray(measurement.points_kji(self.geometry)[:, :0:-1] + 0.5)

    def points_lps_mm(self, points: FloatArray, measurement: Measurement) -> FloatArray:
        """Undo ``points``."""
        if self.image is None:
            return points
        k = np.rint(measurement.points_kji(self.geometry)[:, 0])
        return self.geometry.point_lps_mm(np.stack([k, points[:, 1] - 0.5, points[:, 0] - 0.5], axis=1))

    def region(self, shape: str, points: FloatArray) -> highdicom.sr.ImageRegion | highdicom.sr.ImageRegion3D:
        """Return the graphic of a region."""
        if self.image is None:
            return highdicom.sr.ImageRegion3D(shape, points, self.geometry.frame_of_reference_uid)
        return highdicom.sr.ImageRegion(shape, points, self._source())

    def line(
        self, shape: str, points: FloatArray
    ) -> highdicom.sr.CoordinatesForMeasurement | highdicom.sr.CoordinatesForMeasurement3D:
        """Return the graphic a number is taken from."""
        if self.image is None:
            return highdicom.sr.CoordinatesForMeasurement3D(shape, points, self.geometry.frame_of_reference_uid)
        return highdicom.sr.CoordinatesForMeasurement(shape, points, self._source())

    def _source(self) -> highdicom.sr.SourceImageForRegion:
        assert self.image is not None
        dataset, frame = self.image
        return highdicom.sr.SourceImageForRegion(
            text(dataset, "SOPClassUID"), text(dataset, "SOPInstanceUID"), [frame] if frame else None
        )


def group_of(reported: Reported, geometry: Geometry, image: tuple[Dataset, int] | None, modality: str) -> Group | None:
    """Return the group of a measurement; None when it is drawn across images that have no place in the patient.

    Parameters
    ----------
    image : tuple of (Dataset, int) or None
        The image it lies on and the number of the frame, from 1; 0 for images that have only one.
    """
    if image is None and (geometry.calibration is not Calibration.VOLUME or not geometry.frame_of_reference_uid):
        return None
    measurement = reported.measurement
    canvas = _Canvas(geometry, image)
    points = canvas.points(measurement)
    if measurement.kind is _KINDS.ELLIPSE:
        points = principal_axes(points)
    elif measurement.kind is _KINDS.BIDIRECTIONAL:
        points = _long_first(points, np.asarray(measurement.points_lps_mm))
    tracking = highdicom.sr.TrackingIdentifier(
        uid=_tracking_uid(measurement),
        identifier=f"MedView {reported.drawn_as or measurement.kind.value} {measurement.annotation_id}",
    )
    finding = _finding(measurement.label)
    # What has a number beside its figure is the line the number was taken from.
    drawn_as_region = (measurement.kind.region and not reported.drawn_as) or not reported.stated
    numbers = _numbers(reported, canvas, points, modality, drawn=not drawn_as_region)
    template: (
        highdicom.sr.MeasurementsAndQualitativeEvaluations | highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations
    )
    if drawn_as_region:
        template = highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            referenced_region=canvas.region(*_region(measurement.kind, points, in_patient=image is None)),
            finding_type=finding,
            measurements=numbers,
        )
    else:
        template = highdicom.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking, finding_type=finding, measurements=numbers
        )
    for name, words in _texts(reported):
        template[0].ContentSequence.append(highdicom.sr.TextContentItem(name, words, _CONTAINS))
    return Group(template, canvas.points_lps_mm(points, measurement), image is None)


def observers(reader: str = "") -> tuple[highdicom.sr.ObserverContext, highdicom.sr.ObserverContext]:
    """Return who made an object: the reader, or a person nobody asked the name of, and this program."""
    person = highdicom.sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=highdicom.sr.PersonObserverIdentifyingAttributes(
            name=person_name(reader) or "MedView user"
        ),
    )
    device = highdicom.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=highdicom.sr.DeviceObserverIdentifyingAttributes(
            uid=generate_uid(prefix=None),
            name=f"MedView {medview.__version__}",
            manufacturer_name="MedView",
            model_name="MedView",
            serial_number="0",
        ),
    )
    return person, device


def report_content(groups: Sequence[Group], modality: str, statement: str, reader: str = "") -> Dataset:
    """Return the content tree of a report."""
    person, device = observers(reader)
    report = highdicom.sr.MeasurementReport(
        observation_context=highdicom.sr.ObservationContext(observer_person_context=person, observer_device_context=device),
        procedure_reported=procedure(modality),
        imaging_measurements=[group.template for group in groups],
        title=codes.DCM.ImagingMeasurementReport,
    )
    root: Dataset = report[0]
    root.ContentSequence.append(highdicom.sr.TextContentItem(COMMENT, statement, _CONTAINS))
    return root


def _region(kind: MeasurementKind, points: FloatArray, *, in_patient: bool) -> tuple[str, FloatArray]:
    if kind is _KINDS.PROBE:
        return "POINT", points
    if kind is _KINDS.ELLIPSE:
        return "ELLIPSE", points
    # A closed outline ends where it began; on images it is a polyline, for want of another.
    return ("POLYGON" if in_patient else "POLYLINE"), np.vstack([points, points[:1]])


def _long_first(points: FloatArray, points_lps_mm: FloatArray) -> FloatArray:
    one, other = (float(np.linalg.norm(points_lps_mm[n + 1] - points_lps_mm[n])) for n in (0, 2))
    return points if one >= other else points[[2, 3, 0, 1]]


def _lines(kind: MeasurementKind, name: str) -> tuple[tuple[str, slice], ...]:
    """Return the graphics, as slices of the points, a number is taken from."""
    if kind is _KINDS.PROBE:
        return (("POINT", slice(0, 1)),)
    if kind is _KINDS.BIDIRECTIONAL:
        return (("POLYLINE", slice(0, 2) if name == "long axis" else slice(2, 4)),)
    if kind is _KINDS.COBB:
        return ("POLYLINE", slice(0, 2)), ("POLYLINE", slice(2, 4))
    return (("POLYLINE", slice(None)),)


def _numbers(
    reported: Reported, canvas: _Canvas, points: FloatArray, modality: str, *, drawn: bool
) -> list[highdicom.sr.Measurement]:
    found = []
    for one in reported.stated:
        code = coded(one, modality)
        lines = _lines(reported.measurement.kind, one.name) if drawn else ()
        found.append(
            highdicom.sr.Measurement(
                name=code.concept,
                value=float(one.value),
                unit=code.unit,
                derivation=code.derivation,
                referenced_coordinates=[canvas.line(shape, points[part]) for shape, part in lines] or None,
            )
        )
    return found


def _tracking_uid(measurement: Measurement) -> str:
    try:
        return (
            f"2.25.{int(measurement.annotation_id, 16)}"
            if len(measurement.annotation_id) == 32
            else made_uid([measurement.annotation_id])
        )
    except ValueError:
        return made_uid([measurement.annotation_id])


def _finding(label: str) -> Code | None:
    """Return a code whose meaning is the label, the way other viewers look for a name; the text beside it is whole."""
    words = "".join(c if c.isprintable() and c != "\\" else " " for c in label).strip()[:MEANING_LETTERS]
    if not words:
        return None
    return Code(f"L{made_uid([words])[5:20]}", OWN_SCHEME, words)


def _texts(reported: Reported) -> list[tuple[Code, str]]:
    """Return what stands in words in a group."""
    found: list[tuple[Code, str]] = []
    if reported.measurement.label.strip():
        found.append((LABEL, reported.measurement.label))
    true_of = sorted({one.true_of for one in reported.stated} - {""})
    found += [(COMMENT, f"Millimetres are {note}.") for note in true_of]
    if reported.reason:
        found.append((COMMENT, f"Lengths are in pixels: {reported.reason}."))
    if reported.note:
        found.append((COMMENT, f"{reported.note[0].upper()}{reported.note[1:]}."))
    return found
