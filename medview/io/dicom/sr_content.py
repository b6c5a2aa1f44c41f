"""The content tree of a structured report: its findings with what is drawn and stated in each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from medview.io.dicom.attributes import first_item, items, number, numbers, text
from medview.io.dicom.sr_codes import FINDING, IMAGING_MEASUREMENTS, LABEL, MEASUREMENT_GROUP, Stated, current, named

FloatArray = npt.NDArray[np.float64]
CodePair = tuple[str, str]

MAX_FINDINGS = 5000
"""More is no report a person reads."""

DRAWN = ("SCOORD", "SCOORD3D")

_GROUP: CodePair = (MEASUREMENT_GROUP.value, "DCM")
_MEASUREMENTS: CodePair = (IMAGING_MEASUREMENTS.value, "DCM")
_FINDING: CodePair = (FINDING.value, "DCM")
_LABEL: CodePair = (LABEL.value, LABEL.scheme_designator)
_TRACKING_TEXT: CodePair = ("112039", "DCM")
_TRACKING_UID: CodePair = ("112040", "DCM")
_DERIVATION: CodePair = ("121401", "DCM")
_SITES: frozenset[CodePair] = frozenset({("363698007", "SCT"), ("G-C0E3", "SRT")})

_JUDGED = frozenset({"CODE", "TEXT"})
_NO_JUDGEMENT: frozenset[CodePair | None] = frozenset({("276214006", "SCT"), ("G-C0E3", "SRT"), ("M-54000", "SRT")})
"""The category of a finding, which its name makes plain."""
_LONGEST_WORDS = 60

_OWN_TRACKING = re.compile(r"MedView (\w+) (\S{1,64})")


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """One graphic.

    Attributes
    ----------
    shape : str
        GraphicType: ``POINT``, ``POLYLINE``, ``ELLIPSE`` ...
    points : ndarray of float64, shape (points, 2) or (points, 3)
        Column and row, (0, 0) being the outer corner of the first pixel; or LPS millimetres.
    image : tuple of (str, tuple of int)
        SOP instance UID and frame numbers from 1 (none: the whole object); empty for LPS millimetres.
    frame_of_reference_uid : str
        For LPS millimetres.
    measures : CodePair or None
        What the number measures that was taken from this graphic.
    """

    shape: str
    points: FloatArray
    image: tuple[str, tuple[int, ...]] = ("", ())
    frame_of_reference_uid: str = ""
    measures: CodePair | None = None

    @property
    def in_patient(self) -> bool:
        """Whether the points are in the patient and not on an image."""
        return bool(self.points.shape[1] == 3)

    @property
    def closed(self) -> bool:
        """Whether the last point is the first one."""
        return len(self.points) > 1 and bool(np.array_equal(self.points[0], self.points[-1]))

    @property
    def place(self) -> object:
        """Equal for the same graphic on the same image."""
        return (self.shape, self.image, self.frame_of_reference_uid, self.points.shape, self.points.tobytes())


@dataclass(slots=True)
class ReportFinding:
    """One measurement group, or what stands for one in other reports.

    Attributes
    ----------
    number : int
        Position in the report, from 1.
    label : str
        What the report calls it; empty where it says nothing.
    kind, annotation_id : str
        What MedView wrote as its tracking identifier; empty in the reports of others.
    unclear : int
        Graphics whose points are no numbers or whose image is not named.
    segmented : bool
        It points at a segmentation.
    unsaid : list of str
        Numbers that are none MedView measures, and what else was judged, as ``Volume 12.5 ml``.
    """

    number: int
    label: str = ""
    kind: str = ""
    annotation_id: str = ""
    tracking_uid: str = ""
    drawings: dict[object, Drawing] = field(default_factory=dict)
    stated: list[Stated] = field(default_factory=list)
    unclear: int = 0
    segmented: bool = False
    unsaid: list[str] = field(default_factory=list)


def findings_of(dataset: Dataset) -> list[ReportFinding]:
    """Return what a report found, in its order; at most ``MAX_FINDINGS`` and one that tells that there are more."""
    found: list[ReportFinding] = []
    for item in _finding_items(dataset):
        if len(found) > MAX_FINDINGS:
            break
        found.append(_finding(len(found) + 1, item, dataset))
    return found


def _finding_items(dataset: Dataset) -> Iterator[Dataset]:
    """Yield measurement groups; elsewhere whatever something is drawn in, and the measurements' numbers without a group."""
    waiting = [(dataset, False)]
    while waiting:
        item, measuring = waiting.pop()
        children = items(item, "ContentSequence")
        drawn_in = any(text(child, "ValueType") in DRAWN for child in children)
        lone_number = measuring and text(item, "ValueType") == "NUM"
        if concept_of(item) == _GROUP or drawn_in or lone_number:
            yield item
        else:
            inside = concept_of(item) == _MEASUREMENTS
            waiting += [(child, inside) for child in reversed(children)]


def _finding(position: int, group: Dataset, root: Dataset) -> ReportFinding:
    found = ReportFinding(position)
    sites: list[str] = []
    own_label = ""
    for child in items(group, "ContentSequence"):
        concept, kind = concept_of(child), text(child, "ValueType")
        if concept == _FINDING:
            found.label = found.label or _meaning(child) or text(child, "TextValue")
        elif concept == _LABEL and kind == "TEXT":
            own_label = text(child, "TextValue")
        elif concept == _TRACKING_TEXT:
            if (match := _OWN_TRACKING.fullmatch(text(child, "TextValue"))) is not None:
                found.kind, found.annotation_id = match.groups()
        elif concept == _TRACKING_UID:
            found.tracking_uid = text(child, "UID")
        elif concept in _SITES:
            sites.append(_meaning(child))
        elif text(child, "RelationshipType") == "CONTAINS" and kind in _JUDGED and concept not in _NO_JUDGEMENT:
            found.unsaid.append(_judgement(child))
    if found.kind:
        # What MedView wrote beside a figure is made of the figure again.
        found.unsaid.clear()
    found.label = own_label or found.label or ", ".join(filter(None, sites)) or _name_without_group(group)
    _gather(found, group, root, None)
    return found


