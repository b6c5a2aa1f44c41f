"""Pictures through a volume at any angle, computed by VTK.

VTK is given the volume as a box of voxels one unit apart, and each picture as a matrix from its pixels to places in it. All
angles and spacings, shear and handedness included, are in that matrix. VTK rounds places to 2^-17 of a voxel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from medview.analysis.padding import padding_test
from medview.analysis.padding_blocks import MIXED, SIDE, WHOLE, Blocks, known_blocks
from medview.analysis.vtk_images import vtk_image
from medview.core.geometry import Calibration, Geometry
from medview.core.screen_grid import ScreenGrid
from medview.core.slab import Slab, SlabMode, stored_mode
from medview.core.volume import Volume

FloatArray = npt.NDArray[np.float64]

_Number = TypeVar("_Number", bound=np.generic)

_EDGE = 1e-6
"""Voxels beyond the outer edge that still count as inside: pictures that end there must not lose a row to rounding."""

_ROUNDING = 2.0**-16
"""Slices that a place may lie off one of them and still shows that one alone."""

_BORDER = 0.51
"""Voxels beyond the outer centres up to which VTK continues the outermost ones; a little more than ``inside`` admits."""


_MOST_SAMPLES = 2**24
"""Samples of a slab that are in memory at the same time."""


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


def sample(volume: Volume, grid: ScreenGrid, slab: Slab = Slab(), *, padded: bool = True) -> Sampled:
    """Return what a volume shows on a picture, interpolated linearly along all three axes of its grid.

    Voxel centres give their stored numbers exactly. In the half voxel outside the outermost centres their numbers go on.
    Padding is never mixed with other numbers: where one of the eight voxels around a place is padding, the nearest voxel's
    own number is taken, whether that is padding or not. In a slab padding hides nothing behind it and lowers no mean.

    Parameters
    ----------
    slab : Slab
        Layers lie evenly on both sides of the picture, see ``layer_offsets_mm``. Colour is never projected, and volumes
        without millimetres across their slices have no slabs.
    padded : bool
        False where it is known that no voxel is padding, see ``holds_padding``: to look for it takes longer than the rest.
    """
    padded = padded and volume.padding is not None and not volume.colour
    offsets = layer_offsets_mm(volume, grid, slab)
    rows, columns = grid.shape
    at_once = max(1, _MOST_SAMPLES // (columns * len(offsets)))
    if at_once >= rows:
        return _sample(volume, grid, offsets, slab.mode, padded)
    parts = [
        _sample(volume, _rows_of(grid, n, min(n + at_once, rows)), offsets, slab.mode, padded)
        for n in range(0, rows, at_once)
    ]
    return Sampled(np.concatenate([part.stored for part in parts]), np.concatenate([part.inside for part in parts]))


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
    nearest = nearest_voxels(voxels, geometry, grid)
    found = np.asarray(nearest.stored, dtype=np.uint8)
    found[~nearest.inside] = 0
    return found


def nearest_voxels(voxels: npt.NDArray[np.generic], geometry: Geometry, grid: ScreenGrid) -> Sampled:
    """Return the numbers of the nearest voxels on a picture, of any type, and where there are voxels at all."""
    laid = _Laid.by(grid, geometry)
    layer = laid.at(np.zeros(3))
    # An image over an array that owns its memory would keep that array, and so itself, for ever; one over a view does not.
    view = voxels.view()
    found: npt.NDArray[np.generic] = _cut(view, layer, np.cross(layer.down, layer.right), 1, linear=False)[:, 0]
    return Sampled(laid.upright(found), laid.upright(_inside(layer, geometry.shape_kji)))


def slices_met(
    geometry: Geometry, grid: ScreenGrid, offsets_mm: FloatArray
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the first and the last slice (k) that has a part in each pixel, shape (rows, columns) both.

    Interpolation mixes the slices on both sides of a place that lies between them. Beyond the ends of the volume it is the
    outermost slice.

    Parameters
    ----------
    offsets_mm : ndarray
        Layers of the slab, see ``layer_offsets_mm``.
    """
    corner, down, right = grid.on(geometry)
    rows, columns = grid.shape
    k = (corner[0] + np.arange(rows) * down[0])[:, np.newaxis] + np.arange(columns) * right[0]
    along = _per_mm_kji(geometry, grid)[0] * np.asarray([offsets_mm.min(), offsets_mm.max()])
    last = geometry.shape_kji[0] - 1
    first_k, last_k = np.floor(k + along.min() + _ROUNDING), np.ceil(k + along.max() - _ROUNDING)
    return np.clip(first_k, 0, last).astype(np.intp), np.clip(last_k, 0, last).astype(np.intp)


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
    return np.asarray((np.arange(count) - (count - 1) / 2) * pitch_mm, dtype=np.float64)


