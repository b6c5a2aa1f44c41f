"""Pictures through a volume at any angle, computed by VTK.

VTK is given the volume as a box of voxels one unit apart, and each picture as a matrix from its pixels to places in it. All
angles and spacings, shear and handedness included, are in that matrix. VTK rounds places to 2^-17 of a voxel.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Calibration, Geometry
from medview.core.screen_grid import ScreenGrid
from medview.core.slab import Slab, SlabMode
from medview.core.volume import Volume

FloatArray = npt.NDArray[np.float64]

_EDGE = 1e-6
"""Voxels beyond the outer edge that still count as inside: pictures that end there must not lose a row to rounding."""

_BORDER = 0.51
"""Voxels beyond the outer centres up to which VTK continues the outermost ones; a little more than ``inside`` admits."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """What a volume shows on a picture.

    Attributes
    ----------
    stored : ndarray, shape (rows, columns) or (rows, columns, 3)
        Stored numbers in the volume's own dtype; integers are rounded. Without meaning where not ``inside``.
    inside : ndarray of bool, shape (rows, columns)
        The centre of the pixel, of a slab that of any of its layers, lies within the outer voxel edges.
    """

    stored: npt.NDArray[np.generic]
    inside: npt.NDArray[np.bool_]


def sample(volume: Volume, grid: ScreenGrid, slab: Slab = Slab()) -> Sampled:
    """Return what a volume shows on a picture, interpolated linearly along all three axes of its grid.

    Voxel centres give their stored numbers exactly. In the half voxel outside the outermost centres their numbers go on.
    Padding is never mixed with other numbers: where one of the eight voxels around a place is padding, the nearest voxel's
    own number is taken, whether that is padding or not. In a slab padding hides nothing behind it and lowers no mean.

    Parameters
    ----------
    slab : Slab
        Layers lie evenly on both sides of the picture, see ``layer_offsets_mm``. Colour is never projected, and volumes
        without millimetres across their slices have no slabs.
    """
    offsets = layer_offsets_mm(volume, grid, slab)
    corner, down, right = grid.on(volume.geometry)
    across = _per_mm_kji(volume.geometry, grid)
    starts = [corner + across * offset for offset in offsets]
    within = [_inside(start, down, right, grid.shape, volume.geometry.shape_kji) for start in starts]
    step = across * (offsets[1] - offsets[0]) if len(offsets) > 1 else across
    layers = _Layers(_image(volume.voxels), down, right, step, grid.shape, len(offsets))
    numbers = layers.linear(starts[0])
    padded = None if volume.padding is None or volume.colour else _keep_padding(volume, layers, starts[0], numbers)
    if len(offsets) == 1:
        return Sampled(numbers[:, 0], within[0])
    return Sampled(_projected(numbers, np.stack(within, axis=1), padded, slab.mode), np.logical_or.reduce(within))


def sample_voxels(voxels: npt.NDArray[np.uint8], geometry: Geometry, grid: ScreenGrid) -> npt.NDArray[np.uint8]:
    """Return the numbers of the nearest voxels on a picture: for labels, which must not be mixed.

    Parameters
    ----------
    voxels : ndarray of uint8, shape (k, j, i)
        Labels on ``geometry``.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        0 outside the outer voxel edges.
    """
    corner, down, right = grid.on(geometry)
    layers = _Layers(_image(voxels), down, right, np.cross(down, right), grid.shape, 1)
    found = layers.nearest(corner)[:, 0]
    found[~_inside(corner, down, right, grid.shape, geometry.shape_kji)] = 0
    return found


def nearest_k(geometry: Geometry, grid: ScreenGrid) -> npt.NDArray[np.intp]:
    """Return the slice nearest to each pixel, shape (rows, columns); beyond the ends of the volume the outermost one."""
    corner, down, right = grid.on(geometry)
    rows, columns = grid.shape
    k = (corner[0] + np.arange(rows) * down[0])[:, np.newaxis] + np.arange(columns) * right[0]
    return np.clip(np.rint(k), 0, geometry.shape_kji[0] - 1).astype(np.intp)


def layer_offsets_mm(volume: Volume, grid: ScreenGrid, slab: Slab) -> FloatArray:
    """Return how far the layers of a slab lie from the picture along its normal; only 0 where there is no slab.

    From one layer to the next it is one voxel along the grid axis that is crossed fastest. Along a grid axis that is the
    distance of its slices, so that a slab has as many layers as slices fit into its thickness.
    """
    geometry = volume.geometry
    if slab.mode is SlabMode.OFF or volume.colour or geometry.calibration is not Calibration.VOLUME:
        return np.zeros(1)
    pitch_mm = 1.0 / float(np.abs(_per_mm_kji(geometry, grid)).max())
    count = max(1, round(slab.thickness_mm / pitch_mm))
    return (np.arange(count) - (count - 1) / 2) * pitch_mm


def _per_mm_kji(geometry: Geometry, grid: ScreenGrid) -> FloatArray:
    """Return the way in voxels that a millimetre across the picture is."""
    return np.asarray(
        geometry.index_kji(np.asarray(grid.corner_lps_mm) + grid.normal_lps) - geometry.index_kji(grid.corner_lps_mm)
    )


def _inside(
    corner: FloatArray, down: FloatArray, right: FloatArray, shape: tuple[int, int], shape_kji: tuple[int, int, int]
) -> npt.NDArray[np.bool_]:
    """Say which pixels lie within the outer voxel edges.

    A box cuts one stretch out of every row; to find its ends takes a fraction of the time that looking at every pixel does.
    """
    rows, columns = shape
    first, last = np.zeros(rows), np.full(rows, columns - 1.0)
    for axis, count in enumerate(shape_kji):
        start = corner[axis] + np.arange(rows) * down[axis]
        low, high = -0.5 - _EDGE, count - 0.5 + _EDGE
        if abs(right[axis]) * columns < _EDGE:
            last[(start < low) | (start > high)] = -1.0
            continue
        ends = np.stack([(low - start) / right[axis], (high - start) / right[axis]])
        first, last = np.maximum(first, ends.min(axis=0)), np.minimum(last, ends.max(axis=0))
    at = np.arange(columns, dtype=np.int32)
    begin = np.clip(np.ceil(first), 0, columns).astype(np.int32)[:, np.newaxis]
    end = np.clip(np.floor(last), -1, columns).astype(np.int32)[:, np.newaxis]
    return np.asarray((at >= begin) & (at <= end))


@dataclass(frozen=True, slots=True)
class _Layers:
    """Parallel pictures through a VTK image.

    They come back as (row, layer, column[, component]): what lies close together in the volume is read close together,
    which with ten layers takes 60 % of the time.
    """

    image: Any
    down: FloatArray
    right: FloatArray
    across: FloatArray
    shape: tuple[int, int]
    count: int

    def linear(self, start_kji: FloatArray) -> Any:
        return self._cut(start_kji, linear=True)

    def nearest(self, start_kji: FloatArray) -> Any:
        return self._cut(start_kji, linear=False)

    def _cut(self, start_kji: FloatArray, linear: bool) -> Any:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonMath import vtkMatrix4x4
        from vtkmodules.vtkImagingCore import vtkImageReslice

        matrix = np.eye(4)
        matrix[:3] = np.stack([self.right, self.across, self.down, start_kji], axis=1)[::-1]
        axes = vtkMatrix4x4()
        axes.DeepCopy(matrix.ravel().tolist())
        reslice = vtkImageReslice()
        reslice.SetInputData(self.image)
        reslice.SetResliceAxes(axes)
        reslice.SetOutputOrigin(0.0, 0.0, 0.0)
        reslice.SetOutputSpacing(1.0, 1.0, 1.0)
        rows, columns = self.shape
        reslice.SetOutputExtent(0, columns - 1, 0, self.count - 1, 0, rows - 1)
        reslice.BorderOn()
        reslice.SetBorderThickness(_BORDER)
        if linear:
            reslice.SetInterpolationModeToLinear()
        else:
            reslice.SetInterpolationModeToNearestNeighbor()
        reslice.Update()
        flat = vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars())
        return flat.reshape(rows, self.count, columns, *flat.shape[1:])


def _keep_padding(volume: Volume, layers: _Layers, start_kji: FloatArray, numbers: Any) -> npt.NDArray[np.bool_]:
    """Put the nearest voxels' own numbers where padding was mixed in; return where they are padding."""
    touched = np.zeros(numbers.shape, dtype=np.bool_)
    for half in _CORNERS:
        touched |= volume.is_padding(layers.nearest(start_kji + half))
    if not touched.any():
        return touched
    own = layers.nearest(start_kji)
    np.copyto(numbers, own, where=touched)
    return touched & volume.is_padding(own)


