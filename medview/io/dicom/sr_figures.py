"""Graphics of a report to figures, before anybody knows where they lie: which kind each is, and the points it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.measurement import MeasurementKind
from medview.io.dicom.sr_codes import ANGLE, AREA, COBB_ANGLE, LONG_AXIS, SHORT_AXIS
from medview.io.dicom.sr_content import Drawing, ReportFinding

FloatArray = npt.NDArray[np.float64]

_LONG, _SHORT, _ANGLE, _COBB, _AREA = (
    (code.value, code.scheme_designator) for code in (LONG_AXIS, SHORT_AXIS, ANGLE, COBB_ANGLE, AREA)
)

_OPEN = {2: MeasurementKind.LENGTH}
MOST_CORNERS = 20_000
"""An outline of more is no outline a person handles."""
MOST_PLACES = 200
"""As many points of one graphic are shown as places; more of them are a cloud."""
BOX, POLYLINE = "box", "polyline"
"""Tracking identifiers of what is no measurement: a rectangle, and a line of many points."""
_SQUARE_CORNER = 1e-3
"""Cosine below which two sides are at a right angle."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """One figure as the report draws it; ``points`` are those of the kind, in the coordinates of ``drawing``.

    Attributes
    ----------
    drawn_as : str
        ``BOX`` or ``POLYLINE`` where it is none that is measured.
    """

    kind: MeasurementKind
    points: FloatArray
    drawing: Drawing
    drawn_as: str = ""


def figures_of(finding: ReportFinding) -> tuple[list[Figure], int]:
    """Return the figures of a finding and how many of its graphics are of a kind that is not drawn here."""
    rest = list(finding.drawings.values())
    found = list(_pairs(rest))
    unknown = 0
    for drawing in rest:
        figures = _alone(drawing, finding.kind, measured=bool(finding.stated))
        found += figures
        unknown += not figures
    return found, unknown


def _pairs(drawings: list[Drawing]) -> Iterator[Figure]:
    """Yield figures made of two lines, taking these out of ``drawings``."""
    places: dict[object, list[Drawing]] = {}
    for drawing in drawings:
        if drawing.shape == "POLYLINE" and len(drawing.points) == 2:
            places.setdefault((drawing.image, drawing.frame_of_reference_uid), []).append(drawing)
    used: set[int] = set()
    for lines in places.values():
        long, short, cobb = ([line for line in lines if line.measures == what] for what in (_LONG, _SHORT, _COBB))
        pairs = [(MeasurementKind.BIDIRECTIONAL, pair) for pair in zip(long, short, strict=False)]
        pairs += [(MeasurementKind.COBB, pair) for pair in zip(cobb[::2], cobb[1::2], strict=False)]
        for kind, (one, other) in pairs:
            used |= {id(one), id(other)}
            yield Figure(kind, np.vstack([one.points, other.points]), one)
    drawings[:] = [drawing for drawing in drawings if id(drawing) not in used]


def _alone(drawing: Drawing, hint: str, *, measured: bool) -> list[Figure]:
    """Return the figures of one graphic; none where it is of a kind that is not drawn here."""
    points, shape = drawing.points, drawing.shape
    if len(points) > (MOST_PLACES if shape == "MULTIPOINT" else MOST_CORNERS):
        return []
    if shape in ("POINT", "MULTIPOINT"):
        return [Figure(MeasurementKind.PROBE, point[None], drawing) for point in points]
    if shape == "CIRCLE" and len(points) == 2 and not drawing.in_patient:
        return [Figure(MeasurementKind.ELLIPSE, _circle(points), drawing)]
    if shape == "ELLIPSE" and len(points) == 4:
        return [Figure(MeasurementKind.ELLIPSE, points, drawing)]
    if shape not in ("POLYLINE", "POLYGON"):
        return []
    corners = points[:-1] if drawing.closed else points
    if hint == POLYLINE and len(points) > 2:
        return [Figure(MeasurementKind.POLYGON, points, drawing)]
    if len(corners) >= 3 and (drawing.closed or shape == "POLYGON" or drawing.measures == _AREA):
        kind = _closed_kind(corners, hint)
        # Whoever frames something and measures nothing has found it: that is a box.
        boxed = kind is MeasurementKind.RECTANGLE and not hint and not measured
        return [Figure(kind, corners, drawing, BOX if boxed else "")]
    open_kind = _open_kind(drawing)
    if open_kind is not None and open_kind.points == len(points):
        return [Figure(open_kind, points, drawing)]
    return [Figure(MeasurementKind.POLYGON, points, drawing, POLYLINE)] if shape == "POLYLINE" and len(points) > 2 else []


def _closed_kind(corners: FloatArray, hint: str) -> MeasurementKind:
    if hint == MeasurementKind.FREEHAND.value:
        return MeasurementKind.FREEHAND
    if len(corners) == 4 and (hint in (MeasurementKind.RECTANGLE.value, BOX) or (not hint and _square_cornered(corners))):
        return MeasurementKind.RECTANGLE
    return MeasurementKind.POLYGON


def _square_cornered(corners: FloatArray) -> bool:
    """Whether four corners are those of a rectangle."""
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(sides, axis=1)
    turns = np.abs(np.sum(sides * np.roll(sides, -1, axis=0), axis=1))
    return bool(lengths.min() > 0 and (turns <= _SQUARE_CORNER * lengths * np.roll(lengths, -1)).all())


def _open_kind(drawing: Drawing) -> MeasurementKind | None:
    if drawing.measures == _COBB:
        return MeasurementKind.COBB
    if drawing.measures == _ANGLE and len(drawing.points) == 3:
        return MeasurementKind.ANGLE
    return _OPEN.get(len(drawing.points))


def _circle(points: FloatArray) -> FloatArray:
    """Return the ends of two axes of the circle round the first point through the second."""
    centre, arm = points[0], points[1] - points[0]
    across = np.array([-arm[1], arm[0]])
    return np.stack([centre - arm, centre + arm, centre - across, centre + across])


def principal_axes(ends: FloatArray) -> FloatArray:
    """Return the ends of the long, then of the short axis of an ellipse, shape (4, dimensions).

    Parameters
    ----------
    ends : ndarray, shape (4, dimensions)
        Ends of two conjugate diameters: at right angles in one space, they need not be so in another that stretches it.
    """
    centre = ends.mean(axis=0)
    a, b = (ends[1] - ends[0]) / 2.0, (ends[3] - ends[2]) / 2.0
    long, short = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if abs(float(a @ b)) <= _SQUARE_CORNER * long * short:
        return np.asarray(ends if long >= short else ends[[2, 3, 0, 1]])
    directions, lengths, _ = np.linalg.svd(np.stack([a, b], axis=1), full_matrices=False)
    a, b = directions[:, 0] * lengths[0], directions[:, 1] * lengths[1]
    return np.stack([centre - a, centre + a, centre - b, centre + b])
