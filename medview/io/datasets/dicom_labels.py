"""DICOM studies with the segmentations or contours drawn on them, matched by what the files say themselves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.core.study import Series
from medview.io.batches import each_in_batches
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, FoundLabels, ImageRef
from medview.io.datasets.inside import named, short_list
from medview.io.datasets.patients import with_patients
from medview.io.dicom.attributes import items, text
from medview.io.dicom.header import SEGMENTATIONS, parse
from medview.io.dicom.scan import scan
from medview.io.imported_labels import Target
from medview.io.label_files import read_on
from medview.io.reader_pool import Pool
from medview.io.sources import name_of, open_source

FILES_PER_TASK = 8
CONTOURS = frozenset({"1.2.840.10008.5.1.4.1.1.481.3"})
"""RT Structure Set Storage."""


@dataclass(frozen=True, slots=True)
class DicomLabels:
    """A SEG or RTSTRUCT file."""

    path: str

    def read(self, target: Target) -> FoundLabels:
        """Return its segments on the grid of a series. Raises GeometryError, ReadError."""
        found = read_on(self.path, target)
        return FoundLabels(found.geometry, found, notes=found.notes)


@dataclass(frozen=True, slots=True)
class Named:
    """What a file says it was drawn on."""

    series_uids: tuple[str, ...]
    frame_of_reference_uid: str
    images: frozenset[str]


def list_dicom_seg(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List series with their DICOM SEG files. Raises as ``_listed``."""
    return _listed("dicom-seg", SEGMENTATIONS, "SEG", request, context, pool)


def list_rtstruct(request: DatasetRequest, context: JobContext, pool: Pool) -> ForeignDataset:
    """List series with their RTSTRUCT files. Raises as ``_listed``."""
    return _listed("rtstruct", CONTOURS, "RTSTRUCT", request, context, pool)


def _listed(
    form: str, classes: frozenset[str], what: str, request: DatasetRequest, context: JobContext, pool: Pool
) -> ForeignDataset:
    """Return a case for every label file; a series with several of them is several cases.

    Raises
    ------
    ReadError
        When a label file was drawn on none of the series, or is damaged: the sentence names it.
    """
    given = [folder for folder in (request.source, request.images, request.labels) if folder is not None]
    if not given:
        raise ReadError("Name the folder with the studies.")
    # A series that lies in two of the places is one.
    series: dict[str, Series] = {}
    label_paths: list[str] = []
    for folder in given:
        found = scan(folder, context, pool)
        for one in found.series:
            if one.best is not None and one.series_uid not in series:
                series[one.series_uid] = one
            if classes.intersection(one.sop_class_uids):
                label_paths += one.paths
    label_paths = list(dict.fromkeys(label_paths))
    if not label_paths:
        raise ReadError(f"{named(given[0].name)} holds no {what} file; choose another folder.")
    cases: dict[int, ForeignCase] = {}
    alone: list[str] = []
    tasks = [(path,) for path in label_paths]
    for index, outcome in each_in_batches(pool, read_named, tasks, FILES_PER_TASK, context.raise_if_cancelled):
        if not isinstance(outcome, Named):
            raise outcome
        drawn_on = _drawn_on(outcome, list(series.values()))
        if drawn_on is None:
            alone.append(name_of(label_paths[index]))
        else:
            cases[index] = _case(drawn_on, label_paths[index])
    if alone:
        verb = "was" if len(alone) == 1 else "were"
        raise ReadError(f"Nothing was imported: {short_list(sorted(alone))} {verb} drawn on no series of this folder.")
    labelled = {case.images[0].series_uid for case in cases.values()}
    bare = len(series) - len(labelled)
    notes = (f"{bare} series without a {what} were left out.",) if bare else ()
    dataset = ForeignDataset(form, tuple(cases[index] for index in sorted(cases)), notes=notes)
    return with_patients(dataset, request, {case.key: case.images[0].path for case in dataset.cases})


def _case(series: Series, path: str) -> ForeignCase:
    best = series.best
    assert best is not None
    folder = os.path.commonpath([str(Path(file).parent) for file in best.paths])
    # The files of a study may lie in one archive or folder with those of others; its UID tells them apart.
    return ForeignCase(
        f"{series.series_uid}/{name_of(path)}",
        (ImageRef(folder, series_uid=series.series_uid),),
        DicomLabels(path),
        series.patient_id,
    )


def _drawn_on(named_by: Named, series: Sequence[Series]) -> Series | None:
    by_series = [one for one in series if one.series_uid in named_by.series_uids]
    if by_series:
        return by_series[0]
    if named_by.images:
        for one in series:
            if any(named_by.images.intersection(f.sop_instance_uid for f in entry.frames) for entry in one.volumes):
                return one
    if named_by.series_uids or named_by.images or not named_by.frame_of_reference_uid:
        return None
    same_place = [one for one in series if _frame_of(one) == named_by.frame_of_reference_uid]
    return same_place[0] if len(same_place) == 1 else None


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
    images |= {uid for group in items(dataset, "PerFrameFunctionalGroupsSequence") for uid in _source_images(group)}
    frames = [text(one, "FrameOfReferenceUID") for one in items(dataset, "ReferencedFrameOfReferenceSequence")]
    frame = text(dataset, "FrameOfReferenceUID") or next((uid for uid in frames if uid), "")
    uids = tuple(uid for uid in dict.fromkeys(text(group, "SeriesInstanceUID") for group in groups) if uid)
    return Named(uids, frame, frozenset(images - {""}))


def _source_images(group: Dataset) -> list[str]:
    return [
        text(image, "ReferencedSOPInstanceUID")
        for derivation in items(group, "DerivationImageSequence")
        for image in items(derivation, "SourceImageSequence")
    ]
