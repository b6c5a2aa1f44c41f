"""What a measurement says: lengths, angles, areas, and the values inside."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from medview.analysis.figures import area, ellipse_axes, inside, outline
from medview.analysis.oblique_region import NOTE, values_on_plane
from medview.core.geometry import Calibration
from medview.core.language import _
from medview.core.measurement import FLAT, Measurement, MeasurementKind
from medview.core.plane import Plane, SlicePlane
from medview.core.spacing import ACROSS_STACK, Scale
from medview.core.suv import SuvKind
from medview.core.volume import Volume

FloatArray = npt.NDArray[np.float64]

UNREAD = _("no values: it lies on a slice that could not be read")
"""What is said instead of values that nobody has seen."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number with its unit.

    Attributes
    ----------
    name : str
        ``length``, ``long axis``, ``mean`` ...
    unit : str
        ``mm``, ``mm at detector``, ``mm\u00b2``, ``px``, ``\u00b0``, the unit of the volume, or empty.
    """

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything a measurement says.

    Attributes
    ----------
    reason : str
        Why lengths are in pixels, or empty.
    note : str
        What has to be known about the values, or empty.
    """

    quantities: tuple[Quantity, ...]
    reason: str = ""
    note: str = ""

    @property
    def remark(self) -> str:
        """Reason and note in one line, or empty."""
        return "; ".join(part for part in (self.reason, self.note) if part)

    def quantity(self, name: str) -> Quantity | None:
        """Return a quantity by name, or None when this kind has none."""
        return next((quantity for quantity in self.quantities if quantity.name == name), None)


def measure(volume: Volume, measurement: Measurement, damaged: Collection[int] = ()) -> Measured:
    """Measure a figure on the volume it was drawn on.

    Lengths are in millimetres only where they are true: everywhere in a volume, inside slices of a stack with a pixel size,
    inside one region of an ultrasound picture. Elsewhere they are in pixels, with the reason.

    Parameters
    ----------
    damaged : collection of int
        Slices k that could not be read. A figure that touches one has its lengths and its area, and no values.
    """
    points_kji = measurement.points_kji(volume.geometry)
    seen = readable(volume, measurement, damaged)
    scale = _scale(volume, points_kji)
    points = _flat_points(volume, points_kji, scale)
    note = ""
    quantities: list[Quantity] = []
    quantities += _LENGTHS.get(measurement.kind, _nothing)(points, scale.unit)
    if measurement.kind.region:
        quantities += _region(measurement, points, scale.unit)
        if not seen:
            note = UNREAD
        elif _oblique(volume, points_kji) and (values := values_on_plane(volume, measurement)) is not None:
            # Pixels that were made up are no voxels to count.
            quantities += [q for q in _statistics(volume, values) if q.name != "voxels" or q.value == 0.0]
            note = NOTE
        else:
            quantities += _statistics(volume, _voxels_inside(volume, measurement, points_kji))
    elif measurement.kind is MeasurementKind.PROBE:
        if seen:
            quantities += _probe(volume, points_kji[0])
        else:
            note = UNREAD
    return Measured(tuple(quantities), scale.reason, note)


def readable(volume: Volume, measurement: Measurement, damaged: Collection[int]) -> bool:
    """Whether every slice a figure lies on or passes through could be read; ``damaged`` are the k that could not."""
    if not damaged:
        return True
    points_kji = measurement.points_kji(volume.geometry)
    if measurement.kind.region:
        # Axes of an ellipse may end before it does.
        points_kji = np.vstack([points_kji, outline(points_kji, measurement.kind)])
    low, high = float(points_kji[:, 0].min()), float(points_kji[:, 0].max())
    first, last = round(low), round(high)
    if measurement.kind.region and _oblique(volume, points_kji):
        # Its values are interpolated between the slices on both sides.
        first, last = floor(low + FLAT), ceil(high - FLAT)
    return not any(first <= k <= last for k in damaged)


def slice_plane_of(volume: Volume, points_kji: FloatArray) -> SlicePlane | None:
    """Return the grid plane whose slice a figure lies on, the acquired one first; None when it crosses slices."""
    layouts = sorted((SlicePlane.of(plane, volume.geometry) for plane in Plane), key=lambda layout: layout.normal_axis)
    # Rounded, so that noise does not choose between planes that a line lies on.
    spread = np.round(np.ptp(points_kji, axis=0), 6)
    flat = [layout for layout in layouts if spread[layout.normal_axis] <= 1.0]
    return min(flat, key=lambda layout: float(spread[layout.normal_axis]), default=None)


def _oblique(volume: Volume, points_kji: FloatArray) -> bool:
    """Whether a figure lies at an angle to all slices of a volume that can be cut at any angle."""
    whole = volume.geometry.calibration is Calibration.VOLUME and not volume.colour
    return whole and bool(np.ptp(points_kji, axis=0).min() > FLAT)


def _scale(volume: Volume, points_kji: FloatArray) -> Scale:
    if volume.geometry.calibration is Calibration.VOLUME:
        return Scale((1.0, 1.0), volume.pixel_scale.note)
    layout = slice_plane_of(volume, points_kji)
    if layout is None or layout.normal_axis != 0:
        return Scale(None, reason=ACROSS_STACK)
    return volume.pixel_scale.along([(float(j), float(i)) for _, j, i in points_kji])


