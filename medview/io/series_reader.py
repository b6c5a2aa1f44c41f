"""Series to volumes: memory first, then the slice a person looks at, then the rest."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from medview.core.errors import MedViewError, ReadError
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.study import Frame, Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.io.fill import SliceJob, SliceReport, fill_file, fill_slices
from medview.io.reader_pool import FILE_TIMEOUT_S, Pool
from medview.io.shared_block import BlockHandle, SharedBlock
from medview.io.sources import name_of

STRAIGHT_BATCH = 8
"""Uncompressed slices read per task; more would delay the slice somebody scrolls to."""
WHOLE_FILE_TIMEOUT_S = 120.0
"""A NIfTI or NRRD file is read at once and may be large."""


@dataclass(frozen=True, slots=True)
class OpenedVolume:
    """A volume whose voxels may still be arriving.

    Attributes
    ----------
    volume : Volume
        Its voxels are a read-only view of ``block``; zero where no slice has been read.
    block : SharedBlock
        Where readers write.
    """

    volume: Volume
    block: SharedBlock
    entry: VolumeEntry
    time_point: int = 0

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Frames of this time point in k order; a single one for files that are read whole."""
        count = self.entry.shape_kji[0]
        if len(self.entry.frames) < count:
            return self.entry.frames
        return self.entry.frames[self.time_point * count : (self.time_point + 1) * count]


