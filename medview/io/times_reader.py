"""The time points of a 4-D series after the first, read one after the other into few blocks of memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from medview.core.errors import ReadError
from medview.core.job import JobContext
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.io.fill import SliceReport
from medview.io.reader_pool import Pool
from medview.io.series_reader import OpenedVolume, SeriesReader, read_whole
from medview.io.shared_block import available_memory

MEMORY_SHARE = 0.5
"""Part of the free memory that further time points may take; the rest is for labels, models and the person's other work."""

PASSES = 8
"""How often a file that is read from its beginning each time is read; more passes show the first times sooner."""


@dataclass(frozen=True, slots=True)
class ReadTimePoint:
    """Part: every slice of a time point has arrived or is damaged.

    Attributes
    ----------
    time_point : int
        From 0; the first is not read here.
    damaged : tuple of SliceReport
        With k counted in its own volume.
    """

    time_point: int
    volume: Volume
    damaged: tuple[SliceReport, ...] = ()


def refuse_too_large(entry: VolumeEntry) -> None:
    """Raise ReadError when the time points after the first do not fit into memory."""
    count = entry.time_points - 1
    needed = entry.size_bytes // entry.time_points * count
    if needed > MEMORY_SHARE * available_memory():
        raise ReadError(
            f"The other {count} time points need {needed / 1e9:.1f} GB and there is no room for them; the first is shown."
        )


class TimesReader:
    """Reads through a pool of readers.

    The slices of many time points are read as those of one long stack: a block of memory each would take a descriptor
    each, of which a system has about a thousand.
    """

    def __init__(self, pool: Pool) -> None:
        self._reader = SeriesReader(pool)

    def read(self, series: Series, entry: VolumeEntry, context: JobContext) -> None:
        """Read all time points after the first in their order; each is handed over as a ReadTimePoint once it is whole.

        Raises
        ------
        ReadError
            When they do not fit into memory, or the file behind them has changed.
        CancelledError
            When the context says so; time points handed over stay.
        """
        refuse_too_large(entry)
        for first, last in _chunks(entry):
            stack = _stack_of(entry, first, last)
            opened = self._reader.begin(series, stack, first if read_whole(entry) else 0)
            self._reader.fill(opened, 0, _InTime(context, entry, opened, first))


def _chunks(entry: VolumeEntry) -> Iterator[tuple[int, int]]:
    """Yield first and last time point of what is read together."""
    count = entry.time_points
    step = -(-(count - 1) // PASSES) if read_whole(entry) else count
    for first in range(1, count, step):
        yield first, min(first + step, count) - 1


def _stack_of(entry: VolumeEntry, first: int, last: int) -> VolumeEntry:
    """Return the slices of some time points as those of one volume."""
    assert entry.geometry is not None
    slices, rows, columns = entry.shape_kji
    shape = (slices * (last - first + 1), rows, columns)
    frames = entry.frames if read_whole(entry) else entry.frames[first * slices : (last + 1) * slices]
    return replace(entry, shape_kji=shape, geometry=replace(entry.geometry, shape_kji=shape), frames=frames)


class _InTime:
    """A context that puts the slices of a stack together into time points."""

    def __init__(self, context: JobContext, entry: VolumeEntry, opened: OpenedVolume, first: int) -> None:
        self._context, self._entry, self._opened = context, entry, opened
        self._first = self._next = first
        self._arrived: dict[int, list[SliceReport]] = {}

    def progress(self, _fraction: float, _text: str) -> None:
        """Say which time point is being read."""
        slices, count = self._entry.shape_kji[0], self._entry.time_points
        begun = len(self._arrived.get(self._next, ()))
        fraction = (self._next - 1 + begun / slices) / (count - 1)
        self._context.progress(fraction, f"Reading time point {min(self._next + 1, count)} of {count}")

    def partial(self, value: object) -> None:
        """Take a slice; hand over the time points that are whole, in their order."""
        if not isinstance(value, SliceReport):
            return
        slices = self._entry.shape_kji[0]
        time, k = divmod(value.k, slices)
        self._arrived.setdefault(self._first + time, []).append(replace(value, k=k))
        while len(self._arrived.get(self._next, ())) == slices:
            damaged = tuple(sorted((r for r in self._arrived.pop(self._next) if not r.ok), key=lambda report: report.k))
            self._context.partial(ReadTimePoint(self._next, self._volume(self._next), damaged))
            self._next += 1

    def raise_if_cancelled(self) -> None:
        """Raise CancelledError once the person pressed Cancel."""
        self._context.raise_if_cancelled()

    def _volume(self, time_point: int) -> Volume:
        slices = self._entry.shape_kji[0]
        at = (time_point - self._first) * slices
        own = self._entry.frames[time_point * slices : (time_point + 1) * slices]
        uids = tuple(frame.sop_instance_uid for frame in own if frame.sop_instance_uid)
        assert self._entry.geometry is not None
        return replace(
            self._opened.volume,
            voxels=self._opened.volume.voxels[at : at + slices],
            geometry=self._entry.geometry,
            sop_instance_uids=uids[:1] if len(set(uids)) == 1 else uids,
        )