def _flat_points(volume: Volume, points_kji: FloatArray, scale: Scale) -> FloatArray:
    """Return points whose distances are in the scale's unit: in the patient, on the slice, or in pixels."""
    if volume.geometry.calibration is Calibration.VOLUME:
        return volume.geometry.point_lps_mm(points_kji)
    if scale.spacing_ji_mm is not None:
        return np.asarray(points_kji[:, 1:] * np.asarray(scale.spacing_ji_mm))
    return points_kji


def _nothing(points: FloatArray, unit: str) -> list[Quantity]:
    return []


def _length(points: FloatArray, unit: str) -> list[Quantity]:
    return [Quantity("length", _apart(points[0], points[1]), unit)]


def _bidirectional(points: FloatArray, unit: str) -> list[Quantity]:
    axes = sorted((_apart(points[0], points[1]), _apart(points[2], points[3])), reverse=True)
    return [Quantity("long axis", axes[0], unit), Quantity("short axis", axes[1], unit)]


def _angle(points: FloatArray, unit: str) -> list[Quantity]:
    return [Quantity("angle", _degrees(points[0] - points[1], points[2] - points[1]), "\u00b0")]


def _cobb(points: FloatArray, unit: str) -> list[Quantity]:
    # Lines have no direction: the angle between them is the smaller one.
    between = _degrees(points[1] - points[0], points[3] - points[2])
    return [Quantity("Cobb angle", min(between, 180.0 - between), "\u00b0")]


_LENGTHS = {
    MeasurementKind.LENGTH: _length,
    MeasurementKind.BIDIRECTIONAL: _bidirectional,
    MeasurementKind.ANGLE: _angle,
    MeasurementKind.COBB: _cobb,
}


def _region(measurement: Measurement, points: FloatArray, unit: str) -> list[Quantity]:
    if measurement.kind is MeasurementKind.ELLIPSE:
        _, a, b = ellipse_axes(points)
        # The area of any two conjugate half diameters, at right angles or not.
        enclosed = float(np.pi * np.sqrt(max(float(a @ a) * float(b @ b) - float(a @ b) ** 2, 0.0)))
    else:
        enclosed = area(outline(points, measurement.kind))
    word, _, note = unit.partition(" ")
    return [Quantity("area", enclosed, f"{word}\u00b2 {note}".rstrip())]


def _voxels_inside(volume: Volume, measurement: Measurement, points_kji: FloatArray) -> FloatArray:
    """Return the values inside a region, padding left out; empty when the figure crosses slices."""
    layout = slice_plane_of(volume, points_kji)
    index = measurement.slice_index(layout, volume.geometry) if layout is not None else None
    if layout is None or index is None or volume.colour:
        return np.empty(0)
    axes = [axis for axis in range(3) if axis != layout.normal_axis]
    shape = (volume.geometry.shape_kji[axes[0]], volume.geometry.shape_kji[axes[1]])
    mask = inside(measurement, points_kji[:, axes], shape)
    region: list[int | slice] = [slice(None)] * 3
    region[layout.normal_axis] = index
    values = volume.values(tuple(region))
    seen = mask & np.isfinite(values) & ~volume.is_padding(volume.voxels[tuple(region)])
    return np.asarray(values[seen], dtype=np.float64)


def _statistics(volume: Volume, values: FloatArray) -> list[Quantity]:
    if values.size == 0:
        return [] if volume.colour else [Quantity("voxels", 0.0, "")]
    spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
    found = [("mean", float(values.mean())), ("SD", spread), ("min", float(values.min())), ("max", float(values.max()))]
    quantities = [Quantity(name, number, volume.unit) for name, number in found]
    factor = volume.suv.factor(SuvKind.BODY_WEIGHT) if volume.suv is not None else None
    if factor is not None:
        unit = SuvKind.BODY_WEIGHT.unit
        quantities += [Quantity(f"{SuvKind.BODY_WEIGHT.title} {name}", number * factor, unit) for name, number in found]
    return [*quantities, Quantity("voxels", float(values.size), "")]


def _probe(volume: Volume, point_kji: FloatArray) -> list[Quantity]:
    if not volume.geometry.contains(point_kji) or volume.colour:
        return []
    k, j, i = (int(n) for n in np.rint(point_kji))
    value = float(volume.values((k, j, i)))
    quantities = [Quantity("value", value, volume.unit)]
    factor = volume.suv.factor(SuvKind.BODY_WEIGHT) if volume.suv is not None else None
    if factor is not None:
        quantities.append(Quantity(SuvKind.BODY_WEIGHT.title, value * factor, SuvKind.BODY_WEIGHT.unit))
    return quantities


def _apart(a: FloatArray, b: FloatArray) -> float:
    return float(np.linalg.norm(a - b))


def _degrees(a: FloatArray, b: FloatArray) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if lengths == 0.0:
        return 0.0
    return float(np.degrees(np.arccos(np.clip(float(a @ b) / lengths, -1.0, 1.0))))
