"""Frozen descriptions of long work on files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medview.core.job import JobContext
from medview.core.language import _
from medview.core.segmentation import Segment, Segmentation
from medview.core.study import ScanResult, Series, VolumeEntry
from medview.core.volume import Volume
from medview.io.dicom.scan import scan
from medview.io.library import Library
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader
from medview.store.project import Project
from medview.workspace.jobs import Lane
from medview.workspace.keeping import StoredCase, load_stored, tie_pixels
from medview.workspace.load_state import LoadState


@dataclass(frozen=True, slots=True)
class ScanPlace:
    """Request: what is in a folder, file or zip."""

    path: Path
    pool: Pool
    library: Library | None = None

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Looking into {name}").format(name=self.path.name)

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> ScanResult:
        """Scan in reader processes; files that are known are not opened again."""
        return scan(self.path, context, self.pool, self.library)


@dataclass(frozen=True, slots=True, eq=False)
class OpenedSeries:
    """Part: the volume stands in memory, still empty, and these labels were made on it before.

    Attributes
    ----------
    load : LoadState
        Of the volume; reading goes on around its ``wanted_k``.
    """

    volume: Volume
    stored: StoredCase
    load: LoadState


@dataclass(frozen=True, slots=True)
class ReadSeries:
    """Value: all slices have arrived.

    Attributes
    ----------
    other_pixels : str
        Why labels of the project must not be shown on these pixels, or empty.
    unsure : str
        Why they may be shown but not changed, or empty.
    """

    other_pixels: str = ""
    unsure: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ReadyVolume:
    """Value: a series that was read before anybody asked to see it.

    Attributes
    ----------
    load : LoadState
        Complete.
    pixels : str
        Hash of its pixels (``core.pixel_hash``).
    """

    series: Series
    entry: VolumeEntry
    volume: Volume
    load: LoadState
    pixels: str = ""


@dataclass(frozen=True, slots=True)
class OpenSeries:
    """Request: read a series, middle slice first, then around the visible one. Parts: OpenedSeries, then SliceReports.

    Attributes
    ----------
    ready : ReadyVolume or None
        The series as it was read before: only its labels are read now.
    """

    series: Series
    entry: VolumeEntry
    pool: Pool
    project: Project | None
    ready: ReadyVolume | None = None

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Reading {description}").format(description=self.series.description or self.series.modality or _("series"))

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> ReadSeries:
        """Read in reader processes."""
        if self.ready is not None:
            volume, load = self.ready.volume, self.ready.load
            stored = load_stored(self.project, self.series, self.entry, volume)
            context.partial(OpenedSeries(volume, stored, load))
            tie = tie_pixels(self.project, stored, volume, load.damaged, self.ready.pixels)
            return ReadSeries(tie.other_pixels, tie.unsure)
        reader = SeriesReader(self.pool)
        opened = reader.begin(self.series, self.entry)
        stored = load_stored(self.project, self.series, self.entry, opened.volume)
        load = LoadState(opened.volume.geometry.shape_kji[0])
        context.partial(OpenedSeries(opened.volume, stored, load))
        damaged = reader.fill(opened, load.wanted_k, context, lambda: load.wanted_k)
        tie = tie_pixels(self.project, stored, opened.volume, [report.k for report in damaged])
        return ReadSeries(tie.other_pixels, tie.unsure)


@dataclass(frozen=True, slots=True, eq=False)
class LabelsCopy:
    """Labels as they were at one moment, so that drawing can go on while they are written."""

    segmentation: Segmentation

    @classmethod
    def of(cls, segmentation: Segmentation) -> LabelsCopy:
        """Copy layers and segments."""
        layers = {n: layer.copy() for n, layer in segmentation.layers.items()}
        segments: list[Segment] = list(segmentation.segments)
        return cls(Segmentation(segmentation.geometry, layers, segments))
