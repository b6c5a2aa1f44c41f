"""What 3D Slicer says of a segment beside its name: tags, among them a coded entry of a terminology.

An entry is a text of seven parts with ``~`` between: the terminology, category, type and modifier, the terminology of
places, the place and its modifier; a code is ``scheme^value^meaning`` (Slicer developer guide, "Segmentations").
"""

from __future__ import annotations

from collections.abc import Mapping

from medview.core.segmentation import Code, SegmentStatus

TISSUE = Code("85756007", "SCT", "Tissue")
"""What Slicer calls everything that nobody named."""
STRUCTURE = Code("123037004", "SCT", "Anatomical Structure")
ENTRY = "TerminologyEntry"
STATUS = "Segmentation.Status"
_STATUSES = {
    SegmentStatus.TO_DO: "notstarted",
    SegmentStatus.IN_WORK: "inprogress",
    SegmentStatus.DONE: "completed",
    SegmentStatus.FLAGGED: "flagged",
}


def read_tags(text: str) -> dict[str, str]:
    """Return the tags of ``key:value|key:value|``."""
    pairs = (tag.partition(":") for tag in text.split("|"))
    return {key.strip(): value for key, mark, value in pairs if mark and key.strip()}


def write_tags(tags: Mapping[str, str]) -> str:
    """Return tags as Slicer keeps them; what parts them is taken out of their values."""
    return "".join(f"{key}:{' '.join(value.replace('|', '/').split())}|" for key, value in tags.items())


def read_entry(text: str) -> Code | None:
    """Return the type an entry names; None where that is nothing or any tissue."""
    parts = text.split("~")
    code = _code(parts[2]) if len(parts) > 2 else None
    return None if code is None or code.value == TISSUE.value else code


def write_entry(code: Code | None) -> str:
    """Return the entry of a code."""
    category, kind = (STRUCTURE, code) if code is not None else (TISSUE, TISSUE)
    return (
        f"Segmentation category and type - 3D Slicer General Anatomy list~{_text(category)}~{_text(kind)}~^^"
        "~Anatomic codes - DICOM master list~^^~^^"
    )


def read_status(text: str) -> SegmentStatus:
    """Return how far somebody is with a segment."""
    return next((status for status, word in _STATUSES.items() if word == text), SegmentStatus.IN_WORK)


def write_status(status: SegmentStatus) -> str:
    """Return Slicer's word for it."""
    return _STATUSES[status]


def _code(text: str) -> Code | None:
    scheme, _, rest = text.partition("^")
    value, _, meaning = rest.partition("^")
    return Code(value.strip(), scheme.strip(), meaning.strip()) if scheme.strip() and value.strip() else None


def _text(code: Code) -> str:
    return "^".join(part.replace("^", " ").replace("~", " ") for part in (code.scheme, code.value, code.meaning))
