"""A volume brought onto the grid of another, as the further channels of a model have to be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import GeometryError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext
from medview.core.volume import Rescale, Volume

FloatArray = npt.NDArray[np.float64]

SLAB_VOXELS = 1 << 21
"""Voxels resampled between two looks at Cancel: some hundredths of a second."""

_EDGE = 0.5 + 1e-6
"""Voxels beyond the outermost centres that still belong to the volume."""


@dataclass(frozen=True, slots=True, eq=False)
class OntoGrid:
    """A resampled volume.

    Attributes
    ----------
    volume : Volume
        float32 values on the target's grid; where the source shows nothing they are its padding, and its lowest value.
    covered : float
        Part of the target that lies inside the source, 0 to 1.
    """

    volume: Volume
    covered: float


def onto_grid(volume: Volume, placed: Geometry, target: Geometry, context: JobContext) -> OntoGrid:
    """Interpolate a volume linearly at the voxel centres of another grid.

    Sheared grids and grids that run the other way round are as good as any: the work is done in voxels of the source.
    Padding is never mixed with values: it counts as the lowest value while values are interpolated, and stays padding where
    it is the nearest voxel.

    Parameters
    ----------
    volume : Volume
        Grey.
    placed : Geometry
        Where its voxels lie in the patient space of ``target``: its own geometry, or as a registration places it.

    Raises
    ------
    GeometryError
        In colour, without millimetres along all axes, or where nothing of the target lies inside.
    CancelledError
        Between slabs.
    """
    if volume.colour or {placed.calibration, target.calibration} != {Calibration.VOLUME}:
        raise GeometryError("Only grey volumes with millimetres along all axes can be brought onto another grid.")
    # Costs every start of the program a tenth of a second.
    import SimpleITK as sitk

    # From voxels (i, j, k) of the target to voxels of the source.
    whole = np.linalg.inv(placed.affine_lps) @ target.affine_lps
    matrix, offset = whole[:3, :3][::-1, ::-1], whole[:3, 3][::-1]
    values, padded = _source(volume)
    source = sitk.GetImageFromArray(values)
    mask = None if padded is None else sitk.GetImageFromArray(padded)
    lowest = float(values.min())
    nothing = float(np.float32(lowest - max(1.0, abs(lowest) * 1e-3)))
    slices, rows, columns = target.shape_kji
    into: npt.NDArray[np.float32] = np.empty(target.shape_kji, dtype=np.float32)
    step = max(1, SLAB_VOXELS // (rows * columns))
    for k in range(0, slices, step):
        context.raise_if_cancelled()
        context.progress(k / slices, "Bringing the channels onto one grid")
        count = min(step, slices - k)
        way = sitk.AffineTransform(3)
        way.SetMatrix([float(n) for n in matrix.ravel()])
        way.SetTranslation([float(n) for n in offset + matrix[:, 2] * k])
        size, zero, one = (columns, rows, count), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        straight = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
        found = sitk.Resample(source, size, way, sitk.sitkLinear, zero, one, straight, nothing, sitk.sitkFloat32, True)
        part = sitk.GetArrayViewFromImage(found)
        into[k : k + count] = part
        if mask is not None:
            there = sitk.Resample(mask, size, way, sitk.sitkNearestNeighbor, zero, one, straight, 0, sitk.sitkUInt8)
            into[k : k + count][sitk.GetArrayViewFromImage(there) != 0] = nothing
    outside = _outside(whole, placed.shape_kji, target.shape_kji, context, into, nothing)
    covered = 1.0 - outside / into.size
    if covered == 0.0:
        raise GeometryError("The two series show no common part of the patient, so one cannot be brought onto the other.")
    result = replace(
        volume,
        voxels=into,
        geometry=target,
        rescale=Rescale(),
        padding=(nothing, nothing),
        sop_instance_uids=(),
        windows=(),
        voi_tables=(),
    )
    return OntoGrid(result, covered)


def _source(volume: Volume) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8] | None]:
    """Return the values with the lowest of them where there are none, and where that is."""
    values = np.ascontiguousarray(volume.values(), dtype=np.float32)
    lost: npt.NDArray[Any] = ~np.isfinite(values)
    if volume.padding is not None:
        lost |= volume.is_padding(volume.voxels)
    if not lost.any():
        return values, None
    if lost.all():
        raise GeometryError("The series holds no values at all.")
    values = values.copy()
    values[lost] = values[~lost].min()
    return values, lost.view(np.uint8)


def _outside(
    whole: FloatArray,
    source_kji: tuple[int, int, int],
    target_kji: tuple[int, int, int],
    context: JobContext,
    into: npt.NDArray[np.float32],
    nothing: float,
) -> int:
    """Mark voxels whose centre lies beyond the source's outer faces as nothing, and return how many they are.

    The interpolator goes on a little beyond; what is inside is decided here, in the same way for every shape.
    """
    count = 0
    j, i = np.arange(target_kji[1])[:, None], np.arange(target_kji[2])[None, :]
    for k in range(target_kji[0]):
        context.raise_if_cancelled()
        beyond = np.zeros(target_kji[1:], dtype=np.bool_)
        for axis, length in enumerate(source_kji):
            at = whole[axis, 0] * k + whole[axis, 1] * j + whole[axis, 2] * i + whole[axis, 3]
            beyond |= (at < -_EDGE) | (at > length - 1 + _EDGE)
        into[k][beyond] = nothing
        count += int(beyond.sum())
    return count
