"""Structured reports (TID 1500) to measurements on the images that are open.

A graphic on an image goes onto the slice that is that image and frame, a graphic in the patient onto the slice it lies in,
where the frames of reference are the same. What can be shown nowhere is named in the notes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from medview.core.errors import ReadError
from medview.core.geometry import Calibration, Geometry
from medview.core.measurement import Measurement
from medview.core.source import Source, SourceKind
from medview.io.dicom.attributes import items, text
from medview.io.dicom.header import parse, read_header
from medview.io.dicom.pixel_mark import pixel_mark
from medview.io.dicom.sr_codes import Stated
from medview.io.dicom.sr_content import MAX_FINDINGS, ReportFinding, findings_of
from medview.io.dicom.sr_drawn import DRAWN_AS
from medview.io.dicom.sr_figures import POLYLINE, Figure, figures_of
from medview.io.sources import name_of, open_source

FloatArray = npt.NDArray[np.float64]

REPORTS = "1.2.840.10008.5.1.4.1.1.88."
"""SOP classes of structured reports begin with this."""

FLAT_MM = 0.01
"""How far points at an angle to the slices may lie from one plane."""

FLAT_SLICES = 0.05
"""How far points in the patient may stand off their common slice; reports hold single precision, some of them less."""
COARSE_MM = 5.5
"""Above this a ten-thousandth of a voxel is too much to round to."""
EDGE_PX = 1.0
"""How far outside its image a point may lie."""
NAMED_AT_MOST = 8

_ELSEWHERE = "lies on images that are not in this series"
_OTHER_FRAME = "lies in another frame of reference"
_OFF_GRID = "lies outside the slices of this series"
_NOT_FLAT = "lies on no plane"
_OUTSIDE = "lies outside its image"
_ALL_FRAMES = "names an image of several frames and none of them"
_TWINS = "names an image whose identifier several share here"
_NO_DRAWING = "has no drawing"
_SEGMENTED = "is drawn as a segmentation, which is a file of its own"
_NO_SHAPE = "is drawn in a shape MedView does not know"
_TOO_MANY = f"comes after the {MAX_FINDINGS} that are read"
_UNCLEAR = "has a drawing that is damaged or names no image"


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """What a report is read onto: the grid and the image behind every slice; travels to a reader process.

    Attributes
    ----------
    images : tuple of (str, int)
        SOP instance UID and frame number from 0 of every k; those of all time points one after the other.
    """

    geometry: Geometry
    images: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ReadFigure:
    """A measurement and what the report says it measures.

    Attributes
    ----------
    drawn_as : str
        What it is in truth where MedView wrote it as something else, see ``sr_drawn``; empty for measurements.
    """

    measurement: Measurement
    stated: tuple[Stated, ...] = ()
    drawn_as: str = ""


@dataclass(frozen=True, slots=True)
class ImportedReport:
    """Everything of a report that can be shown, and sentences about the rest.

    Attributes
    ----------
    hidden : tuple of (str, str)
        Finding and why it could not be shown.
    series_uids : tuple of str
        Series the report says it was made on.
    pixels_sha256 : str
        Hash of the pixels it was made on (``core.pixel_hash``), where it tells it; empty otherwise.
    drawn_on : Geometry or None
        Where those pixels lay, where it tells it.
    """

    figures: tuple[ReadFigure, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    series_uids: tuple[str, ...] = ()
    pixels_sha256: str = ""
    drawn_on: Geometry | None = None


def is_report(path: str) -> bool:
    """Whether a file is a structured report. Raises ReadError when it is no readable DICOM file."""
    return read_header(path).sop_class_uid.startswith(REPORTS)


def read_sr(path: str, target: ReportTarget) -> ImportedReport:
    """Read a report onto a series.

    Raises
    ------
    ReadError, RefusedError
        When the file is damaged or no structured report.
    """
    name = name_of(path)
    with open_source(path) as file:
        dataset, _ = parse(file, name, stop_before_pixels=True)
    if not text(dataset, "SOPClassUID").startswith(REPORTS):
        raise ReadError(f"{name} is no structured report; choose a DICOM SR file.")
    return report_of(dataset, target)


def report_of(dataset: Dataset, target: ReportTarget) -> ImportedReport:
    """Return what a parsed report holds for a series."""
    pixels, drawn_on = pixel_mark(dataset)
    findings = findings_of(dataset)
    reading = _Reading(target, text(dataset, "SOPInstanceUID"))
    for finding in findings[:MAX_FINDINGS]:
        reading.take(finding)
    notes = list(hidden_notes(reading.hidden))
    if reading.several:
        counted = "1 finding belongs" if reading.several == 1 else f"{reading.several} findings belong"
        notes.append(f"{counted} to several images and can be seen on the first of them.")
    notes += unsaid_notes(reading.unsaid)
    if len(findings) > MAX_FINDINGS:
        notes.append(f"Only the first {MAX_FINDINGS} findings were read.")
    if not findings:
        notes.append("The report holds no findings.")
    return ImportedReport(
        tuple(reading.figures), tuple(reading.hidden), tuple(notes), _series_of(dataset), pixels, drawn_on
    )


def hidden_notes(hidden: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the sentence that lists what could not be shown; none when everything could."""
    if not hidden:
        return ()
    listed = [
        f"{what} {why}" if count == 1 else f"{what} {why} ({count} times)" for (what, why), count in Counter(hidden).items()
    ]
    more = [f"and {len(listed) - NAMED_AT_MOST} more"] if len(listed) > NAMED_AT_MOST else []
    count = "1 finding" if len(hidden) == 1 else f"{len(hidden)} findings"
    return (f"{count} could not be shown: {'; '.join((*listed[:NAMED_AT_MOST], *more))}.",)