class SeriesReader:
    """Opens volumes through a pool of readers.

    Parameters
    ----------
    pool : Pool
        ReaderPool, or InlinePool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def begin(self, series: Series, entry: VolumeEntry, time_point: int = 0) -> OpenedVolume:
        """Allocate a volume from what the scan found; nothing is read.

        Raises
        ------
        ReadError
            When the verdict is ``refused``, or there is no room.
        """
        if entry.verdict is Verdict.REFUSED or entry.geometry is None:
            why = entry.reasons[-1].text if entry.reasons else "Its pixels are not read."
            raise ReadError(f"This series cannot be opened: {why}")
        shape: tuple[int, ...] = (*entry.shape_kji, 3) if entry.colour else entry.shape_kji
        block = SharedBlock.allocate(shape, entry.dtype)
        return OpenedVolume(_volume(series, entry, block, entry.geometry, time_point), block, entry, time_point)

    def fill(
        self, opened: OpenedVolume, first_k: int, context: JobContext, wanted: Callable[[], int] | None = None
    ) -> list[SliceReport]:
        """Read all slices, ``first_k`` first and then around the one that is looked at; blocks until done.

        Reports every slice through ``context.partial(SliceReport)``.

        Parameters
        ----------
        wanted : callable, optional
            The slice that is looked at now, asked whenever a reader is free; ``first_k`` unless given.

        Returns
        -------
        list of SliceReport
            The damaged slices.

        Raises
        ------
        CancelledError
            When the context says so; at most the slices in work are finished.
        """
        damaged: list[SliceReport] = []
        count = opened.entry.shape_kji[0]
        for done, report in enumerate(self._reports(opened, first_k, context, wanted), start=1):
            if not report.ok:
                damaged.append(report)
            context.partial(report)
            context.progress(done / count, f"Reading slice {done} of {count}")
            context.raise_if_cancelled()
        return sorted(damaged, key=lambda report: report.k)

    def _reports(
        self, opened: OpenedVolume, first_k: int, context: JobContext, wanted: Callable[[], int] | None
    ) -> Iterator[SliceReport]:
        context.raise_if_cancelled()
        frames = opened.frames
        count = opened.entry.shape_kji[0]
        if read_whole(opened.entry):
            yield from self._whole(opened, frames[0], context.raise_if_cancelled)
            return
        first = min(max(first_k, 0), count - 1)
        as_values = _as_values(opened.entry)
        jobs = [SliceJob(k, frames[k], as_values) for k in range(count)]
        stop = context.raise_if_cancelled
        # The slice somebody waits for is read alone: nothing competes for the disk, and it is the first to arrive.
        retried = yield from self._run(opened.block.handle, [[jobs[first]]], stop)
        batches = [*_batches(jobs[:first]), *_batches(jobs[first + 1 :])]
        near = Nearest([(batch[0].k, batch[-1].k) for batch in batches], wanted or (lambda: first))
        retried += yield from self._run(opened.block.handle, batches, stop, near.take)
        # A batch whose process died is read again one by one, so that only the culprit is marked.
        yield from self._singly(opened.block.handle, retried, stop)

    def _run(
        self,
        handle: BlockHandle,
        batches: Sequence[list[SliceJob]],
        stop: Callable[[], None],
        pick: Callable[[], int] | None = None,
    ) -> Generator[SliceReport, None, list[SliceJob]]:
        retried: list[SliceJob] = []
        tasks = [(batch[0].frame.path, handle, batch) for batch in batches]
        for index, outcome in self._pool.each(fill_slices, tasks, FILE_TIMEOUT_S, stop, pick):
            batch = batches[index]
            if not isinstance(outcome, MedViewError):
                yield from outcome
            elif len(batch) > 1:
                retried += batch
            else:
                yield SliceReport(batch[0].k, False, outcome.sentence)
        return retried

    def _singly(self, handle: BlockHandle, jobs: Sequence[SliceJob], stop: Callable[[], None]) -> Iterator[SliceReport]:
        tasks = [(job.frame.path, handle, [job]) for job in jobs]
        for index, outcome in self._pool.each(fill_slices, tasks, FILE_TIMEOUT_S, stop):
            if isinstance(outcome, MedViewError):
                yield SliceReport(jobs[index].k, False, outcome.sentence)
            else:
                yield from outcome

    def _whole(self, opened: OpenedVolume, frame: Frame, stop: Callable[[], None]) -> Iterator[SliceReport]:
        task = (frame.path, opened.block.handle, opened.time_point)
        for _, outcome in self._pool.each(fill_file, [task], WHOLE_FILE_TIMEOUT_S, stop):
            if isinstance(outcome, MedViewError):
                raise outcome
            yield from outcome


def read_whole(entry: VolumeEntry) -> bool:
    """Whether a file without DICOM frames stands behind the volume; it is read in one go."""
    return len(entry.frames) == 1 and entry.frames[0].number < 0


class Nearest:
    """Names parts of a stack, each once: always the one nearest to the slice that is wanted at that moment.

    Parameters
    ----------
    spans : sequence of (int, int)
        First and last slice of each part, ascending.
    wanted : callable
        The slice to be near to.
    """

    def __init__(self, spans: Sequence[tuple[int, int]], wanted: Callable[[], int]) -> None:
        self._left = [(low, high, index) for index, (low, high) in enumerate(spans)]
        self._wanted = wanted

    def take(self) -> int:
        """Return the index of the next part. Raises IndexError when all are taken."""
        wanted = self._wanted()
        at = bisect(self._left, wanted, key=lambda part: part[0])
        # The part that begins at or before the wanted slice, or the one behind it.
        if at and (at == len(self._left) or wanted - self._left[at - 1][1] <= self._left[at][0] - wanted):
            at -= 1
        return self._left.pop(at)[2]


def _as_values(entry: VolumeEntry) -> bool:
    return entry.dtype == "float32" and entry.rescale.identity


def _batches(jobs: Sequence[SliceJob]) -> list[list[SliceJob]]:
    """Return tasks in the order of the slices: uncompressed neighbours in batches, others one by one."""
    batches: list[list[SliceJob]] = []
    room = 0
    for job in jobs:
        straight = job.frame.offset >= 0 and not job.as_values
        if straight and room:
            batches[-1].append(job)
            room -= 1
        else:
            batches.append([job])
            room = STRAIGHT_BATCH - 1 if straight else 0
    return batches


def sop_instance_uids(entry: VolumeEntry, time_point: int = 0) -> tuple[str, ...]:
    """Return which images are behind the slices of a time point, as ``Volume`` names them."""
    count = entry.shape_kji[0]
    own = entry.frames[time_point * count : (time_point + 1) * count]
    uids = tuple(frame.sop_instance_uid for frame in own if frame.sop_instance_uid)
    return uids[:1] if len(set(uids)) == 1 else uids


def _volume(series: Series, entry: VolumeEntry, block: SharedBlock, geometry: Geometry, time_point: int) -> Volume:
    uids = sop_instance_uids(entry, time_point)
    return Volume(
        voxels=block.array,
        geometry=geometry,
        modality=series.modality,
        unit=entry.unit,
        rescale=entry.rescale,
        series_uid=series.series_uid,
        study_uid=series.study_uid,
        sop_instance_uids=uids,
        description=series.description or (name_of(entry.frames[0].path) if not uids and entry.frames else ""),
        body_part=series.body_part,
        acquisition=series.acquisition,
        windows=entry.windows,
        inverted=entry.inverted,
        voi_tables=entry.voi_tables,
        padding=entry.padding,
        spacing_source=entry.spacing_source,
        regions=entry.regions,
        patient_orientation=entry.patient_orientation,
        suv=entry.suv,
    )
