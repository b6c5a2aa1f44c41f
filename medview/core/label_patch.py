"""One reversible write into a label layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medview.core.box import Box
from medview.core.errors import StalePatchError
from medview.core.packed_voxels import pack, unpack
from medview.core.segmentation import LabelArray, LabelLayer

PIECE_KJI = (32, 128, 128)
"""A change larger than this is cut into patches of at most this size: each is applied in a few milliseconds."""

PIECE_VOXELS = 1 << 19
"""Voxels of such a piece."""


@dataclass(frozen=True, slots=True)
class LabelPatch:
    """What a box of one label layer held before and holds after. The only thing that writes labels.

    Attributes
    ----------
    before, after : bytes
        The uint8 voxels of the box in C order (k, j, i), zlib-compressed. Voxels that do not change hold the same in both,
        whatever the layer holds there; zero in patches made now, which keeps what lies beside a stroke out of its patch.
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
        return cls._of(layer.layer_id, changed.shifted(box.min_kji), now[changed.slices], after[changed.slices])

    @classmethod
    def pieces(cls, layer: LabelLayer, box: Box, after: LabelArray) -> list[LabelPatch]:
        """Return the patches that turn the box of ``layer`` into ``after``: one, several for a large box, or none.

        Parameters
        ----------
        after : ndarray of uint8, shape ``box.shape_kji``
        """
        if box.size <= PIECE_VOXELS:
            patch = cls.between(layer, box, after)
            return [] if patch is None else [patch]
        found = (cls.between(layer, piece, after[piece.within(box).slices]) for piece in box.pieces(PIECE_KJI))
        return [patch for patch in found if patch is not None]

    @classmethod
    def merged(cls, layer: LabelLayer, patches: Sequence[LabelPatch]) -> LabelPatch | None:
        """Return one patch for patches of one layer just applied in this order; None when they cancel out."""
        box = Box.union_of(patch.box for patch in patches)
        if box is None:
            return None
        after = layer.voxels[box.slices]
        before = after.copy()
        for patch in reversed(patches):
            was = patch.before_voxels()
            np.copyto(before[patch.box.within(box).slices], was, where=was != patch.after_voxels())
        changed = Box.around(before != after)
        if changed is None:
            return None
        return cls._of(layer.layer_id, changed.shifted(box.min_kji), before[changed.slices], after[changed.slices])

    def cut(self, box: Box) -> LabelPatch | None:
        """Return the part of the patch that lies in a box; None when nothing changes there."""
        part = self.box.intersection(box)
        if part.empty:
            return None
        inside = part.within(self.box).slices
        before, after = self.before_voxels()[inside], self.after_voxels()[inside]
        changed = Box.around(before != after)
        if changed is None:
            return None
        return self._of(self.layer_id, changed.shifted(part.min_kji), before[changed.slices], after[changed.slices])

    @classmethod
    def _of(cls, layer_id: int, box: Box, before: LabelArray, after: LabelArray) -> LabelPatch:
        changes = before != after
        return cls(layer_id, box, pack(before * changes), pack(after * changes))

    def before_voxels(self) -> LabelArray:
        """The voxels of the box before where they change, shape ``box.shape_kji``."""
        return unpack(self.before, self.box.shape_kji)

    def after_voxels(self) -> LabelArray:
        """The voxels of the box after where they change, shape ``box.shape_kji``."""
        return unpack(self.after, self.box.shape_kji)

    def inverse(self) -> LabelPatch:
        """Return the patch that takes this one back."""
        return LabelPatch(self.layer_id, self.box, self.after, self.before)

    def apply(self, layer: LabelLayer) -> None:
        """Write the patch into its layer.

        Raises
        ------
        StalePatchError
            When the voxels it changes no longer hold what it was computed on; nothing is written.
        """
        target = layer.voxels[self.box.slices]
        before, after = self.before_voxels(), self.after_voxels()
        changes = before != after
        if target.shape != self.box.shape_kji or bool(np.any((target != before) & changes)):
            raise StalePatchError(
                "The labels under this change have moved on, so it was not applied; repeat it on the present labels.",
                detail=f"layer {self.layer_id} box {self.box}",
            )
        np.copyto(target, after, where=changes)
        layer.version += 1
        layer.index.note(self.box, before, after)

    @property
    def size_bytes(self) -> int:
        """Memory the patch keeps."""
        return len(self.before) + len(self.after)
