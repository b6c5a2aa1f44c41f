"""Which rows of a case can be undone and redone. The same rules as the history in the window."""

from __future__ import annotations

from collections.abc import Iterable

from medview.core.errors import StoreError
from medview.store.entry import EntryKind


class UndoStacks:
    """Row numbers (``seq``) of what can be undone and redone, newest last."""

    def __init__(self, undo: Iterable[int] = (), redo: Iterable[int] = ()) -> None:
        self.undo = list(undo)
        self.redo = list(redo)

    def target(self, kind: EntryKind) -> int:
        """Return the row an undo or redo refers to; 0 for one that carries a command.

        Raises
        ------
        StoreError
            When there is nothing to undo or redo.
        """
        if kind.carries_command:
            return 0
        stack = self.undo if kind is EntryKind.UNDO else self.redo
        if not stack:
            raise StoreError(f"There is nothing to {kind.value}.")
        return stack[-1]

    def is_next(self, kind: EntryKind, target_seq: int) -> bool:
        """Whether an undo or redo of a row is the one that comes next; what carries a command always may."""
        if kind.carries_command:
            return True
        return (self.undo if kind is EntryKind.UNDO else self.redo)[-1:] == [target_seq]

    def advance(self, kind: EntryKind, seq: int, target_seq: int) -> None:
        """Follow one row: ``seq`` for a new command, ``target_seq`` for an undo or redo.

        A target that lies deeper, or is gone because rows were damaged, is still followed.
        """
        if kind is EntryKind.NOTE:
            return
        if kind is EntryKind.DO:
            self.undo.append(seq)
            self.redo.clear()
            return
        source, target = (self.undo, self.redo) if kind is EntryKind.UNDO else (self.redo, self.undo)
        if target_seq in source:
            source.remove(target_seq)
            target.append(target_seq)

    def forget(self) -> None:
        """Nothing can be undone or redone from here on back: the way there is broken."""
        self.undo.clear()
        self.redo.clear()

    def copy(self) -> UndoStacks:
        """Return an independent copy."""
        return UndoStacks(self.undo, self.redo)
