"""Datasets of other programs into a project: their images become cases, their labels what somebody drew on them."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from medview.core.annotations import Annotation
from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, Change, Command
from medview.core.errors import MedViewError, ReadError, StoreError
from medview.core.job import Inline, JobContext, JobPart
from medview.core.language import _
from medview.core.pixel_hash import pixels_sha256
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.io.datasets.dataset_case import many
from medview.io.datasets.foreign import DatasetRequest, ForeignCase, ForeignDataset, FoundLabels
from medview.io.datasets.reading import load_labels
from medview.io.datasets.table import list_dataset
from medview.io.datasets.unpack import in_arrays, unpack_images, unpacked_before
from medview.io.dicom.scan import scan, scan_files
from medview.io.imported_labels import Target
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader
from medview.io.sources import content_sha256
from medview.store.begun import BegunReading
from medview.store.entry import Entry, EntryKind
from medview.store.patients import NOBODY, PatientIdentity
from medview.store.project import Project
from medview.store.reading_state import ReadingStatus
from medview.store.undo_stacks import UndoStacks
from medview.store.worklist_book import NewCase
from medview.workspace.keeping import images_of, patient_of_headers
from medview.workspace.operations.files import imported_changes

AT_ONCE = 64
"""Cases whose readings are begun together: their labels are in memory meanwhile."""
MOST_BYTES = 256 << 20
"""Of such labels."""
WRITE_TIMEOUT_S = 300.0
"""Longest the rows of so many cases may take on a slow disk."""
IMAGES_FOLDER = "images"
"""In the project: images that had no files of their own."""
SPLITS = {"val": "validation"}
"""A split of a dataset -> the project's word for it."""


@dataclass(frozen=True, slots=True)
class ImportRun:
    """What is to be imported from where.

    Attributes
    ----------
    form : str
        One of ``io.datasets.table.FORMATS``.
    """

    form: str
    request: DatasetRequest


@dataclass(slots=True)
class ImportReport:
    """What came of it.

    Attributes
    ----------
    cases : int
        Images of the dataset; those of several channels count once.
    added, known, labelled : int
        Cases that are new to the project, that had these labels already, and that got them now.
    labels : Counter
        In how many cases each segment is drawn, box lies or answer is given.
    """

    form: str
    cases: int = 0
    added: int = 0
    known: int = 0
    labelled: int = 0
    unlabelled: int = 0
    patients: int = 0
    split_by: str = "image"
    splits: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    boxes: int = 0
    warnings: list[str] = field(default_factory=list)

    def note(self, found: FoundLabels) -> None:
        """Count what a case brought."""
        drawn = found.masks.segments if found.masks is not None else ()
        self.labelled += 1
        self.boxes += len(found.boxes)
        self.labels.update(
            {segment.group or segment.name for segment in drawn if not segment.absent}
            | {box.label for box in found.boxes}
            | {answer.label for answer in found.answers if answer.says != "absent"}
        )
        self.warnings += found.notes

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "format": self.form,
            "cases": self.cases,
            "added": self.added,
            "labelled": self.labelled,
            "known": self.known,
            "unlabelled": self.unlabelled,
            "patients": self.patients,
            "split_by": self.split_by,
            "splits": dict(self.splits),
            "labels": [{"name": name, "cases": count} for name, count in sorted(self.labels.items())],
            "boxes": self.boxes,
            "warnings": self.warnings,
        }


@dataclass(frozen=True, slots=True)
class _Placed:
    """A case of the dataset, and the series its labels lie on."""

    case: ForeignCase
    series: Series
    entry: VolumeEntry
    stored: NewCase


@dataclass(frozen=True, slots=True)
class _Fresh:
    """Labels of a case nobody has begun with."""

    placed: _Placed
    title: str
    pixels: str
    found: FoundLabels

    @property
    def size_bytes(self) -> int:
        """Memory its masks take."""
        return sum(layer.nbytes for layer in self.found.masks.layers.values()) if self.found.masks is not None else 0


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
    dataset = list_dataset(run.form, run.request, JobPart(context, 0.0, 0.1), pool)
    dataset = _with_files(dataset, project, JobPart(context, 0.1, 0.3), pool)
    report = ImportReport(run.form, len(dataset.cases), split_by=dataset.split_by, warnings=list(dataset.notes))
    report.splits.update(case.split for case in dataset.cases if case.split)
    placed, beside = _placed(dataset, JobPart(context, 0.3, 0.4), pool, report)
    report.added = project.worklist.add([*(one.stored for one in placed), *beside]).added
    report.patients = len({one.stored.patient.key_sha256() for one in placed if one.stored.patient.known})
    _take_in(run.form, placed, project, JobPart(context, 0.4, 1.0), pool, report)
    _write_out(project)
    return report


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


