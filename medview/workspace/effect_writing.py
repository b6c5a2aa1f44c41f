"""Writing what an effect comes to, as one entry of the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from medview.core.changes import Command
from medview.core.errors import LabelError

if TYPE_CHECKING:
    from medview.workspace.open_case import OpenCase


class EffectWriting:
    """At most one command is being written; a large one step by step.

    Parameters
    ----------
    ended : callable
        Called with the command, and whether it is on the history; else everything was taken back.
    """

    def __init__(self, ended: Callable[[Command, bool], None]) -> None:
        self._ended = ended
        self._command: Command | None = None
        self._case: OpenCase | None = None

    @property
    def going_on(self) -> bool:
        """Whether a command is being written."""
        return self._command is not None

    def begin(self, case: OpenCase, command: Command) -> str:
        """Write; return why nothing was written where that is known at once."""
        self._command, self._case = command, case
        why = ""
        try:
            case.do(command)
        except LabelError as error:
            why = error.sentence
        # A large one ends later, as a gesture does.
        case.after_gesture(self._on_end)
        return why

    def cancel(self) -> None:
        """Take back what was written so far, without a word."""
        case, going_on = self._case, self.going_on
        self._command = self._case = None
        if going_on and case is not None and case.pouring is not None:
            case.pouring.abort()

    def _on_end(self) -> None:
        command, case = self._command, self._case
        self._command = self._case = None
        if command is not None and case is not None:
            self._ended(command, case.history.next_undo() is command)
