"""Boxes, points and lines in structured reports: each stands there as the figure it looks like, and comes back as itself.

A 3-D box has no figure of DICOM's that looks like it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medview.core.annotations import BoxAnnotation, Drawn, Trace
from medview.core.errors import WriteError
from medview.core.geometry import Calibration, Geometry
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.source import Source, SourceKind
from medview.core.trace import TraceKind
from medview.core.vector import cross, triple
from medview.io.dicom.sr_codes import Stated
from medview.io.dicom.sr_figures import BOX, POLYLINE
from medview.io.dicom.sr_groups import Reported

FloatArray = npt.NDArray[np.float64]

POINT, OUTLINE = "point", "outline"
"""What stands in the tracking identifier of each."""

DRAWN_AS = (BOX, POINT, POLYLINE, OUTLINE)

_OF_TRACE = {TraceKind.POINT: POINT, TraceKind.OPEN: POLYLINE, TraceKind.CLOSED: OUTLINE}
_FLAT_MM = 0.01
"""How far the points of a closed line may lie from one plane: DICOM's polygons are flat."""
_PLAIN_ID = re.compile(r"\S{1,64}")
_SAME = 1e-3


def as_reported(one: Drawn, geometry: Geometry) -> Reported | None:
    """Return a thing as a report takes it; None for 3-D boxes and closed lines that lie on no plane."""
    if isinstance(one, BoxAnnotation):
        return None if one.flat_edge is None else _reported(one, MeasurementKind.RECTANGLE, _corners(one), BOX)
    points = np.asarray(one.points_lps_mm, dtype=np.float64)
    if one.kind is TraceKind.POINT:
        return _reported(one, MeasurementKind.PROBE, points, POINT)
    if one.kind is TraceKind.CLOSED:
        return _reported(one, MeasurementKind.POLYGON, points, OUTLINE) if _flat(points) else None
    kind = MeasurementKind.LENGTH if len(points) == 2 else MeasurementKind.POLYGON
    return _reported(one, kind, points, POLYLINE, _length(one, geometry))


def as_drawn(measurement: Measurement, drawn_as: str, geometry: Geometry) -> Drawn:
    """Return what a figure of a report is, by what its tracking identifier says."""
    identity, label = measurement.annotation_id, measurement.label
    image = (measurement.sop_instance_uid, measurement.frame_number)
    source = Source(SourceKind.IMPORT)
    if drawn_as == BOX:
        return _box(measurement, geometry, source)
    kind = next(kind for kind, word in _OF_TRACE.items() if word == drawn_as)
    return Trace(identity, kind, measurement.points_lps_mm, label, (), True, *image, source)


def left_out(path: Path, count: int, *, written: int) -> tuple[str, ...]:
    """Return what is said of things that no report can hold. Raises WriteError when there is nothing else."""
    if not count:
        return ()
    few = "1 thing is" if count == 1 else f"{count} things are"
    said = f"{few} a 3-D box or a closed line on no plane, which a report cannot hold; export boxes and marks as JSON."
    if not written:
        raise WriteError(f"{path.name} was not written: {said}")
    return (said,)


def _reported(
    one: Drawn, kind: MeasurementKind, points_lps_mm: FloatArray, drawn_as: str, length: Stated | None = None
) -> Reported:
    identity = one.annotation_id
    if _PLAIN_ID.fullmatch(identity) is None:
        identity = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    points = tuple(triple(point) for point in points_lps_mm)
    measurement = Measurement(identity, kind, points, one.label, one.sop_instance_uid, one.frame_number, one.source)
    said = [f"{attribute.name}: {attribute.words}" for attribute in one.attributes]
    if isinstance(one, BoxAnnotation) and one.score is not None:
        said.insert(0, f"Score of the model: {one.score:.3f}")
    return Reported(measurement, () if length is None else (length,), "", "; ".join(said), drawn_as)


def _corners(box: BoxAnnotation) -> FloatArray:
    """Return the four corners in the middle of the slice, in order around."""
    assert box.flat_edge is not None
    edges = np.asarray(box.edges_lps_mm)
    start = np.asarray(box.corner_lps_mm) + edges[box.flat_edge] / 2
    a, b = (edge for number, edge in enumerate(edges) if number != box.flat_edge)
    return np.stack([start, start + a, start + a + b, start + b])


def _length(one: Trace, geometry: Geometry) -> Stated:
    if geometry.calibration is Calibration.VOLUME:
        return Stated("length", one.length_mm(), "mm")
    steps = np.diff(one.points_kji(geometry), axis=0)
    if geometry.calibration is Calibration.IN_PLANE and float(np.abs(steps[:, 0]).max()) <= _SAME:
        _, row_mm, column_mm = geometry.spacing_kji_mm
        return Stated("length", float(np.hypot(steps[:, 1] * row_mm, steps[:, 2] * column_mm).sum()), "mm")
    return Stated("length", float(np.linalg.norm(steps, axis=1).sum()), "px")


def _flat(points: FloatArray) -> bool:
    centred = points - points.mean(axis=0)
    normal = np.linalg.svd(centred, full_matrices=False)[2][-1]
    return len(points) <= 3 or float(np.abs(centred @ normal).max()) <= _FLAT_MM


def _box(measurement: Measurement, geometry: Geometry, source: Source) -> BoxAnnotation:
    corners = np.asarray(measurement.points_lps_mm, dtype=np.float64)
    index = measurement.points_kji(geometry)
    spread = np.ptp(index, axis=0)
    flat = int(np.argmin(spread))
    sides = np.abs(np.diff(index[:3], axis=0))
    identity, label = measurement.annotation_id, measurement.label
    uid, frame = measurement.sop_instance_uid, measurement.frame_number
    if spread[flat] <= _SAME and bool(np.all(np.sort(sides, axis=1)[:, :2] <= _SAME)):
        low, high = index.min(axis=0) + 0.5, index.max(axis=0) + 0.5
        low[flat], high[flat] = low[flat] - 0.5, low[flat] + 0.5
        made = BoxAnnotation.on_grid(identity, label, geometry, low, high, source=source, flat_edge=flat)
        return replace(made, sop_instance_uid=uid, frame_number=frame)
    a, b = corners[1] - corners[0], corners[3] - corners[0]
    normal = cross(a, b)
    normal /= np.linalg.norm(normal)
    step = np.linalg.norm(geometry.index_kji(corners[0] + normal) - geometry.index_kji(corners[0]))
    thick = normal / float(step)
    corner = triple(corners[0] - thick / 2)
    edges = (triple(thick), triple(a), triple(b))
    return BoxAnnotation(identity, label, corner, edges, None, source, 0, (), True, uid, frame)
