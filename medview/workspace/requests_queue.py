"""Frozen descriptions of what the queue of models has done for it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from medview.core.case_labels import CaseLabels
from medview.core.errors import ReadError, StoreError
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import Prediction, Proposal
from medview.core.study import Reason, Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.io.dicom.scan import scan_files
from medview.io.library import Library
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader
from medview.ml.predict import PredictRequest
from medview.store.project import Project
from medview.store.queue_book import QueueRow
from medview.workspace.input_preparation import Preparation
from medview.workspace.jobs import Lane
from medview.workspace.keeping import load_stored, tie_pixels
from medview.workspace.operations.predict import RunModel
from medview.workspace.queue import Queue, QueueTask, SeriesPlace, TaskState


@dataclass(frozen=True, slots=True, eq=False)
class StoredProposals:
    """What the project knows of a case that a proposal is put up beside.

    Attributes
    ----------
    proposals : dict of str to Proposal
        The live ones; kept up by who adds to them, since several models may share one reading.
    revision : int
        Of the labels.
    colours : tuple of tuple
        Of its segments (RGB).
    """

    reading_id: int
    proposals: dict[str, Proposal]
    revision: int
    colours: tuple[tuple[int, int, int], ...] = ()

    @classmethod
    def of(cls, reading_id: int, labels: CaseLabels) -> StoredProposals:
        """Return what of the labels of a case is kept while a model runs; the rest is let go of."""
        colours = tuple(segment.colour for segment in labels.segmentation.segments)
        return cls(reading_id, dict(labels.proposals), labels.revision, colours)


@dataclass(frozen=True, slots=True, eq=False)
class ReadVolume:
    """Value: a series as a model gets it, in no pane.

    Attributes
    ----------
    problem : str
        Why no model may run on it, or empty.
    stored : StoredProposals or None
        None where ``problem`` says why, and of a series that is open.
    """

    series: Series
    entry: VolumeEntry
    volume: Volume
    stored: StoredProposals | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """Request: find a queued series again and read all of it, and what the project knows of it.

    Attributes
    ----------
    known : tuple of Series and VolumeEntry, or None
        Where it was scanned already; else its files are looked at.
    """

    place: SeriesPlace
    known: tuple[Series, VolumeEntry] | None
    pool: Pool
    library: Library | None
    project: Project

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading {description}").format(description=self.place.description or self.place.modality or _("series"))

    @property
    def lane(self) -> Lane:
        """Beside what a person opens."""
        return Lane.AHEAD

    def run(self, context: JobContext) -> ReadVolume:
        """Read in reader processes.

        Raises
        ------
        ReadError
            When its files are not there any more or hold something else.
        """
        series, entry = self.known or find_volume(self.place, context, self.pool, self.library)
        if entry.verdict is Verdict.REFUSED:
            raise ReadError("This series cannot be opened, so no model can run on it; the Check panel says why.")
        reader = SeriesReader(self.pool)
        opened = reader.begin(series, entry)
        volume = opened.volume
        stored = load_stored(self.project, series, entry, volume, beside=True)
        damaged = reader.fill(opened, entry.shape_kji[0] // 2, context)
        if damaged:
            return ReadVolume(series, entry, volume, problem=damage(len(damaged)))
        tie = tie_pixels(self.project, stored, volume, ())
        problem = stored.problem or tie.other_pixels or tie.unsure
        if problem or stored.reading_id is None or stored.loaded is None:
            unkept = Reason("NOT_KEPT", "The project cannot keep what a model would find.")
            return ReadVolume(series, entry, volume, problem=problem or unkept.text)
        return ReadVolume(series, entry, volume, StoredProposals.of(stored.reading_id, stored.loaded.labels))


@dataclass(frozen=True, slots=True, eq=False)
class ReadProposals:
    """Request: what the project knows of a case now, after it was open meanwhile."""

    project: Project
    read: ReadVolume

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading the labels again")

    @property
    def lane(self) -> Lane:
        """Beside what a person opens."""
        return Lane.AHEAD

    def run(self, _context: JobContext) -> StoredProposals:
        """Load its labels, and keep what is said of models.

        Raises
        ------
        StoreError
            When the project cannot keep what was found.
        """
        stored = load_stored(self.project, self.read.series, self.read.entry, self.read.volume, beside=True)
        if stored.reading_id is None or stored.loaded is None:
            raise StoreError(stored.problem or "The project cannot keep what the model found.")
        return StoredProposals.of(stored.reading_id, stored.loaded.labels)


@dataclass(frozen=True, slots=True)
class RunQueued:
    """Request: one prediction of the queue."""

    request: PredictRequest | Preparation
    number: int
    count: int

    @property
    def title(self) -> str:
        """What the person reads."""
        name = self.request.pack.spec.name
        return _("Running {name}, {number} of {count}").format(name=name, number=self.number, count=self.count)

    @property
    def lane(self) -> Lane:
        """The one GPU lane."""
        return Lane.MODEL

    def run(self, context: JobContext) -> Prediction:
        """Run in a worker."""
        prediction = RunModel(self.request).run(context)
        for mask in prediction.masks:
            # Its bytes are written into the journal; packed here, not in the window.
            mask.packed()
        return prediction


@dataclass(frozen=True, slots=True)
class KeepQueue:
    """Request: write what changed of the queue into the project."""

    project: Project
    before: Queue
    after: Queue

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Saving the queue")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, _context: JobContext) -> None:
        """Write in one transaction. Rows are made here: hundreds of tasks name hundreds of thousands of files.

        Raises
        ------
        StoreError
            When what a task found is not on disk: a program that is killed now has to run it again.
        """
        ended = {task.task_uid for task in self.after.tasks if task.state is TaskState.DONE}
        ended -= {task.task_uid for task in self.before.tasks if task.state is TaskState.DONE}
        if ended and not self.project.journal.flush():
            name = self.project.path.name
            raise StoreError(f"What a model found is not saved in {name} yet; should MedView end now, it is run again.")
        self.project.queue.keep(*changed_rows(self.before, self.after))


@dataclass(frozen=True, slots=True)
class LoadQueue:
    """Request: the queue of a project."""

    project: Project
    lane: Lane = field(default=Lane.WRITE)

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading the queue")

    def run(self, _context: JobContext) -> Queue:
        """Read; a row that says nothing sensible is left out."""
        return Queue(tuple(task for row in self.project.queue.rows() if (task := task_of(row)) is not None))


def find_volume(
    place: SeriesPlace, context: JobContext, pool: Pool, library: Library | None = None
) -> tuple[Series, VolumeEntry]:
    """Look at the files of a place and return the volume that is meant.

    Raises
    ------
    ReadError
        When they are gone or hold something else.
    """
    if not place.paths:
        raise ReadError("Nothing says where the files of this series are; open its folder once, then retry.")
    missing = [path for path in place.paths if not Path(path.partition("::")[0]).exists()]
    if missing:
        raise ReadError("The files of this series are no longer where they were; open their folder, then retry.")
    found = place.entry_in(scan_files(place.paths, context, pool, library).series)
    if found is None:
        raise ReadError("The files of this series hold other images than when it was queued; queue it again.")
    return found


def damage(count: int) -> str:
    """Return why no model may run on a series with damaged slices."""
    return Reason("DAMAGED_SLICE", f"{count} slices are damaged, so a model would see gaps.").text


def row_of(task: QueueTask, position: int) -> QueueRow:
    """Return a task as it is kept."""
    series = json.dumps({"place": asdict(task.place), "device": task.device})
    return QueueRow(task.task_uid, position, task.model, series, task.state.value, task.sentence, task.attempts)


def task_of(row: QueueRow) -> QueueTask | None:
    """Return a task that was kept, or None where the row says nothing sensible."""
    try:
        document = json.loads(row.series)
        place = SeriesPlace.read(document["place"])
        state = TaskState(row.state)
        device = str(document.get("device", "auto"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return QueueTask(row.model, place, state, row.sentence, row.attempts, device, row.task_uid)


def changed_rows(before: Queue, after: Queue) -> tuple[tuple[QueueRow, ...], tuple[str, ...]]:
    """Return the rows that are to be written and the uids that are to go, between two states of the queue."""
    known = {task.task_uid: (task, n) for n, task in enumerate(before.tasks)}
    rows = [row_of(task, n) for n, task in enumerate(after.tasks) if known.get(task.task_uid) != (task, n)]
    left = {task.task_uid for task in after.tasks}
    return tuple(rows), tuple(uid for uid in known if uid not in left)
