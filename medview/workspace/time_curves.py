"""What a time-intensity curve is drawn of, and the curve: as a value for the window and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from medview.analysis.time_curve import (
    Places,
    TimeCurve,
    curve_over_frames,
    curve_over_times,
    places_of,
    places_of_mask,
    places_of_point,
)
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.volume import Volume
from medview.workspace.jobs import Lane
from medview.workspace.measuring import title, where
from medview.workspace.open_case import OpenCase
from medview.workspace.time_axis import TimeAxis

AT_ONCE_VOXELS = 500_000
"""More than this, over all times, is gathered by a job."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What a curve is taken from.

    Attributes
    ----------
    name : str
        ``Ellipse, axial 7, time 1``, ``Voxel 31, 40, 12``, the name of a segment.
    key : tuple
        Equal for subjects whose curves are equal.
    places : tuple of ndarray
        As in ``analysis.time_curve``.
    """

    name: str
    key: tuple[object, ...]
    places: Places


@dataclass(frozen=True, slots=True, eq=False)
class MakeCurve:
    """Request: the curve of a subject over volumes in time, or over the frames of the only one.

    Attributes
    ----------
    missing : tuple of tuple of int
        Slices of each volume that are not there.
    """

    volumes: tuple[Volume, ...]
    places: Places
    missing: tuple[tuple[int, ...], ...]
    frames: bool = False
    title: str = _("Making the time curve")
    lane: Lane = Lane.LOOK

    @property
    def size_voxels(self) -> int:
        """How many voxels are gathered."""
        return int(self.places[0].size) * (len(self.volumes[0].voxels) if self.frames else len(self.volumes))

    def run(self, _context: JobContext) -> TimeCurve:
        """Gather and average."""
        if self.frames:
            return curve_over_frames(self.volumes[0], self.places, self.missing[0])
        return curve_over_times(self.volumes, self.places, self.missing)


def subject_of(case: OpenCase, segment_id: str = "") -> Subject | None:
    """Return what the curve is of; None for a segment without voxels.

    A segment where one is named, else the chosen measurement if it takes in voxels, else the crosshair's voxel.
    """
    if segment_id:
        return _segment(case, segment_id)
    chosen = case.labels.annotations.get(case.view.active_annotation_id)
    if isinstance(chosen, Measurement) and (chosen.kind.region or chosen.kind is MeasurementKind.PROBE):
        places = places_of(case.volume, chosen)
        if places is not None:
            return Subject(f"{title(chosen)}, {where(case, chosen)}", (chosen, *_times(case)), places)
    k, j, i = case.view.crosshair_kji
    places = places_of_point(case.volume, (k, j, i))
    if places is None:
        return None
    loop = case.entry.time_points == 1
    name = _("Pixel {i}, {j}").format(i=i, j=j) if loop else _("Voxel {i}, {j}, {k}").format(i=i, j=j, k=k)
    return Subject(name, ((j, i) if loop else (k, j, i), *_times(case)), places)


def request_of(case: OpenCase, subject: Subject) -> MakeCurve:
    """Return the request for the curve of a subject over what is read so far."""
    volumes, missing = tuple(t.volume for t in case.times), tuple(t.load.missing for t in case.times)
    return MakeCurve(volumes, subject.places, missing, frames=case.entry.time_points == 1)


def curve_table(subject: Subject, axis: TimeAxis, curve: TimeCurve) -> str:
    """Return a curve as a table, tab between columns: what a spreadsheet takes from the clipboard."""
    of_time = f"{axis.name} ({axis.unit})" if axis.unit else axis.name
    unit = f" ({curve.unit})" if curve.unit else ""
    rows: list[Sequence[str]] = [
        (
            of_time,
            _("{name} mean{unit}").format(name=curve.name, unit=unit),
            f"{curve.name} SD{unit}",
            _("Voxels"),
            subject.name,
        )
    ]
    numbers = zip(axis.values, curve.mean, curve.sd, curve.voxels, strict=False)
    # No number, not a zero, where there is none.
    rows += [(f"{x:.6g}", _cell(mean), _cell(sd), str(int(count))) for x, mean, sd, count in numbers]
    return "\n".join("\t".join(row) for row in rows) + "\n"


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def number_text(value: float) -> str:
    """Return a number with as many digits as a reader takes in."""
    digits = 0 if abs(value) >= 1000.0 else 1 if abs(value) >= 10.0 else 2
    return f"{value:.{digits}f}".replace("-", "\u2212")


def _times(case: OpenCase) -> tuple[object, ...]:
    return (case.key, len(case.times), case.anchor.load.arrived)


def _segment(case: OpenCase, segment_id: str) -> Subject | None:
    segment = case.labels.segmentation.find(segment_id)
    places = places_of_mask(case.labels.segmentation.mask(segment)) if segment is not None else None
    if segment is None or places is None:
        return None
    return Subject(segment.name, (segment_id, case.labels.revision, *_times(case)), places)