_CORNERS = [np.array([k, j, i]) for k in (-0.5, 0.5) for j in (-0.5, 0.5) for i in (-0.5, 0.5)]


def _projected(
    numbers: Any, within: npt.NDArray[np.bool_], padded: npt.NDArray[np.bool_] | None, mode: SlabMode
) -> npt.NDArray[np.generic]:
    """Project (row, layer, column) along the layers; those outside and padding count only where there is nothing else."""
    seen = within if padded is None else within & ~padded
    whole = bool(seen.all())
    if mode is SlabMode.MEAN:
        if whole:
            total, count = numbers.sum(axis=1, dtype=np.float64), np.asarray(float(numbers.shape[1]))
        else:
            total, count = np.where(seen, numbers, 0).sum(axis=1, dtype=np.float64), np.maximum(seen.sum(axis=1), 1)
        mean = total / count
        found = (np.rint(mean) if numbers.dtype.kind in "iu" else mean).astype(numbers.dtype)
    else:
        better = np.maximum if mode is SlabMode.MAXIMUM else np.minimum
        found = better.reduce(numbers if whole else np.where(seen, numbers, _worst(numbers.dtype, mode)), axis=1)
    if padded is None or whole:
        return np.asarray(found)
    nothing = ~seen.any(axis=1)
    # A layer of padding inside the volume if there is one.
    rows, columns = np.nonzero(nothing)
    found[rows, columns] = numbers[rows, within[rows, :, columns].argmax(axis=1), columns]
    return np.asarray(found)


