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
from medview.ml.spec import Shape3, Step

CHUNK_VOXELS = 1 << 21
"""Voxels whose running maximum is held at once."""


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

    Attributes
    ----------
    labels : ndarray of uint8, shape ``shape_kji``
    """

    def __init__(self, shape_kji: Shape3, orientation: Orientation, model_shape_kji: Shape3, context: JobContext) -> None:
        self.labels: npt.NDArray[np.uint8] = np.zeros(shape_kji, dtype=np.uint8)
        self._turned = orientation.turned(self.labels)
        self._model_slices = model_shape_kji[0]
        self._size: tuple[int, int] = (self._turned.shape[1], self._turned.shape[2])
        self._same = self._turned.shape == model_shape_kji
        self._context = context
        # Where each slice of the input lies between the model's slices: linear, edges aligned, as in resampling there.
        slices = self._turned.shape[0]
        place = (np.arange(slices) + 0.5) * (model_shape_kji[0] / slices) - 0.5
        place = np.clip(place, 0.0, model_shape_kji[0] - 1.0)
        self._below = np.floor(place).astype(int)
        self._share = (place - self._below).astype(np.float32)
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
            fitting = [n for n in range(self._next, self._chunk_end()) if self._above(n) < end]
            if not fitting:
                break
            self._context.raise_if_cancelled()
            self._write(slice(fitting[0], fitting[-1] + 1), logits, first)
            self._next = fitting[-1] + 1
        self._last = logits[:, -1].clone()

    def _above(self, n: int) -> int:
        above = int(self._below[n]) + (1 if self._share[n] > 0 else 0)
        return min(above, self._model_slices - 1)

    def _chunk_end(self) -> int:
        return min(len(self._below), self._next + max(1, CHUNK_VOXELS // (self._size[0] * self._size[1])))

    def _add_same(self, slab: LogitSlab) -> None:
        step = max(1, CHUNK_VOXELS // (self._size[0] * self._size[1]))
        for k in range(0, slab.logits.shape[1], step):
            self._context.raise_if_cancelled()
            part = slab.logits[:, k : k + step]
            self._turned[slab.first_k + k : slab.first_k + k + part.shape[1]] = _largest(len(part), part.__getitem__)

    def _write(self, here: slice, logits: torch.Tensor, first: int) -> None:
        below = torch.from_numpy(self._below[here]).to(logits.device)
        share = torch.from_numpy(self._share[here]).to(logits.device)[:, None, None]
        above = (below + 1).clamp_(max=self._model_slices - 1)
        low, high = int(below[0]), min(int(above[-1]), first + logits.shape[1] - 1)
        above = above.clamp_(max=high)

        def planes(value: int) -> torch.Tensor:
            held = logits[value, max(0, low - first) : high - first + 1]
            if low < first:
                assert self._last is not None
                held = torch.cat([self._last[value][None], held])
            # In-plane first: there are rarely more of the model's slices than of the input's.
            wide = functional.interpolate(held[:, None], self._size, mode="bilinear", align_corners=False)[:, 0]
            return torch.lerp(wide[below - low], wide[above - low], share)

        self._turned[here] = _largest(len(logits), planes)


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
