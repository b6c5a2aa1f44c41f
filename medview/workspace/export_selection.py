"""Which readings of a project are written out, and under which names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from medview.core.annotations import Annotation, BoxAnnotation, ImageLabel, Trace
from medview.core.case_labels import CaseLabels
from medview.core.errors import CancelledError, MedViewError, ReadError, StoreError
from medview.core.job import Inline, JobContext
from medview.core.marks import Marks
from medview.core.measurement import Measurement
from medview.core.pixel_hash import same_pixels
from medview.core.segmentation import Segmentation
from medview.core.study import Series, VolumeEntry
from medview.core.trace import TraceKind
from medview.core.volume import Volume
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, many
from medview.io.dicom.scan import scan
from medview.io.pictures import as_grey
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader
from medview.store.case_images import CaseImages, other_pixels
from medview.store.cases import CaseRow
from medview.store.project import Project
from medview.store.reading_state import ReadingState, ReadingStatus
from medview.workspace.case_request import place_of_case
from medview.workspace.counting import Counting, counting, waiting_edits
from medview.workspace.requests_queue import find_volume

SPLITS = {"validation": "val"}
"""The project's word for a split -> that of datasets."""


class Include(Enum):
    """How far a reading has to be."""

    ALL = "all"
    DONE = "done"
    """Marked done, or approved."""
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class ExportRun:
    """What is to be written.

    Attributes
    ----------
    form : str
        A format of ``io.datasets.writers.WRITERS``, of ``label_export.LABEL_FORMS``, or ``neutral_export.DATASET``.
    reader : str
        Whose labels, as ``counting`` takes it: a name, ``NAME, review``, ``consensus``; empty for what counts of each case.
    include : Include or None
        What is done, for the dataset to train on, and everything otherwise, unless given.
    images : Path or None
        Folder with the images, where they are no longer where they were.
    without_undecided : bool
        Cases that several read, and nobody said whose labels count, are left out; they end it otherwise.
    """

    form: str
    reader: str = ""
    options: WriteOptions = WriteOptions()
    include: Include | None = None
    images: Path | None = None
    without_undecided: bool = False


