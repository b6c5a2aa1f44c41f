"""Time-intensity curves: the values of a point or region at every time point of a 4-D series, or frame of a loop."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.analysis.figures import inside
from medview.analysis.measures import slice_plane_of
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.suv import SuvKind
from medview.core.volume import Volume

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

Places = tuple[IntArray, IntArray, IntArray]
"""Indices k, j and i of the voxels a curve is taken from, each of shape (voxels,)."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness of a colour picture (ITU-R BT.601)."""


@dataclass(frozen=True, slots=True, eq=False)
class TimeCurve:
    """Mean and spread over time.

    Attributes
    ----------
    name : str
        Of the value: ``Value``, ``SUVbw``, or ``Brightness`` for colour.
    unit : str
        Unit of mean and SD, or empty.
    mean, sd : ndarray of float64, shape (times,)
        SD with n - 1. The mean is NaN where no voxel counts: padding, no number, not read. The SD also where one is left.
    voxels : ndarray of intp, shape (times,)
        How many voxels count at each time.
    """

    name: str
    unit: str
    mean: FloatArray
    sd: FloatArray
    voxels: IntArray


def places_of_point(volume: Volume, point_kji: Sequence[float]) -> Places | None:
    """Return the voxel nearest to a point; None outside the grid."""
    index = np.rint(np.asarray(point_kji, dtype=np.float64)).astype(np.intp)
    if (index < 0).any() or (index >= volume.geometry.shape_kji).any():
        return None
    return index[:1], index[1:2], index[2:]


def places_of(volume: Volume, measurement: Measurement) -> Places | None:
    """Return the voxels a probe or region takes in; None for figures that enclose nothing, or nothing of the grid."""
    points_kji = measurement.points_kji(volume.geometry)
    if measurement.kind is MeasurementKind.PROBE:
        return places_of_point(volume, points_kji[0])
    layout = slice_plane_of(volume, points_kji) if measurement.kind.region else None
    index = measurement.slice_index(layout, volume.geometry) if layout is not None else None
    if layout is None or index is None:
        return None
    first, second = (axis for axis in range(3) if axis != layout.normal_axis)
    shape = volume.geometry.shape_kji
    rows, columns = np.nonzero(inside(measurement, points_kji[:, [first, second]], (shape[first], shape[second])))
    if rows.size == 0:
        return None
    found: list[IntArray] = [np.full(rows.size, index, dtype=np.intp)] * 3
    found[first], found[second] = rows, columns
    return found[0], found[1], found[2]


def places_of_mask(mask: npt.NDArray[np.bool_]) -> Places | None:
    """Return the voxels of a mask of the whole grid, (k, j, i); None when it is empty."""
    k, j, i = np.nonzero(mask)
    return (k, j, i) if k.size else None


def curve_over_times(volumes: Sequence[Volume], places: Places, missing: Sequence[Collection[int]] = ()) -> TimeCurve:
    """Return the curve of some voxels over the time points of a series, all on one grid.

    Parameters
    ----------
    volumes : sequence of Volume
        One at least.
    missing : sequence of collection of int
        For each volume the slices k that could not be read; their voxels do not count.
    """
    samples = []
    for n, volume in enumerate(volumes):
        lost = list(missing[n]) if n < len(missing) else []
        read = ~np.isin(places[0], lost) if lost else slice(None)
        samples.append((volume, volume.voxels[tuple(axis[read] for axis in places)]))
    return _curve(volumes[0], samples)


def curve_over_frames(volume: Volume, places: Places, missing: Collection[int] = ()) -> TimeCurve:
    """Return the curve of some pixels over the slices of a stack that are the frames of a loop; k of ``places`` is moot."""
    _, j, i = places
    nothing = volume.voxels[0, j[:0], i[:0]]
    return _curve(volume, [(volume, nothing if k in missing else frame[j, i]) for k, frame in enumerate(volume.voxels)])


def _curve(first: Volume, samples: Sequence[tuple[Volume, npt.NDArray[np.generic]]]) -> TimeCurve:
    factor = first.suv.factor(SuvKind.BODY_WEIGHT) if first.suv is not None else None
    mean, sd = np.full(len(samples), np.nan), np.full(len(samples), np.nan)
    voxels = np.zeros(len(samples), dtype=np.intp)
    for n, (volume, stored) in enumerate(samples):
        values = _values(volume, stored) * (factor or 1.0)
        voxels[n] = values.size
        if values.size:
            mean[n] = values.mean()
        if values.size > 1:
            sd[n] = values.std(ddof=1)
    if first.colour:
        return TimeCurve("Brightness", "", mean, sd, voxels)
    if factor is not None:
        return TimeCurve(SuvKind.BODY_WEIGHT.title, SuvKind.BODY_WEIGHT.unit, mean, sd, voxels)
    return TimeCurve("Value", first.unit, mean, sd, voxels)


def _values(volume: Volume, stored: npt.NDArray[np.generic]) -> FloatArray:
    """Return the values of stored numbers (colours: their brightness), padding and what is no number left out."""
    if volume.colour:
        return np.asarray(stored.astype(np.float64) @ np.asarray(LUMA))
    values = volume.values_of(stored).astype(np.float64)
    return np.asarray(values[np.isfinite(values) & ~volume.is_padding(stored)])