def _rows_of(grid: ScreenGrid, first: int, end: int) -> ScreenGrid:
    x, y, z = (float(n) for n in grid.point_lps_mm(first, 0))
    return ScreenGrid((x, y, z), grid.row_step_lps_mm, grid.column_step_lps_mm, (end - first, grid.shape[1]))


def _sample(volume: Volume, grid: ScreenGrid, offsets_mm: FloatArray, mode: SlabMode, padded: bool) -> Sampled:
    laid = _Laid.by(grid, volume.geometry)
    across = _per_mm_kji(volume.geometry, laid.grid)
    layers = [laid.at(across * offset) for offset in offsets_mm]
    within = [_inside(layer, volume.geometry.shape_kji) for layer in layers]
    met = [n for n, mask in enumerate(within) if mask.any()] or [0]
    layers, within = layers[met[0] : met[-1] + 1], within[met[0] : met[-1] + 1]
    step = across * (offsets_mm[1] - offsets_mm[0]) if len(offsets_mm) > 1 else across
    numbers = _cut(volume.voxels, layers[0], step, len(layers), linear=True)
    seen = within
    if padded:
        gone = _keep_padding(volume, layers, step, numbers)
        seen = [a & ~gone[:, n] for n, a in enumerate(within)]
    if len(layers) == 1:
        return Sampled(laid.upright(numbers[:, 0]), laid.upright(within[0]))
    if numbers.dtype.kind == "f":
        seen = [a & np.isfinite(numbers[:, n]) for n, a in enumerate(seen)]
    flat = _projected(numbers, seen, within, stored_mode(mode, volume))
    return Sampled(laid.upright(flat), laid.upright(_any(within)))


