"""A label layer as compressed cubes, so that a change costs what it touches and not the volume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from medview.core.box import Box
from medview.core.errors import StoreError
from medview.core.packed_voxels import pack
from medview.core.segmentation import LabelArray
from medview.store.parts import unpack_stored

EDGE = 64
"""Voxels along each edge of a brick; those at the far sides of the grid are cut off."""

Brick = tuple[int, int, int]


class BrickLayer:
    """One label layer (k, j, i) of uint8; bricks that are all background are absent.

    Parameters
    ----------
    shape_kji : tuple of int
    packed : mapping of brick index to bytes
        zlib-compressed bricks; those that nobody writes are never unpacked.
    """

    def __init__(self, shape_kji: tuple[int, int, int], packed: Mapping[Brick, bytes] | None = None) -> None:
        self.shape_kji = shape_kji
        self._packed = dict(packed or {})
        self._open: dict[Brick, LabelArray] = {}
        self._boxes: dict[Brick, Box] = {}
        for brick in self._packed:
            if self.box(brick).empty or min(brick) < 0:
                raise StoreError("A snapshot holds voxels outside its grid.", detail=f"brick {brick}")

    def box(self, brick: Brick) -> Box:
        """Return the voxels of a brick."""
        if brick not in self._boxes:
            k, j, i = (n * EDGE for n in brick)
            self._boxes[brick] = Box((k, j, i), (k + EDGE, j + EDGE, i + EDGE)).clipped(self.shape_kji)
        return self._boxes[brick]

    def read(self, box: Box) -> LabelArray:
        """Return a copy of the voxels of a box inside the grid."""
        out = np.zeros(box.shape_kji, dtype=np.uint8)
        for brick, common in self._cut(box):
            if brick in self._open or brick in self._packed:
                voxels = self._voxels(brick)
                out[common.within(box).slices] = voxels[common.within(self.box(brick)).slices]
        return out

    def write(self, box: Box, voxels: LabelArray) -> None:
        """Overwrite the voxels of a box inside the grid."""
        for brick, common in self._cut(box):
            if brick not in self._open:
                self._open[brick] = self._voxels(brick).copy()
            self._open[brick][common.within(self.box(brick)).slices] = voxels[common.within(box).slices]

    def packed(self) -> dict[Brick, bytes]:
        """Return all bricks that hold anything, compressed."""
        for brick, voxels in self._open.items():
            if voxels.any():
                self._packed[brick] = pack(voxels)
            else:
                self._packed.pop(brick, None)
        self._open.clear()
        return dict(sorted(self._packed.items()))

    def dense(self) -> LabelArray:
        """Return the whole layer as a new array, shape ``shape_kji``."""
        out = np.zeros(self.shape_kji, dtype=np.uint8)
        for brick in self._packed.keys() | self._open.keys():
            out[self.box(brick).slices] = self._voxels(brick)
        return out

    def _voxels(self, brick: Brick) -> LabelArray:
        if brick in self._open:
            return self._open[brick]
        shape = self.box(brick).shape_kji
        if brick in self._packed:
            return unpack_stored(self._packed[brick], shape)
        return np.zeros(shape, dtype=np.uint8)

    def _cut(self, box: Box) -> Iterator[tuple[Brick, Box]]:
        if box.clipped(self.shape_kji) != box:
            raise StoreError("A stored change lies outside its grid.", detail=f"{box} in {self.shape_kji}")
        ranges = [range(low // EDGE, -(-high // EDGE)) for low, high in zip(box.min_kji, box.max_kji, strict=True)]
        for k in ranges[0]:
            for j in ranges[1]:
                for i in ranges[2]:
                    yield (k, j, i), box.intersection(self.box((k, j, i)))
