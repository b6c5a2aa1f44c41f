"""What a written object repeats of its source images, cleaned of values the standard does not allow."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from decimal import InvalidOperation

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import DA, TM, validate_value

from medview.core.errors import WriteError
from medview.io.dicom.attributes import items, text

REQUIRED = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName",
)  # fmt: skip
"""What every object repeats of its source; the standard allows it to be empty."""

_MAY_BE_EMPTY = frozenset(REQUIRED) | {
    "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID",
    "ClinicalTrialSiteName",
    "ClinicalTrialTimePointID",
}

_PATIENT_GROUPS = frozenset({0x0010, 0x0012, 0x0038})
_STUDY_TAGS = frozenset(
    {
        0x00080020, 0x00080030, 0x00080050, 0x00080051, 0x00080090, 0x00080096, 0x0008009C, 0x0008009D, 0x00081030,
        0x00081032, 0x00081048, 0x00081049, 0x00081060, 0x00081062, 0x00081080, 0x00081084, 0x00081110, 0x00081120,
        0x00200010, 0x00321033, 0x00321034, 0x00321066, 0x00321067, 0x00401012, 0x00400512, 0x00400513, 0x00400515,
        0x00400518, 0x0040051A, 0x00400520, 0x00400560,
    }
)  # fmt: skip
"""Attributes of patient, study and specimen outside the patient's groups (PS3.3 C.7.1, C.7.2, C.7.6.22)."""
_SPECIMENS = 0x0040
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
_LINE_ENDS = dict.fromkeys(("LT", "ST", "UT"), "\r\n\x0c\t")
_ALLOWED: dict[str, tuple[object, ...]] = {
    "PatientSex": ("M", "F", "O"),
    "PatientSexNeutered": ("ALTERED", "UNALTERED"),
    "PregnancyStatus": (1, 2, 3, 4),
    "SmokingStatus": ("YES", "NO", "UNKNOWN"),
    "PatientIdentityRemoved": ("YES", "NO"),
    "QualityControlSubject": ("YES", "NO"),
}
_PERSON_NAME_GROUP = 64
_UNREADABLE = (ValueError, TypeError, OverflowError, AttributeError, KeyError, NotImplementedError, InvalidOperation)


def complete_repeated(dataset: Dataset) -> None:
    """Give a source what a written object has to repeat of it; de-identified files often lack it."""
    for keyword in REQUIRED:
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    if "DeidentificationMethodCodeSequence" in dataset and not items(dataset, "DeidentificationMethodCodeSequence"):
        del dataset.DeidentificationMethodCodeSequence
    told = text(dataset, "DeidentificationMethod") or "DeidentificationMethodCodeSequence" in dataset
    if text(dataset, "PatientIdentityRemoved") == "YES" and not told:
        # That it was done is worth repeating; the standard wants a word on how, which only the source could have given.
        dataset.DeidentificationMethod = "Not stated by the source images"


def clean_repeated(dataset: Dataset) -> tuple[str, ...]:
    """Take invalid values of patient and study out of a source data set and let its texts be written as UTF-8.

    Returns
    -------
    tuple of str
        Keywords of what was emptied or left out; no values.

    Raises
    ------
    WriteError
        When a UID that has to be repeated breaks the standard.
    """
    for keyword in _UIDS:
        if text(dataset, keyword) and not pydicom.uid.UID(text(dataset, keyword)).is_valid:
            raise WriteError(
                f"The DICOM file was not written: the {keyword} of the source images is invalid; export NIfTI instead."
            )
    wrong = [tag for tag in list(dataset.keys()) if _repeated(tag) and not _valid_at(dataset, tag)]
    keywords = tuple(pydicom.datadict.keyword_for_tag(tag) or str(tag) for tag in wrong)
    for tag, keyword in zip(wrong, keywords, strict=True):
        del dataset[tag]
        if keyword in _MAY_BE_EMPTY:
            setattr(dataset, keyword, "")
    # Every text was decoded by the check; UTF-8 holds them all, and the names of segments in any language too.
    dataset.SpecificCharacterSet = "ISO_IR 192"
    return keywords


def repeat(source: Dataset, target: Dataset) -> None:
    """Give a written object the patient and study of a source that was cleaned and completed; nothing of its specimens."""
    target.SpecificCharacterSet = source.SpecificCharacterSet
    for tag in list(source.keys()):
        if _repeated(tag) and tag.group != _SPECIMENS:
            target[tag] = source[tag]


def stand_in(dataset: Dataset, pseudonym: str) -> None:
    """Put a pseudonym in place of all that a source says about patient and study; what points at its images stays.

    Without the UIDs of study, series, frame of reference and images nothing could be found again on them. This is no full
    de-identification of what the images themselves hold.
    """
    for tag in list(dataset.keys()):
        if _repeated(tag):
            del dataset[tag]
    for keyword in REQUIRED:
        setattr(dataset, keyword, "")
    dataset.PatientName = dataset.PatientID = pseudonym


def person_name(name: str) -> str:
    """Return a name as one value of a DICOM person name: without what separates its parts or ends it."""
    return " ".join("".join(c if c.isprintable() and c not in "\\=^" else " " for c in name).split())[:_PERSON_NAME_GROUP]


def left_out_sentence(keywords: Iterable[str]) -> str:
    """Return what the person is told about attributes that were not repeated."""
    named = ", ".join(sorted(set(keywords)))
    return f"Left out because the source images hold values the standard does not allow: {named}."


def _repeated(tag: BaseTag) -> bool:
    return not tag.is_private and (tag.group in _PATIENT_GROUPS or int(tag) in _STUDY_TAGS)


def _valid_at(dataset: Dataset, tag: BaseTag) -> bool:
    try:
        element = dataset[tag]
        if element.VR == "SQ":
            return all(_valid_at(item, inner) for item in element.value for inner in list(item.keys()))
        return _valid(element)
    except _UNREADABLE:
        return False


def _valid(element: DataElement) -> bool:
    """Whether a value has the form its VR asks for; raises what the checks of pydicom raise when it has not."""
    values = element.value if isinstance(element.value, MultiValue | list) else [element.value]
    for value in values:
        if value is None or value == "":
            continue
        if value not in _ALLOWED.get(element.keyword, (value,)):
            return False
        if isinstance(value, bytes):
            return element.VR in ("OB", "UN", "OW")
        written = str(value)
        if any(unicodedata.category(c) == "Cc" and c not in _LINE_ENDS.get(element.VR, "") for c in written):
            return False
        if "\ufffd" in written:
            return False
        if element.VR == "PN" and any(len(group) > _PERSON_NAME_GROUP for group in written.split("=")):
            return False
        validate_value(element.VR, value if element.VR not in ("DS", "IS") else written, pydicom.config.RAISE)
        if element.VR == "DA":
            DA(value)
        elif element.VR == "TM":
            TM(value)
    return True