@dataclass(frozen=True, slots=True)
class ChosenReading:
    """A reading that is written: the case as formats take it, and what the project knows of it.

    Attributes
    ----------
    measured : int
        Measurements and key images of the case.
    find : callable
        Returns the series and the volume it was drawn on. Raises MedViewError.
    labels : callable
        Reads everything that was said of it.
    """

    case: DatasetCase
    row: CaseRow
    counts: Counting
    images: CaseImages
    find: Callable[[], tuple[Series, VolumeEntry]]
    labels: Callable[[], CaseLabels]
    measured: int = 0

    @property
    def state(self) -> ReadingState:
        """The reading as the list of cases shows it."""
        return self.counts.state


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many cases are not written, and why."""

    excluded: int = 0
    not_done: int = 0
    unlabelled: int = 0

    def document(self) -> dict[str, int]:
        """Return it ready for JSON."""
        return {"excluded": self.excluded, "not_done": self.not_done, "unlabelled": self.unlabelled}


@dataclass(frozen=True, slots=True)
class Selection:
    """The cases that are written, and what has to be said of them before.

    Attributes
    ----------
    answered : int
        Answers to forms in them.
    """

    chosen: tuple[ChosenReading, ...]
    notes: tuple[str, ...] = ()
    left_out: LeftOut = LeftOut()
    answered: int = 0

    @property
    def cases(self) -> tuple[DatasetCase, ...]:
        """As formats take them."""
        return tuple(one.case for one in self.chosen)


def select_cases(run: ExportRun, project: Project, context: JobContext, pool: Pool) -> Selection:
    """Return the labelled cases of a project under their pseudonyms; no image is read yet.

    Raises
    ------
    StoreError
        When a case has labels of several readers and nothing says which count; or nothing is labelled.
    """
    places = _Places(run.images, context, pool)
    images = {one.case_id: one for one in project.images()}
    every, reviewed, pixels = project.cases(), project.review.reviewed(), project.pixels()
    rows = [row for row in every if not row.excluded and row.case_id in images]
    found: list[ChosenReading] = []
    unfinished = losses = not_done = unlabelled = answered = undecided = later = 0
    for number, row in enumerate(rows):
        context.raise_if_cancelled()
        context.progress(number / len(rows), f"Looking at case {number + 1} of {len(rows)}")
        try:
            counts = counting(row, run.reader, reviewed)
        except StoreError:
            if not any(_far_enough(state, run.include) for state in row.readings if state.worked_on):
                not_done += 1
                continue
            if not run.without_undecided:
                raise
            undecided += 1
            continue
        if counts is None or not counts.state.worked_on:
            unlabelled += 1
            continue
        state = counts.state
        if not _far_enough(state, run.include):
            not_done += 1
            continue
        loaded = project.load_reading(state.reading_id, beside=True)
        losses += len(loaded.losses)
        later += _of_first_time(loaded.labels, images[row.case_id])
        answered += len(loaded.labels.answers)
        if not (loaded.labels.segmentation.segments or loaded.labels.annotations or loaded.labels.answers):
            unlabelled += 1
            continue
        unfinished += not _far_enough(state, Include.DONE)
        # Two readers may have drawn on other voxels of the same images.
        drawn_on = replace(
            images[row.case_id], pixels_sha256=pixels.get(state.reading_id) or images[row.case_id].pixels_sha256
        )
        found.append(_chosen(project, row, counts, drawn_on, loaded.labels, places))
    left_out = LeftOut(sum(1 for row in every if row.excluded), not_done, unlabelled)
    if not found:
        finished = f" ({not_done} of its cases are labelled and not done)" if not_done else ""
        raise StoreError(f"{project.path.name} holds no labels to write{finished}.")
    notes: list[str] = []
    if left_out.excluded:
        many_of = "{n} cases are left out because they are excluded."
        notes.append(many(left_out.excluded, "1 case is left out because it is excluded.", many_of))
    if not_done:
        notes.append(many(not_done, "1 case is left out: it is not done.", "{n} cases are left out: they are not done."))
    if undecided:
        of_several = "{n} cases are left out: several read them, and they have no consensus."
        notes.append(many(undecided, "1 case is left out: several read it, and it has no consensus.", of_several))
    if unfinished:
        notes.append(many(unfinished, "1 case is not marked done.", "{n} cases are not marked done."))
    notes += _whose(found, reviewed, project.review.gone_on())
    if later:
        of_later = "{n} boxes, points and statements of later time points are left out: images of the first are written."
        alone = "1 box, point or statement of a later time point is left out: images of the first are written."
        notes.append(many(later, alone, of_later))
    if losses:
        notes.append(many(losses, "1 gesture could not be read.", "{n} gestures could not be read; verify the project."))
    return Selection(tuple(found), tuple(notes), left_out, answered)


def _whose(chosen: Sequence[ChosenReading], reviewed: Mapping[int, int], gone_on: Mapping[int, Sequence[str]]) -> list[str]:
    """Return what has to be known of whose labels they are: corrected, corrected and not approved, out of date."""
    said: list[str] = []
    corrected = sum(1 for one in chosen if one.counts.corrected_by)
    waiting = sum(1 for one in chosen if waiting_edits(one.row, one.counts, reviewed))
    overtaken = [one.case.key for one in chosen if one.state.reading_id in gone_on]
    if corrected:
        corrections = "{n} cases are written as a reviewer corrected them."
        said.append(many(corrected, "1 case is written as a reviewer corrected it.", corrections))
    if waiting:
        without = "{n} cases are written as their readers drew them: edits of reviewers are not approved."
        alone = "1 case is written as its reader drew it: the edit of a reviewer is not approved."
        said.append(many(waiting, alone, without))
    if overtaken:
        names = ", ".join(overtaken)
        said.append(f"Readers went on after the consensus was last worked on: {names}.")
    return said


def pixels_of(one: ChosenReading, pool: Pool) -> Volume:
    """Return the images of a case as they were labelled.

    Raises
    ------
    MedViewError
        When they are gone, damaged or others; says which case it is.
    """
    with _told_of(one.images):
        return _read(*one.find(), one.images, pool)


@contextmanager
def _told_of(images: CaseImages) -> Iterator[None]:
    """Let what goes wrong with the images of a case say which case it is."""
    try:
        yield
    except CancelledError:
        raise
    except MedViewError as error:
        named = f"case {images.case_id}" in error.sentence
        sentence = error.sentence if named else f"Case {images.case_id}: {error.sentence}"
        raise type(error)(sentence, detail=error.detail) from error


def _chosen(
    project: Project, row: CaseRow, counts: Counting, images: CaseImages, labels: CaseLabels, places: _Places
) -> ChosenReading:
    boxes = tuple(a for a in labels.annotations.values() if isinstance(a, BoxAnnotation))
    answers = tuple(a for a in labels.annotations.values() if isinstance(a, ImageLabel))
    traces = [a for a in labels.annotations.values() if isinstance(a, Trace)]
    points = tuple(one for one in traces if one.kind is TraceKind.POINT)

    def find() -> tuple[Series, VolumeEntry]:
        return places.of(images)

    def everything() -> CaseLabels:
        found = project.load_reading(counts.state.reading_id, beside=True).labels
        _of_first_time(found, images)
        return found

    def segmentation() -> Segmentation:
        return everything().segmentation

    def volumes() -> tuple[Volume, ...]:
        with _told_of(images):
            volume = _read(*find(), images, places.pool)
        voxels = as_grey(volume.voxels)
        # A picture whose three channels are equal everywhere is grey to whoever trains on it.
        return (volume if voxels.ndim == volume.voxels.ndim else replace(volume, voxels=voxels),)

    case = DatasetCase(
        f"case_{row.case_id:04d}",
        images.geometry,
        volumes,
        segmentation if labels.segmentation.segments else None,
        tuple(labels.segmentation.segments),
        boxes,
        answers,
        labels.marks if labels.marks != Marks() else None,
        row.patient,
        SPLITS.get(row.split, row.split),
        others=len(labels.annotations) - len(boxes) - len(answers) - len(points),
        points=points,
    )
    measured = case.others - (len(traces) - len(points))
    return ChosenReading(case, row, counts, images, find, everything, measured)


def _of_first_time(labels: CaseLabels, images: CaseImages) -> int:
    """Leave out what was drawn on images of later time points, which are not written; return how much that was."""
    own, slices = images.sources.sop_instance_uids, images.geometry.shape_kji[0]

    def later(one: Annotation) -> bool:
        if isinstance(one, Measurement):
            return False
        if one.sop_instance_uid:
            # Which frames of one file are of which time only its header says.
            return len(own) > 1 and one.sop_instance_uid not in own
        return one.frame_number >= slices

    gone = [key for key, one in labels.annotations.items() if later(one)]
    for key in gone:
        del labels.annotations[key]
    return len(gone)


def _far_enough(state: ReadingState, include: Include | None) -> bool:
    if include is Include.APPROVED:
        return state.status is ReadingStatus.APPROVED
    return include is not Include.DONE or state.status in (ReadingStatus.DONE, ReadingStatus.APPROVED)


class _Places:
    """Where the images of cases are: where they were, or under a folder that is given.

    Parameters
    ----------
    folder : Path or None
        Looked through once.
    """

    def __init__(self, folder: Path | None, context: JobContext, pool: Pool) -> None:
        self.pool = pool
        self._series: dict[str, Series] | None = None
        if folder is not None:
            self._series = {one.series_uid: one for one in scan(folder, context, pool).series}

    def of(self, images: CaseImages) -> tuple[Series, VolumeEntry]:
        """Return the volume of a case. Raises ReadError."""
        if self._series is None:
            return find_volume(place_of_case(images), Inline(), self.pool)
        series = self._series.get(images.key.series_uid)
        for entry in series.volumes if series is not None else ():
            own = {frame.sop_instance_uid for frame in entry.frames}
            fits = entry.geometry is not None and entry.geometry.same_grid(images.geometry)
            if fits and own.issuperset(images.sources.sop_instance_uids) and series is not None:
                return series, entry
        raise ReadError(f"The images of case {images.case_id} are not under the given folder; name the right one.")


def _read(series: Series, entry: VolumeEntry, images: CaseImages, pool: Pool) -> Volume:
    reader = SeriesReader(pool)
    opened = reader.begin(series, entry)
    damaged = reader.fill(opened, entry.shape_kji[0] // 2, Inline())
    if damaged:
        raise ReadError(damaged[0].reason)
    if images.pixels_sha256 and not same_pixels(opened.volume, images.pixels_sha256):
        raise other_pixels()
    return opened.volume
