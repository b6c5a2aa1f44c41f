"""DICOM studies with the segmentations or contours drawn on them, matched by what the files say themselves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from medview.core.errors import CancelledError, MedViewError, ReadError
from medview.core.job import JobContext
from medview.core.study import Series
from medview.io.batches import each_in_batches
from medview.io.datasets.dicom_belonging import (
    Apart,
    Belongs,
    Named,
    belongs_to,
    fits_on,
    may_know,
    named_series,
    read_named,
    told_apart,
)
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, FoundLabels, ImageRef, LabelSource
from medview.io.datasets.inside import named
from medview.io.datasets.patients import with_patients
from medview.io.dicom.header import SEGMENTATIONS, STRUCTURE_SET
from medview.io.dicom.scan import scan
from medview.io.imported_labels import Target
from medview.io.label_files import read_on
from medview.io.reader_pool import FILE_TIMEOUT_S, Pool
from medview.io.sources import name_of

FILES_PER_TASK = 8
CONTOURS = frozenset({STRUCTURE_SET})


@dataclass(frozen=True, slots=True)
class DicomLabels:
    """A SEG or RTSTRUCT file on the series it names."""

    path: str

    def read(self, target: Target) -> FoundLabels:
        """Return its segments on the grid of a series. Raises GeometryError, ReadError."""
        return _found(self.path, target)


@dataclass(frozen=True, slots=True)
class PlacedDicomLabels:
    """A SEG or RTSTRUCT file that needs more said than its name.

    Attributes
    ----------
    by_place : bool
        It goes onto a series it does not name, on whose grid it lies.
    threshold : float or None
        From which probability a voxel belongs.
    """

    path: str
    by_place: bool = False
    threshold: float | None = None

    def read(self, target: Target) -> FoundLabels:
        """Return its segments on the grid of a series. Raises GeometryError, ReadError."""
        return _found(self.path, replace(target, by_place=self.by_place), self.threshold)


def _found(path: str, target: Target, threshold: float | None = None) -> FoundLabels:
    found = read_on(path, target, threshold)
    return FoundLabels(found.geometry, found, notes=found.notes)


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
    notes: list[str] = []
    files = _named(label_paths, request, notes, context, pool)
    here = list(series.values())
    # A case that a file names comes before another series on whose slices it lies as well.
    lacking = [said for said in files.values() if not said.slide and named_series(said, here) is None]
    every = [*here, *(one for one in _known(request, lacking, context, pool) if one.series_uid not in series)]
    drawn_on: dict[str, Belongs | Apart] = {}
    for path, said in files.items():
        try:
            drawn_on[path] = belongs_to(said, every, partial(_fits, path, classes, pool))
        except MedViewError as error:
            if not request.leave_out or isinstance(error, CancelledError):
                raise
            notes.append(f"Left out: {error.sentence}")
    apart = [(name_of(path), why) for path, why in drawn_on.items() if isinstance(why, Apart)]
    cases = [
        _case(found_on, path, files[path], request) for path, found_on in drawn_on.items() if isinstance(found_on, Belongs)
    ]
    if apart and not (request.leave_out and cases):
        hint = " Add the folder of their images, or leave such files out (--leave-out)." if cases else ""
        raise ReadError(f"Nothing was imported: {told_apart(apart)}.{hint}")
    if apart:
        notes.append(f"Left out: {told_apart(apart)}.")
    if not cases:
        raise ReadError(notes[0])
    labelled = {case.images[0].series_uid for case in cases}
    bare = len(series.keys() - labelled)
    if bare:
        notes.append(f"{bare} series without a {what} were left out.")
    dataset = ForeignDataset(form, tuple(cases), notes=tuple(notes))
    return with_patients(dataset, request, {case.key: case.images[0].path for case in dataset.cases})


def _named(
    paths: Sequence[str], request: DatasetRequest, notes: list[str], context: JobContext, pool: Pool
) -> dict[str, Named]:
    """Return what every file says it was drawn on, in the order of ``paths``."""
    said: dict[int, Named] = {}
    tasks = [(path,) for path in paths]
    for index, outcome in each_in_batches(pool, read_named, tasks, FILES_PER_TASK, context.raise_if_cancelled):
        if isinstance(outcome, Named):
            said[index] = outcome
        elif request.leave_out:
            notes.append(f"Left out: {outcome.sentence}")
        else:
            raise outcome
    return {paths[index]: said[index] for index in sorted(said)}


def _fits(path: str, classes: frozenset[str], pool: Pool, series: Sequence[Series]) -> Sequence[int]:
    grids = [(one.best.geometry, one.study_uid) for one in series if one.best is not None and one.best.geometry is not None]
    if len(grids) < len(series):
        return [0] * len(series)
    (kind, *_) = classes
    found: Sequence[int] = pool.call(fits_on, path, kind, grids, timeout_s=FILE_TIMEOUT_S)
    return found


def _known(request: DatasetRequest, lacking: Sequence[Named], context: JobContext, pool: Pool) -> list[Series]:
    """Return series that are cases already and that one of the files may have been drawn on; where they are still there."""
    wanted = [one for one in request.known if any(may_know(said, one) for said in lacking)]
    folders = dict.fromkeys(
        os.path.commonpath([str(Path(path).parent) for path in one.paths]) for one in wanted if one.paths
    )
    uids = {one.series_uid for one in wanted}
    found: dict[str, Series] = {}
    for folder in folders:
        if Path(folder).exists():
            for series in scan(Path(folder), context, pool).series:
                if series.series_uid in uids and series.best is not None:
                    found.setdefault(series.series_uid, series)
    return list(found.values())


def _case(on: Belongs, path: str, said: Named, request: DatasetRequest) -> ForeignCase:
    best = on.series.best
    assert best is not None
    folder = os.path.commonpath([str(Path(file).parent) for file in best.paths])
    threshold = request.threshold if said.fractional else None
    plain = not on.by_place and threshold is None
    labels: LabelSource = DicomLabels(path) if plain else PlacedDicomLabels(path, on.by_place, threshold)
    # The files of a study may lie in one archive or folder with those of others; its UID tells them apart.
    return ForeignCase(
        f"{on.series.series_uid}/{name_of(path)}",
        (ImageRef(folder, series_uid=on.series.series_uid),),
        labels,
        on.series.patient_id,
    )
