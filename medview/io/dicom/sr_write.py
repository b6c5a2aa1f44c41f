"""Measurements to a DICOM structured report (TID 1500) on the images they were drawn on.

Figures on acquired slices are drawn on these images (SCOORD); those across them in the patient (SCOORD3D), which only a
volume with a frame of reference can carry. Every report is read back and compared before it takes its name.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import highdicom
import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

import medview
from medview.core.atomic import replacing
from medview.core.errors import GeometryError, MedViewError, WriteError
from medview.core.geometry import Geometry
from medview.core.measurement import Measurement
from medview.core.study import Frame
from medview.io.dicom.attributes import quiet
from medview.io.dicom.header import parse
from medview.io.dicom.pixel_mark import put_pixel_mark
from medview.io.dicom.repeated import left_out_sentence
from medview.io.dicom.source_images import SourceImages
from medview.io.dicom.sr_codes import OWN_SCHEME, OWN_SCHEME_NAME
from medview.io.dicom.sr_groups import Group, Reported, group_of, report_content
from medview.io.dicom.sr_read import ReadFigure, ReportTarget, report_of

RESEARCH_USE = "Research use. Not a medical device."
SERIES_NUMBER = 901
"""Far from what scanners use."""

ON_SLICE = 1e-3
"""How far points may stand off an acquired slice and still be drawn on its image; rounding of the affine."""
SAME_POINT_MM = 1e-3
SAME_NUMBER = 1e-6
_DRAWN = "measurements were drawn"
MOST_POINTS = 5000
"""An attribute in explicit VR holds 64 kB: 5461 points in the patient."""

log = logging.getLogger("medview.io.dicom.sr")


@dataclass(frozen=True, slots=True, eq=False)
class ReportSource:
    """What figures were drawn on.

    Attributes
    ----------
    frames : tuple of Frame
        One per slice k; those of all time points one after the other where there are several.
    pixels_sha256 : str
        Hash of the pixels (``core.pixel_hash``); a report that carries it cannot be read onto others.
    reader : str
        Who measured; may be empty.
    """

    geometry: Geometry
    frames: tuple[Frame, ...]
    modality: str = ""
    pixels_sha256: str = ""
    reader: str = ""

    @property
    def images(self) -> tuple[tuple[str, int], ...]:
        """SOP instance UID and frame number from 0 of every frame."""
        return tuple((frame.sop_instance_uid, frame.number) for frame in self.frames)


def write_sr(path: Path, reported: Sequence[Reported], source: ReportSource) -> tuple[str, ...]:
    """Write measurements with their numbers as a report, whole or not at all.

    Returns
    -------
    tuple of str
        Sentences for the person: what a report cannot carry, which invalid attributes of the source were not repeated.

    Raises
    ------
    GeometryError
        When the series is no DICOM, or its images are not those the figures were drawn on.
    WriteError, DiskFullError
        When there is nothing to write or it cannot be written.
    ReadError
        When a source image cannot be read.
    """
    if not reported:
        raise WriteError(f"{path.name} was not written: there are no measurements; draw one first.")
    _check_source(path, reported, source)
    images = _Images(path, source)
    written: list[tuple[Reported, Group]] = []
    homeless = crowded = twins = 0
    for one in reported:
        if len(one.measurement.points_lps_mm) > MOST_POINTS:
            crowded += 1
            continue
        group = group_of(one, source.geometry, images.of(one.measurement), source.modality)
        if group is None:
            homeless += 1
            continue
        if not group.in_patient and not images.told_apart(one.measurement):
            twins += 1
            continue
        written.append((one, group))
    notes = _notes(homeless, crowded, twins)
    if not written:
        raise WriteError(f"{path.name} was not written: {' '.join(notes)}")
    for one, _ in written:
        images.need(one.measurement)
    document = _document(path, [group for _, group in written], images, source)
    with replacing(path) as file, quiet():
        document.save_as(file)
        _compare(path, file, written, source)
    if images.left_out:
        # Keywords only: the values may name the patient.
        log.warning("a report was written without %s: invalid in its source", ", ".join(sorted(images.left_out)))
        notes = (*notes, left_out_sentence(images.left_out))
    return notes


def _check_source(path: Path, reported: Sequence[Reported], source: ReportSource) -> None:
    known = {frame.sop_instance_uid for frame in source.frames} - {""}
    if not known or len(source.frames) < source.geometry.shape_kji[0]:
        raise GeometryError(f"{path.name} was not written: a report points at DICOM images; copy the table instead.")
    if {one.measurement.sop_instance_uid for one in reported} - {""} - known:
        raise SourceImages(path, source.geometry, source.frames, _DRAWN).other_images()


def _notes(homeless: int, crowded: int, twins: int) -> tuple[str, ...]:
    notes = []
    if homeless:
        few = "1 measurement lies" if homeless == 1 else f"{homeless} measurements lie"
        notes.append(f"{few} across images that have no place in the patient and cannot be in a report.")
    if crowded:
        few = "1 outline has" if crowded == 1 else f"{crowded} outlines have"
        notes.append(f"{few} too many points for a report.")
    if twins:
        few = "1 measurement lies" if twins == 1 else f"{twins} measurements lie"
        notes.append(f"{few} on images that others share their identifier with, at which a report cannot point.")
    return tuple(notes)


class _Images(SourceImages):
    """The source images figures need."""

    def __init__(self, path: Path, source: ReportSource) -> None:
        super().__init__(path, source.geometry, source.frames, _DRAWN)
        self._slices = source.geometry.shape_kji[0]
        self._places = {image: n for n, image in reversed([*enumerate(source.images)])}

    def of(self, measurement: Measurement) -> tuple[Dataset, int] | None:
        """Return the image a figure lies on and the frame, from 1 (0: it has only one); None when it lies across them."""
        along = measurement.points_kji(self._geometry)[:, 0]
        k = round(float(along.mean()))
        if not 0 <= k < self._slices or np.abs(along - k).max() > ON_SLICE:
            return None
        return self.image(self._first_of_time(measurement) + k)

    def _first_of_time(self, measurement: Measurement) -> int:
        """Return which frame is the first of the time point a figure was drawn on; slices across tell it by the count."""
        image = (measurement.sop_instance_uid, measurement.frame_number)
        at = self._places.get(image, 0) if measurement.sop_instance_uid else max(measurement.frame_number, 0)
        return min(at, len(self._frames) - 1) // self._slices * self._slices

    def told_apart(self, measurement: Measurement) -> bool:
        """Whether no other slice bears the identity of the image a figure lies on."""
        k = round(float(measurement.points_kji(self._geometry)[:, 0].mean()))
        return not 0 <= k < self._slices or self.alone(self._first_of_time(measurement) + k)

    def need(self, measurement: Measurement) -> None:
        """Read the images a figure across them passes through, as far as they are the grid's: they are its evidence."""
        along = measurement.points_kji(self._geometry)[:, 0]
        last = self._slices - 1
        first, final = (int(np.clip(np.rint(edge), 0, last)) for edge in (along.min(), along.max()))
        for k in range(first, final + 1):
            self.read(self._first_of_time(measurement) + k)


