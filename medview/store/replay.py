"""The state of a case, rebuilt row by row."""

from __future__ import annotations

from medview.core.case_labels import CaseLabels
from medview.core.changes import Change, Command
from medview.core.errors import LabelError, StoreError
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import LabelLayer, Segmentation
from medview.store.bricks import BrickLayer
from medview.store.entry import EntryKind
from medview.store.undo_stacks import UndoStacks


class ReplayedCase:
    """Labels and undo stacks of one case after row ``seq``.

    Voxels live in bricks while rows are replayed; ``labels.segmentation`` has no layers until ``finish``.

    Attributes
    ----------
    losses : list of str
        What could not be brought back, one sentence each.
    """

    def __init__(self, geometry: Geometry) -> None:
        self.seq = 0
        self.labels = CaseLabels.empty(geometry)
        self.layers: dict[int, BrickLayer] = {}
        self.stacks = UndoStacks()
        self.losses: list[str] = []

    def follow(self, kind: EntryKind, seq: int, target_seq: int, command: Command, revision: int) -> None:
        """Apply one row.

        Parameters
        ----------
        command : Command
            Of this row, or of the row an undo or redo refers to.
        """
        applied = command.inverse() if kind is EntryKind.UNDO else command
        fits = True
        for change in applied.changes:
            fits = self._apply(change) and fits
        self.stacks.advance(kind, seq, target_seq)
        if not fits:
            self.losses.append(
                f"“{command.name}” (change {seq}) met labels that had been damaged; it was applied as far as it fits."
            )
            self.stacks.forget()
        self.seq = seq
        if revision >= 0:
            self.labels.revision = revision

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

    def _apply(self, change: Change) -> bool:
        try:
            if isinstance(change, LabelPatch):
                self.labels.revision += 1
                return self._write(change)
            self.labels.apply((change,))
        except (LabelError, StoreError):
            return False
        return True

    def _write(self, patch: LabelPatch) -> bool:
        """Write a patch; where the voxels under it are not as it expects, write only those it changed."""
        shape = self.labels.segmentation.geometry.shape_kji
        layer = self.layers.setdefault(patch.layer_id, BrickLayer(shape))
        now = layer.read(patch.box)
        before, after = patch.before_voxels(), patch.after_voxels()
        fits = bool((now == before).all())
        if fits:
            layer.write(patch.box, after)
        else:
            changed = before != after
            now[changed] = after[changed]
            layer.write(patch.box, now)
        return fits
