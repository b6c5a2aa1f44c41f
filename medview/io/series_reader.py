"""Series to volumes: memory first, then the slice a person looks at, then the rest."""

from __future__ import annotations

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

    def fill(self, opened: OpenedVolume, first_k: int, context: JobContext) -> list[SliceReport]:
        """Read all slices, ``first_k`` first and then outward from it; blocks until done.

        Reports every slice through ``context.partial(SliceReport)``.

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
        for done, report in enumerate(self._reports(opened, first_k, context), start=1):
            if not report.ok:
                damaged.append(report)
            context.partial(report)
            context.progress(done / count, f"Reading slice {done} of {count}")
            context.raise_if_cancelled()
        return sorted(damaged, key=lambda report: report.k)

    def _reports(self, opened: OpenedVolume, first_k: int, context: JobContext) -> Iterator[SliceReport]:
        context.raise_if_cancelled()
        frames = opened.frames
        count = opened.entry.shape_kji[0]
        if read_whole(opened.entry):
            yield from self._whole(opened, frames[0], context.raise_if_cancelled)
            return
        jobs = [SliceJob(k, frames[k], _as_values(opened.entry)) for k in outward(first_k, count)]
        batches = _batches(jobs)
        stop = context.raise_if_cancelled
        # The slice somebody waits for is read alone: nothing competes for the disk, and it is the first to arrive.
        retried = yield from self._run(opened.block.handle, batches[:1], stop)
        retried += yield from self._run(opened.block.handle, batches[1:], stop)
        # A batch whose process died is read again one by one, so that only the culprit is marked.
        yield from self._singly(opened.block.handle, retried, stop)

    def _run(
        self, handle: BlockHandle, batches: Sequence[list[SliceJob]], stop: Callable[[], None]
    ) -> Generator[SliceReport, None, list[SliceJob]]:
        retried: list[SliceJob] = []
        tasks = [(batch[0].frame.path, handle, batch) for batch in batches]
        for index, outcome in self._pool.each(fill_slices, tasks, FILE_TIMEOUT_S, stop):
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


def outward(first_k: int, count: int) -> list[int]:
    """Return all slice indices, nearest to ``first_k`` first."""
    first = min(max(first_k, 0), count - 1)
    return sorted(range(count), key=lambda k: (abs(k - first), k))


def _as_values(entry: VolumeEntry) -> bool:
    return entry.dtype == "float32" and entry.rescale.identity


def _batches(jobs: Sequence[SliceJob]) -> list[list[SliceJob]]:
    """Return tasks: the first slice alone, then uncompressed ones in batches, others one by one."""
    batches = [[jobs[0]]]
    straight: list[SliceJob] = []
    for job in jobs[1:]:
        if job.frame.offset < 0 or job.as_values:
            batches.append([job])
            continue
        straight.append(job)
        if len(straight) == STRAIGHT_BATCH:
            batches.append(straight)
            straight = []
    return [*batches, straight] if straight else batches


def _volume(series: Series, entry: VolumeEntry, block: SharedBlock, geometry: Geometry, time_point: int) -> Volume:
    count = entry.shape_kji[0]
    own = entry.frames[time_point * count : (time_point + 1) * count]
    uids = tuple(frame.sop_instance_uid for frame in own if frame.sop_instance_uid)
    if len(set(uids)) == 1:
        uids = uids[:1]
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
        windows=entry.windows,
        inverted=entry.inverted,
        padding_value=entry.padding_value,
    )
