"""The state of a case, rebuilt row by row."""

from __future__ import annotations

import numpy as np

from medview.core.case_labels import CaseLabels
from medview.core.changes import Change, Command
from medview.core.errors import LabelError, StoreError
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.packed_voxels import pack
from medview.core.segmentation import LabelLayer, Segmentation
from medview.store.bricks import BrickLayer
from medview.store.entry import EntryKind
from medview.store.undo_stacks import UndoStacks

LOST_TOOL = "lost"
"""Tool of rows that stand in the place of gestures that a recovery could not bring back; they change nothing."""


class ReplayedCase:
    """Labels and undo stacks of one case after row ``seq``.

    Voxels live in bricks while rows are replayed; ``labels.segmentation`` has no layers until ``finish``.

    Attributes
    ----------
    losses : list of str
        What could not be brought back, one sentence each.
    recorded : list of str
        What an earlier recovery of the project could not bring back, one sentence each.
    """

    def __init__(self, geometry: Geometry) -> None:
        self.seq = 0
        self.labels = CaseLabels.empty(geometry)
        self.layers: dict[int, BrickLayer] = {}
        self.stacks = UndoStacks()
        self.losses: list[str] = []
        self.recorded: list[str] = []

    def follow(
        self, kind: EntryKind, seq: int, target_seq: int, command: Command, revision: int
    ) -> tuple[Change, ...] | None:
        """Apply one row; return None, or what it really changed where it does not fit the labels.

        Parameters
        ----------
        command : Command
            Of this row, or of the row an undo or redo refers to.
        """
        asked = command.inverse() if kind is EntryKind.UNDO else command
        applied = [self._apply(change) for change in asked.changes]
        fits = all(done is change for done, change in zip(applied, asked.changes, strict=True))
        if kind is EntryKind.DO and command.tool == LOST_TOOL:
            self.recorded.append(f"“{command.name}” (change {seq}) was lost before this project was recovered.")
        self.stacks.advance(kind, seq, target_seq)
        if not fits:
            self.losses.append(
                f"“{command.name}” (change {seq}) met labels that had been damaged; it was applied as far as it fits."
            )
            self.stacks.forget()
        self.seq = seq
        if revision >= 0:
            self.labels.revision = revision
        return None if fits else tuple(change for change in applied if change is not None)

    def lose(self, seq: int, sentence: str) -> None:
        """Go past a row that cannot be read."""
        self.losses.append(sentence)
        self.stacks.forget()
        self.seq = seq

    def finish(self) -> CaseLabels:
        """Return the labels with dense layers."""
        segmentation = self.labels.segmentation
        layers = {layer_id: LabelLayer.drawn(layer_id, bricks.dense()) for layer_id, bricks in sorted(self.layers.items())}
        self.labels.segmentation = Segmentation(segmentation.geometry, layers, segmentation.segments)
        return self.labels

    def _apply(self, change: Change) -> Change | None:
        """Apply a change; return it, or what could be done of it, or None."""
        try:
            if isinstance(change, LabelPatch):
                self.labels.revision += 1
                return self._write(change)
            self.labels.apply((change,))
        except (LabelError, StoreError):
            return None
        return change

    def _write(self, patch: LabelPatch) -> LabelPatch | None:
        """Write a patch; where the voxels under it are not as it expects, write only those it changed."""
        shape = self.labels.segmentation.geometry.shape_kji
        layer = self.layers.setdefault(patch.layer_id, BrickLayer(shape))
        now = layer.read(patch.box)
        before, after = patch.before_voxels(), patch.after_voxels()
        changes = before != after
        became = np.where(changes, after, now)
        layer.write(patch.box, became)
        if not np.any((now != before) & changes):
            return patch
        if (became == now).all():
            return None
        return LabelPatch(patch.layer_id, patch.box, pack(now), pack(became))