def _per_mm_kji(geometry: Geometry, grid: ScreenGrid) -> FloatArray:
    """Return the way in voxels that a millimetre across the picture is."""
    return np.asarray(
        geometry.index_kji(np.asarray(grid.corner_lps_mm) + grid.normal_lps) - geometry.index_kji(grid.corner_lps_mm)
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    """A flat picture in fractional voxel indices (k, j, i)."""

    start: FloatArray
    down: FloatArray
    right: FloatArray
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Laid:
    """A picture with rows and columns exchanged if that makes its rows cross fewer slices.

    Then what lies close together in memory is read close together, which takes 40 % of the time at the worst angles.
    """

    grid: ScreenGrid
    geometry: Geometry
    turned: bool

    @classmethod
    def by(cls, grid: ScreenGrid, geometry: Geometry) -> _Laid:
        _, down, right = grid.on(geometry)
        if abs(down[0]) >= abs(right[0]):
            return cls(grid, geometry, False)
        turned = ScreenGrid(grid.corner_lps_mm, grid.column_step_lps_mm, grid.row_step_lps_mm, grid.shape[::-1])
        return cls(turned, geometry, True)

    def at(self, moved_kji: FloatArray) -> _Layer:
        corner, down, right = self.grid.on(self.geometry)
        return _Layer(corner + moved_kji, down, right, self.grid.shape)

    def upright(self, picture: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
        return np.ascontiguousarray(picture.swapaxes(0, 1) if self.turned else picture)


def _inside(layer: _Layer, shape_kji: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Say which pixels lie within the outer voxel edges.

    A box cuts one stretch out of every row; to find its ends takes a fraction of the time that looking at every pixel does.
    """
    rows, columns = layer.shape
    first, last = np.zeros(rows), np.full(rows, columns - 1.0)
    for axis, count in enumerate(shape_kji):
        start, step = layer.start[axis] + np.arange(rows) * layer.down[axis], layer.right[axis]
        low, high = -0.5 - _EDGE, count - 0.5 + _EDGE
        if abs(step) * columns < _EDGE:
            last[(start < low) | (start > high)] = -1.0
            continue
        ends = np.stack([(low - start) / step, (high - start) / step])
        first, last = np.maximum(first, ends.min(axis=0)), np.minimum(last, ends.max(axis=0))
    at = np.arange(columns, dtype=np.int32)
    begin = np.clip(np.ceil(first), 0, columns).astype(np.int32)[:, np.newaxis]
    end = np.clip(np.floor(last), -1, columns).astype(np.int32)[:, np.newaxis]
    return np.asarray((at >= begin) & (at <= end))


def _cut(voxels: npt.NDArray[np.generic], first: _Layer, step_kji: FloatArray, count: int, linear: bool) -> Any:
    """Return parallel pictures through voxels, (row, layer, column[, component]).

    The layers of a row stand together because they share voxels that are then still near the processor.
    """
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonMath import vtkMatrix4x4
    from vtkmodules.vtkImagingCore import vtkImageReslice

    matrix = np.eye(4)
    matrix[:3] = np.stack([first.right, step_kji, first.down, first.start], axis=1)[::-1]
    axes = vtkMatrix4x4()
    axes.DeepCopy(matrix.ravel().tolist())
    reslice = vtkImageReslice()
    reslice.SetInputData(vtk_image(voxels))
    reslice.SetResliceAxes(axes)
    reslice.SetOutputOrigin(0.0, 0.0, 0.0)
    reslice.SetOutputSpacing(1.0, 1.0, 1.0)
    rows, columns = first.shape
    reslice.SetOutputExtent(0, columns - 1, 0, count - 1, 0, rows - 1)
    reslice.BorderOn()
    reslice.SetBorderThickness(_BORDER)
    if linear:
        reslice.SetInterpolationModeToLinear()
    else:
        reslice.SetInterpolationModeToNearestNeighbor()
    reslice.Update()
    flat = vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars())
    return flat.reshape(rows, count, columns, *flat.shape[1:])


def _keep_padding(volume: Volume, layers: list[_Layer], step_kji: FloatArray, numbers: Any) -> npt.NDArray[np.bool_]:
    """Put the nearest voxels' own numbers where padding was mixed in; return where they are padding."""
    is_padding, blocks = padding_test(volume), known_blocks(volume)
    if blocks is not None:
        return _keep_known_padding(volume, blocks, layers, step_kji, numbers)
    touched = np.stack([_beside_padding(volume.voxels, _places(layer), is_padding) for layer in layers], axis=1)
    if not touched.any():
        return touched
    own = _cut(volume.voxels, layers[0], step_kji, len(layers), linear=False)
    np.copyto(numbers, own, where=touched)
    return np.asarray(touched & is_padding(own))


def _keep_known_padding(
    volume: Volume, blocks: Blocks, layers: list[_Layer], step_kji: FloatArray, numbers: Any
) -> npt.NDArray[np.bool_]:
    """Do the same where it is known in which blocks padding lies: most places are in blocks without any, or all of it."""
    first, is_padding = layers[0], padding_test(volume)
    in_blocks = _Layer(first.start / SIDE + 0.5, first.down / SIDE, first.right / SIDE, first.shape)
    found = _cut(blocks, in_blocks, step_kji / SIDE, len(layers), linear=False)
    gone = np.asarray(found == WHOLE)
    # Ten times as fast as to ask for the three at once.
    rows, ns, columns = np.unravel_index(np.flatnonzero(found == MIXED), found.shape)
    places = [first.start[n] + rows * first.down[n] + columns * first.right[n] + ns * step_kji[n] for n in range(3)]
    touched = np.flatnonzero(_beside_padding(volume.voxels, places, is_padding))
    nearest = [
        np.clip(np.floor(place[touched] + 0.5).astype(np.intp), 0, count - 1)
        for place, count in zip(places, volume.voxels.shape, strict=True)
    ]
    own, at = volume.voxels[tuple(nearest)], (rows[touched], ns[touched], columns[touched])
    numbers[at] = own
    gone[at] = is_padding(own)
    return gone


def _places(layer: _Layer) -> list[FloatArray]:
    """Return the fractional voxel indices k, j and i of all pixels."""
    rows, columns = (np.arange(count) for count in layer.shape)
    return [(layer.start[n] + rows * layer.down[n])[:, np.newaxis] + columns * layer.right[n] for n in range(3)]


def _beside_padding(
    voxels: npt.NDArray[np.generic], places_kji: list[FloatArray], is_padding: Callable[[Any], npt.NDArray[np.bool_]]
) -> npt.NDArray[np.bool_]:
    """Say where at least one of the eight voxels around a place is padding."""
    shape_kji = voxels.shape
    strides = (shape_kji[1] * shape_kji[2], shape_kji[2], 1)
    first = np.zeros(places_kji[0].shape, dtype=np.intp)
    for place, count, stride in zip(places_kji, shape_kji, strides, strict=True):
        first += np.clip(place, 0, max(count - 2, 0)).astype(np.intp) * stride
    flat = np.ascontiguousarray(voxels).reshape(-1)
    found = np.zeros(first.shape, dtype=np.bool_)
    for offsets in product(*((0, stride) if n > 1 else (0,) for stride, n in zip(strides, shape_kji, strict=True))):
        found |= is_padding(flat[sum(offsets) :].take(first, mode="clip"))
    return found


def _projected(
    numbers: Any, seen: list[npt.NDArray[np.bool_]], within: list[npt.NDArray[np.bool_]], mode: SlabMode
) -> npt.NDArray[np.generic]:
    """Project (row, layer, column) along the layers; where nothing is seen, take a layer within the volume if there is one.

    Overwrites the numbers.
    """
    nothing = ~_any(seen)
    rows, columns = np.nonzero(nothing)
    instead = numbers[rows, np.argmax([layer[rows, columns] for layer in within], axis=0), columns]
    neutral = _neutral(numbers.dtype, mode)
    for n, layer in enumerate(seen):
        if not layer.all():
            np.copyto(numbers[:, n], neutral, where=~layer)
    if mode is SlabMode.MEAN:
        whole = numbers.dtype.kind in "iu"
        exact = np.float64 if not whole else np.int32 if numbers.dtype.itemsize <= 2 else np.int64
        count = np.zeros(nothing.shape, dtype=np.uint16)
        for layer in seen:
            count += layer
        mean = numbers.sum(axis=1, dtype=exact) / np.maximum(count, 1)
        found = (np.rint(mean) if whole else mean).astype(numbers.dtype)
    else:
        found = (np.maximum if mode is SlabMode.MAXIMUM else np.minimum).reduce(numbers, axis=1)
    found[nothing] = instead
    return np.asarray(found)


def _any(masks: list[npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
    found = masks[0].copy()
    for mask in masks[1:]:
        found |= mask
    return found


def _neutral(dtype: np.dtype[Any], mode: SlabMode) -> Any:
    """Return the number that changes nothing."""
    if mode is SlabMode.MEAN:
        return dtype.type(0)
    low, high = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return dtype.type(low if mode is SlabMode.MAXIMUM else high)
