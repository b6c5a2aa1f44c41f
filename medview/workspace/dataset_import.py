"""Datasets of other programs into a project: their images become cases, their labels what somebody drew on them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from medview.core.errors import ReadError, StoreError
from medview.core.job import JobContext, JobPart
from medview.core.language import plural
from medview.core.study import Series, Verdict, VolumeEntry
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, KnownImages
from medview.io.datasets.placed_labels import PlacedLabels, names_in
from medview.io.datasets.table import list_dataset
from medview.io.datasets.unpack import in_arrays, unpack_images, unpacked_before
from medview.io.dicom.scan import scan, scan_files
from medview.io.other_grid import Way
from medview.io.reader_pool import Pool
from medview.io.sources import content_sha256
from medview.store.patients import NOBODY, PatientIdentity
from medview.store.project import Project
from medview.store.worklist_book import NewCase
from medview.workspace.dataset_import_report import ImportReport
from medview.workspace.keeping import images_of, patient_of_headers
from medview.workspace.label_intake import LabelIntake, PlacedCase

IMAGES_FOLDER = "images"
"""In the project: images that had no files of their own."""
ON_SERIES = frozenset({"dicom-seg", "rtstruct"})
"""Formats whose labels say on which series they were drawn; those may be cases already."""
SPLITS = {"val": "validation"}
"""A split of a dataset -> the project's word for it."""


@dataclass(frozen=True, slots=True)
class ImportRun:
    """What is to be imported from where.

    Attributes
    ----------
    form : str
        One of ``io.datasets.table.FORMATS``.
    decided : mapping of str to Way or None
        Path of a label file that lies on another grid than its image -> how it is put there; None leaves it out.
    """

    form: str
    request: DatasetRequest
    decided: Mapping[str, Way | None] = field(default_factory=dict)


def import_dataset(run: ImportRun, project: Project, context: JobContext, pool: Pool) -> ImportReport:
    """Put the images of a dataset on the list of a project and its labels into the reader's own readings.

    Labels come in layers of their own; importing the same again adds nothing. What was imported before an error stays, and
    importing again goes on there.

    Raises
    ------
    MedViewError
        When a file of the dataset is wrong: the sentence names it.
    """
    if project.read_only:
        raise StoreError(project.read_only_reason)
    dataset = decided(listed(run, project, JobPart(context, 0.0, 0.1), pool), run.decided)
    dataset = _with_files(dataset, project, JobPart(context, 0.1, 0.3), pool)
    report = ImportReport(run.form, len(dataset.cases), project.reader)
    report.split_by, report.warnings = dataset.split_by, list(dataset.notes)
    report.splits.update(case.split for case in dataset.cases if case.split)
    placed, beside = placed_cases(dataset, JobPart(context, 0.3, 0.4), pool, report)
    report.cases = len({one.series.series_uid for one in placed})
    report.added = project.worklist.add([*(one.stored for one in placed), *beside]).added
    report.patients = len({one.stored.patient.key_sha256() for one in placed if one.stored.patient.known})
    intake = LabelIntake(run.form, project, pool, report, leave_out=run.request.leave_out)
    intake.take_all(placed, JobPart(context, 0.4, 1.0))
    return report


def listed(run: ImportRun, project: Project, context: JobContext, pool: Pool) -> ForeignDataset:
    """Return what a dataset holds; labels of series that are cases already may come without them. Raises MedViewError."""
    request = replace(run.request, known=_known(project)) if run.form in ON_SERIES else run.request
    return list_dataset(run.form, request, context, pool)


def decided(dataset: ForeignDataset, ways: Mapping[str, Way | None]) -> ForeignDataset:
    """Return a dataset whose label files are put onto their images as somebody decided, or left out."""
    if not ways:
        return dataset
    cases: list[ForeignCase] = []
    for case in dataset.cases:
        source = case.labels
        if source is not None and source.path in ways:
            way = ways[source.path]
            case = replace(case, labels=None if way is None else PlacedLabels(source.path, way, names_in(source)))
        cases.append(case)
    return replace(dataset, cases=tuple(cases))


def _known(project: Project) -> tuple[KnownImages, ...]:
    return tuple(
        KnownImages(
            one.key.series_uid,
            one.key.study_uid,
            one.geometry.frame_of_reference_uid,
            frozenset(one.sources.sop_instance_uids),
            one.sources.paths,
        )
        for one in project.images()
    )


