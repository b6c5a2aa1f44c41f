"""What an RT structure set says, before anybody knows which grid it comes to lie on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from medview.core.segmentation import Code
from medview.core.source import Source, SourceKind
from medview.io.dicom.attributes import first_item, integer, items, numbers, text

FloatArray = npt.NDArray[np.float64]

CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
"""Types of contours that hold an area."""

INTERPRETED_TYPES = frozenset({
    "EXTERNAL", "PTV", "CTV", "GTV", "TREATED_VOLUME", "IRRAD_VOLUME", "BOLUS", "AVOIDANCE", "ORGAN", "MARKER",
    "REGISTRATION", "ISOCENTER", "CONTRAST_AGENT", "CAVITY", "BRACHY_CHANNEL", "BRACHY_ACCESSORY", "BRACHY_SRC_APP",
    "BRACHY_CHNL_SHLD", "SUPPORT", "FIXATION", "DOSE_REGION", "CONTROL", "DOSE_MEASUREMENT",
})  # fmt: skip
"""What a region can be to those who plan a treatment (PS3.3 C.8.8.8); a segment is listed under it."""

_CONTOUR_DATA = Tag(0x3006, 0x0050)
_MODEL = re.compile(r"(?P<model>.+) \(version (?P<version>.+)\)")
_FEWEST_CORNERS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """One contour.

    Attributes
    ----------
    points_lps_mm : ndarray of float64, shape (points, 3)
        Empty where they are no finite numbers in threes.
    images : tuple of str
        SOP instance UIDs of the images it says it was drawn on.
    """

    kind: str
    points_lps_mm: FloatArray
    images: tuple[str, ...] = ()

    @property
    def area(self) -> bool:
        """Whether it can hold an area at all."""
        return self.kind in CLOSED and len(self.points_lps_mm) >= _FEWEST_CORNERS


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One region of interest.

    Attributes
    ----------
    name : str
        Printable; never empty.
    group : str
        Its interpreted type, e.g. ``ORGAN``; empty where the file says none.
    """

    number: int
    name: str
    colour: tuple[int, int, int] | None
    group: str
    code: Code | None
    source: Source
    frame_of_reference_uid: str
    contours: tuple[Contour, ...]


@dataclass(frozen=True, slots=True)
class References:
    """Which images a structure set says it was drawn on.

    Attributes
    ----------
    series, images : frozenset of str
        Series and SOP instance UIDs.
    """

    series: frozenset[str]
    images: frozenset[str]


def references_of(dataset: Dataset) -> References:
    """Return the series and images that are listed for the whole structure set."""
    series: set[str] = set()
    images: set[str] = set()
    for frame in items(dataset, "ReferencedFrameOfReferenceSequence"):
        for study in items(frame, "RTReferencedStudySequence"):
            for one in items(study, "RTReferencedSeriesSequence"):
                series.add(text(one, "SeriesInstanceUID"))
                images.update(_images(one))
    return References(frozenset(series - {""}), frozenset(images - {""}))


def regions_of(dataset: Dataset) -> Iterator[Region]:
    """Yield the regions in their order; those that only have a name or only have contours too."""
    frames = items(dataset, "ReferencedFrameOfReferenceSequence")
    frame = text(frames[0], "FrameOfReferenceUID") if len(frames) == 1 else ""
    frame = frame or text(dataset, "FrameOfReferenceUID")
    named = {integer(item, "ROINumber", -1): item for item in items(dataset, "StructureSetROISequence")}
    drawn: dict[int, list[Dataset]] = {}
    for item in items(dataset, "ROIContourSequence"):
        drawn.setdefault(integer(item, "ReferencedROINumber", -1), []).append(item)
    observed = {integer(item, "ReferencedROINumber", -1): item for item in items(dataset, "RTROIObservationsSequence")}
    for number in dict.fromkeys((*named, *drawn)):
        yield _region(number, named.get(number), drawn.get(number, []), observed.get(number), frame)


def _region(number: int, roi: Dataset | None, drawn: Sequence[Dataset], observed: Dataset | None, frame: str) -> Region:
    roi, observed = (Dataset() if one is None else one for one in (roi, observed))
    group = text(observed, "RTROIInterpretedType").upper()
    return Region(
        number=number,
        name=_printable(text(roi, "ROIName"))[:64] or f"Region {number}",
        colour=next((colour for one in drawn if (colour := _colour(one)) is not None), None),
        group=group if group in INTERPRETED_TYPES else "",
        code=_code(observed),
        source=_made_by(roi),
        frame_of_reference_uid=text(roi, "ReferencedFrameOfReferenceUID") or frame,
        contours=tuple(_contour(item) for one in drawn for item in items(one, "ContourSequence")),
    )


def _contour(item: Dataset) -> Contour:
    values = _values(item)
    whole = values.size % 3 == 0 and bool(np.isfinite(values).all())
    points = values.reshape(-1, 3) if whole else np.zeros((0, 3))
    return Contour(text(item, "ContourGeometricType").upper(), points, tuple(filter(None, _images(item))))


def _values(item: Dataset) -> FloatArray:
    stored = _stored(item.get_item(_CONTOUR_DATA))
    # Most of a structure set is these numbers.
    try:
        return np.asarray(stored.rstrip(b"\x00 ").split(b"\\")).astype(np.float64)
    except ValueError:
        return np.asarray(numbers(item, "ContourData"), dtype=np.float64)


def _stored(raw: DataElement | RawDataElement | None) -> bytes:
    return raw.value if isinstance(raw, RawDataElement) and isinstance(raw.value, bytes) else b""


def _images(item: Dataset) -> list[str]:
    return [text(image, "ReferencedSOPInstanceUID") for image in items(item, "ContourImageSequence")]


def _colour(drawn: Dataset) -> tuple[int, int, int] | None:
    found = numbers(drawn, "ROIDisplayColor")
    if len(found) != 3 or not all(0 <= n <= 255 for n in found):
        return None
    red, green, blue = (int(n) for n in found)
    return red, green, blue


def _code(observed: Dataset) -> Code | None:
    named = first_item(observed, "RTROIIdentificationCodeSequence")
    if named is None or not text(named, "CodeValue") or not text(named, "CodingSchemeDesignator"):
        return None
    return Code(text(named, "CodeValue"), text(named, "CodingSchemeDesignator"), _printable(text(named, "CodeMeaning")))


def _made_by(roi: Dataset) -> Source:
    kind = text(roi, "ROIGenerationAlgorithm").upper()
    described = _printable(text(roi, "ROIGenerationDescription"))
    if kind not in ("AUTOMATIC", "SEMIAUTOMATIC") or not described:
        return Source(SourceKind.IMPORT)
    found = _MODEL.fullmatch(described)
    model, version = (found["model"], found["version"]) if found else (described, "")
    return Source(SourceKind.MODEL, model_id=model, model_version=version, corrected=kind == "SEMIAUTOMATIC")


def _printable(words: str) -> str:
    return "".join(c if c.isprintable() else " " for c in words).strip()