def _name_without_group(item: Dataset) -> str:
    """A number or graphic outside any group is called what it measures."""
    return (
        "" if concept_of(item) == _GROUP else text(first_item(item, "ConceptNameCodeSequence") or Dataset(), "CodeMeaning")
    )


def _gather(found: ReportFinding, item: Dataset, root: Dataset, measures: CodePair | None) -> None:
    """Collect graphics and numbers of an item and everything below it."""
    kind = text(item, "ValueType")
    if kind == "NUM":
        measures = current(*(concept_of(item) or ("", "")))
        stated = _stated(item)
        if stated is not None:
            found.stated.append(stated)
        elif (said := _number_words(item)) and not found.kind:
            found.unsaid.append(said)
    elif kind in DRAWN:
        drawing = _drawing(item, root, measures)
        if drawing is None:
            found.unclear += 1
        else:
            # Several numbers may be taken from one graphic; it is shown once.
            found.drawings.setdefault(drawing.place, drawing)
    elif kind == "IMAGE" and numbers(first_item(item, "ReferencedSOPSequence") or Dataset(), "ReferencedSegmentNumber"):
        found.segmented = True
    for child in items(item, "ContentSequence"):
        _gather(found, child, root, measures)


def _stated(item: Dataset) -> Stated | None:
    measured = first_item(item, "MeasuredValueSequence")
    concept = concept_of(item)
    if measured is None or concept is None:
        return None
    # The text of a decimal number is rounded to 16 characters; the binary one beside it is not.
    value = number(measured, "FloatingPointValue")
    value = number(measured, "NumericValue") if value is None else value
    unit = first_item(measured, "MeasurementUnitsCodeSequence")
    if value is None or unit is None:
        return None
    derivations = [_coded(c) for c in items(item, "ContentSequence") if concept_of(c) == _DERIVATION]
    return named(concept, derivations[0] if derivations else None, text(unit, "CodeValue"), value)


def _number_words(item: Dataset) -> str:
    """Return a number as the report has it; empty where there is none."""
    measured = first_item(item, "MeasuredValueSequence") or Dataset()
    value = number(measured, "NumericValue")
    unit = text(first_item(measured, "MeasurementUnitsCodeSequence") or Dataset(), "CodeValue")
    return f"{_name_of(item)} {value:g} {'' if unit == '1' else unit}".strip() if value is not None else ""


def _judgement(item: Dataset) -> str:
    """Return what was judged by a code or in words."""
    return f"{_name_of(item)}: {(_meaning(item) or text(item, 'TextValue'))[:_LONGEST_WORDS]}"


def _name_of(item: Dataset) -> str:
    return text(first_item(item, "ConceptNameCodeSequence") or Dataset(), "CodeMeaning")[:_LONGEST_WORDS]


def _drawing(item: Dataset, root: Dataset, measures: CodePair | None) -> Drawing | None:
    dimensions = 3 if text(item, "ValueType") == "SCOORD3D" else 2
    graphic = numbers(item, "GraphicData")
    if not graphic or len(graphic) % dimensions or not all(map(math.isfinite, graphic)):
        return None
    points = np.asarray(graphic, dtype=np.float64).reshape(-1, dimensions)
    shape = text(item, "GraphicType").upper()
    if dimensions == 3:
        return Drawing(shape, points, frame_of_reference_uid=_frame_of(item), measures=measures)
    image = next((found for child in items(item, "ContentSequence") if (found := _image(child, root)) is not None), None)
    return Drawing(shape, points, image, measures=measures) if image is not None else None


def _frame_of(item: Dataset) -> str:
    return text(item, "ReferencedFrameOfReferenceUID")


def _image(item: Dataset, root: Dataset) -> tuple[str, tuple[int, ...]] | None:
    path = [int(n) for n in numbers(item, "ReferencedContentItemIdentifier")]
    if path:
        target = _by_path(root, path)
        if target is None:
            return None
        item = target
    reference = first_item(item, "ReferencedSOPSequence")
    if text(item, "ValueType") != "IMAGE" or reference is None:
        return None
    return text(reference, "ReferencedSOPInstanceUID"), tuple(int(n) for n in numbers(reference, "ReferencedFrameNumber"))


def _by_path(root: Dataset, path: list[int]) -> Dataset | None:
    """Return the item a reference by position names; the root counts as 1."""
    item = root
    for position in path[1:]:
        children = items(item, "ContentSequence")
        if not 1 <= position <= len(children):
            return None
        item = children[position - 1]
    return item


def concept_of(item: Dataset) -> CodePair | None:
    """Return value and scheme of the concept name of an item."""
    name = first_item(item, "ConceptNameCodeSequence")
    return (text(name, "CodeValue"), text(name, "CodingSchemeDesignator")) if name is not None else None


def _coded(item: Dataset) -> CodePair:
    code = first_item(item, "ConceptCodeSequence") or Dataset()
    return text(code, "CodeValue"), text(code, "CodingSchemeDesignator")


def _meaning(item: Dataset) -> str:
    return text(first_item(item, "ConceptCodeSequence") or Dataset(), "CodeMeaning")