def _document(path: Path, groups: Sequence[Group], images: _Images, source: ReportSource) -> Dataset:
    in_patient = any(group.in_patient for group in groups)
    kind = highdicom.sr.Comprehensive3DSR if in_patient else highdicom.sr.ComprehensiveSR
    try:
        with quiet():
            document = kind(
                evidence=images.datasets,
                content=report_content(groups, source.modality, RESEARCH_USE, source.reader),
                series_instance_uid=generate_uid(prefix=None),
                series_number=SERIES_NUMBER,
                sop_instance_uid=generate_uid(prefix=None),
                instance_number=1,
                manufacturer="MedView",
                manufacturer_model_name="MedView",
                device_serial_number="0",
                software_versions=medview.__version__,
                is_complete=True,
            )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise WriteError(
            f"{path.name} was not written: the source images lack what a report must repeat; copy the table instead.",
            detail=f"{type(error).__name__}: {error}"[:300],
        ) from error
    document.SeriesDescription = f"MedView measurements. {RESEARCH_USE}"[:64]
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = OWN_SCHEME, OWN_SCHEME_NAME
    document.CodingSchemeIdentificationSequence = [scheme]
    document.preamble = b"\x00" * 128
    if source.pixels_sha256:
        put_pixel_mark(document, source.pixels_sha256, source.geometry)
    return cast(Dataset, document)


def _compare(path: Path, file: BinaryIO, written: Sequence[tuple[Reported, Group]], source: ReportSource) -> None:
    """Raise WriteError unless the file says what was to be written."""
    wrong = WriteError(f"{path.name} was not written: what was written did not read back the same; copy the table instead.")
    file.flush()
    file.seek(0)
    try:
        dataset, _ = parse(file, path.name, stop_before_pixels=False)
        back = report_of(dataset, ReportTarget(source.geometry, source.images)).figures
    except MedViewError as error:
        raise wrong from error
    finally:
        file.seek(0, 2)
    found = {figure.measurement.annotation_id: figure for figure in back}
    for reported, group in written:
        figure = found.get(reported.measurement.annotation_id)
        if figure is None or len(back) != len(written) or not _same(figure, reported, group):
            log.error("a report did not read back the same: %s", reported.measurement.kind.value)
            raise wrong


def _same(figure: ReadFigure, reported: Reported, group: Group) -> bool:
    points = np.asarray(figure.measurement.points_lps_mm)
    if figure.drawn_as != reported.drawn_as:
        return False
    if figure.measurement.kind is not reported.measurement.kind or points.shape != group.points_lps_mm.shape:
        return False
    stated = {one.name: one for one in figure.stated}
    numbers = all(
        one.name in stated
        and stated[one.name].bare_unit == one.bare_unit
        and abs(stated[one.name].value - one.value) <= SAME_NUMBER * abs(one.value)
        for one in reported.stated
    )
    same_label = figure.measurement.label == text_of_label(reported.measurement.label)
    return numbers and same_label and float(np.abs(points - group.points_lps_mm).max()) <= SAME_POINT_MM


def text_of_label(label: str) -> str:
    """Return a label as it comes back from a report: without line ends and spaces around it."""
    return "".join(c if c.isprintable() else " " for c in label).strip()


__all__ = ["RESEARCH_USE", "ReportSource", "Reported", "write_sr"]
