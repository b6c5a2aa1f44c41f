"""A Segmentation to an RT structure set on its source images.

Every segment becomes a region of closed contours, traced as ``contour_trace`` says. Read back, they give the same voxels;
the file takes its name only once that was compared.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

import medview
from medview.core.atomic import replacing
from medview.core.errors import CancelledError, GeometryError, MedViewError, WriteError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline, JobContext, JobPart
from medview.core.segmentation import Segment, Segmentation
from medview.core.source import SourceKind
from medview.core.study import Frame
from medview.io.dicom.attributes import quiet, text
from medview.io.dicom.contour_text import LONGEST_NUMBER, ContourText, contour_texts
from medview.io.dicom.group import made_uid
from medview.io.dicom.header import STRUCTURE_SET, parse
from medview.io.dicom.pixel_mark import put_pixel_mark
from medview.io.dicom.repeated import left_out_sentence, person_name, repeat, stand_in
from medview.io.dicom.rtstruct import labels_of
from medview.io.dicom.rtstruct_content import INTERPRETED_TYPES
from medview.io.dicom.source_images import SourceImages
from medview.io.imported_labels import ImportedLabels, Target

RESEARCH_USE = "Research use. Not a medical device."
SERIES_NUMBER = 903
"""Far from what scanners use."""

_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
"""Detached study management: retired, and what RT Referenced Study Sequence still has to name."""
_CONTOUR_DATA = Tag(0x3006, 0x0050)

log = logging.getLogger("medview.io.dicom.rtstruct")


def write_rtstruct(
    path: Path,
    segmentation: Segmentation,
    frames: Sequence[Frame],
    *,
    description: str = "",
    interpreter: str = "",
    pixels_sha256: str = "",
    pseudonym: str = "",
    context: JobContext | None = None,
) -> tuple[str, ...]:
    """Write all segments as regions, numbered from 1, whole or not at all.

    Parameters
    ----------
    frames : sequence of Frame
        The images the segmentation was drawn on, one per slice k; those of further time points may follow.
    description : str
        Series description; without patient identity.
    interpreter : str
        Who drew or judged the regions, as ``Family^Given``; may be empty.
    pixels_sha256 : str
        Hash of the pixels they were drawn on (``core.pixel_hash``); labels that carry it cannot be read onto other pixels.
    pseudonym : str
        Stands in place of all that the source says about patient and study; empty repeats what it says.

    Returns
    -------
    tuple of str
        Sentences for the person, e.g. which segments are empty.

    Raises
    ------
    GeometryError
        When the images are not the grid the labels are on, or state no positions.
    WriteError, DiskFullError
        When there is nothing to write or it cannot be written.
    ReadError
        When a source image cannot be read.
    CancelledError
    """
    context = context or Inline()
    geometry = segmentation.geometry
    if not segmentation.segments:
        raise WriteError(f"{path.name} was not written: there are no segments; draw something first.")
    if geometry.calibration is not Calibration.VOLUME:
        raise GeometryError(
            f"{path.name} was not written: an RTSTRUCT needs positions and the series is a stack; export NIfTI instead."
        )
    drawn = contour_texts(segmentation, path.name, JobPart(context, 0.0, 0.4))
    images = _images(path, geometry, frames, context)
    if pseudonym:
        stand_in(images.first, pseudonym)
        images = replace(images, left_out=())
    document = _document(geometry, images)
    document.SeriesDescription = (description or f"MedView regions. {RESEARCH_USE}")[:64]
    for number, (segment, contours) in enumerate(zip(segmentation.segments, drawn, strict=True), start=1):
        _add_region(document, number, segment, contours, images, interpreter)
        volume_ml = segmentation.count(segment) * geometry.voxel_volume_mm3 / 1000.0
        document.StructureSetROISequence[-1].ROIVolume = f"{volume_ml:.10g}"[:LONGEST_NUMBER]
    if pixels_sha256:
        put_pixel_mark(document, pixels_sha256, geometry)
    context.progress(0.6, "Writing the file")
    with replacing(path) as file, quiet():
        _write_as_it_is(document)
        document.save_as(file, enforce_file_format=True)
        _compare(path, file, segmentation, images, JobPart(context, 0.7, 1.0))
    return _notes(segmentation, images)


@dataclass(frozen=True, slots=True)
class _Images:
    """The source images: the first of them in full, and what points at each slice."""

    first: Dataset
    series: dict[str, list[Dataset]]
    """Items that point at the images of a series, each once."""
    of_slice: tuple[Dataset | None, ...]
    """An item that points at the image of a slice; None where another slice bears the same identity."""
    instances: tuple[str, ...]
    left_out: tuple[str, ...]


def _images(path: Path, geometry: Geometry, frames: Sequence[Frame], context: JobContext) -> _Images:
    count = geometry.shape_kji[0]
    if len(frames) < count or not any(frame.sop_instance_uid for frame in frames):
        raise GeometryError(
            f"{path.name} was not written: an RTSTRUCT points at the DICOM images it was drawn on; export NIfTI instead."
        )
    source = SourceImages(path, geometry, tuple(frames[:count]), "labels were drawn")
    of_slice: list[Dataset | None] = []
    series: dict[str, list[Dataset]] = {}
    instances: dict[str, None] = {}
    for k in range(count):
        context.raise_if_cancelled()
        context.progress(0.4 + 0.2 * k / count, "Reading the source images")
        image = source.image(k)
        if image is None:
            raise GeometryError(
                f"{path.name} was not written: its source is a mosaic of slices, at which an RTSTRUCT cannot point; "
                "export NIfTI instead."
            )
        dataset, number = image
        if geometry.frame_of_reference_uid not in ("", text(dataset, "FrameOfReferenceUID")):
            raise source.other_images()
        reference = _reference(dataset)
        if text(dataset, "SOPInstanceUID") not in instances:
            instances[text(dataset, "SOPInstanceUID")] = None
            series.setdefault(text(dataset, "SeriesInstanceUID"), []).append(reference)
        of_one = _reference(dataset)
        if number:
            of_one.ReferencedFrameNumber = number
        of_slice.append(of_one if source.alone(k) else None)
    return _Images(source.datasets[0], series, tuple(of_slice), tuple(instances), tuple(sorted(source.left_out)))


def _reference(dataset: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    return item


def _document(geometry: Geometry, images: _Images) -> FileDataset:
    uid = generate_uid(prefix=None)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(STRUCTURE_SET), uid
    made = FileDataset("", {}, file_meta=meta, preamble=b"\x00" * 128)
    now = datetime.now()
    date, time = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    repeat(images.first, made)
    made.SOPClassUID, made.SOPInstanceUID = STRUCTURE_SET, uid
    made.InstanceCreationDate, made.InstanceCreationTime = date, time
    made.StudyInstanceUID = images.first.StudyInstanceUID
    made.Modality, made.SeriesInstanceUID, made.SeriesNumber = "RTSTRUCT", generate_uid(prefix=None), SERIES_NUMBER
    made.OperatorsName = ""
    made.Manufacturer = made.ManufacturerModelName = "MedView"
    made.DeviceSerialNumber, made.SoftwareVersions = "0", medview.__version__
    frame = geometry.frame_of_reference_uid or made_uid([text(images.first, "SeriesInstanceUID")])
    made.FrameOfReferenceUID, made.PositionReferenceIndicator = frame, ""
    made.InstanceNumber = 1
    made.StructureSetLabel = "MedView"
    made.StructureSetDescription = RESEARCH_USE
    made.StructureSetDate, made.StructureSetTime = date, time
    made.ApprovalStatus = "UNAPPROVED"
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = _STUDY_CLASS, made.StudyInstanceUID
    study.RTReferencedSeriesSequence = []
    for series_uid, references in images.series.items():
        series = Dataset()
        series.SeriesInstanceUID, series.ContourImageSequence = series_uid, references
        study.RTReferencedSeriesSequence.append(series)
    place = Dataset()
    place.FrameOfReferenceUID, place.RTReferencedStudySequence = frame, [study]
    made.ReferencedFrameOfReferenceSequence = [place]
    made.StructureSetROISequence, made.ROIContourSequence, made.RTROIObservationsSequence = [], [], []
    return made


def _add_region(
    document: Dataset, number: int, segment: Segment, contours: Sequence[ContourText], images: _Images, interpreter: str
) -> None:
    region, drawn, observed = Dataset(), Dataset(), Dataset()
    region.ROINumber, region.ReferencedFrameOfReferenceUID = number, document.FrameOfReferenceUID
    region.ROIName = _name(segment, number)
    region.ROIGenerationAlgorithm, described = _made_by(segment)
    if described:
        region.ROIGenerationDescription = described
    drawn.ROIDisplayColor = list(segment.colour)
    drawn.ReferencedROINumber = number
    if contours:
        drawn.ContourSequence = [_contour(n, one, images.of_slice[one.k]) for n, one in enumerate(contours, start=1)]
    observed.ObservationNumber = observed.ReferencedROINumber = number
    # The judge counts bytes where the standard counts letters.
    observed.ROIObservationLabel = region.ROIName.encode()[:16].decode(errors="ignore").strip()
    if segment.code is not None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator = segment.code.value, segment.code.scheme
        code.CodeMeaning = segment.code.meaning[:64]
        observed.RTROIIdentificationCodeSequence = [code]
    group = segment.group.strip().upper()
    observed.RTROIInterpretedType = group if group in INTERPRETED_TYPES else ""
    observed.ROIInterpreter = person_name(interpreter)
    document.StructureSetROISequence.append(region)
    document.ROIContourSequence.append(drawn)
    document.RTROIObservationsSequence.append(observed)


def _name(segment: Segment, number: int) -> str:
    """Return the name of a segment as one value that can be written."""
    printable = "".join(c if c.isprintable() and c != "\\" else " " for c in segment.name)
    return printable[:64].strip() or f"Segment {number}"


def _contour(number: int, one: ContourText, image: Dataset | None) -> Dataset:
    item = Dataset()
    if image is not None:
        item.ContourImageSequence = [image]
    item.ContourGeometricType, item.NumberOfContourPoints, item.ContourNumber = "CLOSED_PLANAR", one.points, number
    # As bytes: millions of numbers would each become an object first.
    item[_CONTOUR_DATA] = RawDataElement(_CONTOUR_DATA, "DS", len(one.value), one.value, 0, False, True)
    return item


def _write_as_it_is(document: Dataset) -> None:
    """Let pydicom write what leads to the contours as if it had been read; it would go through every number otherwise."""
    document.set_original_encoding(False, True, convert_encodings(document.SpecificCharacterSet))
    for drawn in document.ROIContourSequence:
        for dataset in (drawn, *drawn.get("ContourSequence", ())):
            dataset.set_original_encoding(False, True, default_encoding)


def _made_by(segment: Segment) -> tuple[str, str]:
    """Return how a region came about and by what; nothing where the file it was imported from does not say."""
    source = segment.source
    if source.kind in (SourceKind.HAND, SourceKind.READER):
        return "MANUAL", ""
    if source.kind is SourceKind.IMPORT:
        return ("SEMIAUTOMATIC" if source.corrected else ""), ""
    described = f"{source.model_id[:40]} (version {source.model_version[:12] or 'unknown'})"
    return ("SEMIAUTOMATIC" if source.corrected else "AUTOMATIC"), described


def _compare(path: Path, file: BinaryIO, segmentation: Segmentation, images: _Images, context: JobContext) -> None:
    """Raise WriteError unless the file gives the same voxels."""
    wrong = WriteError(f"{path.name} was not written: what was written did not read back the same; export a DICOM SEG.")
    if not any(segmentation.count(segment) for segment in segmentation.segments):
        return
    file.flush()
    file.seek(0)
    try:
        dataset, _ = parse(file, path.name, stop_before_pixels=True)
        target = Target(segmentation.geometry, next(iter(images.series)), "", images.instances)
        back = labels_of(dataset, target, path.name, context)
    except CancelledError:
        raise
    except MedViewError as error:
        raise wrong from error
    finally:
        file.seek(0, 2)
    if not _same(segmentation, back):
        log.error("regions did not read back the same")
        raise wrong


def _same(segmentation: Segmentation, back: ImportedLabels) -> bool:
    found = {segment.segment_id: segment for segment in back.segments}
    for number, segment in enumerate(segmentation.segments, start=1):
        read = found.get(f"roi-{number}")
        if read is None:
            if segmentation.count(segment):
                return False
            continue
        if read.name != _name(segment, number):
            return False
        mine = segmentation.layer(segment.layer_id).voxels
        theirs = back.layers[read.layer_id]
        # Slice by slice, since whole masks of a large volume would be held twice.
        if any(((m == segment.value) != (t == read.value)).any() for m, t in zip(mine, theirs, strict=True)):
            return False
    return True


def _notes(segmentation: Segmentation, images: _Images) -> tuple[str, ...]:
    notes = []
    empty = [segment.name for segment in segmentation.segments if not segmentation.count(segment)]
    if empty:
        notes.append(f"Written by name only, since nothing is drawn in them: {', '.join(empty)}.")
    if images.left_out:
        # Keywords only: the values may name the patient.
        log.warning("an RTSTRUCT was written without %s: invalid in its source", ", ".join(images.left_out))
        notes.append(left_out_sentence(images.left_out))
    return tuple(notes)
