"""Small pictures for the study browser."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.errors import ReadError
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.plane import Plane, SlicePlane
from medview.core.study import Series, VolumeEntry
from medview.io.reader_pool import Pool
from medview.io.series_reader import SeriesReader, read_whole
from medview.workspace.jobs import Lane
from medview.workspace.presets import auto_window, opening_window
from medview.workspace.rendering import render_slice

THUMBNAIL_PX = 96


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """Request: the middle slice of the best volume of a series, longest side 96 px, RGB uint8 (rows, columns, 3)."""

    series: Series
    pool: Pool

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Making a thumbnail")

    @property
    def lane(self) -> Lane:
        """A lane of their own: nobody waits for pictures in a list."""
        return Lane.LOOK

    def run(self, context: JobContext) -> npt.NDArray[np.uint8]:
        """Decode one slice and draw it as acquired. Raises ReadError when the series holds no picture."""
        entry = self.series.best
        if entry is None or entry.geometry is None:
            raise ReadError("This series has no picture to show.")
        middle = entry.shape_kji[0] // 2
        wanted, k = (entry, middle) if read_whole(entry) else (_one_slice(entry, entry.geometry, middle), 0)
        reader = SeriesReader(self.pool)
        opened = reader.begin(self.series, wanted)
        damaged = reader.fill(opened, k, context)
        if any(report.k == k for report in damaged):
            raise ReadError(damaged[0].reason)
        volume = opened.volume
        # As acquired: rows down, columns to the right, whatever the orientation in the patient.
        flat = Geometry.from_spacing(volume.geometry.shape_kji, volume.geometry.spacing_kji_mm)
        layout = SlicePlane.of(Plane.AXIAL, flat)
        own = bool(volume.voi_tables or volume.windows)
        window = opening_window(volume) if own else auto_window(volume, k)
        return render_slice(volume, layout, k, window, longest_px=THUMBNAIL_PX)


def _one_slice(entry: VolumeEntry, geometry: Geometry, k: int) -> VolumeEntry:
    _, rows, columns = entry.shape_kji
    alone = geometry.cropped(Box((k, 0, 0), (k + 1, rows, columns)))
    return replace(entry, shape_kji=(1, rows, columns), geometry=alone, frames=(entry.frames[k],), time_points=1)
