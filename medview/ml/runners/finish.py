"""From logits on the model's grid to labels on the input's own grid, class by class and slab by slab.

Interpolating all classes of a whole volume and taking the largest afterwards takes memory for every class. Here one running
maximum is kept for a few slices at a time; the labels are the same, voxel for voxel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import cc3d
import numpy as np
import numpy.typing as npt
import torch

from medview.core.box import Box
from medview.core.job import JobContext
from medview.ml.runners.alone import alone
from medview.ml.runners.between import Between, Taps, classes_outermost
from medview.ml.runners.orientation import Orientation
from medview.ml.runners.tiling import LogitSlab
from medview.ml.spec import Shape3, Step, Vector3

CACHED_VOXELS = 1 << 18
"""Voxels whose running maximum is held at once on a CPU: all that is read and written for them stays in its cache."""

CHUNK_VOXELS = 1 << 22
"""The same on a graphics card, which likes long work."""

COPIED_NUMBERS = 1 << 24
"""Logits of all classes that are rearranged at once."""

Region = tuple[slice, slice]
"""Rows and columns."""


class Decision(Enum):
    """What becomes of the logits of a voxel."""

    LARGEST = "largest"
    """The channel with the largest one; channel 0 is the background."""
    PAINTED = "painted"
    """The last channel above 0, counted from 1."""
    BITS = "bits"
    """Every channel above 0, a bit each; for at most eight."""
    LEVELS = "levels"
    """How large the one channel is: 0 to 1 as 0 to 255."""


class GridLabels:
    """Labels on the input's grid, growing as slabs of logits come in.

    Slabs follow one another from slice 0 up, or from any slice up to the last and then from slice 0 up to there.

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
    seen : Box, optional
        The part of the model's grid that slabs come of; outside nothing is labelled. All of it when not given.
    decision : Decision
        What becomes of the logits.
    crop : Box, optional
        The part of the turned input that the model's grid covers; all of it when not given.
    coarse : int, optional
        Axis (0 k, 1 j, 2 i) along which nothing is interpolated: the nearest slice counts.

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
        seen: Box | None = None,
        decision: Decision = Decision.LARGEST,
        crop: Box | None = None,
        coarse: int | None = None,
    ) -> None:
        self.labels: npt.NDArray[np.uint8] = np.zeros(shape_kji, dtype=np.uint8)
        turned = orientation.turned(self.labels)
        crop = crop or Box.whole(orientation.turned_shape(shape_kji))
        turned = turned[crop.slices]
        self._first_k = crop.min_kji[0]
        self._decision = decision
        seen = seen or Box.whole(model_shape_kji)
        self._same = turned.shape == model_shape_kji and ratios_kji in (None, (1.0, 1.0, 1.0))
        ratios = (None, None, None) if ratios_kji is None else ratios_kji
        self._axes = [
            Between(n, m, ratio, ends, nearest=axis == coarse)
            for axis, (n, m, ratio, ends) in enumerate(
                zip(turned.shape, model_shape_kji, ratios, zip(seen.min_kji, seen.max_kji, strict=True), strict=True)
            )
        ]
        self._covered = tuple(axis.covered for axis in self._axes)
        self._turned = turned[self._covered]
        self._context = context
        self._orientation = orientation
        # One run of slabs writes slices ``_next`` to ``_stop``; its first logits wait for the run that ends below them.
        self._next = 0
        self._stop = len(self._axes[0])
        self._missing = seen.shape_kji[0]
        self._following = 0
        self._last: torch.Tensor | None = None
        self._seam: tuple[int, torch.Tensor] | None = None

    def add(self, slab: LogitSlab) -> tuple[int, int]:
        """Take in the next slab, write the slices that are now certain, and return the first of them and the one after.

        Slices are counted in the model's axes, on the input's grid.

        Raises
        ------
        CancelledError
            Between chunks.
        """
        start = self._first_k + self._covered[0].start
        self._missing -= slab.logits.shape[1]
        if 0 in self._turned.shape:
            return start, start
        if self._same:
            return self._add_same(slab, start)
        logits, first = slab.logits, slab.first_k
        if first != self._following:
            self._begin_run(first)
        if first > 0 and self._last is None:
            self._seam = first, logits[:, :1].clone()
        self._following = first + logits.shape[1]
        if self._seam is not None and self._following == self._seam[0]:
            logits = torch.cat([logits, self._seam[1]], dim=1)
        written = self._next
        while self._next < self._stop:
            # A slice needs its upper neighbour too, except where it lies exactly on a slice or at the end.
            end = self._chunk_end(logits, first)
            if end == self._next:
                break
            with alone():
                self._write(slice(self._next, end), logits, first)
            self._next = end
        self._last = slab.logits[:, -1:].clone()
        return start + written, start + self._next

    def maps(self) -> list[npt.NDArray[np.uint8]]:
        """Return the one label map (k, j, i)."""
        return [self.labels]

    @property
    def whole(self) -> bool:
        """Whether every slab has come."""
        return self._missing <= 0

    def written(self, ends: tuple[int, int]) -> Box:
        """Return the voxels of ``labels`` in a range of slices as ``add`` returns it: whole slices of the model's axes."""
        axis, length = self._orientation.axes[0], self.labels.shape[self._orientation.axes[0]]
        low, high = (length - ends[1], length - ends[0]) if self._orientation.flipped[0] else ends
        whole = Box.whole((self.labels.shape[0], self.labels.shape[1], self.labels.shape[2]))
        first, last = list(whole.min_kji), list(whole.max_kji)
        first[axis], last[axis] = low, high
        return Box((first[0], first[1], first[2]), (last[0], last[1], last[2]))

    def _begin_run(self, first: int) -> None:
        # Only a second run starts anywhere but where the first one could have.
        self._stop = self._axes[0].first_from(self._seam[0]) if self._seam is not None else len(self._axes[0])
        self._next = self._axes[0].first_from(first) if first > 0 else 0
        self._last = None

    def _chunk_end(self, logits: torch.Tensor, first: int) -> int:
        """Return where the next slices to write end: as many as can be and are held at once."""
        axis = self._axes[0]
        copied = max(2, COPIED_NUMBERS // (logits.shape[0] * logits.shape[2] * logits.shape[3]))
        low = int(axis.below[self._next])
        # What lies between two slabs goes by itself: putting their slices together is a copy.
        there = min(first + logits.shape[1], low + copied) if low >= first else first + 1
        end = self._next
        while end < self._stop and axis.above(end) < there:
            end += 1
        return end

    def _add_same(self, slab: LogitSlab, start: int) -> tuple[int, int]:
        step = self._step(slab.logits.device)
        for k in range(0, slab.logits.shape[1], step):
            self._context.raise_if_cancelled()
            part = slab.logits[:, k : k + step]
            self._turned[slab.first_k + k : slab.first_k + k + part.shape[1]] = _DECIDED[self._decision](part)
        return start + slab.first_k, start + slab.first_k + slab.logits.shape[1]

    def _step(self, device: torch.device) -> int:
        held = CACHED_VOXELS if device.type == "cpu" else CHUNK_VOXELS
        return max(1, held // max(1, len(self._axes[1]) * len(self._axes[2])))

    def _write(self, here: slice, logits: torch.Tensor, first: int) -> None:
        axis = self._axes[0]
        low = int(axis.below[here.start])
        high = min(int(axis.below[here.stop - 1]) + 1, axis.model_length - 1, first + logits.shape[1] - 1)
        # One copy with the classes outermost, however they came: each is then read on its own.
        held = classes_outermost(logits[:, max(0, low - first) : high - first + 1])
        if low < first:
            assert self._last is not None
            held = torch.cat([self._last, held], dim=1)
        contenders = [self._contender(value, region, held) for value, region in _regions(held, self._decision)]
        held_k = slice(low, low + held.shape[1])
        step = self._step(held.device)
        for k in range(here.start, here.stop, step):
            self._context.raise_if_cancelled()
            part = slice(k, min(k + step, here.stop))
            size = part.stop - part.start, len(self._axes[2]), len(self._axes[1])
            labels = torch.zeros(size, dtype=torch.uint8, device=held.device)
            if self._decision is Decision.LARGEST:
                _let_win(labels, contenders, axis.taps(part, held_k, held.device))
            else:
                _paint(labels, contenders, axis.taps(part, held_k, held.device), self._decision)
            self._turned[part] = labels.cpu().numpy().transpose(0, 2, 1)

    def _contender(self, value: int, region: Region, held: torch.Tensor) -> _Contender:
        (rows, columns), device = region, held.device
        to_rows, to_columns = self._axes[1].reached(rows), self._axes[2].reached(columns)
        return _Contender(
            value,
            held[value, :, rows, columns],
            self._axes[1].taps(to_rows, rows, device),
            self._axes[2].taps(to_columns, columns, device),
            (slice(None), to_columns, to_rows),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Contender:
    """A class where it may win: its logits (slices, rows, columns) there, and the input's voxels that they reach.

    What is reached comes as (slices, columns, rows): whole rows are copied along both axes that way, which is fast.
    """

    value: int
    planes: torch.Tensor
    rows: Taps
    columns: Taps
    reached: tuple[slice, slice, slice]

    def wide(self, along_k: Taps) -> torch.Tensor:
        """Interpolate to the input's voxels (n, columns, rows)."""
        down = self.rows.mixed(along_k.mixed(self.planes, 0), 1)
        return self.columns.mixed(down.transpose(1, 2).contiguous(), 1)


def _let_win(labels: torch.Tensor, contenders: Sequence[_Contender], along_k: Taps) -> None:
    """Write labels of a few slices; the first contender is the background and reaches everywhere."""
    best = contenders[0].wide(along_k)
    for contender in contenders[1:]:
        wide, so_far = contender.wide(along_k), best[contender.reached]
        _mark(labels[contender.reached], wide > so_far, contender.value)
        torch.maximum(so_far, wide, out=so_far)


def _mark(labels: torch.Tensor, where: torch.Tensor, value: int) -> None:
    """Set labels (uint8) to a value above all before it; ``where`` is used up.

    Filling by a mask takes thirty times as long.
    """
    torch.maximum(labels, where.view(torch.uint8).mul_(value), out=labels)


def _paint(labels: torch.Tensor, contenders: Sequence[_Contender], along_k: Taps, decision: Decision) -> None:
    """Write what is present in a few slices, one after the other."""
    for contender in contenders:
        _put(labels[contender.reached], contender.wide(along_k), contender.value, decision)


def _put(labels: torch.Tensor, logits: torch.Tensor, channel: int, decision: Decision) -> None:
    """Write where one channel is present: its value over what is there, or its bit beside it; or how large it is."""
    if decision is Decision.LEVELS:
        labels.copy_((logits * 255.0).round_().clamp_(0.0, 255.0))
        return
    there = logits > 0
    if decision is Decision.PAINTED:
        _mark(labels, there, channel + 1)
    else:
        labels.bitwise_or_(there.view(torch.uint8).mul_(1 << channel))


def _regions(held: torch.Tensor, decision: Decision) -> Iterator[tuple[int, Region]]:
    """Yield the channels of logits (classes, slices, rows, columns) that may win and where, with a rim of one.

    Interpolation is linear: where a class is below the background at all neighbours it cannot win between them.
    """
    there = (held >= held[:1]) if decision is Decision.LARGEST else held > 0
    anywhere = there.view(torch.uint8).amax(dim=1)
    by_row, by_column = anywhere.amax(dim=2).cpu().numpy() != 0, anywhere.amax(dim=1).cpu().numpy() != 0
    for value, (rows, columns) in enumerate(zip(by_row, by_column, strict=True)):
        if rows.any():
            yield value, (_around(rows), _around(columns))


def _around(hits: npt.NDArray[np.bool_]) -> slice:
    """Return where the hits lie, with a rim of one."""
    return slice(max(0, int(hits.argmax()) - 1), min(len(hits), len(hits) - int(hits[::-1].argmax()) + 1))


def _largest(logits: torch.Tensor) -> npt.NDArray[np.uint8]:
    """Return the class with the largest logit of (classes, k, j, i); the first of equals, as argmax does."""
    logits = classes_outermost(logits)
    best = logits[0]
    labels = torch.zeros(best.shape, dtype=torch.uint8, device=best.device)
    if len(logits) > 1:
        best = best.clone()
    for value in range(1, len(logits)):
        _mark(labels, logits[value] > best, value)
        torch.maximum(best, logits[value], out=best)
    return labels.cpu().numpy()


def _painted(logits: torch.Tensor) -> npt.NDArray[np.uint8]:
    """Return the last channel of (classes, k, j, i) that is present, counted from 1."""
    return _put_all(logits, Decision.PAINTED)


def _bits(logits: torch.Tensor) -> npt.NDArray[np.uint8]:
    """Return the channels of (classes, k, j, i) that are present, a bit each."""
    return _put_all(logits, Decision.BITS)


def _levels(logits: torch.Tensor) -> npt.NDArray[np.uint8]:
    """Return how large the one channel of (1, k, j, i) is."""
    return _put_all(logits, Decision.LEVELS)


def _put_all(logits: torch.Tensor, decision: Decision) -> npt.NDArray[np.uint8]:
    labels = torch.zeros(logits.shape[1:], dtype=torch.uint8, device=logits.device)
    for channel, one in enumerate(logits):
        _put(labels, one, channel, decision)
    return labels.cpu().numpy()


_DECIDED: Mapping[Decision, Callable[[torch.Tensor], npt.NDArray[np.uint8]]] = {
    Decision.LARGEST: _largest,
    Decision.PAINTED: _painted,
    Decision.BITS: _bits,
    Decision.LEVELS: _levels,
}


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
