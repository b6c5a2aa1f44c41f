"""The undo stack of one case: one entry per gesture."""

from __future__ import annotations

from collections.abc import Iterable

from medview.core.changes import Command


class History:
    """What can be undone and redone, newest last."""

    def __init__(self, undo: Iterable[Command] = (), redo: Iterable[Command] = ()) -> None:
        self._undo = list(undo)
        self._redo = list(redo)

    def push(self, command: Command) -> None:
        """Record a command that was just done; what was undone before it can no longer be redone."""
        self._undo.append(command)
        self._redo.clear()

    def next_undo(self) -> Command | None:
        """The command Undo would take back."""
        return self._undo[-1] if self._undo else None

    def next_redo(self) -> Command | None:
        """The command Redo would do again."""
        return self._redo[-1] if self._redo else None

    def next_undos(self, count: int) -> tuple[Command, ...]:
        """The commands that ``count`` times Undo would take back, in that order."""
        return tuple(reversed(self._undo[-count:])) if count > 0 else ()

    def next_redos(self, count: int) -> tuple[Command, ...]:
        """The commands that ``count`` times Redo would do again, in that order."""
        return tuple(reversed(self._redo[-count:])) if count > 0 else ()

    def undone(self) -> None:
        """Record that the newest command was taken back."""
        self._redo.append(self._undo.pop())

    def redone(self) -> None:
        """Record that the newest undone command was done again."""
        self._undo.append(self._redo.pop())

    @property
    def names(self) -> tuple[str, ...]:
        """What was done, oldest first."""
        return tuple(command.name for command in self._undo)

    @property
    def undone_names(self) -> tuple[str, ...]:
        """What was undone, in the order Redo brings it back."""
        return tuple(command.name for command in reversed(self._redo))
