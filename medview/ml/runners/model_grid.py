"""Where the voxels of a model's grid lie in the patient and in the volume it was made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.ml.runners.preprocess import Prepared
from medview.ml.spec import Shape3

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ModelGrid:
    """A model's grid beside that of its volume.

    Attributes
    ----------
    geometry : Geometry
        Of the model's grid.
    native : Geometry
        Of the volume.
    axes : tuple of int
        Axis of the volume that runs along each of the model's.
    scale, offset : ndarray of float64, shape (3,)
        ``scale * m + offset`` along the model's axis n is the index along ``axes[n]`` of the volume.
    """

    geometry: Geometry
    native: Geometry
    axes: Shape3
    scale: FloatArray
    offset: FloatArray

    @classmethod
    def of(cls, prepared: Prepared, native: Geometry) -> ModelGrid:
        """Return the grid of a prepared volume."""
        turned = np.asarray(prepared.turned_shape_kji, dtype=np.float64)
        if prepared.ratios_kji is None:
            scale = np.asarray(prepared.crop.shape_kji) / np.asarray(prepared.shape_kji)
            offset = prepared.crop.min_kji + 0.5 * scale - 0.5
        else:
            scale = 1.0 / np.asarray(prepared.ratios_kji)
            offset = np.asarray(prepared.crop.min_kji, dtype=np.float64)
        flipped = np.asarray(prepared.orientation.flipped)
        offset = np.where(flipped, turned - 1.0 - offset, offset)
        scale = np.where(flipped, -scale, scale)
        axes = prepared.orientation.axes
        columns = native.affine_lps[:3, :3]
        affine = np.eye(4)
        start = np.empty(3)
        for n, axis in enumerate(axes):
            affine[:3, n] = columns[:, axis] * scale[n]
            start[axis] = offset[n]
        affine[:3, 3] = native.point_lps_mm(start)
        geometry = Geometry(prepared.shape_kji, affine, native.frame_of_reference_uid)
        return cls(geometry, native, axes, scale, offset)

    def native_box(self, box: Box) -> Box:
        """Return the voxels of the volume whose centres a box of the model's grid covers."""
        low, high = [0, 0, 0], [0, 0, 0]
        for n, axis in enumerate(self.axes):
            ends = sorted(self.scale[n] * (m - 0.5) + self.offset[n] for m in (box.min_kji[n], box.max_kji[n]))
            low[axis], high[axis] = int(np.ceil(ends[0] - 1e-6)), int(np.ceil(ends[1] - 1e-6))
        found = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        return found.clipped(self.native.shape_kji)

    def to_native(self, values: torch.Tensor, box: Box) -> torch.Tensor:
        """Return numbers of the model's grid (k, j, i) at the voxels of a box of the volume's grid, linearly."""
        places = [
            (np.arange(box.min_kji[axis], box.max_kji[axis]) - self.offset[n]) / self.scale[n]
            for n, axis in enumerate(self.axes)
        ]
        # Only what lies about the box, with a neighbour to each side.
        low = [min(max(0, int(at.min())), count - 1) for at, count in zip(places, values.shape, strict=True)]
        near = [slice(n, max(n, int(at.max())) + 2) for n, at in zip(low, places, strict=True)]
        found = values[tuple(near)].float()
        for n, at in enumerate(places):
            found = _sampled(found, n, at - low[n])
        # From the model's order of axes to the volume's.
        return found.permute(*(self.axes.index(axis) for axis in range(3))).contiguous()

    def from_native(self, mask: npt.NDArray[np.bool_], box: Box) -> torch.Tensor:
        """Return how much of a mask on a box of the volume's grid lies at each voxel of the model's grid, linearly."""
        found = torch.from_numpy(np.ascontiguousarray(np.pad(mask, 1)).astype(np.float32)).permute(*self.axes)
        for n, axis in enumerate(self.axes):
            at = self.scale[n] * np.arange(self.geometry.shape_kji[n]) + self.offset[n]
            found = _sampled(found, n, at - (box.min_kji[axis] - 1), outside=True)
        return found


def _sampled(values: torch.Tensor, axis: int, at: FloatArray, *, outside: bool = False) -> torch.Tensor:
    """Return values at places along an axis, linearly; beyond the ends those of the ends, or with ``outside`` 0."""
    count = values.shape[axis]
    places = np.clip(at, 0, count - 1)
    low = np.minimum(np.floor(places), max(0, count - 2)).astype(np.int64)
    part = torch.from_numpy((places - low).astype(np.float32)).to(values.device)
    shape = [1, 1, 1]
    shape[axis] = len(at)
    part = part.view(shape)
    index = torch.from_numpy(low).to(values.device)
    first = values.index_select(axis, index)
    second = values.index_select(axis, (index + 1).clamp_(max=count - 1))
    found = torch.lerp(first, second, part)
    if outside:
        there = torch.from_numpy((at >= 0) & (at <= count - 1)).to(values.device).view(shape)
        found = found * there
    return found
