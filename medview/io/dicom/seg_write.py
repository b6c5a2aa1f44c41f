"""A Segmentation to a DICOM SEG on its source images."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import highdicom
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid
from pydicom.valuerep import DSfloat

import medview
from medview.core.atomic import replacing
from medview.core.errors import GeometryError, ReadError, WriteError
from medview.core.geometry import Calibration, Geometry
from medview.core.segmentation import Segment, Segmentation
from medview.core.source import SourceKind
from medview.io.dicom.attributes import integer, numbers, quiet, text
from medview.io.dicom.group import SPACING_TOLERANCE, made_uid
from medview.io.dicom.header import instance_of, parse
from medview.io.dicom.instance import FrameInfo
from medview.io.dicom.pixel_mark import put_pixel_mark
from medview.io.dicom.repeated import clean_repeated, complete_repeated, left_out_sentence, person_name, stand_in
from medview.io.dicom.slice_tolerance import on_voxel
from medview.io.sources import name_of, open_source

RESEARCH_USE = "Research use. Not a medical device."

SERIES_NUMBER = 900
"""Far from what scanners use."""

log = logging.getLogger("medview.io.dicom.seg")

_TISSUE = highdicom.sr.CodedConcept("85756007", "SCT", "Tissue")


@dataclass(frozen=True, slots=True)
class _Source:
    """Data sets and, for every k, the frame (counted through all data sets) that shows it; -1 where none does."""

    datasets: list[Dataset]
    frame_of_k: npt.NDArray[np.int64]
    frames: int
    left_out: tuple[str, ...]
    """Keywords of attributes whose values break the standard and are not repeated."""


def write_seg(
    path: Path,
    segmentation: Segmentation,
    source: Sequence[Path],
    *,
    description: str = "",
    instances: Collection[str] = (),
    pixels_sha256: str = "",
    pseudonym: str = "",
    creator: str = "",
) -> tuple[str, ...]:
    """Write all segments, numbered from 1, as a BINARY segmentation object; overlapping segments stay apart.

    Parameters
    ----------
    source : sequence of Path
        The DICOM files the segmentation was drawn on, classic or enhanced, in any order; slices are matched by position.
    description : str
        Series description; without patient identity.
    instances : collection of str
        SOP instance UIDs of the images the labels were drawn on; other files of ``source`` are not pointed at.
    pixels_sha256 : str
        Hash of the pixels they were drawn on (``core.pixel_hash``); labels that carry it cannot be read onto other pixels.
    pseudonym : str
        Stands in place of all that the source says about patient and study; empty repeats what it says.
    creator : str
        Who drew or judged the segments; may be empty.

    Returns
    -------
    tuple of str
        Sentences for the person, e.g. which invalid attributes of the source were not repeated.

    Raises
    ------
    GeometryError
        When the images are not the grid the labels are on, or state no positions.
    WriteError, DiskFullError
        When there is nothing to write or it cannot be written.
    ReadError
        When a source image cannot be read.
    """
    if not segmentation.segments:
        raise WriteError(f"{path.name} was not written: there are no segments; draw something first.")
    if segmentation.geometry.calibration is not Calibration.VOLUME:
        raise GeometryError(
            f"{path.name} was not written: a SEG needs positions and the series is a stack; export NIfTI instead."
        )
    found = _source(path, segmentation.geometry, source, frozenset(instances), pseudonym)
    ordered, masks = _masks(segmentation, found)
    descriptions = [_described(number, segment) for number, segment in enumerate(segmentation.segments, 1)]
    try:
        with quiet():
            seg = highdicom.seg.Segmentation(
                source_images=ordered,
                pixel_array=masks,
                segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
                segment_descriptions=descriptions,
                series_instance_uid=generate_uid(prefix=None),
                series_number=SERIES_NUMBER,
                sop_instance_uid=generate_uid(prefix=None),
                instance_number=1,
                manufacturer="MedView",
                manufacturer_model_name="MedView",
                software_versions=medview.__version__,
                device_serial_number="0",
                content_description=RESEARCH_USE,
                content_label="SEGMENTATION",
            )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise WriteError(
            f"{path.name} was not written: the source images lack what a SEG must repeat; export NIfTI instead.",
            detail=f"{type(error).__name__}: {error}"[:300],
        ) from error
    seg.SeriesDescription = (description or f"MedView labels. {RESEARCH_USE}")[:64]
    if pseudonym and "ContributingEquipmentSequence" in seg:
        # Where and when the images were made.
        del seg.ContributingEquipmentSequence
    if creator:
        seg.ContentCreatorName = person_name(creator)
    seg.preamble = b"\x00" * 128
    if pixels_sha256:
        put_pixel_mark(seg, pixels_sha256, segmentation.geometry)
    with replacing(path) as file, quiet():
        seg.save_as(file)
    if not found.left_out or pseudonym:
        return ()
    # Keywords only: the values may name the patient.
    log.warning("a SEG was written without %s: invalid in its source", ", ".join(found.left_out))
    return (left_out_sentence(found.left_out),)


def _source(path: Path, geometry: Geometry, source: Sequence[Path], instances: frozenset[str], pseudonym: str) -> _Source:
    datasets: list[Dataset] = []
    frames: list[FrameInfo] = []
    seen: set[str] = set()
    left_out: set[str] = set()
    for one in sorted({str(p) for p in source}):
        with open_source(one) as file:
            dataset, layout = parse(file, name_of(one), stop_before_pixels=True)
        instance = instance_of(one, dataset, layout)
        if not instance.image or instance.sop_instance_uid in seen:
            continue
        if instances and instance.sop_instance_uid not in instances:
            continue
        if instance.sop_instance_uid:
            seen.add(instance.sop_instance_uid)
        mine, theirs = geometry.frame_of_reference_uid, instance.frame_of_reference_uid
        if mine and mine != theirs:
            raise GeometryError(f"{path.name} was not written: {name_of(one)} lies in another frame of reference.")
        with quiet():
            left_out.update(clean_repeated(dataset))
            if pseudonym:
                stand_in(dataset, pseudonym)
        if len(instance.frames) > max(integer(dataset, "NumberOfFrames", 1), 1):
            raise GeometryError(
                f"{path.name} was not written: {name_of(one)} is a mosaic of slices, at which a SEG cannot point; "
                "export NIfTI instead."
            )
        if (integer(dataset, "Rows"), integer(dataset, "Columns")) != geometry.shape_kji[1:]:
            raise GeometryError(f"{path.name} was not written: the source images are not those the labels were drawn on.")
        datasets.append(_completed(dataset, geometry))
        frames += instance.frames
    if not datasets and instances:
        raise GeometryError(f"{path.name} was not written: the source images are not those the labels were drawn on.")
    if not datasets:
        raise ReadError(f"{path.name} was not written: none of the source files is a DICOM image.")
    frame_of_k = np.full(geometry.shape_kji[0], -1, dtype=np.int64)
    for number, frame in enumerate(frames):
        if frame.position_lps_mm is None:
            continue
        nearest = int(np.rint(geometry.index_kji(frame.position_lps_mm)[0]))
        on_grid = 0 <= nearest < len(frame_of_k) and on_voxel(geometry, (nearest, 0, 0), frame.position_lps_mm)
        if not on_grid or not _congruent(frame, geometry):
            continue
        if frame_of_k[nearest] < 0:
            frame_of_k[nearest] = number
        elif len(datasets) == 1:
            raise GeometryError(
                f"{path.name} was not written: the source is one file with several images at one place, and a SEG would "
                "have to point at all of them; export NIfTI instead."
            )
    if (frame_of_k < 0).all():
        raise GeometryError(f"{path.name} was not written: the source images are not those the labels were drawn on.")
    return _Source(datasets, frame_of_k, len(frames), tuple(sorted(left_out)))


def _completed(dataset: Dataset, geometry: Geometry) -> Dataset:
    complete_repeated(dataset)
    if not numbers(dataset, "SliceThickness") and "SharedFunctionalGroupsSequence" not in dataset:
        directions = geometry.directions_kji
        apart = abs(float(geometry.affine_lps[:3, 0] @ np.cross(directions[2], directions[1])))
        dataset.SliceThickness = DSfloat(apart, auto_format=True)
    if not text(dataset, "FrameOfReferenceUID"):
        # A SEG must name a frame of reference: one per series says no more than the source does.
        dataset.FrameOfReferenceUID = made_uid([text(dataset, "SeriesInstanceUID")])
    return dataset


def _congruent(frame: FrameInfo, geometry: Geometry) -> bool:
    """Whether rows and columns of a frame run and are spaced as those of the grid."""
    if frame.orientation is None or frame.spacing_ji_mm is None:
        return False
    stretch = np.abs(np.asarray(frame.spacing_ji_mm) / geometry.spacing_kji_mm[1:] - 1.0)
    if stretch.max() > SPACING_TOLERANCE:
        return False
    row, column = frame.orientation[:3], frame.orientation[3:]
    directions = geometry.directions_kji
    return bool(directions[2] @ np.asarray(row) > 0.999 and directions[1] @ np.asarray(column) > 0.999)


def _masks(segmentation: Segmentation, found: _Source) -> tuple[list[Dataset], npt.NDArray[np.uint8]]:
    """Return source data sets and masks, (frame, row, column) or (frame, row, column, segment), for highdicom.

    Of classic images only those that show a segment go in; an enhanced object goes in whole.
    """
    used = np.zeros(segmentation.geometry.shape_kji[0], dtype=bool)
    for segment in segmentation.segments:
        used |= (segmentation.layer(segment.layer_id).voxels == segment.value).any(axis=(1, 2))
    if (used & (found.frame_of_k < 0)).any():
        raise GeometryError("The SEG was not written: there are labels on slices whose source images are missing.")
    if not used.any():
        used = found.frame_of_k >= 0
    multi_frame = len(found.datasets) == 1 and found.frames > 1
    rows, columns = segmentation.geometry.shape_kji[1:]
    if multi_frame:
        count, targets, ordered = found.frames, found.frame_of_k[used], found.datasets
    else:
        if found.frames != len(found.datasets):
            raise GeometryError(
                "The SEG was not written: the source mixes several multi-frame objects; export NIfTI instead."
            )
        targets = np.arange(int(used.sum()))
        count, ordered = len(targets), [found.datasets[n] for n in found.frame_of_k[used]]
    segments = segmentation.segments
    flat = np.zeros((count, rows, columns), dtype=np.uint8)
    if len(segments) <= 255 and _into_one(segmentation, used, targets, flat):
        return ordered, flat
    apart = np.zeros((count, rows, columns, len(segments)), dtype=np.uint8)
    for number, segment in enumerate(segments):
        apart[targets, :, :, number] = segmentation.layer(segment.layer_id).voxels[used] == segment.value
    return ordered, apart


def _into_one(
    segmentation: Segmentation, used: npt.NDArray[np.bool_], targets: npt.NDArray[np.int64], flat: npt.NDArray[np.uint8]
) -> bool:
    """Write segment numbers into one label map; False when segments overlap."""
    for number, segment in enumerate(segmentation.segments, start=1):
        mask = segmentation.layer(segment.layer_id).voxels[used] == segment.value
        part = flat[targets]
        if part[mask].any():
            return False
        part[mask] = number
        flat[targets] = part
    return True


def _described(number: int, segment: Segment) -> highdicom.seg.SegmentDescription:
    source = segment.source
    kinds = highdicom.seg.SegmentAlgorithmTypeValues
    identification = None
    kind = kinds.MANUAL
    if source.kind not in (SourceKind.HAND, SourceKind.READER):
        kind = kinds.AUTOMATIC if source.kind is SourceKind.MODEL and not source.corrected else kinds.SEMIAUTOMATIC
        identification = highdicom.AlgorithmIdentificationSequence(
            name=(source.model_id or "imported")[:64],
            version=(source.model_version or "unknown")[:64],
            family=codes.DCM.ArtificialIntelligence,
        )
    code = segment.code
    # A code longer than SH takes is written as a long one by highdicom; a meaning is LO, of at most 64 characters.
    named = highdicom.sr.CodedConcept(code.value, code.scheme, code.meaning[:64]) if code else None
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=segment.name[:64] or f"Segment {number}",
        segmented_property_category=codes.SCT.AnatomicalStructure if named else codes.SCT.Tissue,
        segmented_property_type=named or _TISSUE,
        algorithm_type=kind,
        algorithm_identification=identification,
        tracking_uid=generate_uid(prefix=None),
        tracking_id=segment.segment_id[:64],
        display_color=highdicom.color.CIELabColor.from_rgb(*segment.colour),
    )
