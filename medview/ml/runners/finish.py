"""From logits on the model's grid to labels on the input's own grid, class by class and slab by slab.

Interpolating all classes of a whole volume and taking the largest afterwards takes memory for every class. Here one running
maximum is kept for a few slices at a time; the labels are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cc3d
import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from medview.core.box import Box
from medview.core.job import JobContext
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.tiling import LogitSlab
from medview.ml.spec import Shape3, Step, Vector3

CHUNK_VOXELS = 1 << 21
"""Voxels whose running maximum is held at once."""

COPIED_NUMBERS = 1 << 24
"""Logits of all classes that are rearranged at once."""


class GridLabels:
    """Labels on the input's grid, growing as slabs of logits come in.

    Parameters
    ----------
    shape_kji : tuple of int
        Of the input.
    orientation : Orientation
        How it was turned for the model.
    model_shape_kji : tuple of int
        Of the model's grid, which covers the same extent.
    ratios_kji : tuple of float, optional
        Model's voxels per input voxel where the first voxels of both have the same centre instead.

    Attributes
    ----------
    labels : ndarray of uint8, shape ``shape_kji``
    """

    def __init__(
        self,
        shape_kji: Shape3,
        orientation: Orientation,
        model_shape_kji: Shape3,
        context: JobContext,
        ratios_kji: Vector3 | None = None,
    ) -> None:
        self.labels: npt.NDArray[np.uint8] = np.zeros(shape_kji, dtype=np.uint8)
        self._turned = orientation.turned(self.labels)
        self._model_slices = model_shape_kji[0]
        self._size: tuple[int, int] = (self._turned.shape[1], self._turned.shape[2])
        self._edges = ratios_kji is None
        self._same = self._turned.shape == model_shape_kji and ratios_kji in (None, (1.0, 1.0, 1.0))
        self._context = context
        # Where the input's slices, rows and columns lie between the model's: linear, aligned as in resampling there.
        turned = self._turned.shape
        ratios = (None, None, None) if ratios_kji is None else ratios_kji
        self._axes = [Between(turned[axis], model_shape_kji[axis], ratios[axis]) for axis in range(3)]
        self._below, self._share = self._axes[0].below, self._axes[0].share
        self._next = 0
        self._last: torch.Tensor | None = None

    def add(self, slab: LogitSlab) -> None:
        """Take in the next slab and write the slices that are now certain.

        Raises
        ------
        CancelledError
            Between chunks.
        """
        if self._same:
            self._add_same(slab)
            return
        logits, first = slab.logits, slab.first_k
        end = first + logits.shape[1]
        while self._next < len(self._below):
            # A slice needs its upper neighbour too, except where it lies exactly on a slice or at the end.
            fitting = [n for n in range(self._next, self._chunk_end(logits)) if self._above(n) < end]
            if not fitting:
                break
            self._context.raise_if_cancelled()
            self._write(slice(fitting[0], fitting[-1] + 1), logits, first)
            self._next = fitting[-1] + 1
        self._last = logits[:, -1].clone()

    def _above(self, n: int) -> int:
        above = int(self._below[n]) + (1 if self._share[n] > 0 else 0)
        return min(above, self._model_slices - 1)

    def _chunk_end(self, logits: torch.Tensor) -> int:
        fitting = CHUNK_VOXELS // (self._size[0] * self._size[1])
        copied = COPIED_NUMBERS // (logits.shape[0] * logits.shape[2] * logits.shape[3])
        return min(len(self._below), self._next + max(1, min(fitting, copied)))

    def _add_same(self, slab: LogitSlab) -> None:
        step = max(1, CHUNK_VOXELS // (self._size[0] * self._size[1]))
        for k in range(0, slab.logits.shape[1], step):
            self._context.raise_if_cancelled()
            part = slab.logits[:, k : k + step]
            self._turned[slab.first_k + k : slab.first_k + k + part.shape[1]] = _largest(len(part), part.__getitem__)

    def _write(self, here: slice, logits: torch.Tensor, first: int) -> None:
        below = torch.from_numpy(self._below[here]).to(logits.device)
        share = torch.from_numpy(self._share[here]).to(logits.device)[:, None, None]
        low = int(below[0])
        high = min(int(below[-1]) + 1, self._model_slices - 1, first + logits.shape[1] - 1)
        above = (below + 1).clamp_(max=high) - low
        below -= low

        # One copy with the classes outermost, however they came: each is then read on its own.
        held = logits[:, max(0, low - first) : high - first + 1].contiguous()
        if low < first:
            assert self._last is not None
            held = torch.cat([self._last[:, None], held], dim=1)
        background = held[0]
        everywhere = slice(0, background.shape[1]), slice(0, background.shape[2])
        best = self._wide(torch.lerp(background[below], background[above], share), everywhere)
        labels = torch.zeros(best.shape, dtype=torch.uint8, device=best.device)
        for value in range(1, len(logits)):
            planes = held[value]
            # Interpolation is linear: where a class is below the background at all neighbours it cannot win between them.
            region = _around(planes >= background)
            if region is None:
                continue
            rows, columns = region
            near = planes[:, rows, columns]
            wide = self._wide(torch.lerp(near[below], near[above], share), region)
            inside = (slice(None), self._axes[1].reached(rows), self._axes[2].reached(columns))
            labels[inside].masked_fill_(wide > best[inside], value)
            torch.maximum(best[inside], wide, out=best[inside])
        self._turned[here] = labels.cpu().numpy()

    def _wide(self, planes: torch.Tensor, region: tuple[slice, slice]) -> torch.Tensor:
        """Interpolate a region of the model's planes (n, rows, columns) in-plane, to the input's voxels it reaches."""
        rows, columns = region
        if self._edges and planes.shape[1:] == (self._axes[1].model_length, self._axes[2].model_length):
            return functional.interpolate(planes[:, None], self._size, mode="bilinear", align_corners=False)[:, 0]
        across, down = self._axes[2].weights(columns, planes), self._axes[1].weights(rows, planes)
        return down @ (planes @ across.T)


class Between:
    """Where the voxels of one axis of the input lie between those of the model's grid.

    Attributes
    ----------
    below : ndarray of int64
        The model's voxel at or below each.
    share : ndarray of float32
        How far each is on the way to the next, 0 to 1.
    """

    def __init__(self, length: int, model_length: int, ratio: float | None = None) -> None:
        voxels = np.arange(length)
        place = (voxels + 0.5) * (model_length / length) - 0.5 if ratio is None else voxels * ratio
        place = np.clip(place, 0.0, model_length - 1.0)
        self.model_length = model_length
        self.below = np.floor(place).astype(np.int64)
        self.share = (place - self.below).astype(np.float32)

    def reached(self, region: slice) -> slice:
        """Return the input's voxels that a region of the model's contributes to, leaving out its rim."""
        # A region that ends at the face has no rim there.
        low = region.start if region.start == 0 else region.start + 1
        high = region.stop - 1 if region.stop == self.model_length else region.stop - 2
        first = int(np.searchsorted(self.below, max(0, low - 1), "left"))
        return slice(first, int(np.searchsorted(self.below, high, "right")))

    def weights(self, region: slice, like: torch.Tensor) -> torch.Tensor:
        """Return the matrix from a region of the model's voxels to the input's voxels it reaches."""
        reached = self.reached(region)
        below, share = self.below[reached] - region.start, self.share[reached]
        above = np.minimum(below + 1, region.stop - region.start - 1)
        matrix = np.zeros((len(below), region.stop - region.start), dtype=np.float32)
        np.add.at(matrix, (np.arange(len(below)), below), 1.0 - share)
        np.add.at(matrix, (np.arange(len(below)), above), share)
        return torch.from_numpy(matrix).to(like.device, like.dtype)


def _around(where: torch.Tensor) -> tuple[slice, slice] | None:
    """Return rows and columns of (n, rows, columns) that hold anything, with a rim of one."""
    flat = where.any(dim=0)
    rows, columns = flat.any(dim=1).nonzero(), flat.any(dim=0).nonzero()
    if not len(rows):
        return None
    ends = [
        slice(max(0, int(found[0]) - 1), min(length, int(found[-1]) + 2))
        for found, length in zip((rows, columns), flat.shape, strict=True)
    ]
    return ends[0], ends[1]


def _largest(classes: int, planes: Callable[[int], torch.Tensor]) -> npt.NDArray[np.uint8]:
    """Return the class with the largest logit; the first of equals, as argmax does."""
    best = planes(0)
    labels = torch.zeros(best.shape, dtype=torch.uint8, device=best.device)
    if classes > 1:
        best = best.clone()
    for value in range(1, classes):
        logits = planes(value)
        labels.masked_fill_(logits > best, value)
        torch.maximum(best, logits, out=best)
    return labels.cpu().numpy()


def postprocess(labels: npt.NDArray[np.uint8], steps: Sequence[Step], voxel_mm3: float, context: JobContext) -> None:
    """Apply a pack's steps to labels (k, j, i), in place."""
    for step in steps:
        present = [int(v) for v in np.flatnonzero(np.bincount(labels.ravel(), minlength=256)) if v != 0]
        for value in present:
            context.raise_if_cancelled()
            if step.values and value not in step.values:
                continue
            box = Box.around(labels == value)
            assert box is not None
            inside = labels[box.slices]
            inside[POSTPROCESS[step.op](inside == value, step, voxel_mm3)] = 0


def _small_parts(mask: npt.NDArray[np.bool_], step: Step, voxel_mm3: float) -> npt.NDArray[np.bool_]:
    parts, sizes = _parts(mask)
    dropped = sizes * voxel_mm3 < step.numbers["min_mm3"]
    dropped[0] = False
    return np.asarray(dropped[parts])


def _all_but_largest(mask: npt.NDArray[np.bool_], _step: Step, _voxel_mm3: float) -> npt.NDArray[np.bool_]:
    parts, sizes = _parts(mask)
    sizes[0] = 0
    return np.asarray(mask & (parts != int(sizes.argmax())))


def _parts(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return parts that touch by faces, edges or corners, numbered from 1, and their voxels by number."""
    parts = cc3d.connected_components(mask, connectivity=26)
    return parts, np.bincount(parts.ravel())


POSTPROCESS: Mapping[str, Callable[[npt.NDArray[np.bool_], Step, float], npt.NDArray[np.bool_]]] = {
    "remove_small": _small_parts,
    "largest_component": _all_but_largest,
}
"""Steps that return the voxels of a class to be given to the background."""
