"""Measurements of an open case: which are under the hand, what they say, in words and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from medview.analysis.figures import outline
from medview.analysis.measures import Measured, Quantity, measure
from medview.core.changes import AnnotationChange, Command
from medview.core.geometry import Geometry
from medview.core.language import _, in_language
from medview.core.measurement import FLAT, SAME_SLICE, Measurement, MeasurementKind
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.view_state import Tool

_KINDS = {
    Tool.LENGTH: MeasurementKind.LENGTH,
    Tool.BIDIRECTIONAL: MeasurementKind.BIDIRECTIONAL,
    Tool.ANGLE: MeasurementKind.ANGLE,
    Tool.COBB: MeasurementKind.COBB,
    Tool.PROBE: MeasurementKind.PROBE,
    Tool.ELLIPSE: MeasurementKind.ELLIPSE,
    Tool.RECTANGLE: MeasurementKind.RECTANGLE,
    Tool.FREEHAND: MeasurementKind.FREEHAND,
    Tool.POLYGON: MeasurementKind.POLYGON,
}

MEASURING_TOOLS = tuple(_KINDS)

_NAMES = {
    MeasurementKind.LENGTH: _("Length"),
    MeasurementKind.BIDIRECTIONAL: _("Long and short axis"),
    MeasurementKind.ANGLE: _("Angle"),
    MeasurementKind.COBB: _("Cobb angle"),
    MeasurementKind.PROBE: _("Value"),
    MeasurementKind.ELLIPSE: _("Ellipse"),
    MeasurementKind.RECTANGLE: _("Rectangle"),
    MeasurementKind.POLYGON: _("Polygon"),
    MeasurementKind.FREEHAND: _("Outline"),
}

GRIP_PX = 8.0
"""How near the hand has to be to take hold of something."""

_LINES: dict[MeasurementKind, tuple[tuple[int, int], ...]] = {
    MeasurementKind.LENGTH: ((0, 1),),
    MeasurementKind.BIDIRECTIONAL: ((0, 1), (2, 3)),
    MeasurementKind.ANGLE: ((0, 1), (1, 2)),
    MeasurementKind.COBB: ((0, 1), (2, 3)),
    MeasurementKind.PROBE: (),
}
"""Lines of the open figures, by their points; regions are outlined."""

ScreenPoints = list[tuple[float, float]]


def kind_of_tool(tool: Tool) -> MeasurementKind | None:
    """Return what a tool measures, or None."""
    return _KINDS.get(tool)


def name_of(kind: MeasurementKind) -> str:
    """Return what a kind of measurement is called."""
    return _NAMES[kind]


def title(measurement: Measurement) -> str:
    """Return what a measurement is called: its own name, else that of its kind."""
    return measurement.label or _NAMES[measurement.kind]


def measurements(case: OpenCase) -> list[Measurement]:
    """Return the measurements of a case in the order they were made."""
    return [a for a in case.labels.annotations.values() if isinstance(a, Measurement)]


def measured(case: OpenCase, measurement: Measurement) -> Measured:
    """Return what a measurement says at the time it was drawn on; values are known once all slices have arrived.

    Where it touches a slice that could not be read there are none, and the remark says so.
    """
    time_index = case.images.time(measurement)
    if time_index >= len(case.times):
        return Measured((), _("time point {time_index} is not read").format(time_index=time_index + 1))
    time = case.times[time_index]
    return measure(time.volume, measurement, time.load.damaged)


def lines(measurement: Measurement, points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[ScreenPoints]:
    """Return the lines a figure is drawn with, each as a row of points; ``points`` are its own on any two axes."""
    if measurement.kind.region:
        corners = outline(points, measurement.kind)
        closed = np.vstack([corners, corners[:1]])
        return [[(float(a), float(b)) for a, b in closed]]
    return [[(float(a), float(b)) for a, b in points[[start, end]]] for start, end in _LINES[measurement.kind]]


def lies_on(measurement: Measurement, plane: PlaneLayout, geometry: Geometry, index: float) -> bool:
    """Whether a figure was drawn on a plane and is shown on this slice of it.

    A line along a row lies on slices of two planes and shows on both; one drawn at an angle to the grid shows on the
    nearest step.
    """
    points = measurement.points_kji(geometry)
    if isinstance(plane, ObliquePlane):
        across = np.asarray([plane.screen(geometry, point)[0] for point in points])
        return bool(np.abs(across - index).max() <= SAME_SLICE)
    flat = bool(np.ptp(points[:, plane.normal_axis]) <= FLAT)
    return flat and measurement.slice_index(plane, geometry) == index


def handles(measurement: Measurement) -> tuple[int, ...]:
    """Return which points can be pulled: all but those of an outline drawn in one go."""
    return () if measurement.kind is MeasurementKind.FREEHAND else tuple(range(len(measurement.points_lps_mm)))


def held(case: OpenCase, pointer: Pointer) -> tuple[Measurement, int | None] | None:
    """Return the measurement under the pointer and which of its points, None for a line; None where there is none.

    Later ones lie over earlier ones; points go before lines.
    """
    geometry = case.volume.geometry
    row_mm, column_mm = pointer.plane.screen_spacing_mm(geometry)

    def apart_px(row: float, column: float) -> float:
        return math.hypot((row - pointer.row) * row_mm, (column - pointer.column) * column_mm) / pointer.mm_per_px

    here = [
        (m, np.asarray([pointer.plane.screen(geometry, p)[1:] for p in m.points_kji(geometry)]))
        for m in reversed(measurements(case))
        if lies_on(m, pointer.plane, geometry, pointer.slice_index)
    ]
    for measurement, points in here:
        for number in handles(measurement):
            if apart_px(*points[number]) <= GRIP_PX:
                return measurement, number
    for measurement, points in here:
        for line in lines(measurement, points):
            for start, end in pairwise(line):
                if apart_px(*_nearest(start, end, (pointer.row, pointer.column), (row_mm, column_mm))) <= GRIP_PX:
                    return measurement, None
    return None


def _nearest(
    start: tuple[float, float], end: tuple[float, float], at: tuple[float, float], spacing_mm: tuple[float, float]
) -> tuple[float, float]:
    """Return the point of a line that is nearest in millimetres."""
    scale = np.asarray(spacing_mm)
    a, b, p = (np.asarray(point) * scale for point in (start, end, at))
    length = float((b - a) @ (b - a))
    part = min(1.0, max(0.0, float((p - a) @ (b - a)) / length)) if length else 0.0
    row, column = (a + part * (b - a)) / scale
    return float(row), float(column)


def quantity_text(quantity: Quantity) -> str:
    """Return a number with as many digits as a reader believes: a tenth of a millimetre, whole HU."""
    unit = quantity.unit
    if unit == "" and quantity.name == "voxels":
        return _("{value:.0f} voxels").format(value=quantity.value)
    digits = 1 if unit.startswith(("mm", "px", "\u00b0")) else 2 if unit.endswith("g/mL") else 0
    if digits == 0 and 0.0 < abs(quantity.value) < 10.0:
        digits = 3
    text = f"{quantity.value:.{digits}f}".replace("-", "\u2212")
    return f"{text}{unit}" if unit == "\u00b0" else f"{text} {unit}".rstrip()


def short_text(found: Measured) -> list[str]:
    """Return what stands beside a figure on the picture, in one to three lines."""
    names = [q.name for q in found.quantities]
    if "long axis" in names:
        return [
            " \u00d7 ".join(quantity_text(q).split(" ")[0] for q in found.quantities[:2]) + f" {found.quantities[0].unit}"
        ]
    if "area" in names:
        by_name = {q.name: q for q in found.quantities}
        rows = [quantity_text(by_name["area"])]
        prefix = "SUVbw " if "SUVbw mean" in by_name else ""
        if f"{prefix}mean" in by_name:
            mean, spread = by_name[f"{prefix}mean"], by_name[f"{prefix}SD"]
            rows.append(
                _("{prefix}mean {mean}, SD {spread}").format(
                    prefix=prefix, mean=quantity_text(mean), spread=quantity_text(spread).split(" ")[0]
                )
            )
            rows.append(
                _("min {least}, max {most}").format(
                    least=quantity_text(by_name[f"{prefix}min"]).split(" ")[0],
                    most=quantity_text(by_name[f"{prefix}max"]),
                )
            )
        return rows
    return [quantity_text(q) for q in found.quantities]


def table(case: OpenCase) -> str:
    """Return all measurements as a table, tab between columns: what a spreadsheet takes from the clipboard."""
    rows = [(_("Name"), _("Slice"), _("Quantity"), _("Value"), _("Unit"), _("Note"))]
    for one in measurements(case):
        found = measured(case, one)
        at = where(case, one)
        rows += [
            (title(one), at, in_language(q.name), f"{q.value:.6g}", q.unit, in_language(found.remark))
            for q in found.quantities
        ]
    return "\n".join("\t".join(row) for row in rows) + "\n"


def as_text(case: OpenCase, chosen: Sequence[Measurement]) -> str:
    """Return measurements as lines a report takes."""
    out = []
    for one in chosen:
        found = measured(case, one)
        said = ", ".join(f"{in_language(q.name)} {quantity_text(q)}" for q in found.quantities if q.name != "voxels")
        reason = f" ({in_language(found.remark)})" if found.remark else ""
        out.append(f"{title(one)}, {where(case, one)}: {said}{reason if said else reason.lstrip()}")
    return "\n".join(out)


def where(case: OpenCase, measurement: Measurement) -> str:
    """Return the plane and number of the slice a measurement lies on, and the time where there are several."""
    for plane, layout in case.layouts().items():
        index = measurement.slice_index(layout, case.volume.geometry)
        if index is not None and lies_on(measurement, layout, case.volume.geometry, index):
            return f"{plane.title.lower()} {index + 1}{_when(case, measurement)}"
    across = _("on an oblique plane") if measurement.kind.region else _("across slices")
    return f"{across}{_when(case, measurement)}"


def _when(case: OpenCase, measurement: Measurement) -> str:
    return _(", time {time}").format(time=case.images.time(measurement) + 1) if case.entry.time_points > 1 else ""


def jump_to(case: OpenCase, measurement: Measurement) -> None:
    """Put the crosshair into the middle of a measurement, at its time."""
    case.view.time_index = min(case.images.time(measurement), len(case.times) - 1)
    # The exact place, not its voxel: a plane at an angle to the grid shows figures within half a step only.
    case.view.look_at(measurement.points_kji(case.volume.geometry).mean(axis=0), case.volume.geometry.shape_kji)
    case.view.active_annotation_id = measurement.annotation_id


def delete(case: OpenCase, measurement: Measurement) -> bool:
    """Remove a measurement; False when the case cannot be changed now."""
    return case.do(Command(f"Delete {title(measurement)}", (AnnotationChange(measurement, None),), "measure"))


def rename(case: OpenCase, measurement: Measurement, label: str) -> bool:
    """Give a measurement a name of its own; False when nothing changes."""
    text = label.strip()
    if text == measurement.label:
        return False
    renamed = Measurement(
        measurement.annotation_id,
        measurement.kind,
        measurement.points_lps_mm,
        text,
        measurement.sop_instance_uid,
        measurement.frame_number,
        measurement.source,
    )
    return case.do(Command(f"Rename {title(measurement)}", (AnnotationChange(measurement, renamed),), "measure"))
