"""What one movement of a hand does to the labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from medview.core.case_labels import CaseLabels
from medview.core.changes import AnnotationChange, Change, Command
from medview.core.label_patch import LabelPatch


class Gesture:
    """Changes shown while the hand moves; one command when it ends.

    Parameters
    ----------
    shown : callable
        Told what was applied.
    ended : callable
        Given the command, or None when it came to nothing or was taken back.
    """

    def __init__(
        self,
        labels: CaseLabels,
        tool: str,
        shown: Callable[[Sequence[Change]], None],
        ended: Callable[[Command | None], None],
    ) -> None:
        self._labels = labels
        self._tool = tool
        self._shown = shown
        self._ended = ended
        self._changes: list[Change] = []
        self.over = False
        """Nothing may be applied any more: it was committed or aborted, perhaps by the beginning of another one."""

    def apply(self, *changes: Change) -> None:
        """Apply changes at once."""
        if changes:
            self._labels.apply(changes)
            self._changes.extend(changes)
            self._shown(changes)

    def commit(self, name: str, *, joined: bool = True) -> Command | None:
        """Turn everything applied so far into one named command; None when it came to nothing.

        Parameters
        ----------
        joined : bool
            Changes of one thing become one. Without, they stay as they are, for changes that do not meet.
        """
        changes = self._merged() if joined else tuple(self._changes)
        self.over = True
        self._changes = []
        command = Command(name, changes, self._tool) if changes else None
        self._ended(command)
        return command

    def abort(self) -> None:
        """Take everything back as if the gesture had not begun."""
        self.over = True
        taken_back = [change.inverse() for change in reversed(self._changes)]
        self._changes = []
        self._labels.apply(taken_back)
        self._ended(None)
        self._shown(taken_back)

    def _merged(self) -> tuple[Change, ...]:
        others = _joined(change for change in self._changes if not isinstance(change, LabelPatch))
        by_layer: dict[int, list[LabelPatch]] = {}
        for change in self._changes:
            if isinstance(change, LabelPatch):
                by_layer.setdefault(change.layer_id, []).append(change)
        layers = self._labels.segmentation.layers
        merged = [LabelPatch.merged(layers[layer_id], patches) for layer_id, patches in by_layer.items()]
        return (*others, *(patch for patch in merged if patch is not None))


def _joined(changes: Iterable[Change]) -> list[Change]:
    """Return changes with those of one annotation joined into one, from how it was to how it became."""
    found: dict[str, AnnotationChange] = {}
    rest: list[Change] = []
    for change in changes:
        some = (change.after or change.before) if isinstance(change, AnnotationChange) else None
        if some is None or not isinstance(change, AnnotationChange):
            rest.append(change)
            continue
        earlier = found.get(some.annotation_id)
        found[some.annotation_id] = AnnotationChange(earlier.before if earlier else change.before, change.after)
    return [*rest, *(change for change in found.values() if change.before != change.after)]