def _with_files(dataset: ForeignDataset, project: Project, context: JobContext, pool: Pool) -> ForeignDataset:
    if not in_arrays(dataset):
        return dataset
    source = next(image.path for case in dataset.cases for image in case.images if image.member)
    # By its content: names of files never become paths, and the same file is unpacked once.
    folder = project.path / IMAGES_FOLDER / hashlib.sha256(content_sha256(source)).hexdigest()[:16]
    before = unpacked_before(dataset, folder)
    if before is not None:
        return before
    folder.parent.mkdir(exist_ok=True)
    return unpack_images(dataset, folder, context, pool)


def placed_cases(
    dataset: ForeignDataset, context: JobContext, pool: Pool, report: ImportReport
) -> tuple[list[PlacedCase], list[NewCase]]:
    """Return cases with their series, and further channels as cases of their own."""
    found = _series(dataset, context, pool)
    placed: dict[tuple[str, tuple[str, ...], str], PlacedCase] = {}
    beside: list[NewCase] = []
    where: dict[str, tuple[str, ...]] = {}
    twice = same = channels = 0
    for case in dataset.cases:
        patient = PatientIdentity(case.patient) if case.patient else NOBODY
        split = SPLITS.get(case.split, case.split)
        # Channels of one file are time points of one series.
        images = list({(image.path, image.series_uid): image for image in case.images}.values())
        for at, image in enumerate(images):
            series, entry = found[image.path, image.series_uid]
            assert entry.geometry is not None
            whose = patient_of_headers(series) if image.series_uid and case.patient == series.patient_id else patient
            stored = NewCase(*images_of(series, entry, entry.geometry), whose, split)
            if at:
                beside.append(stored)
                channels += 1
                continue
            mark = (series.series_uid, stored.sources.paths, case.labels.path if case.labels is not None else "")
            twice += mark in placed
            same += where.setdefault(series.series_uid, stored.sources.paths) != stored.sources.paths
            placed.setdefault(mark, PlacedCase(case, series, entry, stored))
    if twice:
        text = plural("1 case is listed twice and counts once.", "{n} cases are listed twice and count once.", twice)
        report.warnings.append(text.format(n=twice))
    if same:
        text = plural(
            "1 image is the very same as another; labels of both were added to one case.",
            "{n} images are the very same as others; labels of both were added to one case.",
            same,
        )
        report.warnings.append(text.format(n=same))
    if channels:
        text = plural(
            "1 further channel became a case without labels; labels lie on the first channel.",
            "{n} further channels became cases without labels; labels lie on the first channel.",
            channels,
        )
        report.warnings.append(text.format(n=channels))
    return list(placed.values()), beside


def _series(dataset: ForeignDataset, context: JobContext, pool: Pool) -> dict[tuple[str, str], tuple[Series, VolumeEntry]]:
    """Return the series behind every image, as the window would open it."""
    wanted = list(dict.fromkeys((image.path, image.series_uid) for case in dataset.cases for image in case.images))
    found: dict[tuple[str, str], tuple[Series, VolumeEntry]] = {}
    plain = [path for path, series_uid in wanted if not series_uid]
    scans = [scan_files(plain, context, pool)] if plain else []
    for series in (series for result in scans for series in result.series):
        if series.best is not None:
            found |= {(path, ""): (series, series.best) for path in series.best.paths}
    for result in scans:
        for damaged in result.damaged:
            raise ReadError(f"Nothing was imported: {damaged.reason}")
    folders = {path: scan(Path(path), context, pool) for path in dict.fromkeys(p for p, uid in wanted if uid)}
    for path, series_uid in wanted:
        for series in folders[path].series if series_uid else ():
            if series.series_uid == series_uid and series.best is not None:
                found[path, series_uid] = (series, series.best)
    missing = [path for path, series_uid in wanted if (path, series_uid) not in found]
    if missing:
        raise ReadError(f"Nothing was imported: {Path(missing[0]).name} holds no image that can be labelled.")
    refused = [s for s, entry in found.values() if entry.verdict is Verdict.REFUSED or entry.geometry is None]
    if refused:
        raise ReadError(f"Nothing was imported: {refused[0].description or 'an image'} cannot be labelled.")
    return found