def _placed(
    dataset: ForeignDataset, context: JobContext, pool: Pool, report: ImportReport
) -> tuple[list[_Placed], list[NewCase]]:
    """Return cases with their series, and further channels as cases of their own."""
    found = _series(dataset, context, pool)
    placed: dict[tuple[str, tuple[str, ...], str], _Placed] = {}
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
            placed.setdefault(mark, _Placed(case, series, entry, stored))
    if twice:
        one, several = "1 case is listed twice", "{n} cases are listed twice"
        report.warnings.append(f"{many(twice, one, several)} and counts once.")
    if same:
        one, several = "1 image is the very same as another", "{n} images are the very same as others"
        report.warnings.append(f"{many(same, one, several)}; labels of both were added to one case.")
    if channels:
        one, several = "1 further channel became a case", "{n} further channels became cases"
        report.warnings.append(f"{many(channels, one, several)} without labels; labels lie on the first channel.")
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


def _take_in(
    form: str, placed: Sequence[_Placed], project: Project, context: JobContext, pool: Pool, report: ImportReport
) -> None:
    """Put the labels of all cases into readings; those that are new are begun some at a time."""
    fresh: list[_Fresh] = []
    # Asked for once: most of what is imported is new to a project.
    known = {row.series_uid for row in project.cases() if row.readings}
    for number, one in enumerate(placed, start=1):
        context.raise_if_cancelled()
        context.progress((number - 1) / len(placed), _("Case {number} of {count}").format(number=number, count=len(placed)))
        if one.case.labels is None:
            report.unlabelled += 1
            continue
        title = f"Import {form} {Path(one.case.labels.path).name}"
        if any(each.placed.series.series_uid == one.series.series_uid for each in fresh):
            # Another file of labels on the same images: it is added to what the first one began.
            _begin(fresh, project, report)
            fresh = []
        begun = one.series.series_uid in known
        known.add(one.series.series_uid)
        row = project.find_reading(one.stored.key, one.stored.geometry) if begun else None
        loaded = project.load_reading(row.reading_id) if row is not None else None
        if loaded is not None and any(command.name == title for command in (*loaded.undo, *loaded.redo)):
            report.known += 1
            continue
        try:
            pixels, found = _read(one, pool)
        except MedViewError as error:
            raise _stopped(error, report.labelled) from error
        if row is None or loaded is None:
            fresh.append(_Fresh(one, title, pixels, found))
            if len(fresh) >= AT_ONCE or sum(each.size_bytes for each in fresh) > MOST_BYTES:
                _begin(fresh, project, report)
                fresh = []
            continue
        project.attach_pixels(row.reading_id, pixels)
        _append(project, row.reading_id, title, loaded.labels, found)
        # The dataset says that this is all there is to label.
        project.set_status(row.reading_id, ReadingStatus.DONE)
        report.note(found)
    _begin(fresh, project, report)


def _begin(fresh: Sequence[_Fresh], project: Project, report: ImportReport) -> None:
    if not fresh:
        return
    stored = [one.placed.stored for one in fresh]
    begun = [
        BegunReading(case.key, case.geometry, case.sources, one.pixels, case.patient)
        for case, one in zip(stored, fresh, strict=True)
    ]
    # What was begun before is written first: the two would wait for each other's locks, on a slow disk for too long.
    _write_out(project)
    for reading_id, one in zip(project.begin(begun), fresh, strict=True):
        # Nothing is in its journal yet, so nothing has to be read for the first row.
        project.journal.adopt(reading_id, 0, UndoStacks(), head=None)
        _append(project, reading_id, one.title, CaseLabels.empty(one.placed.stored.geometry), one.found)
        report.note(one.found)


def _write_out(project: Project) -> None:
    if not project.journal.flush(WRITE_TIMEOUT_S):
        raise StoreError(f"{project.path.name} could not be written to its end; import again once its disk has room.")


def _stopped(error: MedViewError, done: int) -> MedViewError:
    more = f" {done} cases were imported before; importing again goes on there." if done else ""
    return type(error)(f"{error.sentence}{more}", detail=error.detail)


def _append(project: Project, reading_id: int, title: str, labels: CaseLabels, found: FoundLabels) -> None:
    changes = _changes(labels, found)
    if changes:
        project.journal.append(reading_id, Entry(EntryKind.DO, Command(title, tuple(changes), "import"), labels.revision))


def _read(one: _Placed, pool: Pool) -> tuple[str, FoundLabels]:
    """Return the hash of the pixels as the window will read them, and the labels on their grid."""
    volume = _whole(one, pool)
    return pixels_sha256(volume), load_labels(one.case, Target.of(volume), pool)


def _whole(one: _Placed, pool: Pool) -> Volume:
    reader = SeriesReader(pool)
    opened = reader.begin(one.series, one.entry)
    damaged = reader.fill(opened, one.entry.shape_kji[0] // 2, Inline())
    if damaged:
        raise ReadError(damaged[0].reason)
    return opened.volume


def _changes(labels: CaseLabels, found: FoundLabels) -> Sequence[Change]:
    """Return what the labels of a dataset change of a case, applied to it already."""
    done: list[Change] = []
    for change in imported_changes(labels.segmentation, found.masks) if found.masks is not None else ():
        if change is not None:
            labels.apply((change,))
            done.append(change)
    fresh: list[Annotation] = [replace(box, annotation_id=uuid.uuid4().hex) for box in found.boxes]
    fresh += [replace(answer, annotation_id=uuid.uuid4().hex) for answer in found.answers]
    annotations = [AnnotationChange(None, one) for one in fresh]
    labels.apply(annotations)
    return [*done, *annotations]
