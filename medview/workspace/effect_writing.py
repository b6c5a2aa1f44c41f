"""Writing what an effect or a large gesture comes to, as one entry of the history."""

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
        Called with the command once it is on the history; with None when all was taken back, and why, where not a person
        wanted that.
    """

    def __init__(self, ended: Callable[[Command | None, str], None]) -> None:
        self._ended = ended
        self._command: Command | None = None
        self._case: OpenCase | None = None
        self._problem = ""

    @property
    def going_on(self) -> bool:
        """Whether a command is being written."""
        return self._command is not None

    def begin(self, case: OpenCase, command: Command) -> None:
        """Write."""
        self._command, self._case, self._problem = command, case, ""
        case.failed.connect(self._on_failed)
        try:
            case.do(command)
        except LabelError as error:
            self._problem = error.sentence
        # A large one ends later, as a gesture does.
        case.after_gesture(self._on_end)

    def cancel(self) -> None:
        """Take back what was written so far, without a word."""
        _command, case = self._forget()
        if case is not None and case.pouring is not None:
            case.pouring.abort()

    def _on_failed(self, error: LabelError) -> None:
        self._problem = error.sentence

    def _on_end(self) -> None:
        command, case = self._forget()
        if command is not None and case is not None:
            written = case.history.next_undo() is command
            self._ended(command if written else None, self._problem)

    def _forget(self) -> tuple[Command | None, OpenCase | None]:
        command, case = self._command, self._case
        self._command = self._case = None
        if case is not None:
            case.failed.disconnect(self._on_failed, missing_ok=True)
        return command, case
