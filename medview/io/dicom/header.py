"""One DICOM file to an Instance, without touching its pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

import pydicom
from pydicom.dataset import Dataset

from medview.core.acquisition import Acquisition
from medview.core.errors import ReadError
from medview.core.orientation import stated_orientation
from medview.io.dicom import guard
from medview.io.dicom.acquisition import acquisition_of
from medview.io.dicom.attributes import integer, items, mend_charset, misspelt_charset, number, numbers, quiet, text, texts
from medview.io.dicom.functional_groups import frame_infos
from medview.io.dicom.instance import FrameInfo, Instance, PixelFormat
from medview.io.dicom.mosaic import Mosaic, is_mosaic, mosaic_of
from medview.io.dicom.plane import frame_plane, ultrasound_regions
from medview.io.dicom.suv import suv_of
from medview.io.dicom.values import (
    frame_rate_of,
    has_overlays,
    inverted_of,
    padding_of,
    private_scaling_of,
    rescale_of,
    unit_of,
    volume_interval_of,
    windows_of,
)
from medview.io.dicom.voi_tables import voi_tables_of
from medview.io.sources import in_archive, name_of, open_source

NATIVE = frozenset({"", guard.IMPLICIT, guard.EXPLICIT, guard.BIG_ENDIAN, guard.DEFLATED})

SEGMENTATIONS = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
"""Segmentation and label map segmentation: they hold pixels but are labels, not images."""

STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
"""RT structure set: outlines of regions, no pixels."""

MULTI_FRAME_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


def read_header(path: str) -> Instance:
    """Return what one DICOM file says about itself.

    Raises
    ------
    ReadError
        When it is damaged before its pixels.
    RefusedError
        When the guard refuses it.
    """
    with open_source(path) as file:
        dataset, layout = parse(file, name_of(path), stop_before_pixels=True)
        return instance_of(path, dataset, layout)


def parse(file: BinaryIO, name: str, *, stop_before_pixels: bool) -> tuple[Dataset, guard.Layout]:
    """Check a file and parse its data set.

    Raises
    ------
    ReadError, RefusedError
        As ``read_header``.
    """
    layout = guard.check(file, name)
    file.seek(0)
    try:
        with quiet():
            # The guard has bounded what a deflated data set becomes.
            dataset = pydicom.dcmread(file, force=True, stop_before_pixels=stop_before_pixels)
            mend_charset(dataset)
    except (
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        MemoryError,
        NotImplementedError,
        OSError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
        pydicom.errors.BytesLengthException,
        pydicom.errors.InvalidDicomError,
    ) as error:
        raise ReadError(
            f"{name} is damaged: its header cannot be read; copy it again from its source.", detail=repr(error)
        ) from error
    if len(dataset) == 0:
        raise ReadError(f"{name} holds no DICOM data set.")
    return dataset, layout


def instance_of(path: str, dataset: Dataset, layout: guard.Layout) -> Instance:
    """Return what a parsed file says about itself; raises as ``read_header``."""
    name = name_of(path)
    sop_class = text(dataset, "SOPClassUID") or _meta(dataset, "MediaStorageSOPClassUID")
    image_type = texts(dataset, "ImageType")
    pixels = _pixel_format(dataset, layout)
    if in_archive(path):
        pixels = replace(pixels, offset=-1, raw_dtype="")
    more_pixels = False
    expects_pixels = integer(dataset, "Rows") > 0 and integer(dataset, "Columns") > 0
    frames: tuple[FrameInfo, ...] = ()
    problem = ""
    is_image = expects_pixels and sop_class not in SEGMENTATIONS
    count = 1
    if is_image:
        count = _frame_count(dataset, pixels, layout)
        guard.check_matrix(pixels.rows, pixels.columns, pixels.samples, pixels.bits_allocated, count, layout, name)
        problem = _problem(name, pixels, layout, count)
        more_pixels = _held(pixels, layout) > max(integer(dataset, "NumberOfFrames", 1), 1)
        frames = frame_infos(dataset, count) if _functional(dataset) else _classic_frames(dataset, count)
        if len(frames) == 1 and is_mosaic(dataset):
            mosaic = mosaic_of(dataset, frames[0], pixels.rows, pixels.columns)
            if mosaic is not None:
                pixels, frames = _tiles(mosaic, pixels, frames[0])
    modality = text(dataset, "Modality")
    return Instance(
        path=path,
        sop_class_uid=sop_class,
        sop_instance_uid=text(dataset, "SOPInstanceUID") or _meta(dataset, "MediaStorageSOPInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        study_uid=text(dataset, "StudyInstanceUID"),
        patient_id=text(dataset, "PatientID"),
        patient_name=text(dataset, "PatientName"),
        patient_issuer=text(dataset, "IssuerOfPatientID"),
        patient_birth_date=text(dataset, "PatientBirthDate"),
        modality=modality,
        description=text(dataset, "SeriesDescription"),
        study_description=text(dataset, "StudyDescription"),
        study_date=text(dataset, "StudyDate"),
        body_part=text(dataset, "BodyPartExamined"),
        acquisition=acquisition_of(dataset, modality) if is_image else Acquisition(),
        series_number=_optional_integer(dataset, "SeriesNumber"),
        instance_number=_optional_integer(dataset, "InstanceNumber"),
        frame_of_reference_uid=text(dataset, "FrameOfReferenceUID"),
        transfer_syntax=layout.transfer_syntax,
        image=is_image,
        localiser="LOCALIZER" in image_type,
        mosaic=is_image and pixels.grid == (1, 1) and is_mosaic(dataset),
        pixels=pixels,
        inverted=inverted_of(dataset),
        padding=padding_of(dataset, pixels),
        suv=suv_of(dataset) if is_image else None,
        regions=ultrasound_regions(dataset) if is_image else (),
        patient_orientation=stated_orientation(texts(dataset, "PatientOrientation")),
        frame_rate_hz=frame_rate_of(dataset),
        volume_interval_s=volume_interval_of(dataset),
        overlays=is_image and has_overlays(dataset),
        private_scaling=is_image and private_scaling_of(dataset),
        mended_charset=misspelt_charset(dataset),
        unit=unit_of(dataset, modality, frames, pixels),
        problem=problem,
        more_pixels=more_pixels,
        frames=frames,
    )


def _tiles(mosaic: Mosaic, pixels: PixelFormat, whole: FrameInfo) -> tuple[PixelFormat, tuple[FrameInfo, ...]]:
    """Return every tile of a mosaic as a frame of its own."""
    down, across = mosaic.grid
    pixels = replace(
        pixels, rows=pixels.rows // down, columns=pixels.columns // across, offset=-1, raw_dtype="", grid=mosaic.grid
    )
    positions = enumerate(mosaic.positions_lps_mm)
    return pixels, tuple(replace(whole, number=n, position_lps_mm=position) for n, position in positions)


def _functional(dataset: Dataset) -> bool:
    return any(keyword in dataset for keyword in MULTI_FRAME_GROUPS)


def _meta(dataset: Dataset, keyword: str) -> str:
    return text(dataset.file_meta, keyword) if hasattr(dataset, "file_meta") else ""


def _optional_integer(dataset: Dataset, keyword: str) -> int | None:
    found = number(dataset, keyword)
    return None if found is None or abs(found) > 2**62 else int(found)


def _frame_count(dataset: Dataset, pixels: PixelFormat, layout: guard.Layout) -> int:
    """Return how many images to offer.

    A file that declares one image, holds several whole ones and states no position is a scan of several pages whose count
    is wrong; where positions matter the declared image is the only one that has one.
    """
    declared = integer(dataset, "NumberOfFrames", 0) or len(items(dataset, "PerFrameFunctionalGroupsSequence")) or 1
    if declared == 1 and not numbers(dataset, "ImagePositionPatient"):
        return max(_held(pixels, layout), 1)
    return max(declared, 1)


def _held(pixels: PixelFormat, layout: guard.Layout) -> int:
    """Return how many whole images uncompressed pixel data holds; 0 where that is not known."""
    bits = pixels.rows * pixels.columns * pixels.samples * pixels.bits_allocated
    if layout.transfer_syntax not in NATIVE or layout.fragments or pixels.photometric == "YBR_FULL_422":
        return 0
    return layout.pixel_length * 8 // bits if bits and not layout.missing_bytes else 0


def _pixel_format(dataset: Dataset, layout: guard.Layout) -> PixelFormat:
    allocated = integer(dataset, "BitsAllocated", 16)
    stored = integer(dataset, "BitsStored", allocated)
    if not 1 <= stored <= max(allocated, 1):
        stored = allocated
    pixels = PixelFormat(
        kind=layout.pixel_kind,
        rows=integer(dataset, "Rows"),
        columns=integer(dataset, "Columns"),
        samples=max(integer(dataset, "SamplesPerPixel", 1), 1),
        photometric=text(dataset, "PhotometricInterpretation").upper() or "MONOCHROME2",
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=integer(dataset, "HighBit", stored - 1),
        signed=integer(dataset, "PixelRepresentation") == 1,
        planar=integer(dataset, "PlanarConfiguration"),
        lut=bool(items(dataset, "ModalityLUTSequence")),
    )
    offset, raw = _straight(pixels, layout)
    return replace(pixels, offset=offset, raw_dtype=raw)


def _straight(pixels: PixelFormat, layout: guard.Layout) -> tuple[int, str]:
    """Return offset and dtype of pixels that can be read from the file as they are, else (-1, "")."""
    plain = (
        layout.transfer_syntax in NATIVE
        and layout.inflated is None
        and layout.pixel_kind == "int"
        and not layout.fragments
        and pixels.samples == 1
        and pixels.photometric in ("MONOCHROME1", "MONOCHROME2")
        and pixels.bits_allocated in (8, 16, 32)
        and pixels.high_bit == pixels.bits_stored - 1
        and not pixels.lut
        # 8-bit pixels of a big endian file may be swapped in words; the decoder knows.
        and not (layout.transfer_syntax == guard.BIG_ENDIAN and pixels.bits_allocated == 8)
    )
    if not plain:
        return -1, ""
    order = ">" if layout.transfer_syntax == guard.BIG_ENDIAN else "<"
    return layout.pixel_offset, f"{order}{'i' if pixels.signed else 'u'}{pixels.bits_allocated // 8}"


def _problem(name: str, pixels: PixelFormat, layout: guard.Layout, frames: int) -> str:
    if not layout.pixel_kind:
        return f"{name} has no pixels: it ends early; copy it again from its source."
    expected = (pixels.rows * pixels.columns * pixels.samples * pixels.bits_allocated * frames + 7) // 8
    if pixels.photometric == "YBR_FULL_422":
        expected = expected * 2 // 3
    native_short = layout.transfer_syntax in NATIVE and not layout.fragments and layout.pixel_length < expected - 1
    if layout.missing_bytes or native_short:
        return f"{name} is damaged: its pixels end early; copy it again from its source."
    return ""


def _classic_frames(dataset: Dataset, count: int) -> tuple[FrameInfo, ...]:
    plane = frame_plane(dataset)
    rescale, rescale_type = rescale_of(dataset), text(dataset, "RescaleType").upper()
    signed = integer(dataset, "PixelRepresentation") == 1 or (rescale is not None and rescale.intercept < 0)
    windows, tables = windows_of(dataset), voi_tables_of(dataset, signed=signed)
    keys = _keys(dataset)
    if count == 1:
        return (replace(plane, rescale=rescale, rescale_type=rescale_type, windows=windows, voi_tables=tables, keys=keys),)
    offsets = numbers(dataset, "GridFrameOffsetVector")
    frames = []
    whole = replace(plane, rescale=rescale, rescale_type=rescale_type, windows=windows, voi_tables=tables, keys=keys)
    for index in range(count):
        frame = replace(whole, number=index)
        if len(offsets) == count and plane.position_lps_mm and plane.orientation:
            frame = replace(frame, position_lps_mm=_along_normal(plane, offsets[index] - offsets[0]))
        else:
            # Frames of a classic multi-frame object share one position: that says nothing about each of them.
            frame = replace(frame, position_lps_mm=None)
        frames.append(frame)
    return tuple(frames)


def _along_normal(plane: FrameInfo, distance_mm: float) -> tuple[float, float, float]:
    assert plane.orientation is not None
    assert plane.position_lps_mm is not None
    a, b = plane.orientation[:3], plane.orientation[3:]
    normal = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    x, y, z = (p + distance_mm * n for p, n in zip(plane.position_lps_mm, normal, strict=True))
    return x, y, z


_CLASSIC_KEYS = (
    "TemporalPositionIdentifier",
    "EchoNumbers",
    "EchoTime",
    "InversionTime",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "ImageType",
    "TriggerTime",
    "FrameReferenceTime",
    "NominalCardiacTriggerDelayTime",
    "AcquisitionNumber",
    "AcquisitionTime",
    "AcquisitionDateTime",
    "ContentTime",
)


def _keys(dataset: Dataset) -> tuple[tuple[str, tuple[object, ...]], ...]:
    found: list[tuple[str, tuple[object, ...]]] = []
    for keyword in _CLASSIC_KEYS:
        values: tuple[object, ...] = numbers(dataset, keyword) or texts(dataset, keyword)
        if values:
            found.append((keyword, values))
    return tuple(found)
