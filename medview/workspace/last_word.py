"""What somebody said last, taken away once it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medview.workspace.events import Message, Severity, WayOut

if TYPE_CHECKING:
    from medview.workspace.workspace import Workspace


class LastWord:
    """Says one line at a time and knows which one that was."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._told: Message | None = None

    def say(self, text: str, severity: Severity = Severity.INFO, *, way_out: WayOut | None = None) -> None:
        """Tell the person one line, as ``Workspace.say`` does."""
        self._told = self._workspace.say(text, severity, way_out=way_out)

    def over(self) -> None:
        """Take the line away, should it still stand."""
        told, self._told = self._told, None
        if told is not None:
            self._workspace.unsay(told)
