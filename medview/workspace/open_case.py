"""One open series: its volume, its labels, its history and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from psygnal import Signal

from medview.core.case_labels import CaseLabels
from medview.core.changes import Change, Command
from medview.core.label_patch import LabelPatch
from medview.core.plane import Plane, SlicePlane
from medview.core.segmentation import Segment
from medview.core.study import Series, VolumeEntry
from medview.core.volume import Volume
from medview.workspace.events import LabelsChanged
from medview.workspace.history import History
from medview.workspace.load_state import LoadState
from medview.workspace.view_state import CaseView


@dataclass(frozen=True, slots=True)
class Step:
    """What the journal has to record: a command done, or the newest one undone or redone."""

    kind: str
    command: Command


@dataclass(eq=False)
class OpenCase:
    """A series that is open, with everything said about it.

    Changes go through ``do``, ``undo``, ``redo`` or a ``Gesture``; nothing else writes ``labels``.

    Attributes
    ----------
    record : callable or None
        Takes each Step to the journal; None when the case is not kept (no project could be opened).
    read_only : str
        Why labels cannot be changed, or empty.
    """

    series: Series
    entry: VolumeEntry
    volume: Volume
    load: LoadState
    labels: CaseLabels
    view: CaseView
    history: History = field(default_factory=History)
    record: Callable[[Step], None] | None = None
    read_only: str = ""
    losses: tuple[str, ...] = ()

    labels_changed = Signal(LabelsChanged)
    history_changed = Signal()
    load_changed = Signal()

    @property
    def key(self) -> str:
        """Identity of the case among the open ones."""
        return self.series.series_uid

    @property
    def active_segment(self) -> Segment | None:
        """The segment drawing tools work on."""
        return self.labels.segmentation.find(self.view.active_segment_id)

    def slice_plane(self, plane: Plane) -> SlicePlane:
        """Layout of an anatomical plane on this grid."""
        return SlicePlane.of(plane, self.volume.geometry)

    def do(self, command: Command) -> None:
        """Apply a command, put it on the history and into the journal."""
        if not command.changes:
            return
        self._apply(command.changes)
        self._done(command)

    def undo(self) -> Command | None:
        """Take the newest command back; return it, or None when there is nothing to undo."""
        command = self.history.next_undo()
        if command is None or self.read_only:
            return None
        self._apply(command.inverse().changes)
        self.history.undone()
        self._journal("undo", command)
        return command

    def redo(self) -> Command | None:
        """Do the newest undone command again; return it, or None when there is nothing to redo."""
        command = self.history.next_redo()
        if command is None or self.read_only:
            return None
        self._apply(command.changes)
        self.history.redone()
        self._journal("redo", command)
        return command

    def gesture(self, tool: str) -> Gesture:
        """Begin a gesture: changes that show at once and become one command at the end."""
        return Gesture(self, tool)

    def mark_loaded(self, k: int, *, ok: bool, reason: str = "") -> None:
        """Record that a slice arrived."""
        self.load.mark(k, ok=ok, reason=reason)

    def _apply(self, changes: Sequence[Change]) -> None:
        self.labels.apply(changes)
        self.labels_changed.emit(LabelsChanged(self.key, tuple(changes)))

    def _done(self, command: Command) -> None:
        self.history.push(command)
        self._journal("do", command)

    def _journal(self, kind: str, command: Command) -> None:
        if self.record is not None:
            self.record(Step(kind, command))
        self.history_changed.emit()


class Gesture:
    """Changes shown while the hand moves; one history entry when it ends."""

    def __init__(self, case: OpenCase, tool: str) -> None:
        self._case = case
        self._tool = tool
        self._changes: list[Change] = []

    def apply(self, *changes: Change) -> None:
        """Apply changes at once."""
        if changes:
            self._case._apply(changes)
            self._changes.extend(changes)

    def commit(self, name: str) -> Command | None:
        """Turn everything applied so far into one named command; None when it came to nothing."""
        changes = self._merged()
        self._changes = []
        if not changes:
            return None
        command = Command(name, changes, self._tool)
        self._case._done(command)
        return command

    def abort(self) -> None:
        """Take everything back as if the gesture had not begun."""
        taken_back = [change.inverse() for change in reversed(self._changes)]
        self._changes = []
        if taken_back:
            self._case._apply(taken_back)

    def _merged(self) -> tuple[Change, ...]:
        others = [change for change in self._changes if not isinstance(change, LabelPatch)]
        by_layer: dict[int, list[LabelPatch]] = {}
        for change in self._changes:
            if isinstance(change, LabelPatch):
                by_layer.setdefault(change.layer_id, []).append(change)
        layers = self._case.labels.segmentation.layers
        merged = [LabelPatch.merged(layers[layer_id], patches) for layer_id, patches in by_layer.items()]
        return (*others, *(patch for patch in merged if patch is not None))
