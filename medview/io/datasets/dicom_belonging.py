"""Which series a DICOM SEG or RTSTRUCT was drawn on, by what the file says itself, and why none where it is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pydicom.dataset import Dataset

from medview.core.errors import MedViewError
from medview.core.geometry import Geometry
from medview.core.study import Series
from medview.io.datasets.foreign import KnownImages
from medview.io.datasets.inside import short_list
from medview.io.dicom.attributes import integer, items, numbers, text
from medview.io.dicom.header import STRUCTURE_SET, parse
from medview.io.dicom.rtstruct import read_rtstruct
from medview.io.dicom.seg_place import source_images
from medview.io.dicom.seg_read import holds_probabilities, lies_on
from medview.io.imported_labels import Target
from medview.io.sources import name_of, open_source


@dataclass(frozen=True, slots=True)
class Named:
    """What a file says it was drawn on.

    Attributes
    ----------
    slide : bool
        It was made on a microscope slide.
    fractional : bool
        It holds probabilities between nothing and all.
    """

    series_uids: tuple[str, ...]
    frame_of_reference_uid: str
    images: frozenset[str]
    study_uid: str = ""
    slide: bool = False
    fractional: bool = False

    @property
    def says_which(self) -> bool:
        """Whether it names a series or an image at all."""
        return bool(self.series_uids or self.images)


class Apart(Enum):
    """Why a file belongs to no series; each is how a sentence goes on after the names of one file and of several."""

    ABSENT = ("was drawn on images that are not here", "were drawn on images that are not here")
    OFF_GRID = (
        "lies in the frame of reference of images here, and on the slices of none of them",
        "lie in the frame of reference of images here, and on the slices of none of them",
    )
    SEVERAL = ("fits several series here and names none of them", "fit several series here and name none of them")
    UNSAID = ("does not say which images it was drawn on", "do not say which images they were drawn on")
    SLIDE = (
        "was made on a microscope slide, which MedView does not read",
        "were made on microscope slides, which MedView does not read",
    )


@dataclass(frozen=True, slots=True)
class Belongs:
    """The series of a file.

    Attributes
    ----------
    by_place : bool
        It names others of the same frame of reference that are not here, or none.
    """

    series: Series
    by_place: bool = False


FitsOn = Callable[[Sequence[Series]], Sequence[int]]
"""Says of each of some series how far a file lies on its grid: 0 not at all, 1 in part, 2 all that is drawn."""


def named_series(named: Named, series: Sequence[Series]) -> Series | None:
    """Return the series a file names, or whose images it names; None where that is not among these."""
    for one in series:
        if one.series_uid in named.series_uids:
            return one
    if named.images:
        for one in series:
            if any(named.images.intersection(f.sop_instance_uid for f in entry.frames) for entry in one.volumes):
                return one
    return None


def belongs_to(named: Named, series: Sequence[Series], fits: FitsOn) -> Belongs | Apart:
    """Return the series a file was drawn on: the one it names, or whose images it names, or on whose grid it lies.

    Parameters
    ----------
    fits : callable
        Asked only where the file names nothing that is among these. What it raises is raised.
    """
    if named.slide:
        return Apart.SLIDE
    exactly = named_series(named, series)
    if exactly is not None:
        return Belongs(exactly)
    near = [one for one in series if _same_place(named, one.study_uid, _frame_of(one))]
    fit = fits(near) if near else ()
    fitting = [one for one, far in zip(near, fit, strict=True) if far and far == max(fit)]
    if len(fitting) == 1:
        return Belongs(fitting[0], by_place=True)
    if fitting and not named.says_which:
        return Apart.SEVERAL
    if near and not fitting:
        return Apart.OFF_GRID
    return Apart.ABSENT if named.says_which or named.frame_of_reference_uid else Apart.UNSAID


def may_know(named: Named, known: KnownImages) -> bool:
    """Whether a file may have been drawn on a series that is a case already."""
    return (
        known.series_uid in named.series_uids
        or not named.images.isdisjoint(known.sop_instance_uids)
        or _same_place(named, known.study_uid, known.frame_of_reference_uid)
    )


def told_apart(apart: Iterable[tuple[str, Apart]]) -> str:
    """Return why files belong to no series, as part of a sentence; those of one reason together."""
    by_reason: dict[Apart, list[str]] = {}
    for name, reason in apart:
        by_reason.setdefault(reason, []).append(name)
    return "; ".join(f"{short_list(sorted(names))} {reason.value[len(names) > 1]}" for reason, names in by_reason.items())


def _same_place(named: Named, study_uid: str, frame: str) -> bool:
    if not named.frame_of_reference_uid or named.frame_of_reference_uid != frame:
        return False
    return not (named.study_uid and study_uid) or named.study_uid == study_uid


def _frame_of(series: Series) -> str:
    best = series.best
    return best.geometry.frame_of_reference_uid if best is not None and best.geometry is not None else ""


def read_named(path: str) -> Named:
    """Return what a SEG or RTSTRUCT says it was drawn on. Raises ReadError, RefusedError."""
    with open_source(path) as file:
        dataset, _ = parse(file, name_of(path), stop_before_pixels=True)
    groups = [
        *items(dataset, "ReferencedSeriesSequence"),
        *(
            series
            for frame in items(dataset, "ReferencedFrameOfReferenceSequence")
            for study in items(frame, "RTReferencedStudySequence")
            for series in items(study, "RTReferencedSeriesSequence")
        ),
    ]
    images = {
        text(image, "ReferencedSOPInstanceUID")
        for group in groups
        for keyword in ("ReferencedInstanceSequence", "ContourImageSequence")
        for image in items(group, keyword)
    }
    images |= {uid for group in items(dataset, "PerFrameFunctionalGroupsSequence") for uid, _ in source_images(group)}
    frames = [text(one, "FrameOfReferenceUID") for one in items(dataset, "ReferencedFrameOfReferenceSequence")]
    frame = text(dataset, "FrameOfReferenceUID") or next((uid for uid in frames if uid), "")
    uids = tuple(uid for uid in dict.fromkeys(text(group, "SeriesInstanceUID") for group in groups) if uid)
    return Named(
        uids,
        frame,
        frozenset(images - {""}),
        text(dataset, "StudyInstanceUID"),
        slide=_on_slide(dataset),
        fractional=text(dataset, "SegmentationType").upper() == "FRACTIONAL" and holds_probabilities(path),
    )


def _on_slide(dataset: Dataset) -> bool:
    return bool(integer(dataset, "TotalPixelMatrixRows") or numbers(dataset, "ImageOrientationSlide"))


def fits_on(path: str, sop_class_uid: str, grids: Sequence[tuple[Geometry, str]]) -> tuple[int, ...]:
    """Return how far a file lies on the slices of each of some series, as ``FitsOn`` counts. Raises ReadError.

    Parameters
    ----------
    grids : sequence of (Geometry, str)
        The grid of each series, and the UID of its study.
    """
    if sop_class_uid != STRUCTURE_SET:
        return tuple(2 * fits for fits in lies_on(path, [geometry for geometry, _ in grids]))
    return tuple(_contours_on(path, Target(geometry, study_uid=study)) for geometry, study in grids)


def _contours_on(path: str, target: Target) -> int:
    try:
        return 1 if read_rtstruct(Path(path), target).left_out else 2
    except MedViewError:
        return 0
