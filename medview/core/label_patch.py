"""One reversible write into a label layer."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medview.core.box import Box
from medview.core.errors import LabelError, StalePatchError
from medview.core.segmentation import LabelArray, LabelLayer

_COMPRESSION = 1
"""Labels compress a hundredfold at any level; the fastest keeps gestures under a frame."""


@dataclass(frozen=True, slots=True)
class LabelPatch:
    """What a box of one label layer held before and holds after. The only thing that writes labels.

    Attributes
    ----------
    before, after : bytes
        The uint8 voxels of the box in C order (k, j, i), zlib-compressed.
    """

    layer_id: int
    box: Box
    before: bytes
    after: bytes

    @classmethod
    def between(cls, layer: LabelLayer, box: Box, after: LabelArray) -> LabelPatch | None:
        """Return the patch that turns the box of ``layer`` into ``after``, trimmed to what changes; None when nothing does.

        Parameters
        ----------
        after : ndarray of uint8, shape ``box.shape_kji``
        """
        now = layer.voxels[box.slices]
        changed = Box.around(now != after)
        if changed is None:
            return None
        trimmed = changed.shifted(box.min_kji)
        return cls(layer.layer_id, trimmed, _pack(now[changed.slices]), _pack(after[changed.slices]))

    @classmethod
    def merged(cls, layer: LabelLayer, patches: Sequence[LabelPatch]) -> LabelPatch | None:
        """Return one patch for patches of one layer just applied in this order; None when they cancel out."""
        box = Box.union_of(patch.box for patch in patches)
        if box is None:
            return None
        after = layer.voxels[box.slices]
        before = after.copy()
        for patch in reversed(patches):
            before[patch.box.within(box).slices] = patch.before_voxels()
        changed = Box.around(before != after)
        if changed is None:
            return None
        return cls(
            layer.layer_id, changed.shifted(box.min_kji), _pack(before[changed.slices]), _pack(after[changed.slices])
        )

    def before_voxels(self) -> LabelArray:
        """The voxels of the box before, shape ``box.shape_kji``."""
        return _unpack(self.before, self.box)

    def after_voxels(self) -> LabelArray:
        """The voxels of the box after, shape ``box.shape_kji``."""
        return _unpack(self.after, self.box)

    def inverse(self) -> LabelPatch:
        """Return the patch that takes this one back."""
        return LabelPatch(self.layer_id, self.box, self.after, self.before)

    def apply(self, layer: LabelLayer) -> None:
        """Write the patch into its layer.

        Raises
        ------
        StalePatchError
            When the box no longer holds what the patch was computed on; nothing is written.
        """
        target = layer.voxels[self.box.slices]
        if target.shape != self.box.shape_kji or not np.array_equal(target, self.before_voxels()):
            raise StalePatchError(
                "The labels under this change have moved on, so it was not applied; repeat it on the present labels.",
                detail=f"layer {self.layer_id} box {self.box}",
            )
        target[...] = self.after_voxels()
        layer.version += 1

    @property
    def size_bytes(self) -> int:
        """Memory the patch keeps."""
        return len(self.before) + len(self.after)


def _pack(voxels: LabelArray) -> bytes:
    return zlib.compress(np.ascontiguousarray(voxels).data, _COMPRESSION)


def _unpack(packed: bytes, box: Box) -> LabelArray:
    size = int(np.prod(box.shape_kji, dtype=np.int64))
    try:
        # A damaged patch must not inflate without bound.
        voxels = zlib.decompressobj().decompress(packed, size + 1)
    except zlib.error as error:
        raise LabelError("A stored change of the labels is damaged.", detail=str(error)) from error
    if len(voxels) != size:
        raise LabelError("A stored change of the labels is damaged.", detail=f"{len(voxels)} voxels or more for {box}")
    return np.frombuffer(voxels, dtype=np.uint8).reshape(box.shape_kji)
