"""How the labels of a case are changed, recorded, taken back and done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from psygnal import Signal

from medview.core.case_labels import CaseLabels
from medview.core.changes import Change, Command
from medview.core.errors import LabelError
from medview.core.label_patch import PIECE_VOXELS, LabelPatch
from medview.workspace.events import LabelsChanged
from medview.workspace.gesture import Gesture
from medview.workspace.history import History
from medview.workspace.pour import Pour, Pump, at_once


@dataclass(frozen=True, slots=True)
class Step:
    """What the journal has to record.

    Attributes
    ----------
    kind : str
        ``do`` for a command done, ``undo`` and ``redo`` for the newest one taken back or done again, ``note`` for what came
        by itself and stands beside the history.
    """

    kind: str
    command: Command


class Editing:
    """The one way to the labels of a case: ``do``, ``pour``, ``note``, ``undo``, ``redo``, ``travel`` or a ``Gesture``.

    Large changes are carried out in steps by ``pump``; meanwhile nothing else may change the labels.

    Attributes
    ----------
    record : callable or None
        Takes each Step to the journal; None when the case is not kept (no project could be opened).
    read_only : str
        Why labels cannot be changed, or empty.
    reading : bool
        Slices still arrive.
    pump : callable
        Carries out a Pour; all at once where there is no window.
    """

    labels: CaseLabels
    history: History
    record: Callable[[Step], None] | None
    read_only: str
    reading: bool

    labels_changed = Signal(LabelsChanged)
    history_changed = Signal()
    failed = Signal(LabelError)
    """A large change could not be carried out; all of it was taken back."""

    def __init__(self) -> None:
        self.pump: Pump = at_once
        self._gesture: Gesture | None = None
        self._pour: Pour | None = None
        self._waiting: list[Callable[[], object]] = []

    @property
    def key(self) -> str:
        """Identity of the case among the open ones."""
        raise NotImplementedError

    @property
    def editable(self) -> bool:
        """Whether a wish can be carried out now: not on a read-only case, not while a hand or a pour changes it."""
        return not self.read_only and not self.reading and not self._busy

    @property
    def in_gesture(self) -> bool:
        """Whether a hand is drawing right now."""
        return self._gesture is not None

    @property
    def pouring(self) -> Pour | None:
        """The large change that is being carried out."""
        return self._pour

    def do(self, command: Command) -> bool:
        """Apply a command, put it on the history and into the journal; False when the case cannot be changed now."""
        if not self.editable or not command.changes:
            return False
        self._carry_out(command.name, command.changes, lambda: self._done(command))
        return True

    def pour(self, name: str, tool: str, changes: Iterable[Change | None], total: int = 0) -> bool:
        """Carry out changes as they are made and put them on the history as one command; False when that cannot be now.

        Raises
        ------
        LabelError
            When a change does not fit and all is carried out at once; else ``failed`` says so.
        """
        if not self.editable:
            return False

        def ended(applied: tuple[Change, ...]) -> None:
            if applied:
                self._done(Command(name, applied, tool))

        self._begin(name, changes, total, ended)
        return True

    def note(self, command: Command) -> bool:
        """Apply and journal what came by itself, as a finished model run does; the history of what the person did stays."""
        if not self.editable or not command.changes:
            return False
        self.labels.apply(command.changes)
        self._journal("note", command)
        self._show(command.changes, by_itself=True)
        self.history_changed.emit()
        return True

    def show_only(self, changes: Sequence[Change]) -> None:
        """Apply changes that are neither recorded nor undone: proposals on a case that cannot be changed."""
        self.labels.apply(changes)
        self._show(changes, by_itself=True)

    def after_gesture(self, work: Callable[[], object]) -> None:
        """Do what a job brought now, or right after the gesture or pour that is going on."""
        if self._busy:
            self._waiting.append(work)
        else:
            work()

    def undo(self) -> Command | None:
        """Take the newest command back; return it, or None when there is nothing to undo or a gesture is going on."""
        return self.travel(-1)

    def redo(self) -> Command | None:
        """Do the newest undone command again; return it, or None when there is none or a gesture is going on."""
        return self.travel(1)

    def travel(self, steps: int) -> Command | None:
        """Undo (negative) or redo so many commands; return the last of them, or None when there was none."""
        back = steps < 0
        commands = self.history.next_undos(-steps) if back else self.history.next_redos(steps)
        if not commands or not self.editable:
            return None

        def ended() -> None:
            for command in commands:
                if back:
                    self.history.undone()
                else:
                    self.history.redone()
                self._journal("undo" if back else "redo", command)

        changes = [change for c in commands for change in (c.inverse() if back else c).changes]
        self._carry_out(commands[-1].name, changes, ended)
        return commands[-1]

    def gesture(self, tool: str) -> Gesture:
        """Begin a gesture: changes that show at once and become one command at the end. One at a time."""
        self.settle()
        if self._gesture is not None:
            self._gesture.abort()
        self._gesture = Gesture(self.labels, tool, self._show, self._gesture_ended)
        return self._gesture

    def settle(self) -> None:
        """Finish a large change that is being carried out, before the labels are copied or drawn on."""
        while self._pour is not None:
            self._pour.step()

    # History and journal come before the listeners everywhere here: a view that fails must not cost a change.

    @property
    def _busy(self) -> bool:
        return self._gesture is not None or self._pour is not None

    def _carry_out(self, title: str, changes: Sequence[Change], then: Callable[[], None]) -> None:
        if sum(change.box.size for change in changes if isinstance(change, LabelPatch)) > 2 * PIECE_VOXELS:
            self._begin(title, changes, len(changes), lambda _applied: then())
            return
        self.labels.apply(changes)
        then()
        self._tell(changes)

    def _begin(
        self, title: str, changes: Iterable[Change | None], total: int, then: Callable[[tuple[Change, ...]], None]
    ) -> None:
        refused: list[LabelError] = []

        def ended(applied: tuple[Change, ...] | None, error: LabelError | None) -> None:
            self._pour = None
            if applied is not None:
                then(applied)
            if error is not None:
                refused.append(error)
            self.history_changed.emit()
            if error is not None:
                self.failed.emit(error)
            self._go_on()

        self._pour = Pour(self.labels, title, changes, total=total, shown=self._show, ended=ended)
        self.pump(self._pour)
        if refused:
            raise refused[0]

    def _tell(self, changes: Sequence[Change]) -> None:
        self._show(changes)
        self.history_changed.emit()

    def _show(self, changes: Sequence[Change], *, by_itself: bool = False) -> None:
        self.labels_changed.emit(LabelsChanged(self.key, tuple(changes), by_itself))

    def _done(self, command: Command) -> None:
        self.history.push(command)
        self._journal("do", command)

    def _journal(self, kind: str, command: Command) -> None:
        if self.record is not None:
            self.record(Step(kind, command))

    def _gesture_ended(self, command: Command | None) -> None:
        self._gesture = None
        if command is not None:
            self._done(command)
        self._go_on()
        self.history_changed.emit()

    def _go_on(self) -> None:
        while self._waiting and not self._busy:
            self._waiting.pop(0)()
