"""Frozen descriptions of long work on files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medview.core.job import JobContext
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.core.study import ScanResult, Series, VolumeEntry
from medview.core.volume import Volume
from medview.io.dicom.scan import scan
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader
from medview.store.project import Project
from medview.workspace.jobs import Lane
from medview.workspace.keeping import StoredCase, attach_pixels, load_stored
from medview.workspace.load_state import LoadState

_UNSURE = (
    "Some slices cannot be read, so it is not certain that these are the images the labels were drawn on; they are shown "
    "and cannot be changed."
)


@dataclass(frozen=True, slots=True)
class ScanPlace:
    """Request: what is in a folder, file or zip."""

    path: Path
    pool: Pool

    @property
    def title(self) -> str:
        """What the person reads."""
        return f"Looking into {self.path.name}"

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> ScanResult:
        """Scan in a reader process."""
        return scan(self.path, context, self.pool)


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


@dataclass(frozen=True, slots=True)
class OpenSeries:
    """Request: read a series, middle slice first, then around the visible one. Parts: OpenedSeries, then SliceReports."""

    series: Series
    entry: VolumeEntry
    pool: Pool
    project: Project | None

    @property
    def title(self) -> str:
        """What the person reads."""
        return f"Reading {self.series.description or self.series.modality or 'series'}"

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> ReadSeries:
        """Read in reader processes."""
        reader = SeriesReader(self.pool)
        opened = reader.begin(self.series, self.entry)
        stored = load_stored(self.project, self.series, self.entry, opened.volume)
        load = LoadState(opened.volume.geometry.shape_kji[0])
        context.partial(OpenedSeries(opened.volume, stored, load))
        damaged = reader.fill(opened, load.wanted_k, context, lambda: load.wanted_k)
        if damaged:
            # Slices that fail to read today may be whole tomorrow: their zeros must not become the case's identity.
            return ReadSeries(unsure=_UNSURE if stored.pixels_known else "")
        return ReadSeries(attach_pixels(self.project, stored, pixels_sha256(opened.volume)))


def pixels_sha256(volume: Volume) -> str:
    """Return the SHA-256 of the stored voxels, their dtype and shape: what labels were drawn on."""
    voxels = np.ascontiguousarray(volume.voxels)
    digest = hashlib.sha256(f"{voxels.dtype.str}{voxels.shape}".encode())
    digest.update(voxels.view(np.uint8).data if voxels.dtype != np.uint8 else voxels.data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class LabelsCopy:
    """Labels as they were at one moment, so that drawing can go on while they are written."""

    segmentation: Segmentation

    @classmethod
    def of(cls, segmentation: Segmentation) -> LabelsCopy:
        """Copy layers and segments."""
        layers = {n: LabelLayer(n, layer.voxels.copy(), layer.version) for n, layer in segmentation.layers.items()}
        segments: list[Segment] = list(segmentation.segments)
        return cls(Segmentation(segmentation.geometry, layers, segments))