def _worst(dtype: np.dtype[Any], mode: SlabMode) -> Any:
    if dtype.kind == "f":
        return dtype.type(-np.inf if mode is SlabMode.MAXIMUM else np.inf)
    limits = np.iinfo(dtype)
    return dtype.type(limits.min if mode is SlabMode.MAXIMUM else limits.max)


_images: dict[int, tuple[weakref.ref[Any], Any]] = {}
"""VTK images over voxels in use, by the address of the array object; an entry goes with its array."""


def _image(voxels: npt.NDArray[np.generic]) -> Any:
    """Return voxels as a VTK image over the same memory; a copy only where they do not lie in one piece."""
    key = id(voxels)
    known = _images.get(key)
    if known is not None and known[0]() is voxels:
        return known[1]
    image = _wrapped(voxels)
    _images[key] = (weakref.ref(voxels, _forgets(key)), image)
    return image


def _forgets(key: int) -> Callable[[object], None]:
    def forget(gone: object) -> None:
        entry = _images.get(key)
        if entry is not None and entry[0] is gone:
            del _images[key]

    return forget


def _wrapped(voxels: npt.NDArray[np.generic]) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    slices, rows, columns = voxels.shape[:3]
    native = np.ascontiguousarray(voxels, dtype=voxels.dtype.newbyteorder("="))
    points = native.reshape(slices * rows * columns, *voxels.shape[3:])
    image = vtkImageData()
    image.SetDimensions(columns, rows, slices)
    image.GetPointData().SetScalars(numpy_to_vtk(points))
    return image