def unsaid_notes(unsaid: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the sentence that lists what a report says of findings and no figure shows; none when there is nothing."""
    if not unsaid:
        return ()
    listed = [f"{title}: {words}" for title, words in dict.fromkeys(unsaid)]
    more = [f"and {len(listed) - NAMED_AT_MOST} more"] if len(listed) > NAMED_AT_MOST else []
    return (f"The report also says, which is not kept: {'; '.join((*listed[:NAMED_AT_MOST], *more))}.",)


class _CannotShowError(Exception):
    """Why a figure has no place here."""


@dataclass(slots=True, eq=False)
class _Reading:
    target: ReportTarget
    report_uid: str
    figures: list[ReadFigure] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    several: int = 0
    unsaid: list[tuple[str, str]] = field(default_factory=list)
    _slices: dict[tuple[str, int], int] = field(default_factory=dict)
    _uids: Counter[str] = field(default_factory=Counter)
    _times: Counter[tuple[str, int]] = field(default_factory=Counter)
    _tracked: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for k, image in enumerate(self.target.images):
            self._slices.setdefault(image, k)
            self._uids[image[0]] += 1
            self._times[image] += 1

    def take(self, finding: ReportFinding) -> None:
        """Place what one finding draws, and note what has no place."""
        title = _printable(finding.label)[:40] or f"finding {finding.number}"
        figures, unknown = figures_of(finding)
        self.unsaid += [(title, _printable(words)) for words in finding.unsaid]
        if len(figures) > 1:
            # The numbers of a finding speak of all it draws; with several figures nobody knows which is whose.
            self.unsaid += [(title, f"{one.name} {one.value:g} {one.unit}".rstrip()) for one in finding.stated]
        self.hidden += [(title, _NO_SHAPE)] * unknown + [(title, _UNCLEAR)] * finding.unclear
        if not finding.drawings and not finding.unclear:
            self.hidden.append((title, _SEGMENTED if finding.segmented else _NO_DRAWING))
        for number, figure in enumerate(figures):
            try:
                if len(self.figures) >= MAX_FINDINGS:
                    raise _CannotShowError(_TOO_MANY)
                placed = self._placed(figure, through=POLYLINE in (finding.kind, figure.drawn_as))
            except _CannotShowError as why:
                self.hidden.append((title, str(why)))
                continue
            measurement = _measurement(figure, placed, finding, self._identity(finding, number))
            self.several += len(figure.drawing.image[1]) > 1
            drawn_as = finding.kind if finding.kind in DRAWN_AS and len(figures) == 1 else figure.drawn_as
            stated = tuple(finding.stated) if len(figures) == 1 else ()
            self.figures.append(ReadFigure(measurement, stated, drawn_as))

    def _identity(self, finding: ReportFinding, number: int) -> str:
        """Return the same id whenever the same figure is read, so that it is not taken in twice."""
        if finding.annotation_id:
            return finding.annotation_id
        told = finding.tracking_uid or f"{self.report_uid} {finding.number}"
        # One lesion may be measured several times, on other slices or at other times, under one UID.
        tracked = self._tracked.setdefault(told, [])
        if finding.number not in tracked:
            tracked.append(finding.number)
        if again := tracked.index(finding.number):
            told += f" {again}"
        return hashlib.sha256(f"{told} {number}".encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _placed(self, figure: Figure, *, through: bool) -> _Place:
        """Return where a figure lies; one that goes ``through`` slices need not be flat."""
        return self._in_patient(figure, through=through) if figure.drawing.in_patient else self._on_image(figure)

    def _on_image(self, figure: Figure) -> _Place:
        uid, frames = figure.drawing.image
        if uid not in self._uids:
            raise _CannotShowError(_ELSEWHERE)
        if any(self._times[uid, n - 1] > 1 for n in frames or (1,)):
            raise _CannotShowError(_TWINS)
        if not frames and self._uids[uid] > 1:
            raise _CannotShowError(_ALL_FRAMES)
        # Frames of a report count from 1. Without a number the image has one frame, or this series shows one of it.
        numbers = [n - 1 for n in frames] or [f for u, f in self.target.images if u == uid]
        k = next((self._slices[uid, n] for n in numbers if (uid, n) in self._slices), None)
        if k is None:
            raise _CannotShowError(_ELSEWHERE)
        geometry = self.target.geometry
        # The outer corner of the first pixel is (0, 0) in a report; its centre is index 0 here.
        i, j = figure.points[:, 0] - 0.5, figure.points[:, 1] - 0.5
        _, rows, columns = geometry.shape_kji
        inside = min(i.min(), j.min()) >= -0.5 - EDGE_PX and i.max() <= columns - 0.5 + EDGE_PX
        if not (inside and j.max() <= rows - 0.5 + EDGE_PX):
            raise _CannotShowError(_OUTSIDE)
        # A time point later lies at the same place.
        index = np.stack([np.full_like(i, k % geometry.shape_kji[0]), j, i], axis=1)
        return _Place(geometry.point_lps_mm(index), *self.target.images[k])

    def _in_patient(self, figure: Figure, *, through: bool) -> _Place:
        geometry = self.target.geometry
        frame = geometry.frame_of_reference_uid
        if geometry.calibration is not Calibration.VOLUME or not frame or frame != figure.drawing.frame_of_reference_uid:
            raise _CannotShowError(_OTHER_FRAME)
        # Graphics are single precision, which moves an edge that runs through the centres of voxels off some of them.
        index = np.round(geometry.index_kji(figure.points), 4 if max(geometry.spacing_kji_mm) < COARSE_MM else 5)
        spread = np.ptp(index, axis=0)
        axis = int(np.argmin(spread))
        place = float(index[:, axis].mean())
        shape = np.asarray(geometry.shape_kji)
        inside = np.all(index >= -0.5 - EDGE_PX) and np.all(index <= shape - 0.5 + EDGE_PX)
        if not inside:
            raise _CannotShowError(_OFF_GRID)
        if spread[axis] > FLAT_SLICES:
            # Drawn at an angle to the slices.
            if not through and not _flat(figure.points):
                raise _CannotShowError(_NOT_FLAT)
            return _Place(geometry.point_lps_mm(index))
        index[:, axis] = place
        points = geometry.point_lps_mm(index)
        k = round(place)
        on_image = axis == 0 and 0 <= k < min(shape[0], len(self.target.images))
        return _Place(points, *self.target.images[k]) if on_image else _Place(points)


def _flat(points_lps_mm: FloatArray) -> bool:
    """Whether points lie on one plane."""
    if len(points_lps_mm) <= 3:
        return True
    centred = points_lps_mm - points_lps_mm.mean(axis=0)
    normal = np.linalg.svd(centred, full_matrices=False)[2][2]
    return float(np.abs(centred @ normal).max()) <= FLAT_MM


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    points_lps_mm: FloatArray
    sop_instance_uid: str = ""
    frame_number: int = 0


def _measurement(figure: Figure, place: _Place, finding: ReportFinding, identity: str) -> Measurement:
    points = tuple((float(x), float(y), float(z)) for x, y, z in place.points_lps_mm)
    return Measurement(
        identity,
        figure.kind,
        points,
        _printable(finding.label),
        place.sop_instance_uid,
        place.frame_number,
        Source(SourceKind.IMPORT),
    )


def _printable(words: str) -> str:
    return "".join(c if c.isprintable() else " " for c in words).strip()


def _series_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the series a report lists as its evidence."""
    sequences = ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
    studies = [study for keyword in sequences for study in items(dataset, keyword)]
    series = [text(one, "SeriesInstanceUID") for study in studies for one in items(study, "ReferencedSeriesSequence")]
    return tuple(dict.fromkeys(filter(None, series)))
