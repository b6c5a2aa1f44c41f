"""The voxels of a range of values that hang together with one; found brick by brick, so that it can be stopped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.edit.value_range import ValueRange

Mask = npt.NDArray[np.bool_]
Brick = tuple[int, int, int]

BRICK_KJI = (32, 64, 64)
"""Voxels of a brick: about a millisecond of work."""

_FACES = tuple((axis, side) for axis in range(3) for side in (-1, 1))


class RegionGrowth:
    """Grows from one voxel. What has been found so far can be read at any time; it is a part of what will be found.

    Parameters
    ----------
    volume : Volume
        Grey, with all its slices there.
    seed_kji : tuple of int
        Where it begins, inside the grid; outside the range nothing grows.
    corners : bool
        Voxels that touch with an edge or a corner hang together too (26 neighbours instead of 6).
    limit_mm : float, optional
        No voxel centre further from that of the seed, measured in the patient, takes part.
    first : callable, optional
        Of the boxes that wait, those are looked at before the others: what a person sees meanwhile.
    """

    def __init__(
        self,
        volume: Volume,
        seed_kji: tuple[int, int, int],
        values: ValueRange,
        *,
        corners: bool = False,
        limit_mm: float | None = None,
        first: Callable[[Box], bool] = lambda _box: False,
    ) -> None:
        self._volume, self._values, self._corners = volume, values, corners
        self._shape = volume.geometry.shape_kji
        self._seed, self._limit = seed_kji, None if limit_mm is None else _Ball(volume.geometry, seed_kji, limit_mm)
        self._found: dict[Brick, Mask] = {}
        self._around: Box | None = None
        self._touched: dict[Brick, Mask] = {}
        self._waiting: deque[Brick] = deque()
        self._first, self._waiting_first = first, deque[Brick]()
        k, j, i = seed_kji
        self._touch(Box(seed_kji, (k + 1, j + 1, i + 1)), np.ones((1, 1, 1), dtype=np.bool_))

    @property
    def done(self) -> bool:
        """Whether everything has been found."""
        return not self._waiting and not self._waiting_first

    @property
    def bricks(self) -> int:
        """Number of bricks that hold something."""
        return len(self._found)

    @property
    def count(self) -> int:
        """Voxels found so far."""
        return sum(int(np.count_nonzero(mask)) for mask in self._found.values())

    @property
    def box(self) -> Box | None:
        """The smallest box around what was found so far; None while that is nothing."""
        return self._around

    def run(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Go on until all is found or ``stop`` says so, asked after each brick; return whether all is found."""
        while not self.done:
            self._visit((self._waiting_first or self._waiting).popleft())
            if stop():
                break
        return self.done

    def pieces(self) -> Iterator[tuple[Box, Mask]]:
        """Yield what was found so far as (box, mask), brick by brick; the boxes do not overlap."""
        for brick, mask in self._found.items():
            yield self._box(brick), mask

    def mask(self, box: Box) -> Mask:
        """Return what was found so far inside a box, shape ``box.shape_kji``."""
        whole = np.zeros(box.shape_kji, dtype=np.bool_)
        for brick in self._met(box):
            mask = self._found.get(brick)
            if mask is not None:
                there, here = _overlap(brick, mask.shape, box)
                whole[there] = mask[here]
        return whole

    def _visit(self, brick: Brick) -> None:
        from scipy.ndimage import generate_binary_structure, label

        touched, box = self._touched.pop(brick), self._box(brick)
        found = self._found.get(brick)
        if found is not None:
            # Most of what a neighbour touches has been found before.
            touched &= ~found
            if not touched.any():
                return
        inside = self._values.holds(self._volume, self._volume.voxels[box.slices])
        if self._limit is not None:
            inside &= self._limit.mask(box)
        touched &= inside
        if not touched.any():
            return
        if inside.all():
            new = inside
        else:
            parts, _ = label(inside, generate_binary_structure(3, 3 if self._corners else 1))
            wanted = np.zeros(int(parts.max()) + 1, dtype=np.bool_)
            wanted[parts[touched]] = True
            new = wanted[parts]
        inner = Box.around(new)
        if inner is not None:
            self._around = Box.union_of(filter(None, (self._around, inner.shifted(box.min_kji))))
        if found is None:
            self._found[brick] = new
        else:
            found |= new
        self._spread(box, new)

    def _spread(self, box: Box, new: Mask) -> None:
        """Touch the voxels next to those that are new on the sides of a brick."""
        from scipy.ndimage import grey_dilation

        for axis, side in _FACES:
            low, high = list(box.min_kji), list(box.max_kji)
            face = new.take([0 if side < 0 else -1], axis=axis)
            if not face.any():
                continue
            low[axis], high[axis] = (low[axis] - 1, low[axis]) if side < 0 else (high[axis], high[axis] + 1)
            if self._corners:
                around = [(0, 0) if a == axis else (1, 1) for a in range(3)]
                size = tuple(1 if a == axis else 3 for a in range(3))
                face = grey_dilation(np.pad(face, around).view(np.uint8), size=size).view(np.bool_)
                low = [n if a == axis else n - 1 for a, n in enumerate(low)]
                high = [n if a == axis else n + 1 for a, n in enumerate(high)]
            self._touch(Box((low[0], low[1], low[2]), (high[0], high[1], high[2])), face)

    def _touch(self, box: Box, mask: Mask) -> None:
        """Remember that voxels of a box, one thick, have a neighbour that was found."""
        there = box.clipped(self._shape)
        if there.empty:
            return
        for brick in self._met(there):
            outer = self._box(brick)
            common = outer.intersection(there)
            part = mask[common.within(box).slices]
            if part.any():
                self._note(brick, outer, common, part)

    def _note(self, brick: Brick, outer: Box, common: Box, part: Mask) -> None:
        touched = self._touched.get(brick)
        if touched is None:
            touched = self._touched[brick] = np.zeros(outer.shape_kji, dtype=np.bool_)
            (self._waiting_first if self._first(outer) else self._waiting).append(brick)
        touched[common.within(outer).slices] |= part

    def _met(self, box: Box) -> Iterator[Brick]:
        """Yield the bricks that a box inside the grid meets."""
        first = [n // size for n, size in zip(box.min_kji, BRICK_KJI, strict=True)]
        last = [(n - 1) // size for n, size in zip(box.max_kji, BRICK_KJI, strict=True)]
        yield from product(*(range(low, high + 1) for low, high in zip(first, last, strict=True)))

    def _box(self, brick: Brick) -> Box:
        low = [n * size for n, size in zip(brick, BRICK_KJI, strict=True)]
        high = [n + size for n, size in zip(low, BRICK_KJI, strict=True)]
        return Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).clipped(self._shape)


def _overlap(brick: Brick, shape: tuple[int, ...], box: Box) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return what a brick and a box have in common, counted from the corner of the box and from that of the brick."""
    there, here = [], []
    for n, size, count, low, high in zip(brick, BRICK_KJI, shape, box.min_kji, box.max_kji, strict=True):
        corner = n * size
        first, past = max(corner, low), min(corner + count, high)
        there.append(slice(first - low, past - low))
        here.append(slice(first - corner, past - corner))
    return tuple(there), tuple(here)


class _Ball:
    """Voxels within a distance of one, in the patient."""

    def __init__(self, geometry: Geometry, middle_kji: tuple[int, int, int], radius_mm: float) -> None:
        columns = geometry.affine_lps[:3, :3]
        self._metric = columns.T @ columns
        self._middle, self._squared = middle_kji, radius_mm**2

    def mask(self, box: Box) -> Mask:
        """Return which voxels of a box belong to it."""
        ramps = []
        for axis in range(3):
            shape = [1, 1, 1]
            shape[axis] = box.shape_kji[axis]
            ramp = np.arange(box.min_kji[axis], box.max_kji[axis], dtype=np.float64) - self._middle[axis]
            ramps.append(ramp.reshape(shape))
        m = self._metric
        squared = sum(m[a, a] * ramps[a] ** 2 for a in range(3))
        for a, b in ((0, 1), (0, 2), (1, 2)):
            if abs(m[a, b]) > 1e-9:
                squared = squared + 2 * m[a, b] * ramps[a] * ramps[b]
        return np.asarray(squared <= self._squared + 1e-9)
