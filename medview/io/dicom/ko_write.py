"""Key images to a DICOM Key Object Selection document (TID 2010): a list of images any archive can show."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import highdicom
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

import medview
from medview.core.atomic import replacing
from medview.core.errors import GeometryError, MedViewError, WriteError
from medview.core.geometry import Geometry
from medview.core.study import Frame
from medview.io.dicom.attributes import items, quiet, text
from medview.io.dicom.header import parse
from medview.io.dicom.repeated import left_out_sentence
from medview.io.dicom.source_images import SourceImages
from medview.io.dicom.sr_groups import observers

RESEARCH_USE = "Research use. Not a medical device."
SERIES_NUMBER = 902
"""Far from what scanners use."""

_UNWRITABLE = (ValueError, TypeError, AttributeError, KeyError)

log = logging.getLogger("medview.io.dicom.ko")


@dataclass(frozen=True, slots=True, eq=False)
class KeySlices:
    """What is to be pointed at.

    Attributes
    ----------
    slices : tuple of int
        Acquired slices, counted through all time points.
    notes : tuple of str
        What was said about each, as many as ``slices``; empty where nothing was.
    frames : tuple of Frame
        One per slice k of the grid; those of all time points one after the other, where there are several.
    reader : str
        Who chose them; may be empty.
    """

    geometry: Geometry
    frames: tuple[Frame, ...]
    slices: tuple[int, ...]
    notes: tuple[str, ...]
    reader: str = ""


def write_ko(path: Path, keys: KeySlices) -> tuple[str, ...]:
    """Write a selection of images, whole or not at all.

    Returns
    -------
    tuple of str
        Sentences for the person: which images it cannot point at, which invalid attributes were not repeated.

    Raises
    ------
    GeometryError
        When the series is no DICOM, or its images are not those that were marked.
    WriteError, DiskFullError
        When there is nothing to write or it cannot be written.
    ReadError
        When a source image cannot be read.
    """
    if not any(frame.sop_instance_uid for frame in keys.frames):
        raise GeometryError(f"{path.name} was not written: it points at DICOM images; save the key images as PNG instead.")
    images = SourceImages(path, keys.geometry, keys.frames, "key images were marked")
    chosen: dict[str, tuple[Dataset, list[int]]] = {}
    said, homeless = [], 0
    for k, note in sorted(zip(keys.slices, keys.notes, strict=True)):
        image = images.image(k)
        if image is None or not images.alone(k):
            homeless += 1
            continue
        dataset, frame = image
        chosen.setdefault(str(dataset.SOPInstanceUID), (dataset, []))[1].extend([frame] if frame else [])
        said += [f"{_named(keys, k)}: {note}"] if note else []
    notes = _notes(homeless)
    if not chosen:
        raise WriteError(f"{path.name} was not written: {' '.join(notes) or 'no acquired image is marked.'}")
    document = _document(path, list(chosen.values()), said, keys.reader)
    with replacing(path) as file, quiet():
        document.save_as(file)
        _compare(path, file, {uid: frames for uid, (_, frames) in chosen.items()})
    if images.left_out:
        # Keywords only: the values may name the patient.
        log.warning("key images were written without %s: invalid in their source", ", ".join(sorted(images.left_out)))
        notes = (*notes, left_out_sentence(images.left_out))
    return notes


def references(dataset: Dataset) -> dict[str, list[int]]:
    """Return the images a key object document points at: SOP instance UID and frames from 1 (none: the whole object)."""
    found: dict[str, list[int]] = {}
    for item in items(dataset, "ContentSequence"):
        for reference in items(item, "ReferencedSOPSequence") if text(item, "ValueType") == "IMAGE" else ():
            numbers = reference.get("ReferencedFrameNumber")
            several = numbers if isinstance(numbers, Sequence) and not isinstance(numbers, str) else [numbers]
            frames = [int(number) for number in several if number is not None]
            found.setdefault(text(reference, "ReferencedSOPInstanceUID"), []).extend(frames)
    return found


def _document(path: Path, chosen: Sequence[tuple[Dataset, list[int]]], said: Sequence[str], reader: str) -> Dataset:
    try:
        with quiet():
            person, device = observers(reader)
            content = highdicom.ko.KeyObjectSelection(
                document_title=codes.DCM.OfInterest,
                referenced_objects=[dataset for dataset, _ in chosen],
                observer_person_context=person,
                observer_device_context=device,
                description="\n".join((RESEARCH_USE, *said)),
            )
            pointing = [item for item in content[0].ContentSequence if item.ValueType == "IMAGE"]
            for item, (_, frames) in zip(pointing, chosen, strict=True):
                if frames:
                    item.ReferencedSOPSequence[0].ReferencedFrameNumber = frames if len(frames) > 1 else frames[0]
            document = highdicom.ko.KeyObjectSelectionDocument(
                evidence=[dataset for dataset, _ in chosen],
                content=content,
                series_instance_uid=generate_uid(prefix=None),
                series_number=SERIES_NUMBER,
                sop_instance_uid=generate_uid(prefix=None),
                instance_number=1,
                manufacturer="MedView",
                manufacturer_model_name="MedView",
                device_serial_number="0",
                software_versions=medview.__version__,
            )
    except _UNWRITABLE as error:
        raise WriteError(
            f"{path.name} was not written: the source images lack what it must repeat; save the key images as PNG instead.",
            detail=f"{type(error).__name__}: {error}"[:300],
        ) from error
    document.SeriesDescription = f"MedView key images. {RESEARCH_USE}"[:64]
    document.preamble = b"\x00" * 128
    return cast(Dataset, document)


def _compare(path: Path, file: BinaryIO, wanted: dict[str, list[int]]) -> None:
    """Raise WriteError unless the file points at what it was to point at."""
    wrong = WriteError(f"{path.name} was not written: it did not read back the same; save the key images as PNG instead.")
    file.flush()
    file.seek(0)
    try:
        dataset, _ = parse(file, path.name, stop_before_pixels=False)
        back = references(dataset)
    except MedViewError as error:
        raise wrong from error
    finally:
        file.seek(0, 2)
    if back != wanted:
        log.error("key images did not read back the same: %d of %d", len(back), len(wanted))
        raise wrong


def _named(keys: KeySlices, at: int) -> str:
    time_index, k = divmod(at, keys.geometry.shape_kji[0])
    return f"Slice {k + 1}, time {time_index + 1}" if len(keys.frames) > keys.geometry.shape_kji[0] else f"Slice {k + 1}"


def _notes(homeless: int) -> tuple[str, ...]:
    if not homeless:
        return ()
    few = "1 key image shares its" if homeless == 1 else f"{homeless} key images share their"
    return (f"{few} image in the files with other slices and cannot be pointed at alone.",)
